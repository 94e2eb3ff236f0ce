import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import {
  Code,
  type ConfOption,
  eachOption,
  option0,
  option16,
  option32,
  parseControl,
  parseOptions,
  putConfigure,
  putControl,
  read16,
  read32,
  sameOptions,
} from "../../src/wire/control.ts";
import { damaged, embedded, written } from "../kit/codec.ts";

// A Configure-Request of pppd: asyncmap 0, magic, pcomp, accomp.
const REQUEST = fromHex("01010014 020600000000 0506deadbeef 0702 0802");

function listOf(packet: Uint8Array) {
  const { buf, start, end } = embedded(packet);
  return parseOptions(buf, start, end);
}

describe("parseControl", () => {
  test("reads the envelope and leaves padding out", () => {
    const { buf, start, end } = embedded(fromHex("09070008 deadbeef 0000"));
    expect(parseControl(buf, start, end)).toEqual({
      code: 9,
      id: 7,
      length: 8,
      dataStart: start + 4,
      dataEnd: start + 8,
    });
  });

  test("refuses a wrong length", () => {
    for (const hex of ["", "09", "090700", "09070003", "09070000", "09070005", "0907ffff00"]) {
      const { buf, start, end } = embedded(fromHex(hex));
      expect(parseControl(buf, start, end)).toBeUndefined();
    }
  });

  test("reads nothing outside the packet, whatever its octets are", () => {
    for (const packet of damaged(REQUEST)) {
      const { buf, start, end } = embedded(packet);
      const control = parseControl(buf, start, end);
      if (control === undefined) continue;
      expect(control.dataStart).toBe(start + 4);
      expect(control.dataEnd).toBeLessThanOrEqual(end);
      expect(control.dataEnd).toBeGreaterThanOrEqual(control.dataStart);
    }
  });
});

describe("eachOption", () => {
  test("visits the options in order", () => {
    const { buf, start, end } = embedded(REQUEST.subarray(4));
    const seen: number[][] = [];
    expect(eachOption(buf, start, end, (type, at, length) => seen.push([type, at - start, length]))).toBe(true);
    expect(seen).toEqual([
      [2, 2, 4],
      [5, 8, 4],
      [7, 14, 0],
      [8, 16, 0],
    ]);
  });

  test("returns false for a wrong length, and has visited the options before it", () => {
    for (const tail of ["05", "0500", "0501", "0506dead", "05ff"]) {
      const { buf, start, end } = embedded(fromHex(`0702 ${tail}`));
      let visited = 0;
      expect(eachOption(buf, start, end, () => visited++)).toBe(false);
      expect(visited).toBe(1);
    }
  });
});

describe("parseOptions", () => {
  test("keeps unknown options and their order", () => {
    const { options, rest } = listOf(fromHex("4d050a0b0c 0702 0104 05dc"));
    expect(options.map(({ type, value }) => [type, toHex(value)])).toEqual([
      [0x4d, "0a0b0c"],
      [7, ""],
      [1, "05dc"],
    ]);
    expect(rest.length).toBe(0);
  });

  test("returns the octets that it could not read", () => {
    expect(toHex(listOf(fromHex("0702 0506dead")).rest)).toBe("0506dead");
    expect(toHex(listOf(fromHex("0702 05")).rest)).toBe("05");
  });

  test("options and rest are together the packet, whatever its octets are", () => {
    for (const packet of damaged(REQUEST.slice(4))) {
      const { options, rest } = listOf(packet);
      const back = written((buf, at) => {
        for (const { type, value } of options) {
          buf[at++] = type;
          buf[at++] = value.length + 2;
          buf.set(value, at);
          at += value.length;
        }
        buf.set(rest, at);
        return at + rest.length;
      });
      expect(back).toEqual(packet);
    }
  });

  test("copies: the packet may be overwritten", () => {
    const packet = REQUEST.slice(4);
    const { options } = parseOptions(packet, 0, packet.length);
    packet.fill(0);
    expect(toHex(options[1]!.value)).toBe("deadbeef");
  });
});

describe("writers", () => {
  const options: ConfOption[] = [option32(2, 0), option32(5, 0xdeadbeef), option0(7), option0(8)];

  test("putConfigure writes the list in its order", () => {
    expect(written((buf, at) => putConfigure(buf, at, Code.ConfReq, 1, options))).toEqual(REQUEST);
    expect(toHex(written((buf, at) => putConfigure(buf, at, Code.ConfNak, 9, [option16(1, 1500)])))).toBe(
      "03090008010405dc",
    );
  });

  test("putControl writes envelope and data", () => {
    expect(toHex(written((buf, at) => putControl(buf, at, Code.TermAck, 0xfe, new Uint8Array(0))))).toBe("06fe0004");
    expect(toHex(written((buf, at) => putControl(buf, at, Code.CodeRej, 3, fromHex("aabb"))))).toBe("07030006aabb");
  });
});

test("read16 and read32 take their own length only", () => {
  expect(read16(fromHex("05dc"))).toBe(1500);
  expect(read32(fromHex("ffffffff"))).toBe(0xffffffff);
  for (const hex of ["", "05", "05dc00"]) expect(read16(fromHex(hex))).toBeUndefined();
  for (const hex of ["", "ffffff", "ffffffffff"]) expect(read32(fromHex(hex))).toBeUndefined();
});

test("sameOptions is about octets and order", () => {
  const list = [option16(1, 1500), option0(7)];
  expect(sameOptions(list, [option16(1, 1500), option0(7)])).toBe(true);
  expect(sameOptions(list, [option0(7), option16(1, 1500)])).toBe(false);
  expect(sameOptions(list, [option16(1, 1501), option0(7)])).toBe(false);
  expect(sameOptions(list, [option16(1, 1500)])).toBe(false);
  expect(sameOptions(list, [option32(1, 1500), option0(7)])).toBe(false);
});
