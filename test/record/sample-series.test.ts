// Samples of a link over time: nothing is lost when they are merged.

import { expect, test } from "bun:test";
import { MOST_SAMPLES, SampleSeries } from "../../src/record/sample-series.ts";
import { Rng } from "../kit/rng.ts";

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test("however long a link is up, its samples are few, and their sums and the slowest echo are those of all", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const rng = new Rng(seed);
    const series = new SampleSeries();
    const total = { in: 0, out: 0, bad: 0, rtt: -1 };
    let seconds = 0;
    for (let round = 0; round < 500; round++) {
      seconds += rng.below(2 ** rng.below(12));
      const rtt = rng.below(3) === 0 ? rng.below(5000) : undefined;
      const happened = { in: rng.below(100_000), out: rng.below(1000), bad: rng.below(3), rtt };
      series.add(seconds, happened);
      total.in += happened.in;
      total.out += happened.out;
      total.bad += happened.bad;
      total.rtt = Math.max(total.rtt, rtt ?? -1);
    }
    const samples = series.samples();
    const count = samples.in.length;
    expect(count).toBeLessThanOrEqual(MOST_SAMPLES);
    expect([samples.out.length, samples.bad.length, samples.rtt.length]).toEqual([count, count, count]);
    expect(count * samples.every).toBeGreaterThan(seconds);
    expect((count - 1) * samples.every).toBeLessThanOrEqual(seconds);
    expect([sum(samples.in), sum(samples.out), sum(samples.bad)]).toEqual([total.in, total.out, total.bad]);
    expect(Math.max(...samples.rtt)).toBe(total.rtt);
  }
});

test("a value is in the sample of its time", () => {
  const series = new SampleSeries();
  series.add(0.2, { in: 1, out: 0, bad: 0, rtt: undefined });
  series.add(2.9, { in: 5, out: 7, bad: 1, rtt: 12.34 });
  expect(series.samples()).toEqual({ every: 1, in: [1, 0, 5], out: [0, 0, 7], bad: [0, 0, 1], rtt: [-1, -1, 12.3] });
  series.add(MOST_SAMPLES, { in: 2, out: 0, bad: 0, rtt: undefined });
  const { every, in: received } = series.samples();
  expect(every).toBe(2);
  expect([received[0], received[1], received.at(-1), received.length]).toEqual([1, 5, 2, MOST_SAMPLES / 2 + 1]);
});
