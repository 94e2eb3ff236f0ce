// Compares the whole program with the C yardstick in one session (link.ts): its cost on an unpaced line, and its use of
// a line paced at 115200.

import { consola } from "consola";
import { machinesMissing, tunMissing } from "../../test/kit/machine.ts";
import { built } from "../../test/kit/program.ts";
import { ADDRESS, type LinkOptions, measureLink } from "./link.ts";
import { table } from "./table.ts";

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

/** One row: its label, its format, and its goal. */
interface Row {
  readonly title: string;
  readonly figure: keyof Figures;
  readonly digits: number;
  readonly scale?: number;
  /** A limit for our own figure, or for its ratio to the yardstick's. */
  readonly most?: number;
  readonly least?: number;
  readonly of: "figure" | "ratio";
}

const UNPACED: readonly Row[] = [
  { title: "TCP one way, MB/s", figure: "tcp", digits: 1, least: 0.95, of: "ratio" },
  { title: "TCP both ways, sum, MB/s", figure: "tcpBoth", digits: 1, of: "ratio" },
  { title: "CPU receiving, ms/MB", figure: "rx", digits: 2, most: 1.15, of: "ratio" },
  { title: "CPU sending, ms/MB", figure: "tx", digits: 2, most: 1.15, of: "ratio" },
  { title: "ping p50, ms", figure: "ping", digits: 3, most: 1.1, of: "ratio" },
  { title: "start to first ping, ms", figure: "firstPing", digits: 0, most: 300, of: "figure" },
  { title: "resident, MB", figure: "rss", digits: 1, most: 64, of: "figure" },
  { title: "idle CPU, % of a core", figure: "idle", digits: 2, scale: 100, most: 0.2, of: "figure" },
];
const PACED: readonly Row[] = [
  { title: `TCP at ${BAUD}, % of the limit`, figure: "share", digits: 1, scale: 100, least: 99, of: "figure" },
  { title: `ping at ${BAUD} over the floor, ms`, figure: "overFloor", digits: 2, most: 0.8, of: "figure" },
  { title: `ping at ${BAUD} under a TCP upload, ms`, figure: "pingUnderLoad", digits: 0, most: 1000, of: "figure" },
];
// A damaged flag joins two packets, so slightly more packets are lost than octets damaged.
const NOISY: readonly Row[] = [
  { title: "packets lost a damaged octet", figure: "lost", digits: 2, most: 1.05, of: "figure" },
];

export function rowOf(row: Row, ours: Figures, yardstick: Figures): string[] {
  const { scale = 1, digits, most = Infinity, least = -Infinity } = row;
  const [our, its] = [ours[row.figure] * scale, yardstick[row.figure] * scale];
  const judged = row.of === "ratio" ? our / its : our;
  const text = (number: number): string => (Number.isNaN(number) ? "-" : number.toFixed(digits));
  const unit = row.of === "ratio" ? "×" : "";
  const goal = most < Infinity ? `≤ ${most}${unit}` : least > -Infinity ? `≥ ${least}${unit}` : "";
  const verdict = goal === "" || Number.isNaN(judged) ? "" : judged <= most && judged >= least ? "reached" : "missed";
  return [row.title, text(its), text(our), Number.isNaN(our / its) ? "-" : (our / its).toFixed(2), goal, verdict];
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

export async function benchProgram(quick: boolean): Promise<void> {
  const reason = missing();
  if (reason !== undefined) {
    consola.warn(`The whole program is not measured: ${reason}`);
    return;
  }
  const pppd = built("pppd");
  const clean = { baud: 0, errorRate: 0, seed: 7 };
  const runs: readonly (Run & { readonly rows: readonly Row[] })[] = [
    { ...clean, label: "line not paced", seconds: quick ? 2 : 5, rows: UNPACED },
    { ...clean, label: `line paced at ${BAUD}`, seconds: quick ? 10 : 15, baud: BAUD, rows: PACED },
    { ...clean, label: "noisy line", seconds: quick ? 2 : 5, errorRate: NOISE, rows: NOISY },
  ];
  const rows: string[][] = [];
  for (const { rows: wanted, ...run } of runs) {
    const yardstick = await measure(run);
    const ours = await measure(run, pppd);
    rows.push(...wanted.map((row) => rowOf(row, ours, yardstick)));
  }
  consola.log(table(["", "C yardstick", "nullmodem", "ratio", "goal", ""], rows));
}
