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

test("rules without anything that they limit do nothing, and a warning says so", () => {
  const logged = (...words: string[]): string[] => {
    const host = fakeHost();
    checkOptions(parseOptions(["notty", ...words], host), host);
    return host.logged.filter((line) => line.includes("no effect"));
  };
  const rules = ["share-deny", "10.1.0.0/16", "share-allow", "10.0.0.0/8"];
  expect(logged(...rules)).toEqual(
    ["share-allow", "share-deny"].map((name) => `${name} has no effect without share, usernet or forward`),
  );
  expect(logged("share", "noshare", ...rules)).toHaveLength(2);
  for (const words of [["share"], ["share=loopback"], ["usernet"], ["forward", "8080=80"]])
    expect(logged(...words, ...rules)).toEqual([]);
  expect(logged("share-deny", "10.1.0.0/16")).toEqual(["share-deny has no effect without share, usernet or forward"]);
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
  const rules = [
    ["share-allow", "10.0.0.0/8"],
    ["share-deny", "10.0.0.1"],
    ["forward", "80=80"],
    ["socks", "1080"],
  ];
  for (const words of [["noshare"], ["share"], ["usernet"], ...rules])
    expect(withPeerOptions(config, words, host).trouble).toBe(
      `${words[0]} option cannot be changed after initialization`,
    );
});
