// The one executable. Its name or its first word selects the program. Exits with that program's exit code.

import { basename } from "node:path";
import { type Command, COMMANDS } from "./commands/commands.ts";
import { FILES_MARK, LOGIN_MARK, ownWords } from "./os/process/inherited.ts";
import { OsError } from "./os/ffi/libc.ts";
import { APPLETS, type Applet } from "./applets/applets.ts";
import { appletHelp } from "./applets/applet-help.ts";

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
  if (process.env[LOGIN_MARK] !== undefined) return (await import("./os/users/login-process.ts")).runLoginProcess();
  if (process.env[FILES_MARK] !== undefined) return await (await import("./applets/files-server.ts")).runFilesServer();
  if (isApplet(called)) return await runApplet(called, argv);
  const isAsked = argv[0] === "help" && argv.length > 1;
  const [first, ...rest] = isAsked ? [argv[1]!, "--help"] : argv;
  if (isApplet(first)) return await runApplet(first, rest);
  // An option of the executable itself, for the programs that read /etc/ppp.
  const [folder = "", name, ...words] = rest;
  if (first === "--config-dir" && isApplet(name)) return await runApplet(name, [first, folder, ...words]);
  if (isCommand(first)) return (await COMMANDS[first]())(rest);
  return (await import("./commands/help.ts")).help(first);
}

// argv[0] and argv[1] are Bun's own; the name we were called by is argv0. As a login shell it begins with a hyphen.
try {
  process.exitCode = await main(basename(process.argv0).replace(/^-/, ""), ownWords());
} catch (error) {
  // The system refused a call that no program handles, such as a write to standard output on a full disk.
  if (!(error instanceof OsError)) throw error;
  process.stderr.write(`${basename(process.argv0)}: ${error.message}\n`);
  process.exitCode = 1;
}
// Exit even if a timer or a pipe is still active: our work is done.
process.exit();
