// One end of a laplink: our pppd in a machine, or a real one in the lab. Both have the same interface, so that a test
// is written once for all pairings.

import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Cable, type CableOptions, openCable } from "./cable.ts";
import { Lab, missing } from "./lab.ts";
import { Cpio } from "./lab/cpio.ts";
import { type Machine, machinesMissing, openMachine, type Result, tunMissing } from "./machine.ts";
import { PATIENCE_MS, until } from "./patience.ts";
import { BIN, builtFor, type Line, Program } from "./program.ts";

/** The real pppds of the lab: the one installed here (Debian bookworm's is 2.4.9), and 2.5.2. */
export const REALS = ["real", "2.5.2"] as const;
export type Real = (typeof REALS)[number];
export type Kind = "ours" | Real;

const versionOf = (real: Real): "installed" | "2.5.2" => (real === "real" ? "installed" : real);

/** Why there can be no laplink between these two, as text, or undefined. */
export function laplinkMissing(...kinds: readonly Kind[]): string | undefined {
  const reals = kinds.flatMap((kind) => (kind === "ours" ? [] : (missing(versionOf(kind)) ?? [])));
  return machinesMissing() ?? tunMissing() ?? reals[0];
}

/** A command that was started on an end, with the output of it and its children, and its status. */
export interface Run {
  /** Its output so far, stdout and stderr in order. */
  readonly lines: readonly string[];
  /** The first matching line, past or future. With `nth`, the one after that many others. */
  waitFor(pattern: RegExp | string, nth?: number): Promise<string>;
  exit(within?: number): Promise<number>;
}

export interface End {
  readonly kind: Kind;
  /** Replaces /etc/ppp. Paths are relative to it. */
  install(files: Readonly<Record<string, string>>): Promise<void>;
  /** Starts a shell command. Its `pppd` and `chat` are those of this end. */
  start(command: string): Promise<Run>;
  /** Runs a shell command to its end. */
  run(command: string): Promise<Result>;
  /** Waits until pppd or chat has sent this to syslog since the last install. */
  logged(text: string): Promise<void>;
  /** The messages of pppd and chat to syslog since the last install: "facility.level pppd[PID]: text". */
  syslog(): Promise<string[]>;
  /** Remains of a session: interfaces, locks, pid files, routes, processes. Empty when all is well. */
  traces(): Promise<string[]>;
  /** Ends everything that still runs, so that the next test is not disturbed. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** The mode of a file of /etc/ppp, by its name and text. */
function modeOf(name: string, text: string): number {
  return text.startsWith("#!") ? 0o755 : name.endsWith("-secrets") ? 0o600 : 0o644;
}

const MESSAGES = "/var/log/messages";

let marks = 0;

const newMark = (): string => `mark-${process.pid}-${marks++}`;

/** The lines of pppd and chat. */
const syslogLines = (lines: readonly string[]): string[] =>
  lines.flatMap(
    (line) => /^\S+ +\d+ \S+ \S+ (\S+ (?:pppd|chat))\[\d+\](: .*)$/.exec(line)?.slice(1).join("[PID]") ?? [],
  );

class OurRun implements Run {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  get lines(): string[] {
    return this.#program.lines.map(({ text }) => text);
  }

  async waitFor(pattern: RegExp | string, nth = 0): Promise<string> {
    let line: Line = await this.#program.waitFor(pattern);
    for (let seen = 0; seen < nth; seen++) line = await this.#program.waitFor(pattern, { after: line });
    return line.text;
  }

  exit(within = PATIENCE_MS): Promise<number> {
    return this.#program.exit(within);
  }
}

/** Files in /run or /run/lock during a session. */
const SESSION_FILE = /^(ppp|LCK|nullmodem-)/;

/** Writes /var/log/messages in our machines. The guests have the same daemon. */
const SYSLOGD = "busybox syslogd";

/** Our pppd, in a machine of its own. */
export class OurEnd implements End {
  readonly kind = "ours";
  readonly machine: Machine;
  readonly #path = `${BIN}:/usr/sbin:/usr/bin:/sbin:/bin`;
  #program: Program | undefined;

  constructor(machine: Machine) {
    this.machine = machine;
    builtFor(machine);
  }

  async install(files: Readonly<Record<string, string>>): Promise<void> {
    await this.#syslogWritten();
    writeFileSync(this.machine.path(MESSAGES), "");
    const folder = this.machine.path("/etc/ppp");
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      chmodSync(path, modeOf(name, text));
    }
  }

  async start(command: string): Promise<Run> {
    // One pipe for both, because two would lose the order.
    const merged = ["sh", "-c", 'exec sh -c "$1" 2>&1', "sh", command];
    this.#program = new Program(merged, { machine: this.machine, env: { PATH: this.#path } });
    return new OurRun(this.#program);
  }

  async run(command: string): Promise<Result> {
    return this.machine.run("env", `PATH=${this.#path}`, "sh", "-c", command);
  }

  /** Waits until the syslog daemon has written all earlier messages. */
  async #syslogWritten(): Promise<void> {
    const mark = newMark();
    const { status } = await this.run(`pidof syslogd >/dev/null && busybox logger ${mark}`);
    if (status === 0) await this.logged(mark);
  }

  get #messages(): string {
    return readFileSync(this.machine.path(MESSAGES), "utf8");
  }

  logged(text: string): Promise<void> {
    return until(`${text} in syslog`, () => this.#messages.includes(text));
  }

  async syslog(): Promise<string[]> {
    await this.#syslogWritten();
    return syslogLines(this.#messages.split("\n"));
  }

  async traces(): Promise<string[]> {
    const { machine } = this;
    const files = ["/run", "/run/lock"].flatMap((folder) =>
      readdirSync(machine.path(folder)).flatMap((name) => (SESSION_FILE.test(name) ? [`${folder}/${name}`] : [])),
    );
    const { stdout } = await machine.run("ip", "route");
    const routes = stdout.split("\n").filter((line) => line !== "");
    return [...machine.interfaces(), ...files, ...routes, ...this.#processes().map(({ command }) => command)];
  }

  async reset(): Promise<void> {
    for (const { pid } of this.#processes()) process.kill(pid, "SIGKILL");
    await this.#program?.exit();
    for (const folder of ["/run", "/run/lock"]) {
      const path = this.machine.path(folder);
      for (const name of readdirSync(path)) if (SESSION_FILE.test(name)) rmSync(join(path, name));
    }
  }

  close(): Promise<void> {
    return this.machine.close();
  }

  /** The processes of sessions. */
  #processes(): { pid: number; command: string }[] {
    return this.machine.processes().filter(({ command }) => !command.startsWith(SYSLOGD));
  }
}

/** Marks the end of a command's output in the lab. Its status comes on another channel. */
const DONE = "command status";

class RealRun implements Run {
  readonly #lab: Lab;
  readonly #after: Line;

  constructor(lab: Lab, after: Line) {
    this.#lab = lab;
    this.#after = after;
  }

  get lines(): string[] {
    const [, ...said] = this.#lab.log
      .split("lab: command started\n")
      .at(-1)!
      .split(/^\[ *[\d.]+\] /m);
    return said
      .map((line) => line.slice(0, -1))
      .filter((line) => line.startsWith("[cmd] ") && !line.startsWith(`[cmd] ${DONE}`))
      .map((line) => line.slice("[cmd] ".length));
  }

  async waitFor(pattern: RegExp | string, nth = 0): Promise<string> {
    const source = typeof pattern === "string" ? RegExp.escape(pattern) : pattern.source.replace(/^\^/, "");
    let line = this.#after;
    for (let seen = 0; seen <= nth; seen++) line = await this.#next(`(${DONE}|.*${source})`, line);
    const text = line.text.replace(/^\[ *[\d.]+\] \[cmd\] /, "");
    if (text.startsWith(DONE)) throw new Error(`no line ${pattern} of the real one:\n${this.lines.join("\n")}`);
    return text;
  }

  async exit(within = PATIENCE_MS): Promise<number> {
    return Number((await this.#next(DONE, this.#after, within)).text.split(" ").at(-1));
  }

  async #next(source: string, after: Line, within = PATIENCE_MS): Promise<Line> {
    try {
      return await this.#lab.waitFor(new RegExp(`\\[cmd\\] ${source}`), { after, within });
    } catch {
      // The guest's whole log would be too long.
      throw new Error(`the real one did not say ${source} within ${within} ms:\n${this.lines.join("\n")}`);
    }
  }
}

/** A real pppd, in a guest of the lab. */
export class RealEnd implements End {
  readonly kind: Real;
  readonly lab: Lab;
  #started: Line | undefined;
  #run: Run | undefined;
  /** The last line of the journal before the last install. */
  #installed: Line | undefined;

  constructor(kind: Real, lab: Lab) {
    this.kind = kind;
    this.lab = lab;
  }

  async install(files: Readonly<Record<string, string>>): Promise<void> {
    const cpio = new Cpio();
    cpio.folder("etc/ppp");
    for (const [name, text] of Object.entries(files)) cpio.file(`etc/ppp/${name}`, text, modeOf(name, text));
    const { there, remove } = this.lab.share(cpio.end());
    try {
      const unpack = `rm -rf /etc/ppp; cd /; cpio -idu <${there} 2>/dev/null`;
      const mark = newMark();
      await this.#must(`${unpack}; busybox logger ${mark}; : >${MESSAGES}`);
      this.#installed = await this.lab.waitFor(mark);
    } finally {
      remove();
    }
  }

  async start(command: string): Promise<Run> {
    // One command at a time: the one before may still be ending.
    if (this.#run !== undefined) await this.lab.wait();
    await this.lab.start(`( ${command} ); echo "${DONE} $?"`);
    const after = this.#started;
    this.#started = await this.lab.waitFor("lab: command started", after === undefined ? {} : { after });
    this.#run = new RealRun(this.lab, this.#started);
    return this.#run;
  }

  run(command: string): Promise<Result> {
    return this.lab.exec(command);
  }

  /** The guest's syslog is in its journal. */
  async logged(text: string): Promise<void> {
    await this.lab.waitFor(text, this.#installed === undefined ? {} : { after: this.#installed });
  }

  async syslog(): Promise<string[]> {
    const mark = newMark();
    await this.#must(`busybox logger ${mark}`);
    await this.logged(mark);
    const { log } = this.lab;
    const since = this.#installed === undefined ? log : log.split(`${this.#installed.text}\n`).at(-1)!;
    return syslogLines(since.split("\n").map((line) => line.replace(/^\[ *[\d.]+\] /, "")));
  }

  async traces(): Promise<string[]> {
    // One process, because a process is dear in a guest.
    const { stdout } = await this.run(
      "cat /proc/net/dev /proc/net/route /proc/[0-9]*/comm; echo /var/run/ppp*.pid /var/lock/LCK*",
    );
    return stdout.split("\n").flatMap((line) => {
      const word = /^\s*(\w+:|pppd$|\w+\t)/.exec(line)?.[1]?.trim();
      if (word !== undefined) return ["lo:", "Iface"].includes(word) ? [] : [word];
      return line.startsWith("/") ? line.split(" ").filter((path) => !path.includes("*")) : [];
    });
  }

  async reset(): Promise<void> {
    await this.run("killall -9 pppd chat sleep 2>/dev/null; rm -f /var/lock/LCK* /var/run/ppp*.pid");
    await this.#run?.exit();
  }

  close(): Promise<void> {
    return this.lab.stop();
  }

  async #must(command: string): Promise<void> {
    const { status, stderr } = await this.run(command);
    if (status !== 0) throw new Error(`in the lab: ${command}: ${stderr}`);
  }
}

/** The two sides of the HOWTO: the tty, and the folder with the files. */
export const SIDES = {
  server: { tty: "ttyS1", etc: join(import.meta.dir, "../../fixtures/howto/server") },
  client: { tty: "ttyS0", etc: join(import.meta.dir, "../../fixtures/howto/client") },
} as const;
export type Side = keyof typeof SIDES;

/** The files of a folder, by their path in it. */
export function filesIn(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files[path.slice(folder.length + 1)] = readFileSync(path, "utf8");
    }
  return files;
}

export interface Laplink {
  readonly server: End;
  readonly client: End;
  /** The terminals of server and client on this machine. A guest has its own tty behind it. */
  readonly terminals: readonly [string, string];
  readonly cable: Cable;
  /** Hangs up this side's line for good. */
  hangUp(side: Side): Promise<void>;
  close(): Promise<void>;
}

export interface LaplinkOptions {
  readonly cable?: CableOptions;
  /** The content of /etc/ppp on each side. By default the HOWTO's files, its hosts and its user zaphod. */
  readonly etc?: Readonly<Record<Side, string>>;
}

/** Opens a cable and puts an end on each side. */
export async function openLaplink(server: Kind, client: Kind, options: LaplinkOptions = {}): Promise<Laplink> {
  const { etc = { server: SIDES.server.etc, client: SIDES.client.etc } } = options;
  const cable = await openCable(options.cable);
  const ends = await Promise.all([
    openEnd("server", server, cable.a, etc.server),
    openEnd("client", client, cable.b, etc.client),
  ]);
  return {
    server: ends[0],
    client: ends[1],
    terminals: [cable.a, cable.b],
    cable,
    hangUp: (side) => {
      const end = ends[side === "server" ? 0 : 1];
      // A guest's tty does not notice a hangup of the terminal behind it.
      return end instanceof RealEnd ? end.lab.hangUp() : cable.hangUp(side === "server" ? "a" : "b");
    },
    close: async () => {
      await Promise.all(ends.map((end) => end.close()));
      await cable.close();
    },
  };
}

async function openEnd(side: Side, kind: Kind, terminal: string, etc: string): Promise<End> {
  const { tty } = SIDES[side];
  if (kind === "ours") {
    const machine = await openMachine(side, { etc, ttys: { [tty]: terminal } });
    await machine.run(...SYSLOGD.split(" "));
    return new OurEnd(machine);
  }
  return new RealEnd(kind, await Lab.run({ ppp: versionOf(kind), etc, tty, attach: terminal }));
}

/** Links of one pairing. At most `most` are opened when they are needed, and one test after the other uses them. */
export class LinkPool {
  readonly #open: () => Promise<Laplink>;
  readonly #free: Laplink[] = [];
  readonly #waiting: (() => void)[] = [];
  #left: number;

  constructor(server: Kind, client: Kind, most: number, options: LaplinkOptions = {}) {
    this.#open = () => openLaplink(server, client, options);
    this.#left = most;
  }

  /** Waits for a free link. A test that makes it unusable resolves to "spoilt". */
  async use(play: (link: Laplink) => Promise<"spoilt" | void>): Promise<void> {
    while (this.#free.length === 0 && this.#left === 0)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let link = this.#free.pop();
    if (link === undefined) {
      this.#left--;
      link = await this.#open();
    }
    let spoilt = true;
    try {
      spoilt = (await play(link)) === "spoilt";
    } finally {
      // This also runs after a failure, so that the next test is not disturbed.
      if (spoilt) {
        await link.close();
        this.#left++;
      } else this.#free.push(link);
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#free.map((link) => link.close()));
  }
}
