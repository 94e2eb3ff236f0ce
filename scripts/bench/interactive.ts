// Measures what a person feels while a file travels over a slow line: the time of a ping of 84 octets under TCP that carries noise
// or text, and the goodput of that TCP as a share of what the line could carry.

import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cable, openCable } from "../../test/kit/cable.ts";
import { Lab, missing as labMissing } from "../../test/kit/lab.ts";
import { type Machine, machinesMissing, openMachine, tunMissing } from "../../test/kit/machine.ts";
import { built, Program } from "../../test/kit/program.ts";
import { receive, send } from "../../test/kit/transfer.ts";
import { type BenchPart, type Figure, FIGURE_HEAD, rowOf } from "./figure.ts";
import { table } from "./table.ts";

const OUR = "10.64.0.1";
const FAR = "10.64.0.2";
const ADDRESSES = { near: OUR, far: FAR } as const;
const PORT = 5201;
const MTU = 1500;
/** Headers of IPv4 and of TCP with timestamps. */
const IP_AND_TCP = 52;
/** Between pings, at 115200. A slower line has fewer. */
const PING_MS = 150;
const IDLE_PINGS = 5;
const ROOT = join(import.meta.dir, "../..");
const FAR_OPTIONS = "noauth local nodetach";

type End = keyof typeof ADDRESSES;

interface Station {
  /** Runs a shell script to its end, and returns what it has said. */
  sh(script: string): Promise<string>;
}

interface Setting {
  readonly baud: number;
  /** The real pppd at the far end. */
  readonly isLab?: boolean;
  readonly near: readonly string[];
  readonly far: readonly string[];
}

interface Flow {
  readonly from: End;
  readonly data: Uint8Array;
}

interface Result {
  /** Sorted, in milliseconds. */
  readonly pings: readonly number[];
  readonly lost: number;
  /** Octets a second of each flow as a share of the line's TCP limit, which is less by what the pings need. */
  readonly shares: readonly number[];
  /** Octets of each flow a second, as a multiple of the line's rate without what the pings need. */
  readonly multiples: readonly number[];
}

/** The octets of noise a second that TCP can carry. Two of 256 random octets are escaped, and each frame has one flag. */
function limitOf(baud: number): number {
  return ((baud / 10) * (MTU - IP_AND_TCP)) / (((MTU + 2) * 258) / 256 + 5);
}

function text(octets: number): Uint8Array {
  const files = ["*.md", "src/**/*.ts"].flatMap((some) => [...new Bun.Glob(some).scanSync(ROOT)].sort());
  return Buffer.concat(files.map((file) => readFileSync(join(ROOT, file)))).subarray(0, octets);
}

function machineStation(machine: Machine): Station {
  return {
    sh: async (script) => {
      const { stdout } = await machine.run("sh", "-c", `cd /run; ${script}`);
      return stdout;
    },
  };
}

/** Brings up the link and passes both ends to `use`. */
async function withLink<T>(
  { baud, isLab = false, near, far }: Setting,
  data: readonly Flow[],
  use: (ends: Record<End, Station>, cable: Cable) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-interactive-"));
  const cable = await openCable({ baud });
  const closing: (() => Promise<unknown>)[] = [() => cable.close()];
  try {
    data.forEach((flow, index) => writeFileSync(join(folder, `data${index}`), flow.data));
    const machine = await openMachine("near", { ttys: { ttyS0: cable.b } });
    closing.unshift(() => machine.close());
    const other = isLab
      ? await labStation(cable, folder, baud, far, closing)
      : await ourStation(cable, baud, far, closing);
    const words = ["/dev/ttyS0", String(baud), ...FAR_OPTIONS.split(" "), `${OUR}:${FAR}`, ...near];
    const program = new Program([built("pppd"), ...words], { machine });
    closing.unshift(() => program.stop());
    await program.waitFor("remote IP address");
    for (const place of [machine, ...(other.machine === undefined ? [] : [other.machine])])
      data.forEach((flow, index) => writeFileSync(place.path(`/run/data${index}`), flow.data));
    return await use({ near: machineStation(machine), far: other.station }, cable);
  } finally {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Other {
  readonly station: Station;
  readonly machine?: Machine;
}

async function ourStation(
  cable: Cable,
  baud: number,
  options: readonly string[],
  closing: (() => Promise<unknown>)[],
): Promise<Other> {
  const machine = await openMachine("far", { ttys: { ttyS0: cable.a } });
  closing.unshift(() => machine.close());
  const words = ["/dev/ttyS0", String(baud), ...FAR_OPTIONS.split(" "), "noipdefault", ...options];
  const program = new Program([built("pppd"), ...words], { machine });
  closing.unshift(() => program.stop());
  return { station: machineStation(machine), machine };
}

async function labStation(
  cable: Cable,
  etc: string,
  baud: number,
  options: readonly string[],
  closing: (() => Promise<unknown>)[],
): Promise<Other> {
  const lab = await Lab.run({ etc, attach: cable.a });
  closing.unshift(() => lab.stop());
  await lab.start(`pppd /dev/ttyS1 ${baud} ${FAR_OPTIONS} noipdefault ${options.join(" ")}`);
  const sh = async (script: string): Promise<string> => (await lab.exec(`cd /etc/ppp; ${script}`)).stdout;
  return { station: { sh } };
}

const OTHER: Readonly<Record<End, End>> = { near: "far", far: "near" };

/** All flows at once, and a ping from our end all the time. */
async function measure(setting: Setting, flows: readonly Flow[]): Promise<Result> {
  return withLink(setting, flows, async (ends, cable) => {
    const pingOctets = await octetsOfPing(ends.near, cable);
    const receivers = flows.map(({ from }, index) => ends[OTHER[from]].sh(receive(PORT + index, "/dev/null")));
    const running = { is: true };
    const pinging = pingWhile(ends.near, (PING_MS * 115200) / setting.baud, () => running.is);
    const seconds = await Promise.all(
      flows.map(async ({ from }, index) => {
        const startedAt = performance.now();
        await ends[from].sh(send(ADDRESSES[OTHER[from]], PORT + index, `data${index}`));
        await receivers[index];
        return (performance.now() - startedAt) / 1000;
      }),
    );
    running.is = false;
    const said = await pinging;
    const pings = [...said.matchAll(/ time=([\d.]+) ms/g)].map(([, time]) => Number(time)).sort((a, b) => a - b);
    const [, sent = 0, received = 0] = /(\d+) packets transmitted, (\d+) received/.exec(said)?.map(Number) ?? [];
    const rates = flows.map(({ data }, index) => data.length / seconds[index]!);
    const lineOctets = (Math.max(...seconds) * setting.baud) / 10;
    const rest = 1 - (sent * pingOctets) / lineOctets;
    const limit = limitOf(setting.baud) * rest;
    return {
      pings,
      lost: sent - received,
      shares: rates.map((rate) => rate / limit),
      multiples: rates.map((rate) => (rate * 10) / (setting.baud * rest)),
    };
  });
}

/** The octets of a ping on the idle line, compressed as it may be. */
async function octetsOfPing(from: Station, cable: Cable): Promise<number> {
  const before = await cable.stats();
  await from.sh(`ping -n -c ${IDLE_PINGS} -i 0.2 -s 56 ${FAR}`);
  const after = await cable.stats();
  return (after.ba.delivered - before.ba.delivered) / IDLE_PINGS;
}

/** What ping says of all pings until `goesOn` is false. */
async function pingWhile(from: Station, gapMs: number, goesOn: () => boolean): Promise<string> {
  const pinging = from.sh(`exec ping -n -i ${gapMs / 1000} -s 56 ${FAR} & echo $! >pinger; wait`);
  while (goesOn()) await Bun.sleep(50);
  await from.sh("kill -INT $(cat pinger)");
  return pinging;
}

interface Row {
  readonly name: string;
  readonly setting: Setting;
  /** The seconds that the line needs for each of the flows. */
  readonly flows: readonly { readonly from: End; readonly seconds: number; readonly kind: "noise" | "text" }[];
  readonly p50?: number;
  readonly p95?: number;
  readonly share?: number;
  readonly multiple?: number;
}

const NONE: readonly string[] = [];
const OURS: Pick<Setting, "near" | "far"> = { near: ["interleave"], far: ["interleave"] };
const up = (seconds: number, kind: "noise" | "text" = "noise") => ({ from: "near", seconds, kind }) as const;
const down = (seconds: number) => ({ from: "far", seconds, kind: "noise" }) as const;

const ROWS: Readonly<Record<string, Row>> = {
  oneway: { name: "one way", setting: { baud: 115200, ...OURS }, flows: [up(20)], p50: 30, p95: 50, share: 0.97 },
  bothways: {
    name: "both ways",
    setting: { baud: 115200, ...OURS },
    flows: [up(20), down(20)],
    p95: 80,
    share: 0.95,
  },
  text: { name: "text", setting: { baud: 115200, ...OURS }, flows: [up(15, "text")], multiple: 3 },
  slow: { name: "9600, one way", setting: { baud: 9600, ...OURS }, flows: [up(40)], p95: 400 },
  pppd: {
    name: "to the real pppd",
    setting: { baud: 115200, isLab: true, near: NONE, far: NONE },
    flows: [up(20)],
    p50: 150,
    share: 0.98,
  },
  pppdsmall: {
    name: "to the real pppd, interactive",
    setting: { baud: 115200, isLab: true, near: ["interactive"], far: NONE },
    flows: [up(20)],
  },
  multilink: {
    name: "to the real pppd with multilink",
    setting: { baud: 115200, isLab: true, near: ["multilink"], far: ["multilink"] },
    flows: [up(20)],
    p50: 40,
    share: 0.97,
  },
};

function dataOf({ setting, flows }: Row, quick: boolean): Flow[] {
  return flows.map(({ from, seconds, kind }) => {
    const octets = Math.round((limitOf(setting.baud) * seconds) / (quick ? 2 : 1));
    return { from, data: kind === "noise" ? randomBytes(octets) : text(octets * 3) };
  });
}

async function figuresOf(row: Row, quick: boolean): Promise<Figure[]> {
  const { name, p50, p95, share, multiple } = row;
  const { pings, shares, multiples, lost } = await measure(row.setting, dataOf(row, quick));
  const at = (part: number): number => pings[Math.floor(pings.length * part)] ?? NaN;
  return [
    { name: `${name}: ping p50, ms`, ours: at(0.5), digits: 0, ...(p50 !== undefined && { most: p50 }) },
    { name: `${name}: ping p95, ms`, ours: at(0.95), digits: 0, ...(p95 !== undefined && { most: p95 }) },
    { name: `${name}: pings lost of ${pings.length + lost}`, ours: lost, digits: 0 },
    multiple === undefined
      ? {
          name: `${name}: share of the line's TCP limit`,
          ours: Math.min(...shares),
          digits: 3,
          ...(share !== undefined && { least: share }),
        }
      : { name: `${name}: × line`, ours: Math.min(...multiples), digits: 2, least: multiple },
  ];
}

/** Why a row cannot be measured here. */
function missing(row: Row): string | undefined {
  return machinesMissing() ?? tunMissing() ?? (row.setting.isLab === true ? labMissing() : undefined);
}

async function measureRows(names: readonly string[], quick: boolean): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const name of names) {
    const row = ROWS[name]!;
    const reason = missing(row);
    if (reason !== undefined) throw new Error(reason);
    figures.push(...(await figuresOf(row, quick)));
  }
  return figures;
}

export const INTERACTIVE: BenchPart = {
  title: "Ping of 84 octets while files travel",
  measure: (quick) => measureRows(Object.keys(ROWS), quick),
};

if (import.meta.main) {
  const words = process.argv.slice(2);
  const names = words.filter((word) => word in ROWS);
  const figures = await measureRows(names.length > 0 ? names : Object.keys(ROWS), words.includes("--quick"));
  console.log(table(FIGURE_HEAD, figures.map(rowOf)));
}
