// Where PPP and SLIP begin among other octets.

import { expect, test } from "bun:test";
import { fromHex } from "../../src/bytes/text.ts";
import { MAX_FRAME } from "../../src/frame/deframer.ts";
import { PppFinder } from "../../src/front/ppp-finder.ts";
import { SlipFinder } from "../../src/front/slip-finder.ts";
import { frameOf } from "../kit/raw-peer.ts";
import { withRng } from "../kit/rng.ts";

/** What the finder returns for the last octet; the octets before it are no PPP. */
function found(finder: PppFinder, octets: Uint8Array): number {
  const answers = [...octets].map((octet) => finder.push(octet));
  expect(answers.slice(0, -1).every((answer) => answer === 0)).toBe(true);
  return answers.at(-1)!;
}

test.each([
  ["7eff7d23", 4],
  ["7e7f7d23", 4],
  ["7eff03", 3],
  ["ff7d23", 3],
  ["ff03c021", 4],
  ["7ec021", 3],
])("a first frame that begins with %s is %d octets old", (hex, length) => {
  expect(found(new PppFinder(), fromHex(hex))).toBe(length);
  expect(found(new PppFinder(), fromHex(`4154${hex}`))).toBe(length);
});

test("a frame of a link that is up is found at its end, with its first flag", () => {
  const frame = frameOf(fromHex("2145000014000100004011"));
  expect(found(new PppFinder(), Uint8Array.of(0x41, 0x42, ...frame))).toBe(frame.length);
  // A protocol that does not exist is no PPP, nor is a wrong FCS.
  expect(found(new PppFinder(), frameOf(fromHex("0145")))).toBe(0);
  const wrong = frame.slice();
  wrong[4]! ^= 1;
  expect(found(new PppFinder(), wrong)).toBe(0);
});

test("octets without a flag are kept as long as they may be a frame", () => {
  const finder = new PppFinder();
  const longest = 2 * MAX_FRAME + 2;
  for (let count = 1; count <= longest; count++) {
    finder.push(0x41);
    if (finder.kept !== count) throw new Error(`${finder.kept} of ${count} octets are kept`);
  }
  finder.push(0x41);
  expect(finder.kept).toBe(0);
  finder.push(0x41);
  expect(finder.kept).toBe(1);
  finder.push(0x7e);
  expect(finder.kept).toBe(1);
});

/** A header of IPv4 with a good checksum, of so many words. */
function header(words: number, octet: (at: number) => number): Uint8Array {
  const bytes = Uint8Array.from({ length: 4 * words }, (_, at) => octet(at));
  bytes[0] = 0x40 + words;
  bytes[10] = bytes[11] = 0;
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes[10] = ~sum >>> 8;
  bytes[11] = ~sum;
  return bytes;
}

const slip = (bytes: Uint8Array): number[] => [
  0xc0,
  ...[...bytes].flatMap((octet) => (octet === 0xc0 ? [0xdb, 0xdc] : octet === 0xdb ? [0xdb, 0xdd] : [octet])),
];

/** After how many octets a packet is found. */
function slipAt(octets: readonly number[], finder = new SlipFinder()): number | undefined {
  const at = octets.findIndex((octet) => finder.push(octet));
  return at < 0 ? undefined : at + 1;
}

test("SLIP is found at the end of the first good header, whatever was before it and whatever is in it", () =>
  withRng((rng) => {
    for (let round = 0; round < 300; round++) {
      const octets = slip(header(5 + rng.below(11), () => rng.pick([0xc0, 0xdb, 0xdc, 0xdd, rng.below(256)])));
      expect(slipAt(octets)).toBe(octets.length);
      expect(slipAt([0x45, 0x41, 0xc0, 0xdb, ...octets])).toBe(octets.length + 4);
      const wrong = octets.slice();
      wrong[3] = wrong[3] === 1 ? 2 : 1;
      if (octets[3] !== 0xdb && octets[2] !== 0xdb) expect(slipAt(wrong)).toBeUndefined();
    }
  }));

test("an escape that an END interrupts is forgotten, and END alone begins nothing", () => {
  const octets = slip(header(5, () => 0xdc));
  expect(slipAt([0xc0, 0xdb, ...octets])).toBe(octets.length + 2);
  expect(slipAt([0xc0, 0xc0, 0xc0, ...octets])).toBe(octets.length + 3);
  expect(slipAt(octets.slice(1))).toBeUndefined();
});

test("a header too short, or of another version, is none", () => {
  for (const first of [0x44, 0x40, 0x55, 0x65, 0x35]) {
    const bytes = header(5, () => 0);
    bytes[0] = first;
    expect(slipAt(slip(bytes))).toBeUndefined();
  }
});

test("CSLIP has its mark in the version and its slot in the protocol field", () => {
  const bytes = header(5, (at) => (at === 9 ? 6 : at));
  bytes[0] = 0x75;
  bytes[9] = 3;
  expect(slipAt(slip(bytes))).toBe(21);
  // That of another protocol than TCP would not have been changed.
  const udp = header(5, (at) => (at === 9 ? 17 : at));
  udp[0] = 0x75;
  expect(slipAt(slip(udp))).toBeUndefined();
});
