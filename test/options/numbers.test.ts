import { expect, test } from "bun:test";
import { formatIpv4, isBadAddress, parseIpv4, scanNumber, toUint32 } from "../../src/options/numbers.ts";

test("a number is what strtoul(3) reads", () => {
  const cases: readonly (readonly [string, number | undefined, number])[] = [
    ["10", 10, 2],
    ["10s", 10, 2],
    [" \t+7x", 7, 4],
    ["-7", -7, 2],
    ["0x1F", 31, 4],
    ["0x", 0, 1],
    ["010", 8, 3],
    ["08", 0, 1],
    ["1e3", 1, 1],
    ["", undefined, 0],
    ["x", undefined, 0],
    ["-", undefined, 0],
  ];
  for (const [text, value, end] of cases) {
    expect([text, scanNumber(text)]).toEqual([text, value === undefined ? undefined : { value, end }]);
  }
  expect(scanNumber("a0000", 16)?.value).toBe(0xa0000);
  expect(scanNumber("0xA", 16)?.value).toBe(10);
  expect(scanNumber("11,13", 16, 3)).toEqual({ value: 0x13, end: 5 });
});

test("32 bits are kept as in C, and a number above 64 bits becomes all ones", () => {
  expect(toUint32(-1)).toBe(0xffffffff);
  expect(toUint32(0x1_0000_0005)).toBe(5);
  expect(toUint32(2 ** 64)).toBe(0xffffffff);
  expect(toUint32(2 ** 63)).toBe(0);
  expect(toUint32(1e30)).toBe(0xffffffff);
});

test("addresses as inet_addr takes them", () => {
  const text = (word: string): string | undefined => {
    const address = parseIpv4(word);
    return address === undefined ? undefined : formatIpv4(address);
  };
  expect(text("192.168.1.1")).toBe("192.168.1.1");
  expect(text("10.1")).toBe("10.0.0.1");
  expect(text("10.2.3")).toBe("10.2.0.3");
  expect(text("5")).toBe("0.0.0.5");
  expect(text("0x0a.012.0.1")).toBe("10.10.0.1");
  expect(text("10.0.0.1 x")).toBe("10.0.0.1");
  for (const bad of [
    "",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.256",
    "09.1.1.1",
    "a.b",
    "1..2",
    " 1.2.3.4",
    "255.255.255.255",
  ]) {
    expect([bad, text(bad)]).toEqual([bad, undefined]);
  }
});

test("addresses that no end of a link may have", () => {
  const bad = ["127.0.0.1", "127.9.9.9", "224.0.0.1", "240.0.0.1", "255.255.255.254"];
  const good = ["0.0.0.5", "10.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255"];
  expect(bad.filter((word) => !isBadAddress(parseIpv4(word) ?? 0))).toEqual([]);
  expect(good.filter((word) => isBadAddress(parseIpv4(word) ?? 0))).toEqual([]);
});
