// Gives random options to the real pppd and to our parser, and compares output, errors and exit code.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { FIXTURE, type RecordedCase, shorten } from "../../scripts/record-options.ts";
import { missing } from "../kit/lab.ts";
import type { Version } from "../kit/lab/image.ts";
import { askReal } from "../kit/real-options.ts";
import { Rng } from "../kit/rng.ts";
import { comparable, OTHERWISE_IN_2_5_2, ours, real } from "./option-differences.ts";
import { Lottery } from "./option-lottery.ts";

/** For each pppd of the lab: the number of cases, and the words that are left out. */
const LOTTERIES: readonly { readonly version: Version; readonly count: number; readonly without: readonly RegExp[] }[] =
  [
    { version: "installed", count: 140, without: [] },
    { version: "2.5.2", count: 60, without: OTHERWISE_IN_2_5_2.map(({ words }) => words) },
  ];
/** The seed is fixed, so that an unrelated change meets the same cases. NULLMODEM_SEED draws others. */
const SEED = Number(process.env["NULLMODEM_SEED"] ?? 1995);
/** A case takes one or two seconds on a busy machine. The guest itself ends the program earlier. */
setDefaultTimeout(620_000);

const USAGE = { name: "usage", args: ["--help"] };

for (const { version, count, without } of LOTTERIES) {
  const skip = missing(version);
  const pppd = version === "installed" ? "the real pppd" : `pppd ${version}`;
  const title = `${pppd} and ours make the same of ${count} drawn sets of files and words`;
  test.skipIf(skip !== undefined)(skip === undefined ? title : `${title} [skipped: ${skip}]`, async () => {
    console.log(`drawn options: seed ${SEED}`);
    const { cases } = JSON.parse(readFileSync(FIXTURE, "utf8")) as { cases: RecordedCase[] };
    const lottery = new Lottery(cases, new Rng(SEED), without);
    const drawn = Array.from({ length: count }, (_, number) => lottery.draw(number));
    const [usage, ...answers] = await askReal([USAGE, ...drawn], version);
    const disagreements = drawn.flatMap((one, at) => {
      const { stdout, stderr, code } = answers[at]!;
      const said = { ...one, stdout: shorten(stdout, usage!.stderr), stderr: shorten(stderr, usage!.stderr), code };
      const expected = comparable(real(said), version);
      const found = comparable(ours(said), version);
      return Bun.deepEquals(found, expected) ? [] : [{ args: one.args, files: one.files, expected, found }];
    });
    // Checks that the draw is useful: most cases are read to the end, some are not.
    expect(answers.filter(({ code }) => code === 0).length).toBeGreaterThan(count / 2);
    expect(answers.some(({ code }) => code !== 0)).toBe(true);
    expect(disagreements).toEqual([]);
  });
}
