import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lowerOomScore, restoreOomScoreOf } from "../../../src/os/process/oom.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-oom-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("the OOM score is lowered once, programs that are started get the old one, and a chosen score is left alone", () => {
  const ours = join(folder, "score");
  const theirs = join(folder, "77/oom_score_adj");
  mkdirSync(join(folder, "77"));
  const lowered = (score: string): unknown[] => {
    writeFileSync(ours, `${score}\n`);
    writeFileSync(theirs, "inherited");
    const done = lowerOomScore(ours);
    if (done) restoreOomScoreOf(77, folder);
    return [done, readFileSync(ours, "utf8").trim(), readFileSync(theirs, "utf8")];
  };
  expect(lowered("300")).toEqual([false, "300", "inherited"]);
  expect(lowered("-1000")).toEqual([false, "-1000", "inherited"]);
  expect(lowered("0")).toEqual([true, "-500", "0"]);
  // As a systemd unit may have set it.
  expect(lowered("-500")).toEqual([true, "-500", "0"]);
  // It has ended.
  restoreOomScoreOf(78, folder);
  expect(lowerOomScore("/nonexistent/score")).toBe(false);
});
