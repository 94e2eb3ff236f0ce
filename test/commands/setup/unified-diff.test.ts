// The difference that setup shows, read back by git.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unifiedDiff } from "../../../src/commands/setup/unified-diff.ts";
import { Rng } from "../../kit/rng.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-diff-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a part at the end of a file, with three lines before it", () => {
  expect(unifiedDiff("/etc/ppp/options", "a\nb\nc\nd\n", "a\nb\nc\nd\ne\n")).toBe(
    "--- /etc/ppp/options\n+++ /etc/ppp/options\n@@ -2,3 +2,4 @@\n b\n c\n d\n+e\n",
  );
  expect(unifiedDiff("x", undefined, "a\n")).toBe("--- /dev/null\n+++ x\n@@ -0,0 +1 @@\n+a\n");
  expect(unifiedDiff("x", "a", "a\nb\n")).toBe(
    "--- x\n+++ x\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n",
  );
  expect(unifiedDiff("x", "a\n", "a\n")).toBe("");
});

test.skipIf(Bun.which("git") === null)("git applies it, whatever the two texts are", () => {
  const rng = new Rng(17);
  const some = (most: number): string => {
    const lines = Array.from({ length: rng.below(most) }, () => `${"ab"[rng.below(2)]}\n`).join("");
    return rng.below(3) === 0 ? lines.slice(0, -1) : lines;
  };
  for (let round = 0; round < 40; round++) {
    const [before, after] = [some(9), some(9)];
    const diff = unifiedDiff("a/file", before, after);
    if (before === after) {
      expect(diff).toBe("");
      continue;
    }
    writeFileSync(join(folder, "file"), before);
    const patch = `diff --git a/file b/file\n${diff.replace("+++ a/", "+++ b/")}`;
    const { exitCode, stderr } = Bun.spawnSync(["git", "apply", "--unidiff-zero", "-"], {
      cwd: folder,
      stdin: Buffer.from(patch),
      env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
    });
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe(after);
  }
});
