import { expect, test } from "bun:test";
import {
  durationText,
  progressText,
  shortened,
  shownSeconds,
  sizeText,
  tookText,
} from "../../src/transfer/progress-text.ts";

const HALF = { path: "photos/summer/IMG_0001.JPG", done: 500_000, total: 1_000_000, rate: 11_000 };

test("sizes and times are short", () => {
  expect([0, 999, 1000, 11_400, 99_949, 99_950, 999_499, 999_500, 4.2e9].map(sizeText)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "11.4 kB",
    "99.9 kB",
    "100 kB",
    "999 kB",
    "1.0 MB",
    "4.2 GB",
  ]);
  expect([0, 0.2, 99, 100, 5000, 12_000, 400_000].map(durationText)).toEqual([
    "0 s",
    "1 s",
    "99 s",
    "2 min",
    "83 min",
    "3 h 20 min",
    "5 days",
  ]);
});

test("a line of progress has name, bar, sizes, rate and time left", () => {
  expect(progressText(HALF, 100)).toBe(
    "photos/summer/IMG_0001.JPG [#############............]  50 %  500 kB of 1.0 MB  11.0 kB/s  46 s left",
  );
  expect(progressText({ ...HALF, waiting: "no answer" }, 100)).toContain("500 kB of 1.0 MB  waiting: no answer");
  expect(progressText({ ...HALF, total: 0, done: 0, rate: undefined }, 30)).toContain("  0 %");
});

test("no line is wider than the terminal", () => {
  const paths = [HALF.path, "", "日本語のとても長い名前のファイル.txt", "caf\xc3\xa9\xff\x1b[31m.txt", "👍🏽".repeat(20)];
  for (const path of paths)
    for (let width = 1; width < 130; width++)
      for (const waiting of [undefined, "no answer from 192.168.0.1"])
        expect(Bun.stringWidth(progressText({ ...HALF, path, waiting }, width))).toBeLessThanOrEqual(width);
});

test("a long name keeps its beginning and its end", () => {
  expect(shortened("photos/summer/IMG_0001.JPG", 16)).toBe("photos/~0001.JPG");
  expect(shortened("a", 1)).toBe("a");
});

test("the time of a transfer has tenths below 10 s, is never 0, and its rate is over the time that is shown", () => {
  const taken = [0, 0.02, 0.34, 9.94, 9.96, 10.4, 130];
  expect(taken.map(shownSeconds)).toEqual([0.1, 0.1, 0.3, 9.9, 10, 10, 130]);
  expect(taken.map((seconds) => tookText(shownSeconds(seconds)))).toEqual([
    "0.1 s",
    "0.1 s",
    "0.3 s",
    "9.9 s",
    "10 s",
    "10 s",
    "2 min",
  ]);
});
