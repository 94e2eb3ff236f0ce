// pty, notty, socket and socket-listen: lines that are no device, and what goes with them.

import { expect, test } from "bun:test";
import type { Config } from "../../src/options/config.ts";
import { OptionError } from "../../src/options/error.ts";
import { checkOptions, parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

function checked(...words: string[]): Config {
  const host = fakeHost();
  const config = parseOptions(words, host);
  checkOptions(config, host);
  return config;
}

function refusal(...words: string[]): readonly [code: number, ...lines: string[]] {
  try {
    checked(...words);
  } catch (error) {
    if (error instanceof OptionError) return [error.code, ...error.lines];
    throw error;
  }
  return [0];
}

test("none of them has a device, a lock or modem lines; only notty stays in the foreground, and keeps its mouth shut", () => {
  const line = { device: undefined, lock: false, modem: false };
  for (const words of [
    ["pty", "cat"],
    ["socket", "a:1"],
    ["socket-listen", "1"],
  ])
    expect(checked(...words, "lock")).toMatchObject({ ...line, defaultDevice: false, detach: "detach", logfd: 1 });
  expect(checked("notty", "lock")).toMatchObject({ ...line, detach: "nodetach", logfd: undefined });
  expect(checked("notty", "logfd", "2").logfd).toBe(2);
});

test("one of them at a time, and no device beside it", () => {
  expect(refusal("ttyS0", "socket-listen", "1")).toEqual([2, "socket-listen option precludes specifying device name"]);
  expect(refusal("pty", "x", "notty")).toEqual([2, "pty option is incompatible with notty option"]);
  expect(refusal("pty", "x", "socket", "a:1")).toEqual([2, "socket option is incompatible with pty and notty"]);
  for (const other of [["pty", "x"], ["notty"], ["socket", "a:1"]])
    expect(refusal("socket-listen", "1", ...other)).toEqual([
      2,
      "socket-listen option is incompatible with pty, notty and socket",
    ]);
});

test("who waits for calls makes none on demand", () => {
  expect(refusal("demand", "socket-listen", "1")).toEqual([2, "demand-dialling is incompatible with socket-listen"]);
  expect(refusal("demand", "notty")).toEqual([2, "demand-dialling is incompatible with notty"]);
});

test("socket-listen wants a port", () => {
  expect(checked("socket-listen", "[::1]:5000").socketListen).toBe("[::1]:5000");
  for (const word of ["localhost", "0", "::1:5000"])
    expect(refusal("socket-listen", word)).toEqual([
      2,
      `socket-listen takes a port, or an address and a port (10.0.0.1:5000), not '${word}'`,
    ]);
});

test("sync is refused with the reason, but for a dry run", () => {
  const [code, says] = refusal("ttyS0", "sync");
  expect([code, says]).toEqual([2, expect.stringContaining("the sync option needs a synchronous port")]);
  expect(refusal("ttyS0", "sync", "dryrun")).toEqual([0]);
});
