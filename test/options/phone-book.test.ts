// The modem's phone book: numbers as people write them, and what is no entry.

import { expect, test } from "bun:test";
import { parsePhoneBook, parsePhoneNumber, plainNumber } from "../../src/options/phone-book.ts";

test("numbers are compared without what people put between the digits", () => {
  for (const number of ["5551212", "555-1212", "(555) 12.12", "5,5w5@1212".replace("w", "")])
    expect(plainNumber(number)).toBe("5551212");
  expect(plainNumber("*70#")).toBe("*70#");
  expect(plainNumber("bbs")).toBe("BBS");
});

test("an entry is a number and a host with its port", () => {
  expect(parsePhoneNumber("555-1212=bbs.example:23")).toEqual({ number: "5551212", host: "bbs.example:23" });
  expect(parsePhoneNumber("1 = [fe80::1]:6400")).toEqual({ number: "1", host: "[fe80::1]:6400" });
  for (const bad of ["", "1", "=host:23", "1=", "1=host", "1=23", "1=host:99999", "1=host:23 x", "1\x07=h:1", "é=h:1"])
    expect([bad, parsePhoneNumber(bad)]).toEqual([bad, undefined]);
});

test("a file has an entry on each line, comments, and lines that are none", () => {
  expect(parsePhoneBook("# all\r\n1 = a:1 # first\r\n\r\nbad\n2=b:2")).toEqual({
    numbers: [
      { number: "1", host: "a:1" },
      { number: "2", host: "b:2" },
    ],
    bad: [4],
  });
});
