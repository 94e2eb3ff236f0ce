// Tests of the kit itself.

import { describe, expect, spyOn, test } from "bun:test";
import { cuts } from "./cuts.ts";
import { Rng, withRng } from "./rng.ts";
import type { PortFormat } from "./uart.ts";
import { Wire } from "./wire.ts";

test("cuts: whole, byte by byte, split at every offset", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect([...cuts(bytes)].map((pieces) => pieces.map((piece) => [...piece]))).toEqual([
    [[1, 2, 3]],
    [[1], [2], [3]],
    [[1], [2, 3]],
    [[1, 2], [3]],
  ]);
});

describe("rng", () => {
  test("the same seed gives the same numbers, another one others", () => {
    const numbers = (seed: number): number[] => Array.from({ length: 5 }, () => new Rng(seed).u32());
    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7)).not.toEqual(numbers(8));
  });

  test("is even enough: mean and spread of 100000 draws", () => {
    const rng = new Rng(1);
    const draws = Array.from({ length: 100_000 }, () => rng.float());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.005);
    expect(Math.min(...draws.slice(0, 10_000))).toBeLessThan(0.001);
    expect(Math.max(...draws.slice(0, 10_000))).toBeGreaterThan(0.999);
  });

  test("gap: as far apart as the probability says", () => {
    const rng = new Rng(2);
    const gaps = Array.from({ length: 20_000 }, () => rng.gap(0.01));
    expect(Math.min(...gaps)).toBe(1);
    expect(Math.abs(gaps.reduce((sum, x) => sum + x, 0) / gaps.length - 100)).toBeLessThan(4);
    expect(rng.gap(0)).toBe(Infinity);
    expect(rng.gap(1)).toBe(1);
  });

  test("withRng says the seed of a failure and passes it on", async () => {
    const said = spyOn(console, "error").mockImplementation(() => {});
    let seed = -1;
    const failing = withRng((rng) => {
      seed = rng.seed;
      throw new Error("x");
    });
    await expect(failing).rejects.toThrow("x");
    expect(said).toHaveBeenCalledWith(`seed ${seed} (NULLMODEM_SEED=${seed} repeats it)`);
    said.mockRestore();
  });
});

describe("wire", () => {
  const BYTE_MS = 10_000 / 115200;
  const out = new Uint8Array(65536);
  const wire = (options = {}): Wire => new Wire({ baud: 115200, rng: new Rng(1), ...options });
  const take = (line: Wire, length: number, now: number): void => line.take(new Uint8Array(length), length, now);

  test("one byte arrives at the end of its stop bit", () => {
    const line = wire();
    take(line, 1, 100);
    expect(line.dueAt()).toBeCloseTo(100 + BYTE_MS, 9);
    expect(line.arrived(100 + 0.99 * BYTE_MS)).toBe(0);
    expect(line.arrived(line.dueAt())).toBe(1);
  });

  test("a long piece arrives in groups, the last byte at its own time", () => {
    const line = wire();
    take(line, 50, 0);
    expect(line.dueAt()).toBeCloseTo(1, 9);
    let sum = 0;
    let last = 0;
    while (line.waiting > 0) {
      last = line.dueAt();
      const count = line.arrived(last);
      expect(count).toBeGreaterThan(0);
      sum += line.deliver(count, true, out, 0);
    }
    expect(sum).toBe(50);
    expect(last).toBeCloseTo(50 * BYTE_MS, 9);
  });

  test("bytes queue behind those on the line; an idle line starts anew", () => {
    const line = wire();
    take(line, 10, 0);
    take(line, 10, 0.1);
    line.deliver(line.arrived(20 * BYTE_MS), true, out, 0);
    expect(line.waiting).toBe(0);
    take(line, 1, 50);
    expect(line.dueAt()).toBeCloseTo(50 + BYTE_MS, 9);
  });

  test("a relay that is late does not make the line idle while the sender has more, and a pause does", () => {
    const line = wire();
    take(line, 64, 0);
    line.deliver(line.arrived(20), true, out, 20);
    take(line, 64, 20);
    expect(line.arrived(20)).toBe(64);
    line.deliver(64, true, out, 20);
    take(line, 10, 20);
    line.deliver(line.arrived(40), true, out, 40);
    take(line, 64, 40);
    expect(line.arrived(40)).toBe(0);
    line.deliver(line.arrived(60), true, out, 60);
    take(line, 64, 200);
    expect(line.arrived(200)).toBe(0);
  });

  test("takes no more than a few milliseconds ahead", () => {
    expect(wire().room).toBe(64);
    expect(wire({ baud: 1_000_000 }).room).toBe(500);
    expect(wire({ baud: 300 }).room).toBe(64);
  });

  test("not paced: at once", () => {
    const line = wire({ baud: 0 });
    take(line, 5000, 7);
    expect(line.arrived(7)).toBe(5000);
    expect(line.deliver(5000, true, out, 0)).toBe(5000);
    expect(line.dueAt()).toBe(Infinity);
  });

  test("cut, or nobody listening: lost, but it takes its time", () => {
    const line = wire();
    line.cut = true;
    take(line, 3, 0);
    expect(line.arrived(2 * BYTE_MS)).toBe(2);
    expect(line.deliver(2, true, out, 0)).toBe(0);
    line.cut = false;
    expect(line.deliver(1, false, out, 0)).toBe(0);
    expect(line.stats).toMatchObject({ taken: 3, delivered: 0, lost: 3 });
  });

  test("damages what is sent faster than it can carry, and nothing else", () => {
    const port = (baud: number): PortFormat => ({ baud, dataBits: 8, parity: "none", stopBits: 1, iflag: 0 });
    const line = new Wire({ baud: 0, cleanTo: 115200, rng: new Rng(6) });
    for (const [baud, isDamaged] of [
      [115200, false],
      [230400, true],
      [115200, false],
    ] as const) {
      line.setPorts(port(baud), port(baud));
      const { flipped } = line.stats;
      for (let sent = 0; sent < 50_000; sent += 50) {
        take(line, 50, sent);
        line.deliver(50, true, out, sent + 10);
      }
      expect([baud, line.stats.flipped - flipped > 300]).toEqual([baud, isDamaged]);
      if (!isDamaged) expect(line.stats.flipped).toBe(flipped);
    }
  });

  test("flips as many bits and drops as many bytes as it says, the same ones for the same seed", () => {
    const run = (): { bytes: Uint8Array; line: Wire } => {
      const line = new Wire({ baud: 0, bitErrors: 0.001, drops: 0.002, rng: new Rng(5) });
      const pieces: Uint8Array[] = [];
      for (let sent = 0; sent < 1_000_000; sent += 50_000) {
        take(line, 50_000, 0);
        pieces.push(out.slice(0, line.deliver(50_000, true, out, 0)));
      }
      return { bytes: new Uint8Array(Buffer.concat(pieces)), line };
    };
    const { bytes, line } = run();
    const bits = bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
    expect(bits).toBe(line.stats.flipped);
    expect(bytes.length).toBe(1_000_000 - line.stats.dropped);
    expect(Math.abs(bits - 8000)).toBeLessThan(500);
    expect(Math.abs(line.stats.dropped - 2000)).toBeLessThan(250);
    expect(run().bytes).toEqual(bytes);
  });
});
