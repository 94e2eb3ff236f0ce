// share and share=loopback.

import { expect, test } from "bun:test";
import { checkOptions } from "../../src/options/check.ts";
import type { Config } from "../../src/options/config.ts";
import { dumpLines } from "../../src/options/dump.ts";
import { OptionError } from "../../src/options/error.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

function checked(...words: string[]): Config {
  const host = fakeHost();
  return checkOptions(parseOptions(words, host), host);
}

test("share is off by default, and share=loopback implies it", () => {
  const of = ({ share, shareLoopback }: Config): [boolean, boolean] => [share, shareLoopback];
  expect(of(checked("notty"))).toEqual([false, false]);
  expect(of(checked("notty", "share"))).toEqual([true, false]);
  expect(of(checked("notty", "share=loopback"))).toEqual([true, true]);
  expect(dumpLines(checked("notty", "share=loopback")).join("\n")).toContain("share=loopback");
});

test("an ordinary user to whom rights are lent may not share", () => {
  const host = { ...fakeHost(), privileged: false };
  expect(() => parseOptions(["notty", "share"], host)).toThrow(OptionError);
});
