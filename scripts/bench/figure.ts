// A figure that `npm run bench` shows beside the yardstick's and its goal, and what measures such figures.

/** One row of the table. NaN: not measured. */
export interface Figure {
  /** What was measured, and its unit: "ping p50, ms". */
  readonly name: string;
  readonly ours: number;
  /** The same of the C yardstick. Absent: it has no such figure. */
  readonly yardstick?: number;
  readonly digits: number;
  /** The goal: a limit for our own figure, or for its ratio to the yardstick's. */
  readonly most?: number;
  readonly least?: number;
  readonly of?: "figure" | "ratio";
}

/** A part of the table. It throws an Error with the reason if it cannot be measured here. */
export interface BenchPart {
  readonly title: string;
  /** `quick`: in about a minute. */
  measure(quick: boolean): Promise<readonly Figure[]>;
}

/** NaN: there are none. */
export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? NaN;

export const FIGURE_HEAD = ["", "C yardstick", "nullmodem", "ratio", "goal", ""] as const;

export function rowOf(figure: Figure): string[] {
  const { name, ours, yardstick = NaN, digits, most = Infinity, least = -Infinity, of = "figure" } = figure;
  const ratio = ours / yardstick;
  const judged = of === "ratio" ? ratio : ours;
  const text = (number: number): string => (Number.isNaN(number) ? "-" : number.toFixed(digits));
  const unit = of === "ratio" ? "×" : "";
  const goal = most < Infinity ? `≤ ${most}${unit}` : least > -Infinity ? `≥ ${least}${unit}` : "";
  const verdict = goal === "" || Number.isNaN(judged) ? "" : judged <= most && judged >= least ? "reached" : "missed";
  return [name, text(yardstick), text(ours), Number.isNaN(ratio) ? "-" : ratio.toFixed(2), goal, verdict];
}
