// What all acts of the demo use: the two machines, their programs on the screen, and what they have left behind.

import { consola } from "consola";
import { colors } from "consola/utils";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { closeFd, O, openFd } from "../../src/os/ffi/libc.ts";
import { readTermios } from "../../src/os/serial/termios.ts";
import { type Machine, openMachine } from "../../test/kit/machine.ts";
import { Program } from "../../test/kit/program.ts";

export const UP_MS = 15_000;
/** The meaning of pppd's exit codes. */
const STATUS: Readonly<Record<number, string>> = { 5: "ended by a signal", 16: "the peer ended the link" };
const DEMO = import.meta.dir;

/** One of the two machines: its name, its side of the cable, its pppd. */
export interface Side {
  readonly machine: Machine;
  readonly tag: string;
  readonly tty: string;
  readonly line: string;
  readonly lineBefore: string;
  /** What was there before the programs, and is no trace of theirs. */
  readonly interfacesBefore: readonly string[];
}

/** The settings of a terminal as text, for comparison. */
function settingsOf(tty: string): string {
  const fd = openFd(tty, O.RDWR | O.NOCTTY | O.NONBLOCK);
  try {
    return JSON.stringify(readTermios(fd));
  } finally {
    closeFd(fd);
  }
}

/** `etc`: a folder with the files of /etc/ppp. */
export async function openSide(
  name: string,
  role: "server" | "client",
  tty: string,
  line: string,
  etc?: string,
): Promise<Side> {
  const machine = await openMachine(name, { ttys: { [tty]: line }, ...(etc === undefined ? {} : { etc }) });
  const paint = role === "server" ? colors.cyan : colors.yellow;
  return { machine, tag: paint(role), tty, line, lineBefore: settingsOf(line), interfacesBefore: [] };
}

let startedAt = 0;

/** The lines on the screen have the time since then. */
export function startClock(): void {
  startedAt = performance.now();
}

export function secondsGone(): number {
  return (performance.now() - startedAt) / 1000;
}

export function show(tag: string, text: string): void {
  consola.log(`${colors.dim(`${secondsGone().toFixed(2).padStart(6)} s`)}  ${tag} ${colors.dim("│")} ${text}`);
}

/** Starts a program of the executable in a machine and shows what it says. */
export function start(side: Side, program: string, ...words: readonly string[]): Program {
  return startAs(side, [], program, ...words);
}

/** Starts it with the rights that the command `as` leaves it. An empty one leaves root's. */
export function startAs(side: Side, as: readonly string[], program: string, ...words: readonly string[]): Program {
  const { machine, tag } = side;
  const name = program.slice(program.lastIndexOf("/") + 1);
  const prompt = as.length === 0 ? `[root@${machine.name} /root]#` : `[zaphod@${machine.name} ~]$`;
  show(tag, colors.bold(`${prompt} ${[name, ...words].join(" ")}`));
  return new Program([...as, program, ...words], { machine, onLine: ({ text }) => show(tag, text) });
}

/** Runs one of our small programs in a machine. Throws when it fails. */
export async function runIn(
  side: Side,
  script: string,
  args: readonly string[],
  onLine: (text: string) => void,
): Promise<void> {
  const program = new Program([process.execPath, join(DEMO, script), ...args], {
    machine: side.machine,
    onLine: ({ text }) => onLine(text),
  });
  const status = await program.exit(60_000);
  if (status !== 0) throw new Error(`${script} in ${side.machine.name} ended with status ${status}:\n${program.text}`);
}

/** Describes anything that an ended pppd left behind. */
function leftBy({ machine, line, lineBefore, interfacesBefore }: Side): string[] {
  const made = machine.interfaces().filter((name) => !interfacesBefore.includes(name));
  const left = made.map((name) => `interface ${name}`);
  const locks = readdirSync(machine.path("/var/lock")).filter((name) => name.startsWith("LCK.."));
  const pidFiles = readdirSync(machine.path("/run")).filter((name) => name.endsWith(".pid"));
  left.push(...locks.map((name) => `lock ${name}`), ...pidFiles.map((name) => `pid file ${name}`));
  left.push(...machine.processes().map(({ pid, command }) => `process ${pid} (${command})`));
  if (settingsOf(line) !== lineBefore) left.push("changed line settings");
  return left;
}

/** Ends both programs and shows what is left of them. True: nothing is, and both have ended as they should. */
export async function endBoth(client: [Side, Program], server: [Side, Program]): Promise<boolean> {
  consola.start("SIGTERM to both");
  let clean = true;
  const statuses: number[] = [];
  for (const [, program] of [client, server]) {
    program.kill();
    statuses.push(await program.exit());
  }
  for (const [index, [side]] of [client, server].entries()) {
    const status = statuses[index]!;
    const left = leftBy(side);
    const ended = `${side.tag} exit status ${status} (${STATUS[status] ?? "not what it should be"})`;
    if (STATUS[status] !== undefined && left.length === 0) {
      consola.success(`${ended}\n  no interface, lock, pid file or process left, line settings as before`);
    } else {
      clean = false;
      consola.error(`${ended}\n  left behind: ${left.join(", ") || "nothing"}`);
    }
  }
  return clean;
}
