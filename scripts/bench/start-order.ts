// Measures how soon a link is up after its later end is ready, whichever end starts first and by how much.
//
//   bun scripts/bench/start-order.ts [--peer real|ours|2.5.2] [--silent ours|peer] [--step S] [--speed N] [--list]
//
// A silent end sends nothing before it hears a request. Ready is an end whose port is open ("Connect: "); up is a link for which both ends have said their addresses.

import { parseArgs } from "node:util";
import { consola } from "consola";
import { type End, type Kind, laplinkMissing, openLaplink, type Run } from "../../test/kit/end.ts";
import { closeMachines } from "../../test/kit/machine.ts";
import type { BenchPart, Figure } from "./figure.ts";
import { table } from "./table.ts";

const LONGEST_S = 3;
const UP = /^remote IP address/;
/** The goals: seconds for 95 % of all offsets. */
const GOALS: Readonly<Record<Kind, number>> = { ours: 0.3, real: 0.5, "2.5.2": 0.5 };

const NAMES: Readonly<Record<Kind, string>> = { ours: "ours", real: "the real pppd", "2.5.2": "pppd 2.5.2" };

interface Start {
  readonly run: Run;
  readonly readyAt: number;
  readonly upAt: Promise<number>;
}

async function begin(end: End, command: string, delayMs: number): Promise<Start> {
  await Bun.sleep(delayMs);
  const run = await end.start(command);
  await run.waitFor(/^Connect: /);
  const readyAt = performance.now();
  return { run, readyAt, upAt: run.waitFor(UP).then(() => performance.now()) };
}

interface Measured {
  /** Seconds from the peer's readiness to ours. */
  readonly offset: number;
  /** Seconds from the later readiness to the link. */
  readonly seconds: number;
}

async function measure(
  ends: { ours: End; peer: End },
  words: { ours: string; peer: string },
  offsetMs: number,
): Promise<Measured> {
  const [ours, peer] = await Promise.all([
    begin(ends.ours, `pppd /dev/ttyS1 10.0.0.1:10.0.0.2 ${words.ours}`, Math.max(0, offsetMs)),
    begin(ends.peer, `pppd /dev/ttyS0 ${words.peer}`, Math.max(0, -offsetMs)),
  ]);
  const up = Math.max(...(await Promise.all([ours.upAt, peer.upAt])));
  await ends.ours.run("kill $(head -n1 /var/run/ppp0.pid)");
  await Promise.all([ours.run.exit(), peer.run.exit()]);
  return {
    offset: (ours.readyAt - peer.readyAt) / 1000,
    seconds: (up - Math.max(ours.readyAt, peer.readyAt)) / 1000,
  };
}

function percentile(all: readonly Measured[], part: number): number {
  const sorted = all.map(({ seconds }) => seconds).toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

interface Wishes {
  readonly peer: Kind;
  /** Which end is silent: "ours", "peer"; any other word: none. */
  readonly silent: string;
  /** Seconds from one offset to the next. */
  readonly step: number;
  readonly speed: number;
}

/** A link for each offset. Throws an Error with the reason if there can be none here. */
async function measureOffsets({ peer, silent, step, speed }: Wishes): Promise<Measured[]> {
  const why = laplinkMissing("ours", peer);
  if (why !== undefined) throw new Error(why);
  const link = await openLaplink("ours", peer, { cable: { baud: speed } });
  const wordsOf = (end: string): string => `${speed} local -detach noauth debug${silent === end ? " silent" : ""}`;
  const words = { ours: wordsOf("ours"), peer: wordsOf("peer") };
  const all: Measured[] = [];
  try {
    for (const end of [link.server, link.client]) await end.install({ options: "lock\n" });
    const steps = Math.round((2 * LONGEST_S) / step);
    for (let at = 0; at <= steps; at++)
      all.push(await measure({ ours: link.server, peer: link.client }, words, (at * step - LONGEST_S) * 1000));
    return all;
  } finally {
    await link.close();
    await closeMachines();
  }
}

async function figures(quick: boolean): Promise<Figure[]> {
  const found: Figure[] = [];
  for (const peer of ["ours", "real"] as const) {
    const all = await measureOffsets({ peer, silent: "no", step: quick ? 1 : 0.25, speed: 115200 });
    const name = `from the later end's readiness to the link, p95, ${NAMES[peer]} as peer, s`;
    found.push({ name, ours: percentile(all, 0.95), digits: 2, most: GOALS[peer] });
  }
  return found;
}

/** The yardstick negotiates nothing, so it has no such figures. */
export const START_ORDER: BenchPart = { title: "1. up at once, whoever starts first, at 115200", measure: figures };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      peer: { type: "string", default: "real" },
      silent: { type: "string", default: "no" },
      step: { type: "string", default: "0.25" },
      speed: { type: "string", default: "115200" },
      list: { type: "boolean", default: false },
    },
  });
  const peer = values.peer as Kind;
  const all = await measureOffsets({ ...values, peer, step: Number(values.step), speed: Number(values.speed) });
  if (values.list) for (const { offset, seconds } of all) console.log(offset.toFixed(2), seconds.toFixed(3));
  const shown = [0.5, 0.95, 1].map((part) => percentile(all, part).toFixed(2));
  const head = ["peer", "speed", "silent", "starts", "p50", "p95", "worst", "goal for p95"];
  console.log(
    table(head, [[peer, values.speed, values.silent, String(all.length), ...shown, `${GOALS[peer].toFixed(1)} s`]]),
  );
}

if (import.meta.main)
  await main().catch((error: unknown) => {
    consola.error(`no figures: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
