import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { PapCode, parsePap, putAuthReply, putAuthReq } from "../../src/wire/pap.ts";
import { damaged, embedded, written } from "../kit/codec.ts";

// "zaphod" and "gargleBlaster" as the real pppd sent them.
const REQUEST = fromHex("01010019 067a6170686f64 0d676172676c65426c6173746572");

function parse(packet: Uint8Array) {
  const { buf, start, end } = embedded(packet);
  return parsePap(buf, start, end);
}

test("Authenticate-Request both ways", () => {
  expect(written((buf, at) => putAuthReq(buf, at, 1, "zaphod", "gargleBlaster"))).toEqual(REQUEST);
  expect(parse(REQUEST)).toEqual({ code: PapCode.AuthReq, id: 1, user: "zaphod", password: "gargleBlaster" });
});

test("empty names and octets above 127 survive", () => {
  expect(toHex(written((buf, at) => putAuthReq(buf, at, 7, "", "\xff\0")))).toBe("010700080002ff00");
  expect(parse(fromHex("010700080002ff00"))).toEqual({ code: PapCode.AuthReq, id: 7, user: "", password: "\xff\0" });
});

test("a name longer than 255 octets is cut", () => {
  const packet = written((buf, at) => putAuthReq(buf, at, 1, "u".repeat(300), "p"), 512);
  expect(parse(packet)).toMatchObject({ user: "u".repeat(255), password: "p" });
});

test("Ack and Nak both ways", () => {
  expect(toHex(written((buf, at) => putAuthReply(buf, at, PapCode.AuthAck, 2, "Login ok")))).toBe(
    "0202000d084c6f67696e206f6b",
  );
  expect(parse(fromHex("0302000605 4e6f00"))).toBeDefined();
  expect(parse(fromHex("0202000d084c6f67696e206f6b"))).toEqual({ code: PapCode.AuthAck, id: 2, message: "Login ok" });
});

test("a message without its length octet is accepted, and so is a packet without a message", () => {
  expect(parse(fromHex("03050007 6e6f21"))).toEqual({ code: PapCode.AuthNak, id: 5, message: "no!" });
  expect(parse(fromHex("02050004"))).toEqual({ code: PapCode.AuthAck, id: 5, message: "" });
});

test("a request with wrong lengths is no packet", () => {
  for (const hex of ["01010004", "0101000506", "010100060361", "01010006016101", "01010008 01610261"])
    expect(parse(fromHex(hex))).toBeUndefined();
  expect(parse(fromHex("04010004"))).toBeUndefined();
});

test("damage never throws, nor lets a name reach beyond the packet", () => {
  for (const packet of damaged(REQUEST)) {
    const pap = parse(packet);
    if (pap?.code === PapCode.AuthReq)
      expect(pap.user.length + pap.password.length + 6).toBeLessThanOrEqual(packet.length);
  }
});
