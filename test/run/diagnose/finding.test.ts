import { expect, test } from "bun:test";
import { type Finding, linesOf, report } from "../../../src/run/diagnose/finding.ts";
import type { LogLevel } from "../../../src/run/log.ts";

const SPEED: Finding = { code: "speed", text: "It is too fast", remedy: "take 9600", severity: "warning" };
const TUN: Finding = { code: "tun", text: "There is none", remedy: "\nAs root:\n  modprobe tun", severity: "error" };

test("a remedy stands on the line of its finding, or on lines of its own", () => {
  expect(linesOf(SPEED)).toEqual(["It is too fast; take 9600"]);
  expect(linesOf(TUN)).toEqual(["There is none", "As root:", "  modprobe tun"]);
  expect(linesOf({ code: "ports", text: "None here", severity: "info" })).toEqual(["None here"]);
});

test("the severity of a finding is the level of each of its lines", () => {
  const lines: [LogLevel, string][] = [];
  const log = { write: (level: LogLevel, text: string) => void lines.push([level, text]) };
  report(log, [SPEED, TUN, { code: "ports", text: "None here", severity: "info" }]);
  expect(lines.map(([level]) => level)).toEqual(["warn", "error", "error", "error", "info"]);
});
