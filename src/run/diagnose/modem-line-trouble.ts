// What the cable or the far side lacks, by the modem lines that a port sees while it drives its own.

import type { ModemLines } from "../host/serial.ts";
import type { Finding } from "./finding.ts";

/** What a port saw with DTR and RTS up, with only RTS up, and with only DTR up. */
export interface LineReadings {
  readonly up: ModemLines;
  readonly dtrDown: ModemLines;
  readonly rtsDown: ModemLines;
}

type Seen = "cts" | "dsr" | "cd";
const SEEN: readonly Seen[] = ["cts", "dsr", "cd"];
const NAMES = { cts: "CTS", dsr: "DSR", cd: "DCD" } as const;

/** The codes of findings about wires. A drawing of a cable helps with them. */
export const CABLE_CODES: readonly string[] = [
  "lines-dead",
  "cts-low",
  "dtr-missing",
  "carrier-missing",
  "lines-joined",
  "wire-missing",
];

/** Undefined readings: the device has no modem lines. */
export function modemLineTrouble(readings: LineReadings | undefined): Finding[] {
  if (readings === undefined) return [];
  const { up } = readings;
  const joined = joinedLines(readings);
  if (joined.length > 0) return [joinedTrouble(joined)];
  const dead = deadLinesTrouble(up);
  if (dead.length > 0) return dead;
  const found: Finding[] = [];
  if (!up.cts)
    found.push(
      warning(
        "cts-low",
        "CTS is low and others are up: the far side does not raise RTS, or the wire from its RTS to our CTS is missing",
        "without this wire give pppd nocrtscts at both ends",
      ),
    );
  if (!up.dsr && !up.cd)
    found.push(
      warning(
        "dtr-missing",
        "DSR and DCD are low: the wire from the far side's DTR is missing",
        "give pppd the option local",
      ),
    );
  else if (!up.cd)
    found.push(
      warning(
        "carrier-missing",
        "DCD is low though DSR is up: the cable does not connect the far side's DTR to DCD",
        "give pppd the option local, or connect DSR and DCD in the plug",
      ),
    );
  return found;
}

/** Checks whether any line is up at all. */
export function deadLinesTrouble(lines: ModemLines): Finding[] {
  if (SEEN.some((name) => lines[name])) return [];
  return [
    warning(
      "lines-dead",
      "No modem line is up: the far side's port is closed, the cable is not plugged in, or it has only three wires",
      "open the far side's port; with three wires give pppd the options local and nocrtscts",
    ),
  ];
}

/** The lines that follow our own: the plug connects them. */
export function joinedLines({ up, dtrDown, rtsDown }: LineReadings): string[] {
  const follows = (own: string, down: ModemLines): string[] =>
    SEEN.filter((name) => up[name] && !down[name]).map((name) => `${NAMES[name]} follows our ${own}`);
  return [...follows("DTR", dtrDown), ...follows("RTS", rtsDown)];
}

export function joinedTrouble(joined: readonly string[]): Finding {
  const list = joined.length === 1 ? joined[0]! : `${joined.slice(0, -1).join(", ")} and ${joined.at(-1)!}`;
  const remedy = list.includes("RTS")
    ? "nothing says whether the far side is ready: give pppd nocrtscts and local, or use a cable with all wires"
    : "nothing says whether the far side is there: give pppd the option local, or use a cable with all wires";
  return warning("lines-joined", `${list}: the plug connects them with each other`, remedy);
}

function warning(code: string, text: string, remedy: string): Finding {
  return { code, text, remedy, severity: "warning" };
}
