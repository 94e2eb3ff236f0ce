// The one executable: which program it is, by the name it was called by or its first word. Exit code out.

import { basename } from "node:path";
import { type Command, COMMANDS } from "./commands/commands.ts";
import { help } from "./commands/help.ts";
import { ownWords } from "./os/process/inherited.ts";
import { OsError } from "./os/ffi/libc.ts";
import { APPLETS, type Applet } from "./applets/applets.ts";
import { appletHelp } from "./applets/help.ts";

function isApplet(name: string | undefined): name is Applet {
  return name !== undefined && Object.hasOwn(APPLETS, name);
}

function isCommand(name: string | undefined): name is Command {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}

async function runApplet(name: Applet, argv: string[]): Promise<number> {
  const text = appletHelp(name, argv);
  if (text === undefined) return (await APPLETS[name]())(argv);
  process.stdout.write(text);
  return 0;
}

async function main(called: string, argv: string[]): Promise<number> {
  if (isApplet(called)) return await runApplet(called, argv);
  const [first, ...rest] = argv;
  if (isApplet(first)) return await runApplet(first, rest);
  // Its own word for the programs that read /etc/ppp.
  const [folder = "", name, ...words] = rest;
  if (first === "--config-dir" && isApplet(name)) return await runApplet(name, [first, folder, ...words]);
  if (isCommand(first)) return (await COMMANDS[first]())(rest);
  return help(first);
}

// argv[0] and argv[1] are Bun's own; the name we were called by is argv0.
try {
  process.exitCode = await main(basename(process.argv0), ownWords());
} catch (error) {
  // The system refused something that nobody reckoned with: a full disk behind standard output, perhaps.
  if (!(error instanceof OsError)) throw error;
  process.stderr.write(`${basename(process.argv0)}: ${error.message}\n`);
  process.exitCode = 1;
}
// Whatever still waits (a timer, a pipe to somebody) has nothing more to do with us.
process.exit();
