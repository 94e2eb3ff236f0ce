import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../kit/patience.ts";
import { dropPages, residentPages } from "../../scripts/page-cache.ts";
import { buildIdOf, measuredPages, type Pages, withReadAhead } from "../../scripts/read-ahead.ts";

const noList = process.arch === "x64" ? undefined : "there is machine code for x86-64 only";
const folder = mkdtempSync(join(tmpdir(), "nullmodem-read-ahead-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The temporary folder is in memory: the kernel forgets nothing of it. */
const probe = join(folder, "probe");
writeFileSync(probe, "probe");
const inMemory = !dropPages(probe);

const bun = readFileSync(process.execPath);

describe.skipIf(noList !== undefined)(noList ?? "an executable that reads ahead", () => {
  test("there is a list of pages for this Bun", () => {
    // After a change of Bun: bun scripts/start-pages.ts
    expect(measuredPages(bun)?.length).toBeGreaterThan(50);
  });

  /** Bun with the code, in a file of its own. */
  function written(pages: readonly Pages[]): string {
    const path = join(folder, "bun");
    rmSync(path, { force: true });
    writeFileSync(path, withReadAhead(bun, pages)!);
    chmodSync(path, 0o755);
    return path;
  }

  function run(path: string, ...words: string[]): unknown {
    const { exitCode, stdout, stderr } = Bun.spawnSync([path, ...words]);
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  test("it runs as before", () => {
    const path = written(measuredPages(bun)!);
    for (const words of [["--version"], ["-e", "process.exit(process.argv.length)"]])
      expect(run(path, ...words)).toEqual(run(process.execPath, ...words));
  });

  test.skipIf(inMemory)("it has read the pages of the list, whatever else it does", async () => {
    // Pages that --version does not touch.
    const pages: Pages[] = [
      [9000, 9700],
      [20000, 20001],
    ];
    const path = written(pages);
    const plain = join(folder, "plain");
    copyFileSync(process.execPath, plain);
    const missing = (file: string): number =>
      pages.reduce(
        (sum, [first, end]) =>
          sum +
          residentPages(file)
            .subarray(first, end)
            .filter((page) => page === 0).length,
        0,
      );
    for (const file of [plain, path]) {
      expect(dropPages(file)).toBe(true);
      run(file, "--version");
    }
    expect(missing(plain)).toBeGreaterThan(0);
    // The kernel reads while the program runs, and after its end.
    await until("all of them are read", () => missing(path) === 0);
  });

  test("what is no executable of this form stays as it is", () => {
    const arm = bun.slice();
    arm[18] = 183;
    expect(withReadAhead(arm, [[0, 1]])).toBeUndefined();
    expect(buildIdOf(bun)).toMatch(/^[0-9a-f]{40}$/);
  });
});
