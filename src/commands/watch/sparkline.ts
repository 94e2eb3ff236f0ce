// A small graph of characters.

const BLOCKS = " ▁▂▃▄▅▆▇█";
const ASCII = " .:-=+*#@";
const STEPS = 8;

/**
 * The values as `rows` rows of characters, the newest at the right, the top row first. `most` is the value of the full height. A
 * value that is not known (NaN) is blank, and one above 0 is never blank.
 */
export function sparkline(
  values: readonly number[],
  width: number,
  rows: number,
  most: number,
  hasBlocks: boolean,
): string[] {
  const signs = hasBlocks ? BLOCKS : ASCII;
  const shown = values.slice(-width);
  const heights = shown.map((value) => {
    if (!(value > 0) || !(most > 0)) return 0;
    return Math.max(1, Math.min(rows * STEPS, Math.round((value / most) * rows * STEPS)));
  });
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * STEPS;
    const signAt = (height: number): string => signs[Math.max(0, Math.min(STEPS, height - below))]!;
    return heights.map(signAt).join("").padStart(width);
  });
}

/** The next round number: 1, 2 or 5 times a power of ten. So the scale of a graph changes seldom. */
export function roundMost(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const factor of [1, 2, 5]) if (value <= factor * power) return factor * power;
  return 10 * power;
}

/** A bar for a part of a whole. */
export function progressBar(part: number, width: number): string {
  const full = Math.max(0, Math.min(width, Math.floor(part * width)));
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`;
}
