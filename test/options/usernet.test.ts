// usernet, and the rules where the peer may go.

import { expect, test } from "bun:test";
import type { Config } from "../../src/options/config.ts";
import { checkOptions } from "../../src/options/check.ts";
import { dumpLines } from "../../src/options/dump.ts";
import { OptionError } from "../../src/options/error.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

function checked(...words: string[]): Config {
  const host = fakeHost();
  return checkOptions(parseOptions(words, host), host);
}

function refusal(...words: string[]): string[] {
  try {
    checked(...words);
  } catch (error) {
    if (error instanceof OptionError) return [...error.lines];
    throw error;
  }
  return [];
}

test("prefixes add up, and a dump shows them", () => {
  const config = checked(
    "notty",
    "usernet",
    "share-allow",
    "10.0.0.0/8",
    "share-allow",
    "fd00::/8",
    "share-deny",
    "10.1.2.3",
  );
  expect(config.usernet).toBe(true);
  expect(config.shareAllow).toEqual(["10.0.0.0/8", "fd00::/8"]);
  expect(config.shareDeny).toEqual(["10.1.2.3"]);
  const dump = dumpLines(config).join("\n");
  expect(dump).toContain("share-allow 10.0.0.0/8 share-allow fd00::/8");
  expect(dump).toContain("share-deny 10.1.2.3");
});

test("what is no prefix is refused, and so is demand", () => {
  expect(refusal("notty", "usernet", "share-allow", "10.0.0.0/99").join("\n")).toContain(
    "share-allow: 10.0.0.0/99 is no prefix such as 10.0.0.0/8 or fd00::/8",
  );
  expect(refusal("usernet", "demand", "pty", "cat").join("\n")).toContain(
    "demand-dialling needs an interface, and usernet has none",
  );
});
