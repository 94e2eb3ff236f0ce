// Plays lines on which two links change their speed (`climb`) under troubles that a seed draws, seed after seed. No link may
// be lost.
//
//   bun scripts/bad-lines.ts --seed 7 --lines 1000

import { playBadLine } from "../test/link/bad-line.ts";
import { commandWords, newSeed } from "./command-words.ts";

const { seed: first, lines } = commandWords({ numbers: { seed: newSeed(), lines: 1000 } });
console.log(`bad-lines: ${lines} lines from seed ${first}`);
const speeds = new Map<number, number>();
let failures = 0;
for (let number = 0; number < lines; number++) {
  const seed = (first + number) >>> 0;
  const { failure, speed } = playBadLine(seed);
  speeds.set(speed, (speeds.get(speed) ?? 0) + 1);
  if (failure === undefined) continue;
  failures++;
  console.error(`seed ${seed}: ${failure}`);
}
const ends = [...speeds].sort(([one], [other]) => one - other).map(([speed, count]) => `${count} at ${speed}`);
console.log(`bad-lines: ${failures} failures; ${ends.join(", ")}`);
process.exit(failures === 0 ? 0 : 1);
