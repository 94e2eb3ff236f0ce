import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { putOption } from "../../src/wire/control.ts";
import { interfaceIdOption, linkLocalText, readInterfaceId } from "../../src/wire/ipv6cp.ts";
import { damaged, written } from "../kit/codec.ts";

const ID = { high: 0xdcc1ca49, low: 0x04f79350 };

test("the interface identifier both ways", () => {
  expect(toHex(written((buf, at) => putOption(buf, at, interfaceIdOption(ID))))).toBe("010adcc1ca4904f79350");
  expect(readInterfaceId(fromHex("dcc1ca4904f79350"))).toEqual(ID);
});

test("only eight octets are an identifier", () => {
  for (const value of damaged(fromHex("dcc1ca4904f79350")))
    expect(readInterfaceId(value) !== undefined).toBe(value.length === 8);
  expect(readInterfaceId(new Uint8Array(9))).toBeUndefined();
});

test("the address leaves no zero out", () => {
  expect(linkLocalText(ID)).toBe("fe80::dcc1:ca49:04f7:9350");
  expect(linkLocalText({ high: 0, low: 2 })).toBe("fe80::0000:0000:0000:0002");
  expect(linkLocalText({ high: 0xffffffff, low: 0x80000000 })).toBe("fe80::ffff:ffff:8000:0000");
});
