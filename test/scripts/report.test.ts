import { expect, test } from "bun:test";
import { patternFor, readReport, readTimes, skipReport, slowReport } from "../../scripts/test.ts";

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="4">
  <testsuite name="test/a.test.ts" file="test/a.test.ts" tests="4" time="0.4">
    <testcase name="ok &lt;mru 1500&gt;" classname="lcp" time="0.1" file="test/a.test.ts" line="2" assertions="0" />
    <testcase name="x [skipped: no lab]" classname="" time="0" file="test/a.test.ts" line="2">
      <skipped />
    </testcase>
    <testcase name="y [skipped: no lab]" classname="" time="0" file="test/a.test.ts"><skipped /></testcase>
    <testcase name="later" classname="" time="0" file="test/a.test.ts" line="3"><skipped message="TODO" /></testcase>
  </testsuite>
  <testsuite name="test/b.test.ts" file="test/b.test.ts" tests="1" time="61.7">
    <testsuite name="group" file="test/b.test.ts" line="3" tests="1" time="1" />
    <testcase name="bad" classname="" time="61.7" file="test/b.test.ts">
      <failure type="AssertionError" message="&lt;skipped not&gt;">a &#10; b</failure>
    </testcase>
  </testsuite>
</testsuites>`;

test("a report's cases, outcomes and reasons", () => {
  expect(readReport(XML).map(({ name, outcome }) => `${outcome}: ${name}`)).toEqual([
    "passed: lcp > ok <mru 1500>",
    "skipped: x [skipped: no lab]",
    "skipped: y [skipped: no lab]",
    "skipped: later",
    "failed: bad",
  ]);
  expect(skipReport(readReport(XML), false)).toEqual(["skipped 2: no lab", "skipped 1: not written yet"]);
  expect(skipReport(readReport(XML), true)[1]).toBe("    test/a.test.ts: x");
  expect(readReport(XML).at(-1)!.reason).toBe("<skipped not>");
  expect(slowReport(readTimes(XML), 1)).toBe("test/b.test.ts 62 s");
  expect(slowReport(readTimes(XML), 9)).toBe("test/b.test.ts 62 s, test/a.test.ts 0 s");
});

test("the pattern for some tests fits their names as bun joins them, and no others", () => {
  const pattern = new RegExp(patternFor(["lcp > ok <mru 1500>", "a | b (c) – ü", "inner > outer > x"]));
  const fits = (name: string): boolean => pattern.test(name);
  expect(["lcp ok <mru 1500>", " a | b (c) – ü", "outer inner x"].map(fits)).toEqual([true, true, true]);
  expect(["lcp ok <mru 1500> more", "a", "my a | b (c) – ü"].map(fits)).toEqual([false, false, false]);
});
