// A modem's results (ITU-T V.250 §5.7): words, and their numbers for V0.

import type { Profile } from "./modem-profile.ts";

const RESULTS = {
  OK: 0,
  CONNECT: 1,
  RING: 2,
  "NO CARRIER": 3,
  ERROR: 4,
  "NO DIALTONE": 6,
  BUSY: 7,
  "NO ANSWER": 8,
} as const;
export type Result = keyof typeof RESULTS;

/** The numbers of "CONNECT 9600" and so on, as Rockwell's and Conexant's modems have them. */
const CONNECT_NUMBERS: Readonly<Record<number, number>> = {
  1200: 5,
  2400: 10,
  4800: 11,
  9600: 12,
  7200: 13,
  12000: 14,
  14400: 15,
  19200: 16,
  38400: 17,
  57600: 18,
  115200: 19,
};

/** A result as the settings have it. X leaves some out: the modem does not listen for a tone that it would not tell of. */
export function resultText(result: Result, { extent, isVerbose }: Profile): string {
  const isUntold = (result === "BUSY" && extent < 3) || (result === "NO DIALTONE" && extent !== 2 && extent !== 4);
  const told = isUntold ? "NO CARRIER" : result;
  return isVerbose ? told : String(RESULTS[told]);
}

/** CONNECT. `fixed`: a text that is given each time, in words. `speed` 0: not known. */
export function connectText(speed: number, fixed: string | undefined, { extent, isVerbose }: Profile): string {
  if (fixed !== undefined && isVerbose) return fixed;
  if (extent === 0 || speed === 0) return isVerbose ? "CONNECT" : String(RESULTS.CONNECT);
  return isVerbose ? `CONNECT ${speed}` : String(CONNECT_NUMBERS[speed] ?? RESULTS.CONNECT);
}
