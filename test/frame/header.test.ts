// The header of a frame, read from any place; and which frames carry which FCS.

import { expect, test } from "bun:test";
import { fromHex } from "../../src/bytes/text.ts";
import { isLcp, owesFcs } from "../../src/frame/fcs.ts";
import { addressEnd, protocolAt, protocolEnd } from "../../src/frame/header.ts";

/** The octets after three others, and before what would make them longer. */
function embedded(hex: string, behind = 0x03): readonly [bytes: Uint8Array, start: number, end: number] {
  const octets = fromHex(hex);
  return [Uint8Array.of(0xff, 0x03, 0x55, ...octets, behind, 0x21), 3, 3 + octets.length];
}

test.each([
  ["ff0321", 2],
  ["ff03", 2],
  ["ff", 0],
  ["ff21", 0],
  ["0321", 0],
  ["", 0],
])("the address and control fields of '%s' take %d octets", (hex, length) => {
  const [bytes, start, end] = embedded(hex);
  expect(addressEnd(bytes, start, end)).toBe(start + length);
});

test.each([
  ["21", 1, 0x21],
  ["2145", 1, 0x21],
  ["0021", 2, 0x0021],
  ["c02101", 2, 0xc021],
  ["c0", -1, undefined],
  ["00", -1, undefined],
  ["", -1, undefined],
])("the protocol field of '%s' takes %d octets (-1: it is incomplete)", (hex, length, protocol) => {
  const [bytes, start, end] = embedded(hex);
  const stop = protocolEnd(bytes, start, end);
  expect(stop).toBe(length < 0 ? -1 : start + length);
  if (protocol !== undefined) expect(protocolAt(bytes, start, stop)).toBe(protocol);
});

test.each([
  ["ff03c021", true],
  ["ff03c02101", true],
  ["ff03c0", false],
  ["fe03c021", false],
  ["ff02c021", false],
  ["ff03c121", false],
  ["ff03c023", false],
  ["c021c021", false],
])("%s begins like LCP: %p", (hex, isIt) => {
  const octets = fromHex(hex);
  // What is behind the end does not count.
  const bytes = Uint8Array.of(...octets, 0x21);
  expect(isLcp(bytes, octets.length)).toBe(isIt);
});

test.each([
  ["ff038021", true],
  ["8021", true],
  ["40", true],
  ["4021", true],
  ["3e21", false],
  ["0021", false],
  ["21", false],
  ["c1", false],
  ["ff030021", false],
  ["ff03", false],
  ["", false],
])("%s has an FCS although none was agreed on: %p", (hex, owes) => {
  for (const behind of [0x03, 0x80]) expect(owesFcs(...embedded(hex, behind))).toBe(owes);
});
