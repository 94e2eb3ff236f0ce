import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { CbcpOption, parseCallbackOptions, putCallbackResponse } from "../../src/wire/cbcp.ts";
import { damaged, embedded, written } from "../kit/codec.ts";

function parse(data: Uint8Array) {
  const { buf, start, end } = embedded(data);
  return parseCallbackOptions(buf, start, end);
}

test("a Request offers options", () => {
  expect(parse(fromHex("0102 0203 0c 0304 0001"))).toEqual([
    { type: CbcpOption.NoCallback, delay: 0, number: "" },
    { type: CbcpOption.UserSpecified, delay: 12, number: "" },
    { type: CbcpOption.AdminSpecified, delay: 0, number: "" },
  ]);
});

test("a number ends at its NUL or with the option", () => {
  expect(parse(fromHex("0208 05 01 31323300"))).toEqual([{ type: CbcpOption.UserSpecified, delay: 5, number: "123" }]);
  expect(parse(fromHex("0207 05 01 313233 0304 0001"))).toEqual([
    { type: CbcpOption.UserSpecified, delay: 5, number: "123" },
    { type: CbcpOption.AdminSpecified, delay: 0, number: "" },
  ]);
});

test("a Response names one", () => {
  const put = (type: number, delay: number, number: string) =>
    toHex(written((buf, at) => putCallbackResponse(buf, at, 4, { type, delay, number })));
  expect(put(CbcpOption.NoCallback, 0, "")).toBe("020400060102");
  expect(put(CbcpOption.AdminSpecified, 5, "")).toBe("02040007030305");
  expect(put(CbcpOption.UserSpecified, 5, "123")).toBe("0204000c0208050131323300");
});

test("a wrong length makes it no packet; damage never throws", () => {
  expect(parse(fromHex("0102 0200"))).toBeUndefined();
  expect(parse(fromHex("0209 05 01 313233"))).toBeUndefined();
  for (const data of damaged(fromHex("0102 0208 05 01 31323300 0304 0001"))) parse(data);
});
