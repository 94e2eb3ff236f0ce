import { expect, test } from "bun:test";
import { addressText, parseAddress, parsePrefix, parsePrefixes } from "../../src/bytes/prefix.ts";

test("prefixes and addresses are read, and nothing that only looks like one", () => {
  const read = (text: string): string | undefined => {
    const prefix = parsePrefix(text);
    return prefix === undefined ? undefined : `${[...prefix.address].join(".")}/${prefix.bits}`;
  };
  expect(["10.0.0.0/8", "192.0.2.1", "0.0.0.0/0"].map(read)).toEqual(["10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0"]);
  expect(read("fd00::/8")).toBe(`253${".0".repeat(15)}/8`);
  expect(read("::ffff:192.0.2.1")).toBe(`${"0.".repeat(10)}255.255.192.0.2.1/128`);
  for (const text of ["", "10.0.0.0/33", "10.0.0/8", "01.2.3.4", "1::2::3", "fd00::/129", "1:2:3:4:5:6:7", "::/", "x"])
    expect(`${text} ${read(text)}`).toBe(`${text} undefined`);
});

test.each([
  "192.0.2.1",
  "::",
  "::1",
  "1::",
  "fe80::1",
  "2001:db8::1:0:0:1",
  "2001:db8:0:1:1:1:1:1",
  "1:0:0:2::",
  "1:2:3:4:5:6:7:8",
  "1:20:300:4000:0:10:0:f00",
])("%s is written as RFC 5952 recommends", (text) => {
  expect(addressText(parseAddress(text)!)).toBe(text);
});

test("of several texts, those that are prefixes", () => {
  expect(parsePrefixes(["10.0.0.0/8", "nonsense", "fd00::/8"])).toEqual([
    parsePrefix("10.0.0.0/8")!,
    parsePrefix("fd00::/8")!,
  ]);
});
