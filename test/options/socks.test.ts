// socks: where programs find the proxy.

import { expect, test } from "bun:test";
import type { Config } from "../../src/options/config.ts";
import { checkOptions } from "../../src/options/check.ts";
import { dumpLines } from "../../src/options/dump.ts";
import { OptionError } from "../../src/options/error.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

function checked(...words: string[]): Config {
  const host = fakeHost();
  return checkOptions(parseOptions(["notty", ...words], host), host);
}

function refusal(...words: string[]): string {
  try {
    checked(...words);
  } catch (error) {
    if (error instanceof OptionError) return error.lines.join("\n");
    throw error;
  }
  return "";
}

test.each([
  ["1080", "127.0.0.1", 1080, "socks 127.0.0.1:1080"],
  ["0.0.0.0:8080", "0.0.0.0", 8080, "socks 0.0.0.0:8080"],
  ["[::1]:1080", "::1", 1080, "socks [::1]:1080"],
])("socks %s", (argument, address, port, dump) => {
  const config = checked("socks", argument);
  expect(config.socks).toEqual({ address, port });
  expect(dumpLines(config).join("\n")).toContain(dump);
});

test.each(["", "0", "65536", "localhost:1080", "::1:1080", "1080/udp"])("socks '%s' is refused", (argument) => {
  expect(refusal("socks", argument)).toContain("is not [ADDRESS:]PORT, such as 1080 or [::1]:1080");
});

test("socks is refused with what carries packets in another way", () => {
  const why = "socks calls out from here: it is incompatible with demand, usernet and share";
  for (const other of ["usernet", "share"]) expect(refusal("socks", "1080", other)).toContain(why);
  expect(refusal("socks", "1080", "demand", "connect", "true")).toContain("incompatible with");
});
