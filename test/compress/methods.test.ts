import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { bsdOption, readBsd } from "../../src/compress/methods/bsd-method.ts";
import { deflateOption, readDeflate } from "../../src/compress/methods/deflate-methods.ts";
import { MppeBit, mppeOption, readMppe } from "../../src/compress/methods/mppe-method.ts";
import { predictorOption } from "../../src/compress/methods/predictor-methods.ts";
import { CcpOption } from "../../src/wire/ccp.ts";
import { type ConfOption, parseOptions, putOption } from "../../src/wire/control.ts";
import { damaged, written } from "../kit/codec.ts";

const OPTIONS: readonly [string, ConfOption][] = [
  ["1a047800", deflateOption(CcpOption.Deflate, 15)],
  ["18040800", deflateOption(CcpOption.DeflateDraft, 8)],
  ["15032f", bsdOption(15)],
  ["0102", predictorOption(CcpOption.Predictor1)],
  ["120601000040", mppeOption(MppeBit.Stateless | MppeBit.Bits128)],
];

test.each(OPTIONS)("%s is written", (hex, option) => {
  expect(toHex(written((buf, at) => putOption(buf, at, option)))).toBe(hex);
});

test("Deflate: window, and what is not Deflate", () => {
  expect(readDeflate(fromHex("7800"))).toBe(15);
  expect(readDeflate(fromHex("0800"))).toBe(8);
  for (const hex of ["7900", "7801", "78", "780000", ""]) expect(readDeflate(fromHex(hex))).toBeUndefined();
});

test("BSD-Compress: code size, and what is not version 1", () => {
  expect(readBsd(fromHex("2f"))).toBe(15);
  expect(readBsd(fromHex("29"))).toBe(9);
  for (const hex of ["4f", "0f", "", "2f00"]) expect(readBsd(fromHex(hex))).toBeUndefined();
});

test("MPPE bits", () => {
  expect(readMppe(fromHex("01000040"))).toBe(MppeBit.Stateless | MppeBit.Bits128);
  expect(readMppe(fromHex("ffffffff"))).toBe(0xffffffff);
  expect(readMppe(fromHex("010000"))).toBeUndefined();
});

test("no reader throws on damage", () => {
  for (const packet of damaged(fromHex(OPTIONS.map(([hex]) => hex).join(""))))
    for (const { value } of parseOptions(packet, 0, packet.length).options) {
      readDeflate(value);
      readBsd(value);
      readMppe(value);
    }
});
