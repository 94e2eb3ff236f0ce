// Changes the source in small ways, one at a time, and counts how many changes the tests notice.
//
//   npm run mutate -- --seed 7 --count 200 [--folder link,wire] [--again FILE]
//
// Without --folder it changes the core. --again takes the output of an earlier run and tries only what it printed. Only the test files that run the changed line are started, and the first failure
// ends them; a line that no test runs survives at once. All this happens in a copy of the tree.
//
// It prints each survivor, a change that no test notices. A survivor needs a test. If the change has no effect that the
// protocol or the user can see, it needs a line in fixtures/mutants/equivalent.txt ("file: line text -> change", after a
// line with the reason). Those do not count. A change after which a test does not end counts as noticed; it is printed
// too, because a busy machine can cause the same.

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandWords, newSeed } from "./command-words.ts";
import { coveredLines, reachedFrom, type ImportGraph, type TestRun } from "./covered-lines.ts";
import { importsOf } from "./imports.ts";
import { readSource } from "./source-text.ts";
import { Rng } from "../test/kit/rng.ts";

const ROOT = join(import.meta.dir, "..");
const CORE = "bytes crypto frame wire filter control auth compress describe link options chat record".split(" ");
/** The tests of the core: those that need no guest, no machine and no executable. */
const CORE_TESTS = [...[...CORE, "replay", "fuzz", "oracle"].map((folder) => `${folder}/`), "interop/options.test.ts"];
const EQUIVALENT = "fixtures/mutants/equivalent.txt";
/** A test file that takes longer alone is left out. */
const SLOW_MS = 60_000;

/** What is changed into what. The first group is what stands before, and stays. */
const OPERATORS: readonly (readonly [RegExp, (found: string) => string])[] = [
  [/(?<=\s)(===|!==)(?=\s)/g, (found) => (found === "===" ? "!==" : "===")],
  [/(?<=\s)(<=|>=|<|>)(?=\s)/g, (found) => (found.length === 2 ? found[0]! : `${found}=`)],
  [/(?<=\s)(&&|\|\|)(?=\s)/g, (found) => (found === "&&" ? "||" : "&&")],
  [/(?<=[\w\])] )[+-](?= [\w(])/g, (found) => (found === "+" ? "-" : "+")],
  [/(?<=\s)(>>>|<<)(?=\s)/g, (found) => (found === "<<" ? ">>>" : "<<")],
  [/(?<=[\w\])] )[&|](?= [\w(])/g, (found) => (found === "&" ? "|" : "&")],
  [/(?<![\w.$])(true|false)(?![\w$])/g, (found) => (found === "true" ? "false" : "true")],
  [/(?<![\w.$])\d+(?![\w.$])/g, (found) => String(Number(found) + 1)],
  [/(?<=[(=] |[(=]|return )!(?=[\w(])/g, () => ""],
  [/(?<=^ +)(this\.[#\w.]+\([^\n]*\);)(?=\n)/gm, () => ";"],
  [/(?<=^ +)(break|continue);(?=\n)/gm, () => ";"],
];

export interface Mutant {
  readonly file: string;
  readonly line: number;
  /** The line as it was, and as it is, without the spaces around. */
  readonly before: string;
  readonly after: string;
  readonly text: string;
}

const TRANSPILER = new Bun.Transpiler({ loader: "ts" });

/** True for a change of types alone: what runs is the same. */
export function isOfTypesOnly(before: string, after: string): boolean {
  try {
    return TRANSPILER.transformSync(before) === TRANSPILER.transformSync(after);
  } catch {
    return false; // It does not parse, so a test notices.
  }
}

/** All mutants of a source. Imports and what stands in quotes are left alone. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const { code } = readSource(text);
  const mutants: Mutant[] = [];
  for (const [pattern, change] of OPERATORS)
    for (const match of code.matchAll(pattern)) {
      const at = match.index;
      const from = text.lastIndexOf("\n", at - 1) + 1;
      const end = text.indexOf("\n", at);
      const before = text.slice(from, end).trim();
      if (/^(import|export (type|interface)|type |interface |readonly |\|)/.test(before)) continue;
      const changed = text.slice(0, at) + change(match[0]) + text.slice(at + match[0].length);
      const after = changed.slice(from, changed.indexOf("\n", at)).trim();
      mutants.push({ file, line: code.slice(0, at).split("\n").length, before, after, text: changed });
    }
  return mutants;
}

/** The test files that run a mutant's line, the nearest in the imports first. */
function testsFor({ file, line }: Mutant, graph: ImportGraph, runs: ReadonlyMap<string, TestRun>): string[] {
  const passing = [...runs].filter(([, run]) => run.passed);
  // Bun counts no line of a table, so any test that imports it may notice.
  const counted = passing.some(([, { counted }]) => counted[file]?.includes(line));
  return passing
    .filter(([, { ran }]) => (counted ? ran[file]?.includes(line) : ran[file] !== undefined))
    .map(([test, { milliseconds }]) => ({ test, order: reachedFrom(test, graph).indexOf(file) * 50 + milliseconds }))
    .sort((a, b) => a.order - b.order)
    .map(({ test }) => test);
}

/** The changes that a text names, a line each, as this program prints them. */
function namedIn(text: string): Set<string> {
  const lines = text.split("\n").map((line) => line.replace(/^.*?: line \d+: /, ""));
  return new Set(lines.filter((line) => line.includes(" -> ")));
}

const nameOf = ({ file, before, after }: Mutant): string => `${file}: ${before} -> ${after}`;

/** Copies the files that the tests need, so that a mutation does not change the original tree. */
function copyOfTree(): string {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-mutate-"));
  for (const name of [
    "src",
    "test",
    "scripts",
    "fixtures",
    "package.json",
    "tsconfig.json",
    "bunfig.toml",
    "COMPAT.md",
  ])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

type Outcome = "killed" | "survived" | "timed out" | "equivalent";

function outcomeOf(folder: string, tests: readonly string[], limit: number): Outcome {
  if (tests.length === 0) return "survived";
  const { exitCode, exitedDueToTimeout } = Bun.spawnSync(
    [process.execPath, "test", "--bail", "--timeout=30000", ...tests.map((test) => `./${test}`)],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "ignore"],
      timeout: limit,
      env: { ...process.env, NULLMODEM_SEED: "1" },
    },
  );
  if (exitedDueToTimeout === true) return "timed out";
  return exitCode === 0 ? "survived" : "killed";
}

/** The outcomes by folder of src/, and the score of all. */
class Score {
  readonly #folders = new Map<string, Record<Outcome, number>>();

  add(file: string, outcome: Outcome): void {
    const folder = file.split("/")[1]!;
    const counts = this.#folders.get(folder) ?? { killed: 0, survived: 0, "timed out": 0, equivalent: 0 };
    counts[outcome]++;
    this.#folders.set(folder, counts);
  }

  toString(): string {
    const row = (name: string, counts: Record<Outcome, number>): string => {
      const noticed = counts.killed + counts["timed out"];
      const percent = (100 * noticed) / Math.max(1, noticed + counts.survived);
      const words = Object.entries(counts).map(([outcome, times]) => `${times} ${outcome}`);
      return `mutate: ${name}: ${words.join(", ")}: ${percent.toFixed(1)} %`;
    };
    const all: Record<Outcome, number> = { killed: 0, survived: 0, "timed out": 0, equivalent: 0 };
    for (const counts of this.#folders.values())
      for (const outcome of Object.keys(all) as Outcome[]) all[outcome] += counts[outcome];
    return [...[...this.#folders].sort().map(([name, counts]) => row(name, counts)), row("all", all)].join("\n");
  }
}

/** The sources to change, the tests that may notice, and who imports whom. */
function readTree(folder: string, folders: readonly string[]) {
  const all = ["src", "test", "scripts"].flatMap((one) => [...new Bun.Glob(`${one}/**/*.ts`).scanSync(folder)]).sort();
  const texts = new Map(all.map((file) => [file, readFileSync(join(folder, file), "utf8")]));
  const graph = new Map([...texts].map(([file, text]) => [file, importsOf(file, text).map(({ target }) => target)]));
  const isIn = (file: string, top: string, names: readonly string[]): boolean =>
    names.some((one) => file.startsWith(`${top}/${one}`));
  const inFolders = folders.map((one) => `${one}/`);
  const sources = all.filter((file) => isIn(file, "src", inFolders));
  const tests = all.filter((file) => file.endsWith(".test.ts") && isIn(file, "test", [...CORE_TESTS, ...inFolders]));
  const reaching = tests.filter((test) => reachedFrom(test, graph).some((file) => sources.includes(file)));
  return { texts, graph, sources, tests: reaching };
}

function main(): number {
  const {
    seed,
    count,
    folder: folders = CORE.join(),
    again,
  } = commandWords({ numbers: { seed: newSeed(), count: 200 }, texts: ["folder", "again"] });
  const rng = new Rng(seed);
  const known = namedIn(readFileSync(join(ROOT, EQUIVALENT), "utf8"));
  const score = new Score();
  const folder = copyOfTree();
  try {
    const { texts, graph, sources, tests } = readTree(folder, folders.split(","));
    const runs = coveredLines(folder, join(ROOT, "dist/covered-lines.json"), tests, texts, graph, SLOW_MS);
    for (const [test, run] of runs) if (!run.passed) console.log(`left out, because it fails or is slow: ${test}`);
    const wanted = again === undefined ? undefined : namedIn(readFileSync(again, "utf8"));
    const mutants = sources
      .flatMap((file) => mutantsOf(file, texts.get(file)!))
      .filter((one) => wanted?.has(nameOf(one)) ?? true);
    console.log(`mutate: seed ${seed}, ${count} of ${mutants.length} mutants in ${sources.length} files`);
    for (let n = 0; n < count && mutants.length > 0;) {
      const mutant = mutants.splice(rng.below(mutants.length), 1)[0]!;
      if (isOfTypesOnly(texts.get(mutant.file)!, mutant.text)) continue;
      n++;
      const path = join(folder, mutant.file);
      writeFileSync(path, mutant.text);
      const noticing = testsFor(mutant, graph, runs);
      const usual = noticing.reduce((sum, test) => sum + runs.get(test)!.milliseconds, 0);
      const outcome = known.has(nameOf(mutant)) ? "equivalent" : outcomeOf(folder, noticing, 30_000 + 6 * usual);
      writeFileSync(path, texts.get(mutant.file)!);
      score.add(mutant.file, outcome);
      if (outcome === "survived" || outcome === "timed out")
        console.log(`${outcome} (${noticing.length} tests): line ${mutant.line}: ${nameOf(mutant)}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(score.toString());
  return 0;
}

if (import.meta.main) process.exit(main());
