// Compares the whole program with the C yardstick in one session (link.ts): its cost on an unpaced line, and its use of
// a line paced at 115200.

import { consola } from "consola";
import { machinesMissing, tunMissing } from "../../test/kit/machine.ts";
import { built } from "../../test/kit/program.ts";
import type { BenchPart, Figure } from "./figure.ts";
import { type LinkOptions, measureLink } from "./link.ts";
import { ADDRESS } from "./station.ts";

const BAUD = 115200;
const NOISE = 1e-5;

interface Rate {
  readonly goodput_MBps: number;
}

export interface PingTest {
  readonly sent: number;
  readonly received: number;
  readonly p50_ms?: number;
  readonly max_ms?: number;
  readonly floor_ms?: number;
}

export interface TcpTest {
  readonly error?: string;
  readonly ab?: Rate;
  readonly ba?: Rate;
  readonly cpu_a: { readonly s_per_MB: number | null };
  readonly cpu_b: { readonly s_per_MB: number | null };
  readonly ping_under_load?: PingTest;
  readonly packets_lost_per_error?: Readonly<Record<string, number>>;
}

/** The results of link.ts. Data goes from A to B, from B to A, or both ways. */
export interface Report {
  readonly startup: { readonly first_ping_ms: number };
  readonly idle: { readonly a: number; readonly b: number };
  readonly rss_a: number;
  readonly rss_b: number;
  readonly line_tcp_limit_MBps?: number;
  readonly died?: readonly string[];
  readonly tests: {
    readonly ping?: PingTest;
    readonly tcp_ba?: TcpTest;
    readonly tcp_ab?: TcpTest;
    readonly tcp_both?: TcpTest;
  };
}

/** The figures of one run. NaN: not measured. */
export interface Figures {
  readonly tcp: number;
  readonly tcpBoth: number;
  /** CPU milliseconds a megabyte in the receiving and the sending process. */
  readonly rx: number;
  readonly tx: number;
  readonly ping: number;
  /** The ping time above the line's own minimum. */
  readonly overFloor: number;
  readonly pingUnderLoad: number;
  /** The share of the line's TCP limit, in the better direction. */
  readonly share: number;
  readonly firstPing: number;
  readonly rss: number;
  readonly idle: number;
  /** Packets lost for each damaged octet, in the worse direction. */
  readonly lost: number;
}

const mean = (...numbers: (number | null | undefined)[]): number => {
  const known = numbers.filter((number) => number !== null && number !== undefined);
  return known.length === 0 ? NaN : known.reduce((sum, number) => sum + number, 0) / known.length;
};

export function figuresOf(report: Report): Figures {
  const { ping, tcp_ba: ba, tcp_ab: ab, tcp_both: both } = report.tests;
  const tcp = mean(ba?.ba?.goodput_MBps, ab?.ab?.goodput_MBps);
  const losses = [ba, ab, both].flatMap((test) => Object.values(test?.packets_lost_per_error ?? {}));
  return {
    tcp,
    tcpBoth: (both?.ab?.goodput_MBps ?? NaN) + (both?.ba?.goodput_MBps ?? NaN),
    // "ba" goes from B to A: A receives.
    rx: 1000 * mean(ba?.cpu_a.s_per_MB, ab?.cpu_b.s_per_MB),
    tx: 1000 * mean(ba?.cpu_b.s_per_MB, ab?.cpu_a.s_per_MB),
    ping: ping?.p50_ms ?? NaN,
    overFloor: (ping?.p50_ms ?? NaN) - (ping?.floor_ms ?? NaN),
    pingUnderLoad: ba?.ping_under_load?.p50_ms ?? NaN,
    share: Math.max(ba?.ba?.goodput_MBps ?? NaN, ab?.ab?.goodput_MBps ?? NaN) / (report.line_tcp_limit_MBps ?? NaN),
    firstPing: report.startup.first_ping_ms,
    rss: Math.max(report.rss_a, report.rss_b) / 1e6,
    idle: Math.max(report.idle.a, report.idle.b),
    lost: losses.length === 0 ? NaN : Math.max(...losses),
  };
}

/** What of the figures is shown, how, and its goal. */
interface Row extends Pick<Figure, "name" | "digits" | "most" | "least" | "of"> {
  readonly figure: keyof Figures;
  readonly scale?: number;
}

const UNPACED: readonly Row[] = [
  { name: "TCP one way, MB/s", figure: "tcp", digits: 1, least: 0.95, of: "ratio" },
  { name: "TCP both ways, sum, MB/s", figure: "tcpBoth", digits: 1, of: "ratio" },
  { name: "CPU receiving, ms/MB", figure: "rx", digits: 2, most: 1.15, of: "ratio" },
  { name: "CPU sending, ms/MB", figure: "tx", digits: 2, most: 1.15, of: "ratio" },
  { name: "ping p50, ms", figure: "ping", digits: 3, most: 1.1, of: "ratio" },
  { name: "start to first ping, ms", figure: "firstPing", digits: 0, most: 300, of: "figure" },
  { name: "resident, MB", figure: "rss", digits: 1, most: 64, of: "figure" },
  { name: "idle CPU, % of a core", figure: "idle", digits: 2, scale: 100, most: 0.2, of: "figure" },
];
const PACED: readonly Row[] = [
  { name: `TCP at ${BAUD}, % of the limit`, figure: "share", digits: 1, scale: 100, least: 99, of: "figure" },
  { name: `ping at ${BAUD} over the floor, ms`, figure: "overFloor", digits: 2, most: 0.8, of: "figure" },
  { name: `ping at ${BAUD} under a TCP upload, ms`, figure: "pingUnderLoad", digits: 0, most: 1000, of: "figure" },
];
// A damaged flag joins two packets, so slightly more packets are lost than octets damaged.
const NOISY: readonly Row[] = [
  { name: "packets lost a damaged octet", figure: "lost", digits: 2, most: 1.05, of: "figure" },
];

export function figureOf({ figure, scale = 1, ...row }: Row, ours: Figures, yardstick: Figures): Figure {
  return { ...row, ours: ours[figure] * scale, yardstick: yardstick[figure] * scale };
}

/** The reason why it cannot be measured here. Undefined: it can. */
function missing(): string | undefined {
  const tools = ["gcc", "ip", "ping", "iperf3"].filter((tool) => Bun.which(tool) === null);
  if (tools.length > 0) return `${tools.join(", ")} not installed`;
  return machinesMissing() ?? tunMissing();
}

interface Run extends Omit<LinkOptions, "command"> {
  readonly label: string;
}

/**
 * The yardstick does not compress, and iperf3's data, the same few kilobytes repeated, would not be a fair test of it.
 */
const OPTIONS = ["noauth", "local", "nodetach", "noccp", "novj"];

/** One run with `pppd` at both ends; without it, with the yardstick. */
async function measure({ label, ...line }: Run, pppd?: string): Promise<Figures> {
  const speed = line.baud > 0 ? [String(line.baud)] : [];
  const ends = { a: `${ADDRESS.a}:${ADDRESS.b}`, b: "noipdefault" } as const;
  consola.start(`${pppd === undefined ? "the C yardstick" : "nullmodem"}: ${label}`);
  const report = await measureLink(
    pppd === undefined ? line : { ...line, command: (side, tty) => [pppd, tty, ...speed, ends[side], ...OPTIONS] },
  );
  for (const [name, test] of Object.entries(report.tests)) {
    if (test !== undefined && "error" in test) consola.warn(`${label}, ${name}: ${test.error}`);
  }
  if (report.died !== undefined) consola.warn(`${label}: ended during the run: ${report.died.join(", ")}`);
  return figuresOf(report);
}

async function measureProgram(quick: boolean): Promise<Figure[]> {
  const reason = missing();
  if (reason !== undefined) throw new Error(reason);
  const pppd = built("pppd");
  const clean = { baud: 0, errorRate: 0, seed: 7 };
  const runs: readonly (Run & { readonly rows: readonly Row[] })[] = [
    { ...clean, label: "line not paced", seconds: quick ? 2 : 5, rows: UNPACED },
    { ...clean, label: `line paced at ${BAUD}`, seconds: quick ? 10 : 15, baud: BAUD, rows: PACED },
    { ...clean, label: "noisy line", seconds: quick ? 2 : 5, errorRate: NOISE, rows: NOISY },
  ];
  const figures: Figure[] = [];
  for (const { rows, ...run } of runs) {
    const yardstick = await measure(run);
    const ours = await measure(run, pppd);
    figures.push(...rows.map((row) => figureOf(row, ours, yardstick)));
  }
  return figures;
}

export const PROGRAM: BenchPart = { title: "the whole program", measure: measureProgram };
