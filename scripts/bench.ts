// Measures the program's speed: npm run bench [-- [--quick] [PART …]]
//
// The figures that have a goal end in one table, beside those of the C yardstick (bench/yardstick.c).

import { consola } from "consola";
import { parseArgs } from "node:util";
import { CLIMB } from "./bench/climb.ts";
import { benchCodecs } from "./bench/codecs.ts";
import { type BenchPart, FIGURE_HEAD, rowOf } from "./bench/figure.ts";
import { FIRST_PACKETS } from "./bench/first-packets.ts";
import { benchFraming } from "./bench/framing.ts";
import { INTERACTIVE } from "./bench/interactive.ts";
import { benchPacketRing } from "./bench/packet-ring.ts";
import { PROGRAM } from "./bench/program.ts";
import { benchSlowLine } from "./bench/slowline.ts";
import { START } from "./bench/start.ts";
import { START_ORDER } from "./bench/start-order.ts";
import { table } from "./bench/table.ts";
import { benchVj } from "./bench/vj.ts";

/** What prints its own table. */
const OWN_TABLES: Readonly<Record<string, (quick: boolean) => void | Promise<void>>> = {
  framing: (quick) => {
    consola.start("Framing alone, asyncmap 0, payload");
    benchFraming(quick);
  },
  vj: (quick) => {
    consola.start("Header compression (VJ)");
    benchVj(quick);
  },
  "packet-ring": (quick) => {
    consola.start("What the ring of the latest packets costs a link in memory");
    benchPacketRing(quick);
  },
  codecs: (quick) => {
    consola.start("Compression and encryption, packets of 1500 octets, this process's CPU");
    benchCodecs(quick);
  },
  slowline: (quick) => {
    consola.start("What a line of 115200 baud carries, compressed and not");
    return benchSlowLine(quick);
  },
};

/** The parts of the one table. To add one, add its file to bench/ and its line here. */
const PARTS: Readonly<Record<string, BenchPart>> = {
  program: PROGRAM,
  "start-order": START_ORDER,
  interactive: INTERACTIVE,
  climb: CLIMB,
  "first-packets": FIRST_PACKETS,
  start: START,
};

const { quick, names } = wishesOf();
for (const name of names) if (name in OWN_TABLES) await attempt(() => OWN_TABLES[name]!(quick));
const rows: string[][] = [];
for (const name of names) {
  const part = PARTS[name];
  if (part === undefined) continue;
  consola.start(part.title);
  const title = `── ${part.title}`;
  await attempt(
    async () => rows.push([title], ...(await part.measure(quick)).map(rowOf)),
    (reason) => rows.push([`${title}: not measured, ${reason}`]),
  );
}
if (rows.length > 0) consola.log(table(FIGURE_HEAD, rows));

/** A part that cannot be measured here keeps no other from it. */
async function attempt(measure: () => unknown, failed?: (reason: string) => void): Promise<void> {
  try {
    await measure();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    consola.error(reason);
    failed?.(reason);
    process.exitCode = 1;
  }
}

function wishesOf(): { quick: boolean; names: readonly string[] } {
  const known = [...Object.keys(OWN_TABLES), ...Object.keys(PARTS)];
  try {
    const { values, positionals } = parseArgs({ options: { quick: { type: "boolean" } }, allowPositionals: true });
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new Error(`There is no part ${unknown}.`);
    return { quick: values.quick ?? false, names: positionals.length > 0 ? positionals : known };
  } catch (error) {
    console.error(`${(error as Error).message} bench knows --quick and the parts ${known.join(", ")}.`);
    process.exit(2);
  }
}
