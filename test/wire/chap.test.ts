import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { ChapCode, parseChap, putChap, putChapResult } from "../../src/wire/chap.ts";
import { damaged, embedded, written } from "../kit/codec.ts";

const CHALLENGE = fromHex("012b001b 10 2280f4ad901f362105f6e08402ea314d 736572766572");

function parse(packet: Uint8Array) {
  const { buf, start, end } = embedded(packet);
  return parseChap(buf, start, end);
}

test("Challenge both ways", () => {
  const value = fromHex("2280f4ad901f362105f6e08402ea314d");
  expect(written((buf, at) => putChap(buf, at, ChapCode.Challenge, 0x2b, value, "server"))).toEqual(CHALLENGE);
  expect(parse(CHALLENGE)).toEqual({ code: ChapCode.Challenge, id: 0x2b, value, name: "server" });
});

test("a Response may have no name and no value", () => {
  expect(parse(fromHex("0201000500"))).toEqual({
    code: ChapCode.Response,
    id: 1,
    value: new Uint8Array(0),
    name: "",
  });
});

test("Success and Failure both ways", () => {
  expect(toHex(written((buf, at) => putChapResult(buf, at, ChapCode.Success, 3, "ok")))).toBe("030300066f6b");
  expect(parse(fromHex("030300066f6b"))).toEqual({ code: ChapCode.Success, id: 3, message: "ok" });
  expect(parse(fromHex("04030004"))).toEqual({ code: ChapCode.Failure, id: 3, message: "" });
});

test("a value with a wrong length, and an unknown code, make it no packet", () => {
  for (const hex of ["01010004", "0101000501", "010100060200", "05010004"]) expect(parse(fromHex(hex))).toBeUndefined();
});

test("damage never throws, nor lets the value reach beyond the packet", () => {
  for (const packet of damaged(CHALLENGE)) {
    const chap = parse(packet);
    if (chap !== undefined && "value" in chap)
      expect(chap.value.length + chap.name.length + 5).toBeLessThanOrEqual(packet.length);
  }
});
