// How well each method compresses known kinds of traffic. No decompressor notices a fault that only costs octets.

import { expect, test } from "bun:test";
import { bytesOf } from "../../src/bytes/text.ts";
import { BsdCompressor } from "../../src/compress/bsd.ts";
import type { Compressor } from "../../src/compress/codec.ts";
import { DeflateCompressor } from "../../src/compress/deflate.ts";
import { LzsCompressor } from "../../src/compress/lzs.ts";
import { MppcCompressor } from "../../src/compress/mppc.ts";
import { PredictorCompressor } from "../../src/compress/predictor.ts";
import { Rng } from "../kit/rng.ts";
import { compressed } from "../oracle/traffic.ts";

const WORDS = "null modem cable between two computers and a network of the server client as it was in 1999".split(" ");

/** Packets of 500 octets. */
function cut(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / 500) }, (_, nth) => bytes.slice(500 * nth, 500 * (nth + 1)));
}

const KINDS = {
  words: () => {
    const rng = new Rng(1);
    return cut(bytesOf(Array.from({ length: 4000 }, () => rng.pick(WORDS)).join(" ")));
  },
  runs: () => {
    const rng = new Rng(2);
    return cut(
      Uint8Array.from(Array.from({ length: 300 }, () => Array(1 + rng.below(150)).fill(rng.below(256))).flat()),
    );
  },
  // Noise that occurs twice in a packet, and again with the packet: 2000 octets later, and 8000.
  near: () => again(4),
  far: () => again(16),
};

function again(packets: number): Uint8Array[] {
  const rng = new Rng(3);
  const different = Array.from({ length: packets }, () => {
    const noise = rng.bytes(250);
    return Uint8Array.of(...noise, ...noise);
  });
  return Array.from({ length: 64 }, (_, nth) => different[nth % packets]!);
}

/** Octets sent for a thousand of each kind, as measured. A change may reduce them. */
const METHODS: readonly [
  name: string,
  make: () => Compressor,
  words: number,
  runs: number,
  near: number,
  far: number,
][] = [
  ["Deflate with a window of 32768", () => new DeflateCompressor(15), 244, 59, 53, 151],
  ["Deflate with a window of 512", () => new DeflateCompressor(9), 321, 54, 545, 543],
  ["BSD-Compress of 15 bits", () => new BsdCompressor(15), 247, 174, 360, 682],
  ["Predictor-1", () => new PredictorCompressor(), 417, 208, 183, 289],
  ["LZS", () => new LzsCompressor(0), 270, 80, 75, 588],
  ["LZS without a history", () => new LzsCompressor(0, 0), 417, 81, 591, 591],
  ["MPPC", () => new MppcCompressor(), 269, 62, 46, 154],
];

/** Octets that are sent for a thousand. */
function permille(compressor: Compressor, packets: readonly Uint8Array[]): number {
  let sent = 0;
  for (const bytes of packets) sent += compressed(compressor, { protocol: 0x21, bytes })?.length ?? bytes.length;
  return (1000 * sent) / (500 * packets.length);
}

test.each(METHODS)("%s", (_, make, words, runs, near, far) => {
  for (const [kind, most] of Object.entries({ words, runs, near, far }) as [keyof typeof KINDS, number][]) {
    const octets = permille(make(), KINDS[kind]());
    expect([kind, octets <= most ? most : octets]).toEqual([kind, most]);
  }
});
