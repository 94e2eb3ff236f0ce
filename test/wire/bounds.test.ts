// A parser reads nothing outside the packet that it is given: a packet that is cut gives the same, whatever is around it.

import { expect, test } from "bun:test";
import { fromHex } from "../../src/bytes/text.ts";
import { parseCallbackOptions } from "../../src/wire/cbcp.ts";
import { parseChap, parseValueAndName } from "../../src/wire/chap.ts";
import { eachOption, parseControl, parseOptions } from "../../src/wire/control.ts";
import { parseEap } from "../../src/wire/eap.ts";
import { parseMagic, parseProtocolReject, parseTimeRemaining } from "../../src/wire/lcp.ts";
import { LQR_LENGTH, parseLqr } from "../../src/wire/lqr.ts";
import { parsePap } from "../../src/wire/pap.ts";

type Parse = (packet: Uint8Array, start: number, end: number) => unknown;

/** Positions as offsets from the start of the packet, so that they do not depend on its place. */
const relative = (start: number, value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value ?? null, (key, one: unknown) =>
      /Start|End$/.test(key) && typeof one === "number" ? one - start : one,
    ),
  );

const options: Parse = (packet, start, end) => {
  const seen: number[][] = [];
  const isGood = eachOption(packet, start, end, (type, at, length) => {
    seen.push([type, ...packet.subarray(at, at + length)]);
  });
  return [isGood, seen];
};

/** A whole packet of each kind, the octets that it needs at least to be one, and its parser. */
const PARSERS: readonly (readonly [name: string, hex: string, least: number, parse: Parse])[] = [
  ["parseControl", "0102000a 0104 05dc 0702", 10, parseControl],
  ["eachOption", "0104 05dc 0702 0802", 0, options],
  ["parseOptions", "0104 05dc 0702 0802", 0, parseOptions],
  ["parseMagic", "deadbeef 0102", 4, parseMagic],
  ["parseTimeRemaining", "deadbeef 00000005 6162", 8, parseTimeRemaining],
  ["parseProtocolReject", "8057 0101", 2, parseProtocolReject],
  ["parseLqr", "01020304".repeat(12), LQR_LENGTH, parseLqr],
  ["parsePap, request", "01010010 03 627566 07 70775f5c0a0933", 16, parsePap],
  ["parsePap, answer", "02010008 03 627566", 8, parsePap],
  ["parseChap", "0101000c 04 01020304 737276", 12, parseChap],
  ["parseValueAndName", "04 01020304 737276", 5, parseValueAndName],
  ["parseEap, request", "0101000a 04 04 01020304", 10, parseEap],
  ["parseEap, success", "03010004", 4, parseEap],
  ["parseCallbackOptions", "0102 0306 0501 3700", 0, parseCallbackOptions],
];

test.each(PARSERS)("%s of %s", (_, hex, least, parse) => {
  const packet = fromHex(hex.replaceAll(" ", ""));
  expect(relative(0, parse(packet, 0, packet.length))).not.toBeNull();
  for (let length = 0; length <= packet.length; length++) {
    const alone = relative(0, parse(packet.slice(0, length), 0, length));
    if (length <= least) expect([length, alone === null]).toEqual([length, length < least]);
    // The packet's own octets behind the cut, and others.
    for (const [fill, start] of [
      [undefined, 60],
      [0x00, 60],
      [0xff, 7],
    ] as const) {
      const buf = new Uint8Array(start + packet.length + 20).fill(fill ?? 0x41);
      buf.set(fill === undefined ? packet : packet.subarray(0, length), start);
      expect([length, fill, relative(start, parse(buf, start, start + length))]).toEqual([length, fill, alone]);
    }
  }
});
