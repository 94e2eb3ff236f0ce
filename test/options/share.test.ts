// share, share=loopback and noshare.

import { expect, test } from "bun:test";
import { checkOptions } from "../../src/options/check.ts";
import type { Config } from "../../src/options/config.ts";
import { dumpLines } from "../../src/options/dump.ts";
import { parseOptions, withPeerOptions } from "../../src/options/parse.ts";
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
  const host = fakeHost({ user: true, files: { "/etc/ppp/options": "" } });
  for (const word of ["share", "share=loopback"])
    expect(() => parseOptions(["notty", word], host)).toThrow(`using the ${word} option requires root privilege`);
});

test("noshare takes it back, as does a later file of the port; the command line wins over files", () => {
  expect(checked("notty", "share=loopback", "noshare")).toMatchObject({ share: false, shareLoopback: false });
  const files = { "/etc/ppp/options": "share", "/etc/ppp/options.ttyS0": "noshare" };
  const host = fakeHost({ files });
  expect(parseOptions(["ttyS0"], host).share).toBe(false);
  expect(parseOptions(["ttyS0", "share"], host).share).toBe(true);
});

test("one peer's line in a secrets file cannot change it: sockets and rules are those of the session", () => {
  const host = fakeHost();
  const config = parseOptions(["notty", "share"], host);
  for (const words of [["noshare"], ["share"], ["usernet"], ["share-allow", "10.0.0.0/8"], ["share-deny", "10.0.0.1"]])
    expect(withPeerOptions(config, words, host).trouble).toBe(
      `${words[0]} option cannot be changed after initialization`,
    );
});
