// What a modem says: each result in words and in numbers, as X and V have it; and the registers.

import { expect, test } from "bun:test";
import { ModemProfile, type Profile } from "../../src/front/modem-profile.ts";
import { connectText, resultText } from "../../src/front/modem-results.ts";

const settings = (changes: Partial<Profile>): Profile => ({ ...new ModemProfile().now, ...changes });
const words = (extent: number): Profile => settings({ extent });
const numbers = (extent: number): Profile => settings({ extent, isVerbose: false });

test.each([
  ["OK", "0"],
  ["CONNECT", "1"],
  ["RING", "2"],
  ["NO CARRIER", "3"],
  ["ERROR", "4"],
  ["NO DIALTONE", "6"],
  ["BUSY", "7"],
  ["NO ANSWER", "8"],
] as const)("%s is the number %s", (result, number) => {
  expect([resultText(result, words(4)), resultText(result, numbers(4))]).toEqual([result, number]);
});

test("X hides a busy line and the lack of a dial tone, each by itself", () => {
  const told = (result: "BUSY" | "NO DIALTONE"): string[] =>
    [0, 1, 2, 3, 4].filter((extent) => resultText(result, words(extent)) === result).map(String);
  expect([told("BUSY"), told("NO DIALTONE")]).toEqual([
    ["3", "4"],
    ["2", "4"],
  ]);
  expect([resultText("BUSY", words(2)), resultText("BUSY", numbers(2))]).toEqual(["NO CARRIER", "3"]);
});

test.each([
  [1200, "5"],
  [2400, "10"],
  [4800, "11"],
  [9600, "12"],
  [7200, "13"],
  [12000, "14"],
  [14400, "15"],
  [19200, "16"],
  [38400, "17"],
  [57600, "18"],
  [115200, "19"],
  [230400, "1"],
])("CONNECT %d is the number %s", (speed, number) => {
  expect(connectText(speed, undefined, words(1))).toBe(`CONNECT ${speed}`);
  expect(connectText(speed, undefined, numbers(1))).toBe(number);
  expect([connectText(speed, undefined, words(0)), connectText(speed, undefined, numbers(0))]).toEqual([
    "CONNECT",
    "1",
  ]);
  expect([connectText(speed, "CONNECT x", words(0)), connectText(speed, "CONNECT x", numbers(0))]).toEqual([
    "CONNECT x",
    "1",
  ]);
});

test("a speed that is not known is not said", () => {
  expect([connectText(0, undefined, words(4)), connectText(0, undefined, numbers(4))]).toEqual(["CONNECT", "1"]);
});

test("a register takes an octet, and those of a character no more than 127", () => {
  const profile = new ModemProfile();
  for (let register = 0; register < 20; register++) {
    const most = register >= 3 && register <= 5 ? 127 : 255;
    expect([register, profile.setRegister(register, most), profile.setRegister(register, most + 1)]).toEqual([
      register,
      true,
      false,
    ]);
    // S13 and above do not exist.
    expect([register, profile.register(register)]).toEqual([register, register <= 12 ? most : 0]);
  }
});

test("ATZ brings back what &W has stored, and &F what the factory has set", () => {
  const profile = new ModemProfile();
  const factory = profile.now;
  profile.change({ echoes: false });
  profile.setRegister(0, 3);
  profile.store();
  const stored = profile.now;
  profile.makeFactory();
  expect([profile.now, profile.register(0)]).toEqual([factory, 0]);
  profile.restore();
  expect([profile.now, profile.register(0), profile.now.echoes]).toEqual([stored, 3, false]);
});

test("the settings of the factory", () => {
  expect(new ModemProfile().now).toEqual({
    echoes: true,
    quiet: 0,
    isVerbose: true,
    extent: 4,
    carrierFollows: false,
    dtrMode: 2,
    registers: [0, 0, 43, 13, 10, 8, 2, 50, 2, 6, 14, 95, 50],
  });
});
