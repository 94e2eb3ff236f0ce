// The speeds at which two ends look for each other, and what a stage and the owner of its port say about them.

/** In the order in which they are tried: those that people set, the default of most programs first. */
export const SPEEDS: readonly number[] = [
  115200, 57600, 38400, 19200, 9600, 230400, 460800, 921600, 4800, 2400, 1500000, 1000000,
];

/** Our question and the answer to it take so many octets together. */
const QUESTION_OCTETS = 90;
/** What the far end and the drivers take to answer. */
const ANSWER_MS = 110;
const OCTET_BITS = 10;

/** The candidates: those that are known come first. */
export function candidates(known: readonly number[]): number[] {
  return [...new Set([...known.filter((speed) => speed > 0), ...SPEEDS])];
}

/** How long to listen for an answer at this speed. */
export function dwellMs(speed: number): number {
  return ANSWER_MS + (QUESTION_OCTETS * OCTET_BITS * 1000) / speed;
}

/** A stage that has its port's speed changed. */
export interface Tuned {
  /** The speed that the port is to have. Undefined: the one that it has. */
  readonly wants: number | undefined;
  /** The port has the speed that was wanted. */
  tuned(now: number): void;
  /** The port cannot have it. */
  cannotTune(now: number): void;
}
