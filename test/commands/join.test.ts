// The words of nullmodem join, and the pppd that they mean.

import { expect, test } from "bun:test";
import { type JoinWords, joinWords, pppdWords } from "../../src/commands/join.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

function wordsOf(...argv: readonly string[]): JoinWords {
  const words = joinWords(argv);
  if (typeof words === "string") throw new Error(words);
  return words;
}

test("a port, with or without its folder, flags in both forms, and pppd's own words", () => {
  expect(wordsOf("ttyS0")).toEqual({ port: "/dev/ttyS0", flags: {}, words: [] });
  const all = ["--user", "zaphod", "/dev/ttyUSB0", "--password-file=/run/secret", "--number", "0815", "--speed=9600"];
  expect(wordsOf(...all, "--", "debug", "--", "x")).toEqual({
    port: "/dev/ttyUSB0",
    flags: { user: "zaphod", "password-file": "/run/secret", number: "0815", speed: "9600" },
    words: ["debug", "--", "x"],
  });
});

test("wrong words are named", () => {
  expect(joinWords([])).toStartWith("which port? ");
  expect(joinWords(["a", "b"])).toBe("one port at a time; pppd's own options come after --");
  expect(joinWords(["a", "--sped", "3"])).toBe(`there is no option "--sped"; pppd's own options come after --`);
  expect(joinWords(["a", "--user"])).toBe("--user needs a value");
  for (const speed of ["fast", "0", "-1", "1e3"])
    expect(joinWords(["a", "--speed", speed])).toBe(`--speed: not a speed: ${speed}`);
  for (const place of ["0", "x", "host:1080", "70000"])
    expect(joinWords(["a", "--socks", place])).toBe(`--socks: not [ADDRESS:]PORT: ${place}`);
});

test("with a proxy there is no default route", () => {
  const host = fakeHost({});
  const words = pppdWords(wordsOf("ttyS0", "--socks", "[::1]:1080"));
  const config = checkOptions(parseOptions(words, host), host);
  expect(config).toMatchObject({ join: true, defaultroute: false, socks: { address: "::1", port: 1080 } });
});

test("its default route comes after others, unless it is to replace them", () => {
  const host = fakeHost({});
  const metricOf = (...words: string[]): number =>
    checkOptions(parseOptions(pppdWords(wordsOf("ttyS0", "--", ...words)), host), host).defaultrouteMetric;
  expect([metricOf(), metricOf("replacedefaultroute"), metricOf("defaultroute-metric", "5")]).toEqual([10000, 0, 5]);
});

test("pppd takes the words: it joins, stays, and the user's words come last", () => {
  const host = fakeHost({});
  const words = wordsOf("ttyS0", "--user", "zaphod", "--speed", "9600", "--", "nodefaultroute", "10.0.0.1:");
  const config = checkOptions(parseOptions(pppdWords(words, 7), host), host);
  expect(config).toMatchObject({
    device: "/dev/ttyS0",
    join: true,
    speed: 9600,
    user: "zaphod",
    passwordfd: 7,
    persist: true,
    maxfail: 0,
    detach: "nodetach",
    usepeerdns: true,
    defaultroute: false,
    ourAddress: 0x0a000001,
  });
  expect(config.facts.authRequired).toBe(false);
});
