// The table of what a cable can do, from a test with another doctor at its far side.

import { BLOCK } from "../front/far-block.ts";
import { type FarRow, type Flow, lostIn, SpeedState } from "../front/far-report.ts";
import type { FarTest } from "../front/far-test.ts";
import { isGood, wireResults } from "../run/diagnose/far-trouble.ts";

const STATES = {
  [SpeedState.Tested]: "tested",
  [SpeedState.RefusedHere]: "the port here cannot do it",
  [SpeedState.RefusedThere]: "the port there cannot do it",
  [SpeedState.NoContact]: "nothing arrives",
} as const;

export function farText({ wires, rows }: Pick<FarTest, "wires" | "rows">): string {
  const lines: string[] = [];
  if (wires !== undefined) {
    lines.push("  wire                     works");
    for (const { from, to, works } of wireResults(wires))
      lines.push(`  ${`${from} -> ${to}`.padEnd(24)} ${works ? "yes" : "no"}`);
    lines.push("");
  }
  lines.push("    speed  from here to there           from there to here");
  for (const row of rows) {
    const { speed, state, out, back } = row;
    const flows = `${flowText(out).padEnd(28)} ${flowText(back)}`;
    lines.push(`  ${String(speed).padStart(7)}  ${state === SpeedState.Tested ? flows : STATES[state]}`);
  }
  return `${lines.join("\n")}\n`;
}

function flowText({ good, sent, rate }: Flow): string {
  const lost = sent - good;
  const word = lost === 0 ? "good" : `${lost} of ${sent} blocks lost`;
  return rate === 0 ? word : `${word}, ${rate} octets/s`;
}

/** The same for programs. */
export function farFacts({ wires, rows }: Pick<FarTest, "wires" | "rows">) {
  return { wires: wires === undefined ? undefined : wireResults(wires), speeds: rows.map(rowFacts) };
}

function rowFacts(row: FarRow) {
  const { speed, state, out, back } = row;
  if (state !== SpeedState.Tested) return { speed, state: STATES[state] };
  return { speed, state: isGood(row) ? "good" : "octets are lost", out: flowFacts(out), back: flowFacts(back) };
}

function flowFacts(flow: Flow) {
  const { good, sent, rate } = flow;
  return { blockOctets: BLOCK, sent, arrived: good, octetsPerSecond: rate, octetsNeverSeen: lostIn(flow) };
}
