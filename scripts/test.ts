// Runs every check and every test, says why a test was skipped, and ends with "N passed, N failed, N skipped".
//
//   bun scripts/test.ts                 the build, format, types, imports, sizes, all tests
//   bun scripts/test.ts test/chat lcp   only the test files whose path contains one of the words, and no checks

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
/**
 * Tests that start guests, machines and the executable. They wait more than they compute, and what they test has deadlines:
 * a few files run at a time, each in a process of its own.
 */
const SLOW = ["test/interop/", "test/binary/", "test/oracle/"];
const AT_ONCE = 3;
/** Those that take longest begin first. */
const LONGEST = ["matrix", "sessions", "pc", "hooks", "chat", "howto", "eap-tls", "trouble", "install", "moments"];
/** Turns a hang into a failure. No test takes this long, even on a busy machine. */
const TIMEOUT = "--timeout=300000";
/** A process of bun test once went on without end after its last test. */
const HANG_MS = 900_000;
/** When more files than these have failures, none is run again. */
const MOST_AGAIN = 8;
const NO_REPORT = "reported no test (does it load?)";
const REASON = /\[skipped: ([^\]]*)\]/;

export interface Case {
  readonly file: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** The reason for the skip, from the test's name; the message of a failure. */
  readonly reason: string;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    return String.fromCodePoint(decimal === undefined ? parseInt(hex, 16) : Number(decimal));
  });
}

/** The test cases in a JUnit report as bun writes it. */
export function readReport(xml: string): Case[] {
  const cases: Case[] = [];
  for (const [, head, body = ""] of xml.matchAll(/<testcase\s([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const attribute = (name: string): string =>
      unescapeXml(new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(head ?? "")?.[1] ?? "");
    const group = attribute("classname");
    const name = group === "" ? attribute("name") : `${group} > ${attribute("name")}`;
    const todo = body.includes('message="TODO"');
    const outcome = body.includes("<skipped") ? "skipped" : /<(failure|error)/.test(body) ? "failed" : "passed";
    cases.push({
      file: attribute("file"),
      name,
      outcome,
      reason:
        outcome === "failed"
          ? unescapeXml(/<(?:failure|error)\s[^>]*?message="([^"]*)"/.exec(body)?.[1] ?? "")
          : (REASON.exec(name)?.[1] ?? (todo ? "not written yet" : "no reason given")),
    });
  }
  return cases;
}

/** One line for each reason with the number of tests. With `all`, every test by name. */
export function skipReport(cases: readonly Case[], all: boolean): string[] {
  const groups = new Map<string, Case[]>();
  for (const one of cases) {
    if (one.outcome !== "skipped") continue;
    const group = groups.get(one.reason) ?? [];
    groups.set(one.reason, [...group, one]);
  }
  return [...groups].flatMap(([reason, group]) => [
    `skipped ${group.length}: ${reason}`,
    ...(all ? group.map(({ file, name }) => `    ${file}: ${name.replace(REASON, "").trim()}`) : []),
  ]);
}

/** The seconds of each test file in a JUnit report as bun writes it, by its path. */
export function readTimes(xml: string): Map<string, number> {
  const times = new Map<string, number>();
  for (const [suite] of xml.matchAll(/<testsuite\s[^>]*>/g)) {
    const [file, seconds] = ["file", "time"].map((name) => new RegExp(`\\s${name}="([^"]*)"`).exec(suite)?.[1] ?? "");
    // A group of tests is a suite within that of its file.
    if (!times.has(file!)) times.set(unescapeXml(file!), Number(seconds));
  }
  return times;
}

/** The files that took longest, with their seconds. */
export function slowReport(times: ReadonlyMap<string, number>, count: number): string {
  const slowest = [...times].sort(([, one], [, other]) => other - one).slice(0, count);
  return slowest.map(([file, seconds]) => `${file} ${Math.round(seconds)} s`).join(", ");
}

interface Counts {
  passed: number;
  failed: number;
}

function runChecks(counts: Counts): void {
  const checks: readonly (readonly [name: string, ...command: string[]])[] = [
    ["build", "scripts/build.ts"],
    ["format", "fmt", "--check"],
    ["types", "check"],
    ["imports", "scripts/imports.ts"],
    ["sizes", "scripts/sizes.ts"],
  ];
  for (const [name, ...command] of checks) {
    const started = performance.now();
    const { exitCode } = Bun.spawnSync([process.execPath, ...command], {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${exitCode === 0 ? "passed" : "FAILED"}: ${name} (${seconds} s)`);
    if (exitCode === 0) counts.passed++;
    else counts.failed++;
  }
}

/** What is shown of a failure's message, at its beginning and at its end: a guest's whole log may be in it. */
const MESSAGE_LINES = 10;

function failureLines(word: string, { file, name, reason }: Case): string[] {
  const message = reason.split("\n").filter((line) => line.trim() !== "");
  const whole = message.length <= 2 * MESSAGE_LINES;
  const shown = whole ? message : [...message.slice(0, MESSAGE_LINES), "…", ...message.slice(-MESSAGE_LINES)];
  return [`${word}: ${file}: ${name}`, ...shown.map((line) => `    ${line}`)];
}

interface Report {
  readonly cases: readonly Case[];
  readonly times: ReadonlyMap<string, number>;
}

/**
 * Runs test files with the flags and resolves to their report. A file without a report counts as a failed case. What they
 * say is shown at their end, in one piece.
 */
async function runTests(files: readonly string[], flags: readonly string[]): Promise<Report> {
  if (files.length === 0) return { cases: [], times: new Map() };
  const [first = ""] = files;
  console.log(`running: ${files.length === 1 ? first : `${files.length} test files (${first} …)`}`);
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-test-"));
  const report = join(folder, "report.xml");
  try {
    const tests = Bun.spawn(
      [
        process.execPath,
        "test",
        ...flags,
        "--only-failures",
        "--reporter=junit",
        `--reporter-outfile=${report}`,
        ...files.map((file) => `./${file}`),
      ],
      { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], timeout: HANG_MS, killSignal: "SIGKILL" },
    );
    const [output, errors, exitCode] = await Promise.all([
      new Response(tests.stdout).text(),
      new Response(tests.stderr).text(),
      tests.exited,
    ]);
    process.stdout.write(output);
    process.stderr.write(errors);
    const { signalCode } = tests;
    const xml = existsSync(report) ? readFileSync(report, "utf8") : "";
    const cases = readReport(xml);
    const failed = (file: string, name: string): Case => ({ file, name, outcome: "failed", reason: "" });
    const silent = files.filter((file) => !cases.some((one) => one.file === file));
    cases.push(...silent.map((file) => failed(file, NO_REPORT)));
    if (exitCode !== 0 && !cases.some(({ outcome }) => outcome === "failed")) {
      cases.push(failed("", `bun test ended with ${signalCode ?? `status ${exitCode}`}`));
    }
    return { cases, times: readTimes(xml) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs each file by itself, a few at a time. */
async function runApart(files: readonly string[]): Promise<Report[]> {
  const rank = (file: string): number => {
    const at = LONGEST.findIndex((name) => file.endsWith(`/${name}.test.ts`));
    return at < 0 ? LONGEST.length : at;
  };
  const queue = files.toSorted((one, other) => rank(one) - rank(other));
  const reports: Report[] = [];
  const worker = async (): Promise<void> => {
    for (let file; (file = queue.shift()) !== undefined;) reports.push(await runTests([file], ["--isolate", TIMEOUT]));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return reports;
}

/**
 * Bun's pattern for exactly these tests. It compares with the names of a test's groups, the outermost first, and its own, with
 * spaces between. Bun's report has the innermost group first.
 */
export function patternFor(names: readonly string[]): string {
  const words = names.map((name) => {
    const groups = name.split(" > ");
    const own = groups.pop()!;
    return [...groups.reverse(), own].join(" ").replaceAll(/[^\w ]/g, ".");
  });
  return `^ ?(${words.join("|")})$`;
}

function isLong(file: string): boolean {
  return LONGEST.some((name) => file.endsWith(`/${name}.test.ts`));
}

/**
 * Runs the failed cases of slow files once more, each file with nothing beside it. Returns the cases that pass now. Those
 * lost on a busy machine: each is shown, because such a test is a fault to mend. Many failures have another cause.
 */
async function runAgain(failed: readonly Case[]): Promise<Case[]> {
  const files = new Set(failed.map((one) => one.file));
  if (files.size > MOST_AGAIN) return [];
  const passed: Case[] = [];
  for (const file of files) {
    const cases = failed.filter((one) => one.file === file);
    // Without a report nobody knows which tests failed. Of the longest files only the tests that failed are run.
    const whole = cases.some(({ name }) => name === NO_REPORT);
    const some = whole || !isLong(file) ? [] : ["-t", patternFor(cases.map(({ name }) => name))];
    const again = (await runTests([file], ["--isolate", TIMEOUT, ...some])).cases;
    const passes = (name: string): boolean => again.some((one) => one.name === name && one.outcome === "passed");
    const allPass = again.every(({ outcome }) => outcome !== "failed");
    passed.push(...cases.filter(({ name }) => (whole ? allPass : passes(name))));
  }
  return passed;
}

async function main(words: readonly string[]): Promise<number> {
  const counts: Counts = { passed: 0, failed: 0 };
  const found = [...new Bun.Glob("test/**/*.test.ts").scanSync(ROOT)].sort();
  const files = words.length === 0 ? found : found.filter((file) => words.some((word) => file.includes(word)));
  if (files.length === 0) {
    console.error(`no test file has ${words.join(" or ")} in its path`);
    return 1;
  }
  if (words.length === 0) runChecks(counts);
  const slow = files.filter((file) => SLOW.some((folder) => file.startsWith(folder)));
  const quick = await runTests(
    files.filter((file) => !slow.includes(file)),
    ["--parallel", TIMEOUT],
  );
  const reports = [quick, ...(await runApart(slow))];
  const cases = reports.flatMap((report) => report.cases);
  const times = new Map(reports.flatMap((report) => [...report.times]));
  const failures = cases.filter(({ outcome }) => outcome === "failed");
  const unsteady = await runAgain(failures.filter(({ file }) => slow.includes(file)));
  const count = (outcome: Case["outcome"]): number => cases.filter((one) => one.outcome === outcome).length;

  console.log("");
  console.log(`slowest: ${slowReport(times, 16)}`);
  for (const line of skipReport(cases, process.env["CI"] !== undefined)) console.log(line);
  for (const one of failures)
    console.log(failureLines(unsteady.includes(one) ? "PASSED ONLY ALONE" : "FAILED", one).join("\n"));
  const failed = counts.failed + failures.length - unsteady.length;
  const passed = counts.passed + count("passed") + unsteady.length;
  console.log(`${passed} passed, ${failed} failed, ${count("skipped")} skipped`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
