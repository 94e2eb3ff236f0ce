// Runs two PPP programs, each in its own machine, over a line (made by yardstick.c). Measures the time until the link
// is up, round trips, TCP in each direction and in both, and the cost.

import { median } from "./figure.ts";
import { Program } from "../../test/kit/program.ts";
import type { PingTest, Report, TcpTest } from "./program.ts";
import {
  ADDRESS,
  type Counters,
  type Direction,
  DIRECTIONS,
  type Errors,
  type Line,
  type Pair,
  type PairOptions,
  type Side,
  SIDES,
  withPair,
} from "./station.ts";

export interface LinkOptions extends PairOptions {
  /** The duration of a TCP test. */
  readonly seconds: number;
}

const PORT = "5201";
/** A packet on the line has this many octets more than in its interface: address, control, protocol, FCS, a flag. */
const FRAMING = 7;
const PINGS = 50;
const PING_PAYLOAD = 56;
const IP_AND_ICMP = 28;
/** Headers of IPv4 and of TCP with timestamps. */
const IP_AND_TCP = 52;
const TICK_SECONDS = 0.01;

/** The resources used and the octets carried up to a moment. */
interface Sample {
  readonly at: number;
  readonly cpu: Readonly<Record<Side, number>>;
  readonly interfaces: Readonly<Record<Side, Counters | undefined>>;
  readonly errors: Errors;
}

class Link {
  readonly #options: LinkOptions;
  readonly #line: Line;
  readonly #stations: Pair["stations"];
  readonly #pair: Pair;

  constructor(options: LinkOptions, pair: Pair) {
    this.#options = options;
    this.#line = pair.line;
    this.#stations = pair.stations;
    this.#pair = pair;
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
    const first_ping_ms = await this.#pair.firstPing();
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

export function measureLink(options: LinkOptions): Promise<Report> {
  return withPair(options, (pair) => new Link(options, pair).measure());
}
