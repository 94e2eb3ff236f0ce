// Changes the core's source in small ways, one at a time, and counts how many changes the tests notice.
//
//   npm run mutate -- --seed 7 --count 200 [--only src/link]
//
// It works in a copy of the tree. It prints each survivor, a change that no test notices. A survivor needs a test. If
// it has no visible effect, it needs a line in fixtures/mutants/equivalent.txt ("file: line text -> change", then the
// reason).

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importsOf } from "./imports.ts";
import { readSource } from "./source-text.ts";
import { Rng } from "../test/kit/rng.ts";

const ROOT = join(import.meta.dir, "..");
const CORE = "bytes crypto frame wire filter control auth compress link options chat record".split(" ");
/** Test folders that need only the core: no guest, no machine, no executable. */
const TESTS = [...CORE, "replay", "fuzz"];
const EQUIVALENT = "fixtures/mutants/equivalent.txt";
const TIMEOUT_MS = 90_000;

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

/** All mutants of a source. Types, imports and what stands in quotes are left alone. */
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

/** The test files that reach a source. Those that import it directly come first. */
function testsFor(file: string, graph: ReadonlyMap<string, readonly string[]>, tests: readonly string[]): string[] {
  const distance = (from: string): number => {
    let frontier = [from];
    const seen = new Set(frontier);
    for (let steps = 0; frontier.length > 0; steps++) {
      if (frontier.includes(file)) return steps;
      frontier = frontier.flatMap((one) => graph.get(one) ?? []).filter((one) => !seen.has(one) && seen.add(one));
    }
    return Infinity;
  };
  return tests
    .map((test) => ({ test, steps: distance(test) }))
    .filter(({ steps }) => steps < Infinity)
    .sort((a, b) => a.steps - b.steps)
    .map(({ test }) => test);
}

function equivalents(): Set<string> {
  const path = join(ROOT, EQUIVALENT);
  if (!existsSync(path)) return new Set();
  return new Set(
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => / -> /.test(line)),
  );
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

function outcomeOf(folder: string, tests: readonly string[]): "killed" | "survived" | "timed out" {
  const { exitCode, exitedDueToTimeout } = Bun.spawnSync(
    [process.execPath, "test", "--bail", "--timeout=30000", ...tests.map((test) => `./${test}`)],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "ignore"],
      timeout: TIMEOUT_MS,
      env: { ...process.env, NULLMODEM_SEED: "1" },
    },
  );
  if (exitedDueToTimeout === true) return "timed out";
  return exitCode === 0 ? "survived" : "killed";
}

function main(words: readonly string[]): number {
  const value = (flag: string, otherwise: string): string => {
    const at = words.indexOf(flag);
    return at < 0 ? otherwise : (words[at + 1] ?? otherwise);
  };
  const seed = Number(value("--seed", String(crypto.getRandomValues(new Uint32Array(1))[0])));
  const count = Number(value("--count", "200"));
  const only = value("--only", "src");
  const rng = new Rng(seed);
  const folder = copyOfTree();
  try {
    const all = ["src", "test", "scripts"].flatMap((one) => [...new Bun.Glob(`${one}/**/*.ts`).scanSync(folder)]);
    const sources = all.filter((file) => CORE.some((one) => file.startsWith(`src/${one}/`)) && file.startsWith(only));
    const tests = all.filter(
      (file) => TESTS.some((one) => file.startsWith(`test/${one}/`)) && file.endsWith(".test.ts"),
    );
    const texts = new Map(all.map((file) => [file, readFileSync(join(folder, file), "utf8")]));
    const graph = new Map([...texts].map(([file, text]) => [file, importsOf(file, text).map(({ target }) => target)]));
    const known = equivalents();
    const mutants = sources
      .flatMap((file) => mutantsOf(file, texts.get(file)!))
      .filter((one) => !known.has(nameOf(one)));
    console.log(`mutate: seed ${seed}, ${count} of ${mutants.length} mutants in ${sources.length} files`);
    const counts = { killed: 0, survived: 0, "timed out": 0 };
    for (let n = 0; n < count && mutants.length > 0; n++) {
      const mutant = mutants.splice(rng.below(mutants.length), 1)[0]!;
      const path = join(folder, mutant.file);
      writeFileSync(path, mutant.text);
      const outcome = outcomeOf(folder, testsFor(mutant.file, graph, tests));
      writeFileSync(path, texts.get(mutant.file)!);
      counts[outcome]++;
      if (outcome === "survived")
        console.log(`survived: ${mutant.file}:${mutant.line}: ${mutant.before} -> ${mutant.after}`);
    }
    const score = (100 * (counts.killed + counts["timed out"])) / Math.max(1, count);
    console.log(
      `mutate: ${counts.killed} killed, ${counts["timed out"]} timed out, ${counts.survived} survived: ${score.toFixed(1)} %`,
    );
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exit(main(process.argv.slice(2)));
