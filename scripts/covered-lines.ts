// Which test file runs which lines of the sources. Each test file runs once with Bun's coverage. The answer is kept in
// a file until one of the files that the test imports changes.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What one test file did. */
export interface TestRun {
  /** Of the contents of the test file and of all that it imports. */
  readonly hash: string;
  readonly passed: boolean;
  readonly milliseconds: number;
  /** By source: the lines that ran, and the lines that Bun counts at all. */
  readonly ran: Readonly<Record<string, readonly number[]>>;
  readonly counted: Readonly<Record<string, readonly number[]>>;
}

export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** A file and all that it imports, nearest first. */
export function reachedFrom(file: string, graph: ImportGraph): string[] {
  const reached = [file];
  const seen = new Set(reached);
  for (const one of reached)
    for (const target of graph.get(one) ?? [])
      if (!seen.has(target)) {
        seen.add(target);
        reached.push(target);
      }
  return reached;
}

/** Reads a coverage report in lcov's format. */
export function readLcov(text: string): Pick<TestRun, "ran" | "counted"> {
  const ran: Record<string, number[]> = {};
  const counted: Record<string, number[]> = {};
  let file = "";
  for (const line of text.split("\n")) {
    const [word, rest = ""] = [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)];
    if (word === "SF") file = rest;
    if (word !== "DA" || !file.startsWith("src/")) continue;
    const [number, times] = rest.split(",").map(Number) as [number, number];
    (counted[file] ??= []).push(number);
    if (times > 0) (ran[file] ??= []).push(number);
  }
  return { ran, counted };
}

function runWithCoverage(root: string, test: string, hash: string, limit: number): TestRun {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-coverage-"));
  const start = performance.now();
  try {
    const { exitCode } = Bun.spawnSync(
      [
        process.execPath,
        "test",
        "--timeout=30000",
        "--coverage",
        "--coverage-reporter=lcov",
        `--coverage-dir=${folder}`,
        `./${test}`,
      ],
      {
        cwd: root,
        stdio: ["ignore", "ignore", "ignore"],
        timeout: limit,
        env: { ...process.env, NULLMODEM_SEED: "1" },
      },
    );
    const milliseconds = Math.round(performance.now() - start);
    const report = join(folder, "lcov.info");
    const { ran, counted } = readLcov(existsSync(report) ? readFileSync(report, "utf8") : "");
    return { hash, passed: exitCode === 0, milliseconds, ran, counted };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs the tests whose files changed since the last time. `path` is the file of the answers. A test that takes longer
 * than `limit` has not passed.
 */
export function coveredLines(
  root: string,
  path: string,
  tests: readonly string[],
  texts: ReadonlyMap<string, string>,
  graph: ImportGraph,
  limit: number,
): Map<string, TestRun> {
  const kept: Record<string, TestRun> = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  const runs = new Map<string, TestRun>();
  for (const test of tests) {
    const content = reachedFrom(test, graph).map((file) => `${file}\n${texts.get(file) ?? ""}`);
    const hash = Bun.hash(content.join("\n")).toString(36);
    const known = kept[test];
    const run = known?.hash === hash && known.passed ? known : runWithCoverage(root, test, hash, limit);
    runs.set(test, run);
    kept[test] = run;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(kept));
  return runs;
}
