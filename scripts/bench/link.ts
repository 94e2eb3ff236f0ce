// Runs two PPP programs, each in its own machine, over a line (made by yardstick.c). Measures the time until the link
// is up, round trips, TCP in each direction and in both, and the cost.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, openMachine } from "../../test/kit/machine.ts";
import { Program } from "../../test/kit/program.ts";
import type { PingTest, Report, TcpTest } from "./program.ts";

const SIDES = ["a", "b"] as const;
type Side = (typeof SIDES)[number];
const DIRECTIONS = ["ab", "ba"] as const;
type Direction = (typeof DIRECTIONS)[number];

export const ADDRESS: Readonly<Record<Side, string>> = { a: "10.64.0.1", b: "10.64.0.2" };

export interface LinkOptions {
  /**
   * Runs on that side's terminal in the foreground and gives its interface the side's address. By default the C
   * yardstick.
   */
  readonly command?: (side: Side, tty: string) => readonly string[];
  /** The speed; 0 is an unpaced line. */
  readonly baud: number;
  /** Probability that an octet is damaged. */
  readonly errorRate: number;
  readonly seed: number;
  /** The duration of a TCP test. */
  readonly seconds: number;
}

/** The line's name in both machines. */
const TTY = "ttyS0";
const PORT = "5201";
const UP_MS = 30_000;
/** A packet on the line has this many octets more than in its interface: address, control, protocol, FCS, a flag. */
const FRAMING = 7;
const PINGS = 50;
const PING_PAYLOAD = 56;
const IP_AND_ICMP = 28;
/** Headers of IPv4 and of TCP with timestamps. */
const IP_AND_TCP = 52;
const TICK_SECONDS = 0.01;

const median = (numbers: readonly number[]): number => numbers.toSorted((x, y) => x - y)[numbers.length >> 1]!;

/** Compiles the yardstick and returns the program's path. */
export function compile(folder: string): string {
  const program = join(folder, "yardstick");
  const source = join(import.meta.dir, "yardstick.c");
  const { exitCode, stderr } = Bun.spawnSync(["gcc", "-O2", "-o", program, source, "-lm"], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`yardstick.c does not compile:\n${stderr.toString()}`);
  return program;
}

type Errors = Readonly<Record<Direction, number>>;

/** The line as a process of its own. */
export class Line {
  readonly #program: Program;
  #last: Awaited<ReturnType<Program["waitFor"]>> | undefined;

  constructor(yardstick: string, { baud, errorRate, seed }: Pick<LinkOptions, "baud" | "errorRate" | "seed">) {
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

/** The resources used and the octets carried up to a moment. */
interface Sample {
  readonly at: number;
  readonly cpu: Readonly<Record<Side, number>>;
  readonly interfaces: Readonly<Record<Side, Counters | undefined>>;
  readonly errors: Errors;
}

interface Counters {
  readonly received: number;
  readonly receivedPackets: number;
  readonly sentPackets: number;
}

/** One side: its machine, its program and the resources of both. */
class Station {
  readonly machine: Machine;
  readonly program: Program;
  /** CPU seconds of each thread ever seen, so that ended threads still count. */
  readonly #threads = new Map<string, number>();

  constructor(machine: Machine, command: readonly string[]) {
    this.machine = machine;
    this.program = new Program(command, { machine });
  }

  /** The processes of the program, without those that measure it. */
  #pids(): number[] {
    return this.machine.processes().flatMap(({ pid, command }) => (/^(ping|iperf3) /.test(command) ? [] : [pid]));
  }

  get alive(): boolean {
    return this.program.status === undefined || this.#pids().length > 0;
  }

  /** CPU seconds used so far. */
  cpu(): number {
    for (const pid of this.#pids()) {
      try {
        for (const thread of readdirSync(`/proc/${pid}/task`)) {
          const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
          this.#threads.set(`${pid}/${thread}`, Number(nanoseconds) / 1e9);
        }
      } catch {
        // The process has ended meanwhile.
      }
    }
    return this.#threads.values().reduce((sum, seconds) => sum + seconds, 0);
  }

  /** The highest resident memory of its processes, in bytes. */
  resident(): number {
    return this.#pids().reduce((sum, pid) => {
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
    const [pid] = this.#pids();
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

class Link {
  readonly #options: LinkOptions;
  readonly #line: Line;
  readonly #stations: Readonly<Record<Side, Station>>;
  readonly #startedAt: number;

  constructor(options: LinkOptions, line: Line, stations: Record<Side, Station>, startedAt: number) {
    this.#options = options;
    this.#line = line;
    this.#stations = stations;
    this.#startedAt = startedAt;
  }

  /** Waits until A has answered B. Returns the milliseconds since the start. */
  async firstPing(): Promise<number> {
    const { b } = this.#stations;
    const deadline = this.#startedAt + UP_MS;
    while (!b.reaches(ADDRESS.a)) {
      if (performance.now() > deadline || !b.alive) throw new Error(`no link within ${UP_MS} ms:\n${b.program.text}`);
      await Bun.sleep(1);
    }
    // Send the next request when the answer is overdue.
    const gap = this.#options.baud > 0 ? Math.max(0.005, 2600 / this.#options.baud) : 0.005;
    const ping = new Program(["ping", "-n", "-i", gap.toFixed(3), "-w", "30", ADDRESS.a], { machine: b.machine });
    await ping.waitFor("time=", { within: deadline - performance.now() });
    const took = performance.now() - this.#startedAt;
    await ping.stop();
    return took;
  }

  async sample(): Promise<Sample> {
    const { a, b } = this.#stations;
    return {
      at: performance.now(),
      errors: await this.#line.errors(),
      cpu: { a: a.cpu(), b: b.cpu() },
      interfaces: { a: a.counters(), b: b.counters() },
    };
  }

  /** The share of a core that each side uses without traffic. */
  async idle(): Promise<Record<Side, number>> {
    const before = await this.sample();
    await Bun.sleep(1000);
    const after = await this.sample();
    const share = (side: Side): number => (after.cpu[side] - before.cpu[side]) / ((after.at - before.at) / 1000);
    return { a: share("a"), b: share("b") };
  }

  async #ping(count: number, gap: number, more: readonly string[] = []): Promise<PingTest> {
    const timing = ["-c", String(count), "-i", gap.toFixed(3), "-s", String(PING_PAYLOAD), "-W", "5"];
    const { stdout } = await this.#stations.b.machine.run("ping", "-n", ...timing, ...more, ADDRESS.a);
    const times = [...stdout.matchAll(/ time=([\d.]+) ms/g)].map(([, time]) => Number(time));
    if (times.length === 0) return { sent: count, received: 0 };
    return { sent: count, received: times.length, p50_ms: median(times), max_ms: Math.max(...times) };
  }

  async ping(): Promise<PingTest> {
    const { baud } = this.#options;
    const octets = PING_PAYLOAD + IP_AND_ICMP + FRAMING;
    const floor = baud > 0 ? (2 * octets * 10) / baud : 0;
    return { ...(await this.#ping(PINGS, Math.max(0.01, floor * 1.5))), floor_ms: floor * 1000 };
  }

  /** Runs iperf3 from B to A. `flags` can reverse it or use both directions. */
  async tcp(flags: readonly string[], underLoad = false): Promise<TcpTest> {
    const { baud, seconds } = this.#options;
    const { a, b } = this.#stations;
    // A slow line needs small writes and buffers. Otherwise a test does not end.
    const buffers = baud === 0 || baud >= 2e6 ? [] : baud < 1e5 ? ["-l", "1K", "-w", "16K"] : ["-l", "4K", "-w", "64K"];
    const omit = Math.min(3, Math.max(1, Math.floor(seconds / 4)));
    const server = new Program(["iperf3", "-s", "-1", "-p", PORT, "--forceflush"], { machine: a.machine });
    await server.waitFor("listening");
    const before = await this.sample();
    const timing = ["-t", String(seconds), "-O", String(omit)];
    const client = new Program(
      ["iperf3", "-c", ADDRESS.a, "-p", PORT, "-J", "-C", "cubic", ...timing, ...buffers, ...flags],
      {
        machine: b.machine,
      },
    );
    // Two hundredths of a paced line.
    const gap = baud > 0 ? Math.max(0.05, 45_500 / baud) : 0.05;
    const pinging = underLoad
      ? this.#ping(Math.max(3, Math.floor(seconds / gap)), gap, ["-w", String(seconds + omit + 10)])
      : undefined;
    await client.exit((seconds * 3 + omit + 40) * 1000).catch(() => client.stop());
    const after = await this.sample();
    const ping = await pinging;
    await server.stop();
    return {
      ...this.#costs(before, after),
      ...readIperf(client.lines.map(({ text }) => text).join("\n")),
      ...(ping === undefined ? {} : { ping_under_load: ping }),
    };
  }

  /** The costs between two samples. */
  #costs(before: Sample, after: Sample): Pick<TcpTest, "cpu_a" | "cpu_b" | "packets_lost_per_error"> {
    const count = (side: Side, of: keyof Counters): number =>
      (after.interfaces[side]?.[of] ?? NaN) - (before.interfaces[side]?.[of] ?? NaN);
    const megabytes = (count("a", "received") + count("b", "received")) / 1e6;
    const cost = (side: Side): { s_per_MB: number | null } => {
      const seconds = after.cpu[side] - before.cpu[side];
      return { s_per_MB: megabytes > TICK_SECONDS ? seconds / megabytes : null };
    };
    const costs = { cpu_a: cost("a"), cpu_b: cost("b") };
    if (this.#options.errorRate === 0) return costs;
    // Packets that one program took from its interface and the other one never delivered.
    const lost = {
      ab: count("a", "sentPackets") - count("b", "receivedPackets"),
      ba: count("b", "sentPackets") - count("a", "receivedPackets"),
    };
    const perError = DIRECTIONS.flatMap((direction) => {
      const errors = after.errors[direction] - before.errors[direction];
      return errors > 0 ? [[direction, lost[direction] / errors] as const] : [];
    });
    return { ...costs, packets_lost_per_error: Object.fromEntries(perError) };
  }

  async measure(): Promise<Report> {
    const { a, b } = this.#stations;
    const { baud } = this.#options;
    const first_ping_ms = await this.firstPing();
    await Bun.sleep(500);
    const idle = await this.idle();
    const mtu = await b.mtu();
    // Two of 256 random octets are escaped. Each frame has one flag.
    const limit = ((baud / 10) * (mtu - IP_AND_TCP)) / (((mtu + 2) * 258) / 256 + 5) / 1e6;
    const tests = {
      ping: await this.ping(),
      tcp_ba: await this.tcp([], true),
      tcp_ab: await this.tcp(["-R"]),
      tcp_both: await this.tcp(["--bidir"]),
    };
    const died = SIDES.filter((side) => !this.#stations[side].alive);
    return {
      startup: { first_ping_ms },
      idle,
      rss_a: a.resident(),
      rss_b: b.resident(),
      ...(baud > 0 ? { line_tcp_limit_MBps: limit } : {}),
      ...(died.length > 0 ? { died } : {}),
      tests,
    };
  }
}

interface IperfSum {
  readonly bits_per_second?: number;
}

interface Iperf {
  readonly error?: string;
  readonly start?: { readonly test_start?: { readonly reverse?: number } };
  readonly end?: { readonly sum_received?: IperfSum; readonly sum_received_bidir_reverse?: IperfSum };
}

/** iperf3's JSON as rates of octets received. The client is on B's side: a reverse test goes from A to B. */
function readIperf(json: string): Pick<TcpTest, "error" | Direction> {
  let report: Iperf;
  try {
    report = JSON.parse(json) as Iperf;
  } catch {
    return { error: json.slice(-300) };
  }
  const { error, start, end } = report;
  const rate = (sum: IperfSum | undefined): { goodput_MBps: number } => ({
    goodput_MBps: (sum?.bits_per_second ?? 0) / 8e6,
  });
  return {
    ...(error === undefined ? {} : { error }),
    ...(end?.sum_received === undefined ? {} : { [start?.test_start?.reverse ? "ab" : "ba"]: rate(end.sum_received) }),
    ...(end?.sum_received_bidir_reverse === undefined ? {} : { ab: rate(end.sum_received_bidir_reverse) }),
  };
}

export async function measureLink(options: LinkOptions): Promise<Report> {
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
    return await new Link(options, line, { a: a!, b: b! }, startedAt).measure();
  } finally {
    await Promise.all(machines.map((machine) => machine.close()));
    await line?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
