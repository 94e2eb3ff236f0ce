// Finds the names closest to a misspelt word, for "Did you mean" messages.

/** The cost of a replaced letter. An inserted or missing letter costs 1, because it is the likelier mistake. */
const REPLACED = 1.1;
const OTHER_CASE = 0.25;

/** The greatest distance at which a word of that length still matches. */
function allowance(length: number): number {
  return length < 3 ? 0 : length < 6 ? REPLACED : length < 12 ? 2 * REPLACED : 3 * REPLACED;
}

/** The closest names, at most three, in the given order. Empty when no name is close. A wrong case costs little. */
export function nearestNames(word: string, names: Iterable<string>): string[] {
  let best = allowance(word.length);
  let found: string[] = [];
  for (const name of new Set(names)) {
    if (name === word || Math.abs(name.length - word.length) > best) continue;
    const distance = editDistance(word, name);
    if (distance > best) continue;
    if (distance < best) found = [];
    best = distance;
    found.push(name);
  }
  return found.slice(0, 3);
}

/** The cost of inserting, deleting and replacing letters and of swapping neighbours (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let at = 1; at <= to.length; at++) {
      const cost = costOf(from[row - 1], to[at - 1]);
      let least = Math.min(last[at]! + 1, current[at - 1]! + 1, last[at - 1]! + cost);
      const swapped = row > 1 && at > 1 && from[row - 1] === to[at - 2] && from[row - 2] === to[at - 1];
      if (swapped) least = Math.min(least, beforeLast[at - 2]! + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}

function costOf(one: string | undefined, other: string | undefined): number {
  if (one === other) return 0;
  return one?.toLowerCase() === other?.toLowerCase() ? OTHER_CASE : REPLACED;
}
