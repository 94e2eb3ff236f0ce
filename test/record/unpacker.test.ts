// pppdump -d on packets of our compressors: a record of compressed packets must read like one of plain packets.

import { describe, expect, test } from "bun:test";
import { BsdCompressor } from "../../src/compress/bsd.ts";
import type { Compressor } from "../../src/compress/codec.ts";
import { DeflateCompressor } from "../../src/compress/deflate.ts";
import { LzsCompressor } from "../../src/compress/lzs.ts";
import { MppcCompressor } from "../../src/compress/mppc.ts";
import { PredictorCompressor } from "../../src/compress/predictor.ts";
import { Capture } from "../../src/record/capture.ts";
import { Dump } from "../../src/record/record-dump.ts";
import { readRecord } from "../../src/record/pppdump-file.ts";
import { RecordMaker } from "../kit/record-maker.ts";
import { Rng } from "../kit/rng.ts";

/** The acknowledged option, and the compressor for it. */
const METHODS: Readonly<Record<string, [string, () => Compressor]>> = {
  Deflate: ["1a04 7800", () => new DeflateCompressor(15)],
  "Deflate's draft, a small window": ["1804 1800", () => new DeflateCompressor(9)],
  "BSD-Compress": ["1503 2f", () => new BsdCompressor(15)],
  "BSD-Compress of 9 bits": ["1503 29", () => new BsdCompressor(9)],
  "Predictor-1": ["0102", () => new PredictorCompressor()],
  "Stac LZS": ["1105 0001 03", () => new LzsCompressor(3, 1)],
  "Stac LZS in mode 4, of Windows": ["1105 0001 04", () => new LzsCompressor(4, 1)],
  "Stac LZS in mode 1, without a history": ["1105 0000 01", () => new LzsCompressor(1, 0)],
  MPPC: ["1206 00000001", () => new MppcCompressor()],
};

function shown(file: Uint8Array): string {
  const dump = new Dump({
    view: "packets",
    reverse: false,
    decompress: true,
    absolute: false,
    mru: 1500,
    dateText: () => "",
    clockText: () => "",
  });
  return [...readRecord(file)].map((item) => dump.item(item)).join("");
}

/** The packets of the text in hex. With some methods the protocol has two octets. */
function packetsIn(text: string): string[] {
  const rows = text.split("\n").slice(1, -1);
  const hex = rows.map((row) => (row.startsWith("sent ") ? "/" : "") + row.slice(6, 54).replaceAll(" ", ""));
  return hex
    .join("")
    .split("/")
    .map((packet) => packet.replace(/^0021/, "21"));
}

function acked(option: string): RecordMaker {
  const value = Buffer.from(option.replaceAll(" ", ""), "hex");
  return new RecordMaker().frame("sent", [0x80, 0xfd, 2, 1, 0, 4 + value.length, ...value]);
}

test.each([
  ["Stac LZS in a mode there is none of", "1105 0001 05", () => new LzsCompressor(4, 1)],
  ["MPPC with MPPE", "1206 01000041", () => new MppcCompressor()],
  ["BSD-Compress of 8 bits", "1503 28", () => new BsdCompressor(9)],
  ["BSD-Compress of 16 bits", "1503 30", () => new BsdCompressor(15)],
  ["a method without a name", "2a02", () => new PredictorCompressor()],
])("%s is shown as it is", (_, option, compressorOf) => {
  const sent = acked(option).compressed("sent", compressorOf(), 0x21, new Uint8Array(200).fill(0x61));
  const text = shown(sent.file);
  expect(packetsIn(text).at(-1)).toStartWith("fd");
  expect(text).not.toMatch(/error/i);
});

/** Text, noise, and earlier packets, of all lengths. */
function packets(rng: Rng): Uint8Array[] {
  const made: Uint8Array[] = [];
  for (let count = 0; count < 60; count++) {
    const length = 20 + rng.below(rng.pick([40, 1400]));
    if (made.length > 0 && rng.chance(0.3)) made.push(rng.pick(made));
    else if (rng.chance(0.3)) made.push(rng.bytes(length));
    else made.push(Uint8Array.from({ length }, () => rng.pick([0x20, 0x65, 0x74, 0x61, 0x6f])));
  }
  return made;
}

test("what a single link compresses (80fb, 00fb): pieces of packets and packets between them", () => {
  const compressor = new DeflateCompressor(15);
  const ack = [0x80, 0xfb, 2, 1, 0, 8, 0x1a, 4, 0x78, 0];
  const sent = new RecordMaker().frame("sent", ack);
  const plain = new RecordMaker().frame("sent", ack);
  for (const [at, packet] of packets(new Rng(8)).entries()) {
    const isPiece = at % 3 > 0;
    const octets = isPiece ? Uint8Array.of(0, at, ...packet) : packet;
    sent.compressed("sent", compressor, isPiece ? 0x3d : 0x21, octets, true, 0xfb);
    plain.frame("sent", [isPiece ? 0x3d : 0x21, ...octets]);
  }
  expect(packetsIn(shown(sent.file))).toEqual(packetsIn(shown(plain.file)));
});

describe.each(Object.entries(METHODS))("%s", (_, [option, compressorOf]) => {
  test("reads as the packets themselves", () => {
    const compressor = compressorOf();
    const sent = acked(option);
    const plain = acked(option);
    for (const packet of packets(new Rng(7))) {
      sent.compressed("sent", compressor, 0x21, packet);
      plain.frame("sent", [0x21, ...packet]);
    }
    const text = shown(sent.file);
    expect(sent.file.length).toBeLessThan(0.95 * plain.file.length);
    expect(packetsIn(text)).toEqual(packetsIn(shown(plain.file)));
  });

  test("cut, damaged, or agreed on by nonsense, it throws nothing and goes on", () => {
    const rng = new Rng(11);
    for (let round = 0; round < 40; round++) {
      const compressor = compressorOf();
      const sent = acked(option);
      for (const packet of packets(rng).slice(0, 8)) sent.compressed("sent", compressor, 0x21, packet);
      sent.frame("sent", [
        0x80,
        0xfd,
        2,
        1,
        0,
        8,
        rng.pick([1, 17, 18, 21, 24, 26]),
        4,
        rng.below(256),
        rng.below(256),
      ]);
      for (let more = 0; more < 4; more++) sent.frame("sent", [0xfd, ...rng.bytes(1 + rng.below(60))]);
      const file = sent.file.slice(0, rng.chance(0.5) ? sent.file.length : rng.below(sent.file.length));
      for (let flips = rng.below(4); flips > 0; flips--) file[rng.below(file.length)]! ^= 1 << rng.below(8);
      expect(typeof shown(file)).toBe("string");
    }
  });

  test("frames that are shorter than their header, or longer than any link takes, are shown and harm nothing", () => {
    const rng = new Rng(12);
    const sent = acked(option);
    for (const header of [
      [0xff, 3],
      [0xff],
      [0],
      [0x21],
      [0xff, 3, 0],
      [0xfd],
      [0, 0xfd],
      [0xff, 3, 0xfd],
      [0xfd, 0, 0],
    ])
      sent.frame("sent", header);
    for (const length of [16383, 16385, 30000]) {
      sent.frame("sent", [0x21, ...rng.bytes(length)]);
      sent.frame("sent", [0xfd, 0, 0, ...rng.bytes(length)]);
    }
    expect(shown(sent.file)).toContain("sent  ff 03");
    const capture = new Capture({ reverse: false, decompress: true });
    for (const item of readRecord(sent.file)) capture.item(item);
    // Frames without meaning are ff 03, ff 03 00 and a single 00. A single ff is a protocol of one octet.
    expect(capture.counts).toMatchObject({ packets: 13, badFrames: 3 });
  });
});
