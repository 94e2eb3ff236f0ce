// DNS messages: exact octets both ways, names that lie, and every truncation.

import { describe, expect, test } from "bun:test";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { dnsName, dnsQuery, DnsType, parseDnsAnswer } from "../../src/wire/dns.ts";

const QUESTION = "03777777 07 6578616d706c65 03636f6d 00 0001 0001";
/** Two records: www.example.com is an alias of example.com, which has an address. */
const ALIAS = "c00c 0005 0001 00000e10 0002 c010";
const ADDRESS = "c010 0001 0001 0000003c 0004 c0000250";
const ANSWER = fromHex(`1234 8180 0001 0002 0000 0000 ${QUESTION} ${ALIAS} ${ADDRESS}`);

function parse(bytes: Uint8Array) {
  const padded = new Uint8Array(bytes.length + 7).fill(0xa5);
  padded.set(bytes, 3);
  return parseDnsAnswer(padded, 3, 3 + bytes.length);
}

test("a query has the octets of RFC 1035 §4.1", () => {
  expect(toHex(dnsQuery(0x1234, "www.example.com", DnsType.A))).toBe(
    toHex(fromHex(`1234 0100 0001 0000 0000 0000 ${QUESTION}`)),
  );
});

test("an answer gives the addresses of what the name is an alias of, with the shortest time", () => {
  expect(parse(ANSWER)).toEqual({
    id: 0x1234,
    name: "www.example.com",
    type: DnsType.A,
    code: 0,
    isTruncated: false,
    addresses: [Uint8Array.of(192, 0, 2, 80)],
    ttl: 60,
  });
});

test("an address of another name is not taken", () => {
  const other = fromHex(`1234 8180 0001 0001 0000 0000 ${QUESTION} c010 0001 0001 0000003c 0004 c0000250`);
  expect(parse(other)?.addresses).toEqual([]);
});

test("an answer that is cut anywhere is none; one that says it is truncated has the records before", () => {
  for (let length = 0; length < ANSWER.length; length++) expect(parse(ANSWER.slice(0, length))).toBeUndefined();
  const truncated = ANSWER.slice();
  truncated[2]! |= 2;
  expect(parse(truncated.slice(0, -1))).toMatchObject({ isTruncated: true, addresses: [] });
  expect(parse(truncated)?.addresses).toHaveLength(1);
});

test("a changed bit never throws", () => {
  for (let bit = 0; bit < ANSWER.length * 8; bit++) {
    const changed = ANSWER.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    parse(changed);
  }
});

test("pointers and aliases in a circle end", () => {
  const pointer = fromHex("0001 8180 0001 0000 0000 0000 c00c 0001 0001");
  expect(parse(pointer)).toBeUndefined();
  const circle = fromHex(`0001 8180 0001 0002 0000 0000 ${QUESTION} ${ALIAS} c010 0005 0001 00000e10 0002 c00c`);
  expect(parse(circle)).toMatchObject({ addresses: [], ttl: 0 });
});

describe("names", () => {
  test.each([
    ["Example.COM.", "example.com"],
    ["host", "host"],
    ["", undefined],
    [".", undefined],
    ["a..b", undefined],
    ["a b", undefined],
    [`${"a".repeat(63)}.b`, `${"a".repeat(63)}.b`],
    ["a".repeat(64), undefined],
    [`${"abcdefg.".repeat(31)}12345`, `${"abcdefg.".repeat(31)}12345`],
    [`${"abcdefg.".repeat(31)}123456`, undefined],
  ])("%p is %p", (text, name) => {
    expect(dnsName(text)).toBe(name);
    if (name === undefined) return;
    const query = dnsQuery(7, name, DnsType.AAAA);
    query[2] = 0x80;
    expect(parse(query)).toMatchObject({ id: 7, name, type: DnsType.AAAA });
  });
});

test("a question is no answer", () => {
  expect(parse(dnsQuery(1, "a", DnsType.A))).toBeUndefined();
  expect(parse(bytesOf("hello"))).toBeUndefined();
});
