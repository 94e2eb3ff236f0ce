import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { parseValueAndName } from "../../src/wire/chap.ts";
import { EapCode, EapType, parseEap, putEap, putEapResult } from "../../src/wire/eap.ts";
import { damaged, embedded, written } from "../kit/codec.ts";

const CHALLENGE = fromHex("01ea0014 04 08 d22ce7f5983399ba 736572766572");

function parse(packet: Uint8Array) {
  const { buf, start, end } = embedded(packet);
  return parseEap(buf, start, end);
}

test("Request and Response both ways", () => {
  expect(parse(CHALLENGE)).toEqual({
    code: EapCode.Request,
    id: 0xea,
    type: EapType.Md5Challenge,
    data: CHALLENGE.slice(5),
  });
  expect(
    written((buf, at) => putEap(buf, at, EapCode.Request, 0xea, EapType.Md5Challenge, CHALLENGE.subarray(5))),
  ).toEqual(CHALLENGE);
  expect(parse(fromHex("0201000501"))).toEqual({
    code: EapCode.Response,
    id: 1,
    type: EapType.Identity,
    data: new Uint8Array(0),
  });
});

test("the data of MD5-Challenge is CHAP's", () => {
  expect(parseValueAndName(CHALLENGE, 5, CHALLENGE.length)).toEqual({
    value: fromHex("d22ce7f5983399ba"),
    name: "server",
  });
});

test("Success and Failure both ways", () => {
  expect(toHex(written((buf, at) => putEapResult(buf, at, EapCode.Success, 0xeb)))).toBe("03eb0004");
  expect(parse(fromHex("04eb0004"))).toEqual({ code: EapCode.Failure, id: 0xeb });
});

test("a Request without a type, and an unknown code, make it no packet", () => {
  for (const hex of ["01010004", "02010004", "05010004", "00010004"]) expect(parse(fromHex(hex))).toBeUndefined();
});

test("damage never throws", () => {
  for (const packet of damaged(CHALLENGE)) {
    const eap = parse(packet);
    if (eap !== undefined && "data" in eap) {
      expect(eap.data.length + 5).toBeLessThanOrEqual(packet.length);
      parseValueAndName(eap.data, 0, eap.data.length);
    }
  }
});
