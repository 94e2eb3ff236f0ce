// A graph of values over time as SVG. It has no colours of its own: classes take them from the page.

import { tookText } from "../../transfer/progress-text.ts";

const WIDTH = 720;
const HEIGHT = 150;
const LEFT = 64;
const RIGHT = 12;
const TOP = 8;
const BOTTOM = 22;

export interface Curve {
  readonly name: string;
  /** The class of the line: its colour. */
  readonly style: string;
  /** A value for each sample. Undefined: there is none. */
  readonly values: readonly (number | undefined)[];
}

export interface Graph {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly curves: readonly Curve[];
  /** Seconds that a sample covers. */
  readonly every: number;
  readonly valueText: (value: number) => string;
}

/** An `svg` element. */
export function graphSvg({ label, curves, every, valueText }: Graph): string {
  const count = Math.max(1, ...curves.map(({ values }) => values.length));
  const top = roundUp(Math.max(0, ...curves.flatMap(({ values }) => values.filter((value) => value !== undefined))));
  const x = (at: number): string => number(LEFT + ((WIDTH - LEFT - RIGHT) * at) / count);
  const y = (value: number): string => number(HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / top);
  const lines = [0, top / 2, top].map(
    (value) =>
      `<path class="rule" d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}"/>` +
      `<text x="${LEFT - 6}" y="${y(value)}" dy="4" text-anchor="end">${escaped(valueText(value))}</text>`,
  );
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    const text = tookText(share * count * every);
    return `<text x="${x(share * count)}" y="${HEIGHT - 5}" text-anchor="${anchor}">${text}</text>`;
  });
  const drawn = curves.map(({ style, values }) => `<path class="curve ${style}" d="${steps(values, x, y)}"/>`);
  const parts = [...lines, ...times, ...drawn].join("");
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(label)}">${parts}</svg>`;
}

/** Each value is a level over its sample; where there is none, the line has a gap. */
function steps(
  values: readonly (number | undefined)[],
  x: (at: number) => string,
  y: (value: number) => string,
): string {
  let path = "";
  let isDrawing = false;
  for (const [at, value] of values.entries()) {
    if (value !== undefined) path += `${isDrawing ? "L" : "M"}${x(at)} ${y(value)}H${x(at + 1)}`;
    isDrawing = value !== undefined;
  }
  return path;
}

/** The next of 1, 2, 5, 10, 20, … */
function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((digit) => digit * power).find((round) => round >= value * 0.999) ?? 10 * power;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** A text for HTML, also between quotes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.codePointAt(0)};`);
}
