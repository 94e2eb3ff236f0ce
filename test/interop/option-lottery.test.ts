// Options as nobody recorded them, through the real pppd and through our parser, today: the same output, errors, exit code.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { FIXTURE, type RecordedCase, shorten } from "../../scripts/record-options.ts";
import { missing } from "../kit/lab.ts";
import { askReal } from "../kit/real-options.ts";
import { Rng } from "../kit/rng.ts";
import { comparable, ours, real } from "./option-differences.ts";
import { Lottery } from "./option-lottery.ts";

const DRAWN = 200;
/** The same every time, for whoever has only changed something else: NULLMODEM_SEED asks about others. */
const SEED = Number(process.env["NULLMODEM_SEED"] ?? 1995);
setDefaultTimeout(300_000);

const skip = missing();
const title = `the real pppd and ours make the same of ${DRAWN} drawn sets of files and words`;
test.skipIf(skip !== undefined)(skip === undefined ? title : `${title} [skipped: ${skip}]`, async () => {
  console.log(`drawn options: seed ${SEED}`);
  const { cases, usage } = JSON.parse(readFileSync(FIXTURE, "utf8")) as { cases: RecordedCase[]; usage: string };
  const lottery = new Lottery(cases, new Rng(SEED));
  const drawn = Array.from({ length: DRAWN }, (_, number) => lottery.draw(number));
  const answers = await askReal(drawn);
  const disagreements = drawn.flatMap((one, at) => {
    const { stdout, stderr, code } = answers[at]!;
    const said = { ...one, stdout: shorten(stdout, usage), stderr: shorten(stderr, usage), code };
    const expected = comparable(real(said));
    const found = comparable(ours(said));
    return Bun.deepEquals(found, expected) ? [] : [{ args: one.args, files: one.files, expected, found }];
  });
  // Not an empty exercise: most are read to the end, some are not.
  expect(answers.filter(({ code }) => code === 0).length).toBeGreaterThan(DRAWN / 2);
  expect(answers.some(({ code }) => code !== 0)).toBe(true);
  expect(disagreements).toEqual([]);
});
