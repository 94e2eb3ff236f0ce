import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { Code, parseControl, parseOptions, putOption } from "../../src/wire/control.ts";
import {
  authOption,
  CALLBACK_CBCP,
  callbackOption,
  ChapDigest,
  EndpointClass,
  endpointOption,
  parseMagic,
  parseProtocolReject,
  parseTimeRemaining,
  putMagic,
  putProtocolReject,
  putTimeRemaining,
  qualityOption,
  readAuth,
  readChapDigest,
  readEndpoint,
  readQuality,
} from "../../src/wire/lcp.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { damaged, written } from "../kit/codec.ts";

describe("options", () => {
  const octets = (option: Parameters<typeof putOption>[2]) => toHex(written((buf, at) => putOption(buf, at, option)));

  test("authentication protocol", () => {
    expect(octets(authOption(Protocol.PAP))).toBe("0304c023");
    expect(octets(authOption(Protocol.EAP))).toBe("0304c227");
    expect(octets(authOption(Protocol.CHAP, ChapDigest.Md5))).toBe("0305c22305");
    expect(octets(authOption(Protocol.CHAP, ChapDigest.MsV2))).toBe("0305c22381");
    expect(readAuth(fromHex("c22381"))).toEqual({ protocol: Protocol.CHAP, data: Uint8Array.of(0x81) });
    expect(readAuth(fromHex("c2"))).toBeUndefined();
  });

  test("only a whole CHAP value has a digest", () => {
    expect(readChapDigest(readAuth(fromHex("c22305"))!)).toBe(ChapDigest.Md5);
    for (const hex of ["c223", "c2230501", "c023", "c02305"])
      expect(readChapDigest(readAuth(fromHex(hex))!)).toBeUndefined();
  });

  test("quality protocol", () => {
    expect(octets(qualityOption(Protocol.LQR, 3000))).toBe("0408c02500000bb8");
    expect(readQuality(fromHex("c02500000bb8"))).toEqual({ protocol: Protocol.LQR, period: 3000 });
    expect(readQuality(fromHex("c025"))).toEqual({ protocol: Protocol.LQR, period: undefined });
    expect(readQuality(fromHex("c0"))).toBeUndefined();
  });

  test("callback", () => {
    expect(octets(callbackOption(CALLBACK_CBCP))).toBe("0d0306");
  });

  test("endpoint discriminator", () => {
    const endpoint = { class: EndpointClass.Mac, value: fromHex("ec722457acd9") };
    expect(octets(endpointOption(endpoint))).toBe("130903ec722457acd9");
    expect(readEndpoint(fromHex("03ec722457acd9"))).toEqual(endpoint);
    expect(readEndpoint(new Uint8Array(0))).toBeUndefined();
  });

  test("no reader throws on a damaged value", () => {
    const packet = fromHex("0305c22381 0408c02500000bb8 130903ec722457acd9 0d0306");
    for (const broken of damaged(packet))
      for (const { value } of parseOptions(broken, 0, broken.length).options) {
        const auth = readAuth(value);
        if (auth !== undefined) readChapDigest(auth);
        readQuality(value);
        readEndpoint(value);
      }
  });
});

describe("packets", () => {
  const PACKETS: readonly [
    string,
    (buf: Uint8Array, at: number) => number,
    (packet: Uint8Array) => unknown,
    unknown,
  ][] = [
    [
      "0a03000cdeadbeef68656c6c",
      (buf, at) => putMagic(buf, at, Code.EchoRep, 3, 0xdeadbeef, fromHex("68656c6c")),
      (packet) => data(packet, parseMagic),
      { magic: 0xdeadbeef, data: fromHex("68656c6c") },
    ],
    [
      "0900000800000000",
      (buf, at) => putMagic(buf, at, Code.EchoReq, 0, 0),
      (packet) => data(packet, parseMagic),
      { magic: 0, data: new Uint8Array(0) },
    ],
    [
      "0d05000fdeadbeef0000012c627965",
      (buf, at) => putTimeRemaining(buf, at, 5, { magic: 0xdeadbeef, seconds: 300, message: "bye" }),
      (packet) => data(packet, parseTimeRemaining),
      { magic: 0xdeadbeef, seconds: 300, message: "bye" },
    ],
    [
      "0802000a805701010004",
      (buf, at) => putProtocolReject(buf, at, 2, fromHex("ff03805701010004"), 2, 8),
      (packet) => data(packet, parseProtocolReject),
      { protocol: Protocol.IPV6CP, data: fromHex("01010004") },
    ],
  ];

  function data<T>(packet: Uint8Array, parse: (packet: Uint8Array, start: number, end: number) => T): T | undefined {
    const control = parseControl(packet, 0, packet.length);
    return control && parse(packet, control.dataStart, control.dataEnd);
  }

  test.each(PACKETS)("%s both ways", (hex, put, parse, value) => {
    expect(toHex(written(put))).toBe(hex);
    expect(parse(fromHex(hex))).toEqual(value);
  });

  test("a packet too short for its fields is refused", () => {
    expect(parseMagic(fromHex("dead"), 0, 2)).toBeUndefined();
    expect(parseTimeRemaining(fromHex("deadbeef000001"), 0, 7)).toBeUndefined();
    expect(parseProtocolReject(fromHex("80"), 0, 1)).toBeUndefined();
  });

  test("no parser throws on damage", () => {
    for (const [hex, , parse] of PACKETS) for (const packet of damaged(fromHex(hex))) parse(packet);
  });
});
