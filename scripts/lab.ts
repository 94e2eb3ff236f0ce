// Starts a guest of the lab for interactive use: Debian's pppd and chat, of a chosen version, in a User-Mode Linux
// guest, or our own program in a PC of qemu.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Lab, type LabOptions, missing } from "../test/kit/lab.ts";
import { VERSIONS } from "../test/kit/lab/image.ts";
import { isSeenLine, Pc, missing as pcMissing } from "../test/kit/lab/qemu.ts";

const USAGE = `usage: bun scripts/lab.ts [options] [COMMAND]

Boots a guest with the real pppd and chat, says where the other end of its serial line is, and runs COMMAND in it, or what
is typed, a line at a time. Its log (console, syslog, the main command) goes to standard error.

  --ppp VERSION         2.5.2 is Debian trixie's, which sh scripts/trixie.sh fetches; left out: the one installed here
  --qemu                a PC instead, with our executable, a 16550A (ttyS0) and an FTDI adapter (ttyUSB0)
  --etc DIR             the guest's /etc/ppp; hosts, passwd, group, shadow and pam.d in it go to /etc
  --user NAME:PASSWORD  a system user; may be repeated
  --tty NAME            the guest's name of the line (ttyS1)
  --attach TTY          join this terminal instead of making one
  --baud N, --ber P, --drop P, --seed N   pace and damage the line
  --timeout S           end after so many seconds (a day)

What is typed is a shell command of the guest, or one of these:
  :start COMMAND   run it as the main command, its output in the log      :wait   wait for its end
  :put FILE GUESTFILE    :get GUESTFILE FILE    :cut    :mend    :hangup    :stats    :quit
and with --qemu
  :plug    :unplug    the adapter            :uart cts|dsr|carrier|ring on|off    :adapter …    modem lines
  :restart            as after a power cut
`;

const DAY_SECONDS = 86_400;

async function follow(lab: Lab): Promise<void> {
  let after = await lab.waitFor(/^/);
  for (;;) {
    process.stderr.write(`${after.text}\n`);
    after = await lab.waitFor(/^/, { after, within: DAY_SECONDS * 1000 });
  }
}

async function run(lab: Lab, command: string): Promise<number> {
  const { status, stdout, stderr } = await lab.exec(command, DAY_SECONDS * 1000);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return status;
}

/** One line that was typed, when it is for the PC's hardware. */
async function obeyPc(pc: Pc, verb: string, line: string, state: string): Promise<boolean> {
  switch (verb) {
    case ":plug":
      await pc.plug();
      return true;
    case ":unplug":
      await pc.unplug();
      return true;
    case ":restart":
      await pc.lab.restart();
      return true;
    case ":uart":
    case ":adapter":
      if (!isSeenLine(line)) throw new Error(`a port sees no line ${line}`);
      pc[verb === ":uart" ? "uart" : "adapter"].set({ [line]: state === "on" });
      return true;
  }
  return false;
}

/** Handles one typed line. */
async function obey(lab: Lab, pc: Pc | undefined, line: string): Promise<void> {
  const [verb = "", ...words] = line.split(" ");
  const [first = "", second = ""] = words;
  if (pc !== undefined && (await obeyPc(pc, verb, first, second))) return;
  switch (verb) {
    case ":start":
      return lab.start(words.join(" "));
    case ":wait":
      return void (await lab.wait());
    case ":put":
      return lab.put(first, second);
    case ":get":
      return lab.get(first, second);
    case ":cut":
      return lab.cut();
    case ":mend":
      return lab.mend();
    case ":hangup":
      return lab.hangUp();
    case ":stats":
      return void console.log(await lab.stats());
  }
  const status = await run(lab, line);
  if (status !== 0) console.error(`status ${status}`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean" },
      ppp: { type: "string", default: "installed" },
      qemu: { type: "boolean" },
      etc: { type: "string" },
      user: { type: "string", multiple: true },
      tty: { type: "string" },
      attach: { type: "string" },
      baud: { type: "string" },
      ber: { type: "string" },
      drop: { type: "string" },
      seed: { type: "string" },
      timeout: { type: "string" },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const ppp = VERSIONS.find((version) => version === values.ppp);
  if (ppp === undefined) throw new Error(`--ppp ${values.ppp}: the lab has --ppp ${VERSIONS.join(" and --ppp ")}`);
  const why = values.qemu ? pcMissing() : missing(ppp);
  if (why !== undefined) throw new Error(why);
  const { qemu = false, user: users = [], etc, tty, attach, timeout = String(DAY_SECONDS) } = values;
  const { baud, ber, drop, seed } = values;
  const numbers = Object.entries({ baud, ber, drop, seed, timeout })
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => [name, Number(text)]);
  const given = Object.entries({ etc, tty, attach }).filter(([, value]) => value !== undefined);
  const options: LabOptions = { users, ...(Object.fromEntries([...numbers, ...given]) as LabOptions) };
  const pc = qemu ? await Pc.run(options) : undefined;
  const lab = pc?.lab ?? (await Lab.run({ ppp, ...options }));
  try {
    if (positionals.length > 0) return await run(lab, positionals.join(" "));
    // This ends when the guest does.
    void follow(lab).catch(() => {});
    console.error(`the guest is up; its line ends at ${lab.line}${pc ? `, the adapter's at ${pc.adapterLine}` : ""}`);
    for await (const typed of createInterface({ input: process.stdin })) {
      if (typed === ":quit") break;
      await obey(lab, pc, typed).catch((error: unknown) =>
        console.error(error instanceof Error ? error.message : error),
      );
    }
    return 0;
  } finally {
    await (pc ?? lab).stop();
  }
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
