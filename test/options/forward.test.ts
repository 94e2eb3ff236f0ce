// forward: which ports of this machine lead to the peer.

import { expect, test } from "bun:test";
import { checkOptions } from "../../src/options/check.ts";
import type { Config } from "../../src/options/config.ts";
import { dumpLines } from "../../src/options/dump.ts";
import { OptionError } from "../../src/options/error.ts";
import { parseOptions, withPeerOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

function checked(...words: string[]): Config {
  const host = fakeHost();
  return checkOptions(parseOptions(words, host), host);
}

test("forward adds up, means TCP and UDP without a suffix, and a dump shows it", () => {
  const config = checked(
    ...["notty", "forward", "2222=22/tcp", "forward", "[fd00::1]:5353=53/udp", "forward", "127.0.0.1:80=8080"],
  );
  expect(config.forwards).toEqual([
    { protocol: "tcp", address: undefined, port: 2222, toPort: 22 },
    { protocol: "udp", address: "fd00::1", port: 5353, toPort: 53 },
    { protocol: "tcp", address: "127.0.0.1", port: 80, toPort: 8080 },
    { protocol: "udp", address: "127.0.0.1", port: 80, toPort: 8080 },
  ]);
  const dump = dumpLines(config).map((line) => line.split("\t")[0]);
  for (const words of ["2222=22/tcp", "[fd00::1]:5353=53/udp", "127.0.0.1:80=8080/tcp", "127.0.0.1:80=8080/udp"])
    expect(dump).toContain(`forward ${words}`);
});

test("forward refuses what is no pair of ports", () => {
  for (const wrong of [
    ...["", "22", "22=", "=22", "0=22", "22=0", "65536=22", "22=65536", "a=22", "host:22=22", "1.2.3:22=22"],
    ...["::1:22=22", "[1::2::3]:22=22", "22=22/sctp", "22=22/", "22=22=22", "-1=22"],
  ])
    expect(() => checked("notty", "forward", wrong)).toThrow(/is not \[ADDRESS:\]PORT=PORT/);
});

test("an ordinary user to whom rights are lent may not forward ports", () => {
  const host = { ...fakeHost(), privileged: false };
  expect(() => parseOptions(["notty", "forward", "2222=22"], host)).toThrow(OptionError);
});

test("a line of a secrets file cannot forward ports: the way of packets is chosen before the peer is known", () => {
  const { config, trouble } = withPeerOptions(checked("notty"), ["forward", "8080=80"], fakeHost());
  expect([config.forwards, trouble]).toEqual([[], "forward option cannot be changed after initialization"]);
});
