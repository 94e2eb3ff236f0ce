import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { type ConfOption, option32, parseOptions, putOption, read32 } from "../../src/wire/control.ts";
import { parseIpv4 } from "../../src/wire/ip.ts";
import {
  addressesOption,
  IpcpOption,
  OLD_VJ,
  oldVjOption,
  readAddresses,
  readCompression,
  vjOption,
} from "../../src/wire/ipcp.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { damaged, written } from "../kit/codec.ts";

const OPTIONS: readonly [string, ConfOption][] = [
  ["0206002d0f01", vjOption({ maxSlot: 15, compressSlot: true })],
  ["0206002d0300", vjOption({ maxSlot: 3, compressSlot: false })],
  ["02040037", oldVjOption(OLD_VJ)],
  ["0306c0a80101", option32(IpcpOption.Address, parseIpv4("192.168.1.1")!)],
  ["010ac0a80001c0a80101", addressesOption({ source: 0xc0a80001, destination: 0xc0a80101 })],
  ["810600000000", option32(IpcpOption.Dns1, 0)],
];

test.each(OPTIONS)("%s is written", (hex, option) => {
  expect(toHex(written((buf, at) => putOption(buf, at, option)))).toBe(hex);
});

test("readCompression", () => {
  expect(readCompression(fromHex("002d0f01"))).toEqual({
    protocol: Protocol.VJ_COMP,
    vj: { maxSlot: 15, compressSlot: true },
  });
  expect(readCompression(fromHex("002d0300"))?.vj).toEqual({ maxSlot: 3, compressSlot: false });
  // Too short, too long, and another protocol's.
  for (const hex of ["002d", "002d0f", "002d0f0107"])
    expect(readCompression(fromHex(hex))).toEqual({ protocol: Protocol.VJ_COMP, vj: undefined });
  expect(readCompression(fromHex("00610000000f"))).toEqual({ protocol: 0x61, vj: undefined });
  expect(readCompression(fromHex("0037"))).toEqual({ protocol: OLD_VJ, vj: undefined });
  expect(readCompression(fromHex("00"))).toBeUndefined();
});

test("readAddresses and an address", () => {
  expect(readAddresses(fromHex("c0a80001c0a80101"))).toEqual({ source: 0xc0a80001, destination: 0xc0a80101 });
  expect(readAddresses(fromHex("c0a80001"))).toBeUndefined();
  expect(read32(fromHex("c0a80101"))).toBe(0xc0a80101);
});

test("no reader throws on damage", () => {
  for (const packet of damaged(fromHex(OPTIONS.map(([hex]) => hex).join(""))))
    for (const { value } of parseOptions(packet, 0, packet.length).options) {
      readAddresses(value);
      readCompression(value);
    }
});
