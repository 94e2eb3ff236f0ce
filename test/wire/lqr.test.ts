import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { describePacket } from "../../src/describe/packet-text.ts";
import { LQR_LENGTH, parseLqr, putLqr } from "../../src/wire/lqr.ts";
import { damaged, embedded, written } from "../kit/codec.ts";

const REPORT = {
  magic: 0xdeadbeef,
  lastOutLqrs: 1,
  lastOutPackets: 0x01020304,
  lastOutOctets: 0xfffffffe,
  peerInLqrs: 2,
  peerInPackets: 20,
  peerInDiscards: 3,
  peerInErrors: 4,
  peerInOctets: 2000,
  peerOutLqrs: 5,
  peerOutPackets: 50,
  peerOutOctets: 5000,
};
const HEX =
  "deadbeef 00000001 01020304 fffffffe 00000002 00000014 00000003 00000004 000007d0 00000005 00000032 00001388";

function parse(packet: Uint8Array) {
  const { buf, start, end } = embedded(packet);
  return parseLqr(buf, start, end);
}

test("twelve numbers, each where RFC 1989 has it, both ways", () => {
  expect(parse(fromHex(HEX))).toEqual(REPORT);
  expect(parse(fromHex(`${HEX} a5a5`))).toEqual(REPORT);
  expect(toHex(written((buf, at) => putLqr(buf, at, REPORT)))).toBe(HEX.replaceAll(" ", ""));
});

test("a packet that is too short is no report; damage changes only the numbers", () => {
  for (const packet of damaged(fromHex(HEX))) expect(parse(packet) !== undefined).toBe(packet.length === LQR_LENGTH);
});

test("a debug line names them, where pppd shows octets", () => {
  const { buf, start, end } = embedded(fromHex(`c025 ${HEX} 00`));
  expect(describePacket(buf, start, end, { hidePassword: true })).toBe(
    "[LQR magic=0xdeadbeef LastOut=1,16909060,4294967294 PeerIn=2,20,3,4,2000 PeerOut=5,50,5000] 00",
  );
});
