// What a link is measured between: the line of yardstick.c, and on each of its sides a machine with a PPP program in it.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, openMachine } from "../../test/kit/machine.ts";
import { Program } from "../../test/kit/program.ts";

export const SIDES = ["a", "b"] as const;
export type Side = (typeof SIDES)[number];
export const DIRECTIONS = ["ab", "ba"] as const;
export type Direction = (typeof DIRECTIONS)[number];

export const ADDRESS: Readonly<Record<Side, string>> = { a: "10.64.0.1", b: "10.64.0.2" };

export interface LineOptions {
  /** The speed; 0 is an unpaced line. */
  readonly baud: number;
  /** Probability that an octet is damaged. */
  readonly errorRate: number;
  readonly seed: number;
}

export interface PairOptions extends LineOptions {
  /**
   * Runs on that side's terminal in the foreground and gives its interface the side's address. By default the C
   * yardstick.
   */
  readonly command?: (side: Side, tty: string) => readonly string[];
}

/** The line's name in both machines. */
const TTY = "ttyS0";
const UP_MS = 60_000;

/** Compiles the yardstick and returns the program's path. */
export function compile(folder: string): string {
  const program = join(folder, "yardstick");
  const source = join(import.meta.dir, "yardstick.c");
  const { exitCode, stderr } = Bun.spawnSync(["gcc", "-O2", "-o", program, source, "-lm"], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`yardstick.c does not compile:\n${stderr.toString()}`);
  return program;
}

export type Errors = Readonly<Record<Direction, number>>;

/** The line as a process of its own. */
export class Line {
  readonly #program: Program;
  #last: Awaited<ReturnType<Program["waitFor"]>> | undefined;

  constructor(yardstick: string, { baud, errorRate, seed }: LineOptions) {
    this.#program = new Program([yardstick, "line", String(baud), String(errorRate), String(seed)]);
  }

  async terminals(): Promise<Record<Side, string>> {
    this.#last = await this.#program.waitFor("ready ");
    const [, a, b] = this.#last.text.split(" ");
    return { a: a!, b: b! };
  }

  /** Returns the octets damaged so far. */
  async errors(): Promise<Errors> {
    await this.#program.write("\n");
    this.#last = await this.#program.waitFor("{", { after: this.#last! });
    const { ab, ba } = JSON.parse(this.#last.text) as Record<Direction, { errors: number }>;
    return { ab: ab.errors, ba: ba.errors };
  }

  async close(): Promise<void> {
    await this.#program.stop();
  }
}

export interface Counters {
  readonly received: number;
  readonly receivedPackets: number;
  readonly sentPackets: number;
}

/** One side: its machine, its program and the resources of both. */
export class Station {
  readonly machine: Machine;
  readonly program: Program;
  /** CPU seconds of each thread ever seen, so that ended threads still count. */
  readonly #threads = new Map<string, number>();

  constructor(machine: Machine, command: readonly string[]) {
    this.machine = machine;
    this.program = new Program(command, { machine });
  }

  /** The processes of the program, without those that measure it. */
  pids(): number[] {
    return this.machine.processes().flatMap(({ pid, command }) => (/^(ping|iperf3) /.test(command) ? [] : [pid]));
  }

  get alive(): boolean {
    return this.program.status === undefined || this.pids().length > 0;
  }

  /** CPU seconds used so far: of the first thread of its processes, or of the others, which compile and collect. */
  cpu(of: "first" | "others" | "all" = "all"): number {
    for (const pid of this.pids()) {
      try {
        for (const thread of readdirSync(`/proc/${pid}/task`)) {
          const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
          this.#threads.set(`${pid}/${thread}`, Number(nanoseconds) / 1e9);
        }
      } catch {
        // The process has ended meanwhile.
      }
    }
    const isWanted = (name: string): boolean => {
      const [pid, thread] = name.split("/");
      return of === "all" || (of === "first") === (pid === thread);
    };
    return this.#threads.entries().reduce((sum, [name, seconds]) => sum + (isWanted(name) ? seconds : 0), 0);
  }

  /** The highest resident memory of its processes, in bytes. */
  resident(): number {
    return this.pids().reduce((sum, pid) => {
      try {
        const [, kilobytes = 0] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
        return sum + Number(kilobytes) * 1024;
      } catch {
        return sum;
      }
    }, 0);
  }

  counters(): Counters | undefined {
    const [name] = this.machine.interfaces();
    const [pid] = this.pids();
    if (name === undefined || pid === undefined) return undefined;
    const [, text = ""] =
      new RegExp(`^\\s*${name}:(.*)$`, "m").exec(readFileSync(`/proc/${pid}/net/dev`, "utf8")) ?? [];
    const fields = text.trim().split(/\s+/).map(Number);
    return { received: fields[0]!, receivedPackets: fields[1]!, sentPackets: fields[9]! };
  }

  /** True when it has a route to that address. */
  reaches(address: string): boolean {
    // /proc has the address as a little-endian number in hexadecimal.
    const octets = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
    const destination = octets.reverse().join("").toUpperCase();
    try {
      return readFileSync(`/proc/${this.program.pid}/net/route`, "utf8").includes(`\t${destination}\t`);
    } catch {
      return false;
    }
  }

  async mtu(): Promise<number> {
    const { stdout } = await this.machine.run("ip", "link", "show", "dev", this.machine.interfaces()[0] ?? "lo");
    return Number(/ mtu (\d+)/.exec(stdout)?.[1] ?? 1500);
  }
}

/** Two programs on one line. */
export class Pair {
  readonly line: Line;
  readonly stations: Readonly<Record<Side, Station>>;
  readonly #baud: number;
  readonly #startedAt: number;

  constructor({ baud }: PairOptions, line: Line, stations: Record<Side, Station>, startedAt: number) {
    this.#baud = baud;
    this.line = line;
    this.stations = stations;
    this.#startedAt = startedAt;
  }

  /** Waits until A has answered B. Returns the milliseconds since the start. */
  async firstPing(): Promise<number> {
    const { b } = this.stations;
    await this.up();
    // Send the next request when the answer is overdue.
    const gap = this.#baud > 0 ? Math.max(0.005, 2600 / this.#baud) : 0.005;
    const ping = new Program(["ping", "-n", "-i", gap.toFixed(3), "-w", "30", ADDRESS.a], { machine: b.machine });
    await ping.waitFor("time=", { within: this.#startedAt + UP_MS - performance.now() });
    const took = performance.now() - this.#startedAt;
    await ping.stop();
    return took;
  }

  /** Waits until each side has a route to the other. */
  async up(): Promise<void> {
    const { a, b } = this.stations;
    while (!b.reaches(ADDRESS.a) || !a.reaches(ADDRESS.b)) {
      const isLate = performance.now() > this.#startedAt + UP_MS;
      if (isLate || !b.alive || !a.alive)
        throw new Error(`no link within ${UP_MS} ms:\n${a.program.text}\n${b.program.text}`);
      await Bun.sleep(1);
    }
  }
}

/** Starts the two programs, and ends everything when `use` is done. */
export async function withPair<T>(options: PairOptions, use: (pair: Pair) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-bench-"));
  const machines: Machine[] = [];
  let line: Line | undefined;
  try {
    const yardstick = compile(folder);
    line = new Line(yardstick, options);
    const ttys = await line.terminals();
    for (const side of SIDES) {
      const machine = await openMachine(`bench-${side}`, { ttys: { [TTY]: ttys[side] } });
      machines.push(machine);
      // A test must not use TCP metrics of the test before it.
      await machine.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save");
    }
    const { command = (side, tty) => [yardstick, "link", tty, ADDRESS[side], ADDRESS[side === "a" ? "b" : "a"]] } =
      options;
    const startedAt = performance.now();
    const [a, b] = SIDES.map((side, index) => new Station(machines[index]!, command(side, `/dev/${TTY}`)));
    return await use(new Pair(options, line, { a: a!, b: b! }, startedAt));
  } finally {
    await Promise.all(machines.map((machine) => machine.close()));
    await line?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
