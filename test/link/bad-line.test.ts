// Lines with troubles that a seed draws. scripts/bad-lines.ts plays more of them.

import { expect, test } from "bun:test";
import { PATIENCE_MS } from "../kit/patience.ts";
import { withRng } from "../kit/rng.ts";
import { playBadLine } from "./bad-line.ts";

const LINES = 12;

test(
  `${LINES} bad lines: no link is lost, and both ends meet`,
  () =>
    withRng(({ seed }) => {
      for (let number = 0; number < LINES; number++) {
        const line = (seed + number) >>> 0;
        expect([line, playBadLine(line).failure]).toEqual([line, undefined]);
      }
    }),
  PATIENCE_MS,
);

/** Seeds that once failed. */
test.each([19])("bad line %i", (seed) => expect(playBadLine(seed).failure).toBeUndefined(), PATIENCE_MS);
