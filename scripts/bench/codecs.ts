// Measures the speed and the compression of CCP's methods on packets of 1500 octets, on one core.

import { consola } from "consola";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BsdCompressor, BsdDecompressor } from "../../src/compress/bsd.ts";
import type { Compressor, Decompressor } from "../../src/compress/codec.ts";
import { DeflateCompressor, DeflateDecompressor } from "../../src/compress/deflate.ts";
import { LzsCheck, LzsCompressor, LzsDecompressor } from "../../src/compress/lzs.ts";
import { MppcCompressor, MppcDecompressor } from "../../src/compress/mppc.ts";
import { MppeCompressor, MppeDecompressor } from "../../src/compress/mppe.ts";
import { PredictorCompressor, PredictorDecompressor } from "../../src/compress/predictor.ts";
import { MAX_FRAME } from "../../src/frame/deframer.ts";
import { Rng } from "../../test/kit/rng.ts";
import { table } from "./table.ts";

interface Codec {
  readonly name: string;
  readonly compressor: () => Compressor;
  readonly decompressor: () => Decompressor;
}

const MPPE = {
  key: Uint8Array.from({ length: 16 }, (_, at) => at),
  bits: 128,
  stateless: true,
  compress: false,
} as const;

const CODECS: readonly Codec[] = [
  {
    name: "Deflate, window 15",
    compressor: () => new DeflateCompressor(15),
    decompressor: () => new DeflateDecompressor(15),
  },
  {
    name: "BSD-Compress, 15 bits",
    compressor: () => new BsdCompressor(15),
    decompressor: () => new BsdDecompressor(15),
  },
  {
    name: "BSD-Compress, 12 bits",
    compressor: () => new BsdCompressor(12),
    decompressor: () => new BsdDecompressor(12),
  },
  {
    name: "Predictor-1",
    compressor: () => new PredictorCompressor(),
    decompressor: () => new PredictorDecompressor(),
  },
  { name: "MPPC", compressor: () => new MppcCompressor(), decompressor: () => new MppcDecompressor() },
  {
    name: "Stac LZS, mode 3",
    compressor: () => new LzsCompressor(LzsCheck.Sequence),
    decompressor: () => new LzsDecompressor(LzsCheck.Sequence),
  },
  {
    name: "MPPE, 128 bits, stateless",
    compressor: () => new MppeCompressor(MPPE),
    decompressor: () => new MppeDecompressor(MPPE),
  },
];

const ROOT = join(import.meta.dir, "../..");
const IPV4 = 0x0021;
const PACKET = 1500;
const CORPUS = 1 << 20;

function sourceText(): Uint8Array {
  const files = ["README.md", "ARCHITECTURE.md", "COMPAT.md", "CHANGELOG.md"];
  files.push(...[...new Bun.Glob("src/**/*.ts").scanSync(ROOT)].sort());
  return Buffer.concat(files.map((file) => readFileSync(join(ROOT, file)))).subarray(0, CORPUS);
}

/** Pages like generated HTML: the same few tags around words of very different frequency. */
function html(rng: Rng, octets: number): Uint8Array {
  const letters = "etaoinshrdlu";
  const word = (): string =>
    Array.from({ length: 2 + rng.below(8) }, () => letters[rng.below(letters.length)]).join("");
  const words = Array.from({ length: 2000 }, word);
  const text = (count: number): string =>
    Array.from({ length: count }, () => words[Math.floor(words.length * rng.float() ** 3)]).join(" ");
  let page = "<!DOCTYPE html>\n<html><body>\n";
  while (page.length < octets) {
    page += rng.chance(0.3)
      ? `<p class="lead">${text(30 + rng.below(60))}.</p>\n`
      : `<tr id="row-${rng.below(100_000)}"><td><a href="/${text(1)}/${text(1)}.html">${text(3)}</a></td>` +
        `<td class="num">${rng.below(1_000_000) / 100}</td></tr>\n`;
  }
  return new TextEncoder().encode(page).subarray(0, octets);
}

/** The best times of several runs in nanoseconds an octet, and input octets divided by octets on the line. */
interface Figures {
  compress: number;
  decompress: number;
  ratio: number;
}

function run(codec: Codec, corpus: Uint8Array, best: Figures): void {
  const compressor = codec.compressor();
  const decompressor = codec.decompressor();
  const payloads = new Uint8Array(2 * corpus.length);
  /** Where the payload of each packet ends; -1 when the packet is sent plain. */
  const ends: number[] = [];
  const started = performance.now();
  for (let start = 0, at = 0; start < corpus.length; start += PACKET) {
    const end = Math.min(start + PACKET, corpus.length);
    const stop = compressor.compress(IPV4, corpus, start, end, payloads, at);
    ends.push(stop);
    if (stop >= 0) at = stop;
  }
  const compressed = performance.now();
  const packet = new Uint8Array(MAX_FRAME);
  let octets = 0;
  let from = 0;
  let sum = 0;
  for (let index = 0; index < ends.length; index++) {
    const start = index * PACKET;
    const end = Math.min(start + PACKET, corpus.length);
    const stop = ends[index]!;
    if (stop < 0) {
      decompressor.incompressible(IPV4, corpus, start, end);
      octets += end - start;
    } else {
      const length = decompressor.decompress(payloads, from, stop, packet, 0);
      if (length < end - start) throw new Error(`${codec.name}: packet ${index} came back as ${length}`);
      sum += length - (end - start);
      octets += stop - from;
      from = stop;
    }
  }
  const ended = performance.now();
  if (sum > 2 * ends.length) throw new Error(`${codec.name}: ${sum} octets came from nowhere`);
  best.compress = Math.min(best.compress, ((compressed - started) * 1e6) / corpus.length);
  best.decompress = Math.min(best.decompress, ((ended - compressed) * 1e6) / corpus.length);
  best.ratio = corpus.length / octets;
}

export function benchCodecs(quick: boolean): void {
  const rng = new Rng(1);
  const corpora: [name: string, corpus: Uint8Array][] = [
    ["source text", sourceText()],
    ["HTML", html(rng, CORPUS)],
    ["ELF", readFileSync(process.execPath).subarray(0, CORPUS)],
    ["noise", rng.bytes(CORPUS)],
  ];
  const rows: string[][] = [];
  for (const codec of CODECS)
    for (const [name, corpus] of corpora) {
      const best: Figures = { compress: Infinity, decompress: Infinity, ratio: 0 };
      for (let runs = quick ? 3 : 10; runs > 0; runs--) run(codec, corpus, best);
      const { compress, decompress, ratio } = best;
      rows.push([
        `${codec.name}, ${name}`,
        (1e3 / compress).toFixed(0),
        (1e3 / decompress).toFixed(0),
        ratio.toFixed(2),
      ]);
    }
  consola.log(table(["", "compress MB/s", "decompress MB/s", "ratio"], rows));
}
