import { expect, test } from "bun:test";
import { join } from "node:path";
import { rowOf } from "../../scripts/bench/figure.ts";
import { figureOf, figuresOf, type Report } from "../../scripts/bench/program.ts";
import { table } from "../../scripts/bench/table.ts";

const report: Report = {
  startup: { first_ping_ms: 12 },
  idle: { a: 0.001, b: 0.002 },
  rss_a: 50e6,
  rss_b: 51e6,
  line_tcp_limit_MBps: 0.01,
  tests: {
    ping: { sent: 10, received: 10, p50_ms: 16.2, floor_ms: 15.8 },
    tcp_ba: {
      ba: { goodput_MBps: 0.009 },
      cpu_a: { s_per_MB: 0.01 },
      cpu_b: { s_per_MB: 0.02 },
      ping_under_load: { sent: 5, received: 5, p50_ms: 700 },
      packets_lost_per_error: { ab: 0.9, ba: 0.8 },
    },
    tcp_ab: { ab: { goodput_MBps: 0.011 }, cpu_a: { s_per_MB: 0.04 }, cpu_b: { s_per_MB: 0.03 } },
  },
};

test("the link's report as figures: the receiver is A when data goes from B to A", () => {
  const figures = figuresOf(report);
  expect(figures).toMatchObject({ rss: 51, idle: 0.002, firstPing: 12, pingUnderLoad: 700, lost: 0.9 });
  expect(figures.tcp).toBeCloseTo(0.01, 9);
  expect(figures.share).toBeCloseTo(1.1, 9);
  expect(figures.rx).toBeCloseTo(20, 9); // 0.01 and 0.03
  expect(figures.tx).toBeCloseTo(30, 9); // 0.02 and 0.04
  expect(figures.overFloor).toBeCloseTo(0.4, 9);
  expect(figures.tcpBoth).toBeNaN();
});

test("a figure that was not measured is no number, and has no verdict", () => {
  const figures = figuresOf({ ...report, tests: {} });
  const row = { name: "TCP", figure: "tcp", digits: 1, least: 0.95, of: "ratio" } as const;
  expect(rowOf(figureOf(row, figures, figures))).toEqual(["TCP", "-", "-", "-", "≥ 0.95×", ""]);
});

test("a row judges the ratio, or the figure itself", () => {
  const yardstick = figuresOf(report);
  const ours = { ...yardstick, tcp: yardstick.tcp * 0.9, rss: 70 };
  const ratio = { name: "TCP", figure: "tcp", digits: 3, least: 0.95, of: "ratio" } as const;
  expect(rowOf(figureOf(ratio, ours, yardstick))).toEqual(["TCP", "0.010", "0.009", "0.90", "≥ 0.95×", "missed"]);
  const figure = { name: "RSS", figure: "rss", digits: 0, most: 64, of: "figure" } as const;
  expect(rowOf(figureOf(figure, ours, yardstick)).at(-1)).toBe("missed");
  expect(rowOf(figureOf(figure, yardstick, yardstick)).at(-1)).toBe("reached");
});

test("a table lines its columns up", () => {
  expect(
    table(
      ["", "MB/s"],
      [
        ["FCS", "1533"],
        ["deframer", "9"],
      ],
    ),
  ).toBe("          MB/s\nFCS       1533\ndeframer     9");
});

test("bench knows the parts that have goals", () => {
  const script = join(import.meta.dir, "../../scripts/bench.ts");
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, script, "nothing"], { stderr: "pipe" });
  expect(exitCode).toBe(2);
  expect(stderr.toString()).toContain("program, start-order, interactive, climb, first-packets, start.");
});
