import { expect, test } from "bun:test";
import { describePacket } from "../../src/describe/packet-text.ts";
import { toHex } from "../../src/bytes/text.ts";
import {
  climbMagic,
  ClimbKind,
  type ClimbPacket,
  isClimbPacket,
  isFrequentClimb,
  parseClimb,
  PROBE_OCTETS,
  putClimb,
} from "../../src/wire/climb-packet.ts";
import { parseControl } from "../../src/wire/control.ts";
import { damaged, embedded, written } from "../kit/codec.ts";

const PACKETS: readonly (readonly [packet: ClimbPacket, hex: string, text: string])[] = [
  [
    { kind: ClimbKind.Offer, hasHeard: false, rank: 0xcafe0001, speeds: [115200, 3_000_000] },
    "00070019deadbeef4e554c0100cafe00010001c200002dc6c0",
    "[LCP Climb id=0x7 offer 115200,3000000]",
  ],
  [
    { kind: ClimbKind.Try, trial: 2, speed: 921600, hasHeard: false },
    "00070013deadbeef4e554c020002000e100000",
    "[LCP Climb id=0x7 try trial=2 921600]",
  ],
  [
    { kind: ClimbKind.Back, trial: 258, speed: 115200, hasHeard: true },
    "00070013deadbeef4e554c0601020001c20001",
    "[LCP Climb id=0x7 back trial=258 115200 heard]",
  ],
  [
    { kind: ClimbKind.Probe, trial: 2, stage: 1, sequence: 0, sent: 4, total: 16 },
    "00070012deadbeef4e554c05000201000410",
    "[LCP Climb id=0x7 probe trial=2 stage=1 0/16 sent=4]",
  ],
];

const put = (packet: ClimbPacket, pattern = 0): Uint8Array =>
  written((buf, at) => putClimb(buf, at, 7, { magic: 0xdeadbeef, packet, pattern }), 2000);

const parsed = (octets: Uint8Array): ClimbPacket | undefined => {
  const { buf, start, end } = embedded(octets);
  const control = parseControl(buf, start, end);
  return control !== undefined && isClimbPacket(buf, start, control.dataEnd) ? parseClimb(buf, control) : undefined;
};

test.each(PACKETS)("%o", (packet, hex, text) => {
  const octets = put(packet);
  expect(toHex(octets, 0, octets.length)).toBe(hex);
  expect(parsed(octets)).toEqual(packet);
  expect(climbMagic(octets, parseControl(octets, 0, octets.length)!)).toBe(0xdeadbeef);
  const whole = Uint8Array.of(0xc0, 0x21, ...octets);
  expect(describePacket(whole, 0, whole.length, { hidePassword: true })).toBe(text);
});

test("a damaged packet is read as another one or as none, without a throw", () => {
  for (const [packet] of PACKETS)
    for (const octets of damaged(put(packet))) {
      parsed(octets);
      const whole = Uint8Array.of(0xc0, 0x21, ...octets);
      expect(describePacket(whole, 0, whole.length, { hidePassword: true })).toStartWith("[LCP");
    }
});

test("a vendor-specific packet of another vendor, and one of an unknown kind, are not ours", () => {
  const octets = put(PACKETS[1]![0]);
  const foreign = octets.slice();
  foreign[8]! ^= 1;
  expect([isClimbPacket(octets, 0, octets.length), isClimbPacket(foreign, 0, foreign.length)]).toEqual([true, false]);
  const unknown = octets.slice();
  unknown[11] = 200;
  expect(parsed(unknown)).toBeUndefined();
});

test("a pattern is as long as asked, another for each number, and has pulses of every length", () => {
  const probe = (sequence: number): ClimbPacket => ({
    kind: 5,
    trial: 1,
    stage: 0,
    sequence,
    sent: sequence,
    total: 9,
  });
  const [one, other] = [put(probe(1), 500), put(probe(2), 500)];
  expect(one.length).toBe(PROBE_OCTETS + 500);
  expect(isFrequentClimb(one, 0, one.length)).toBe(true);
  expect(one.subarray(PROBE_OCTETS)).not.toEqual(other.subarray(PROBE_OCTETS));
  for (const octet of [0x00, 0x55, 0xff]) expect(one.subarray(PROBE_OCTETS)).toContain(octet);
  expect(new Set(one.subarray(PROBE_OCTETS)).size).toBeGreaterThan(100);
  expect(parsed(one)).toEqual(probe(1));
});
