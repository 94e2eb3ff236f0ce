// PPP Deflate (RFC 1979): one raw deflate stream over all packets. Each packet ends with an empty stored block that is
// not sent.
//
// The payload is a sequence number of two octets and the deflated packet without the `00 00 ff ff` at its end. The
// packet begins with its protocol, as one octet if it is below 0x100. A packet that does not shrink is sent plain, and
// both ends add it to their windows. zlib's SetDictionary can do that on a raw stream between two blocks (zlib.h). So
// the receiver need not inflate a stored block, and the sender need not deflate a packet that it knows to be
// incompressible.
//
// Measured with packets of 1500 octets on one core, MB/s of input and ratio:
//
//     level      source text     ELF            random 0 and 1      random a, c, g, t
//     6          25  3.40        26  3.29       6.8  5.61           5.7  3.18
//     7          23  3.41        24  3.29       3.9  5.68           3.3  3.21
//     9          17  3.42        17  3.30       0.2  5.96           1.4  3.25
//
// Hence level 6: a line of 3 Mbaud takes 4 % of the core with text, and 25 % with the slowest input. Level 9 saves
// 0.4 % of text, and is too slow for that line on input with many short matches. The hash is zlib's own. pako's faster
// one misses matches of three octets, which costs 5 % on packets of one keystroke.

import {
  Z_DEFAULT_STRATEGY,
  Z_NO_FLUSH,
  Z_OK,
  Z_SYNC_FLUSH,
  ZStream,
  zlibDeflate,
  zlibDeflateInit2,
  zlibDeflateReset,
  zlibDeflateSetDictionary,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateReset,
  zlibInflateSetDictionary,
} from "pako";
import { put16, u16 } from "../bytes/be.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { type Compressor, DAMAGED, type Decompressor, FATAL, PLAIN } from "./codec.ts";
import { Noise } from "./noise.ts";

const LEVEL = 6;
const DEFLATED = 8;
const MEM_LEVEL = 8;
const LEGACY_HASH = true;
/** zlib has no window of 2^8: its deflate uses 2^9 instead and looks back 250 octets at most. */
const MIN_WINDOW = 9;

const SEQUENCE = 2;
/** The length and its complement in the empty stored block. The receiver adds them itself. */
const TRAILER = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
/** ZStream.data_type after an inflate that stopped between two blocks without a remaining bit (zlib.h, Z_BLOCK). */
const BETWEEN_BLOCKS = 128;

function isEligible(protocol: number): boolean {
  return protocol <= 0x3fff && protocol !== 0xfd && protocol !== 0xfb;
}

/** The protocol as octets of the stream. */
class Protocol {
  readonly #two = new Uint8Array(2);
  readonly #one = this.#two.subarray(1);

  /** Borrowed until the next call. */
  octets(protocol: number): Uint8Array {
    put16(this.#two, 0, protocol);
    return protocol > 0xff ? this.#two : this.#one;
  }
}

/** The most packets of noise in a row that are not tried. */
const MAX_UNTRIED = 15;

/**
 * Decides whether a packet is worth a deflate. Most data on a link today is compressed or encrypted already, and
 * deflate needs 50 µs to find that out for 1500 octets. Noise may be a repetition, so one packet of it in 16 is tried.
 */
class Doubt {
  readonly #noise = new Noise();
  #untried = 0;
  #toSkip = 0;
  #isNoise = false;

  /** True when this packet need not be tried. */
  skips(packet: Uint8Array, start: number, end: number): boolean {
    this.#isNoise = this.#noise.isIn(packet, start, end);
    if (!this.#isNoise || this.#toSkip === 0) return false;
    this.#toSkip--;
    return true;
  }

  /** Records the result of a packet that was tried. A gain of a few octets does not justify trying the next fifteen. */
  tried(length: number, deflated: number): void {
    if (!this.#isNoise) return;
    const failed = deflated > length - (length >>> 4);
    this.#untried = failed ? Math.min(2 * this.#untried + 1, MAX_UNTRIED) : 0;
    this.#toSkip = this.#untried;
  }
}

export class DeflateCompressor implements Compressor {
  readonly overhead = 0;
  readonly #stream = new ZStream();
  readonly #output = new Uint8Array(MAX_FRAME);
  readonly #protocol = new Protocol();
  readonly #doubt = new Doubt();
  #sequence = 0;

  /** `window` is the exponent agreed on, 8 to 15. `level` is zlib's, 1 to 9. */
  constructor(window: number, level = LEVEL) {
    const bits = -Math.max(window, MIN_WINDOW);
    const status = zlibDeflateInit2(this.#stream, level, DEFLATED, bits, MEM_LEVEL, Z_DEFAULT_STRATEGY, LEGACY_HASH);
    // zlib permits level 0, but then leaves out the empty block that is removed here.
    if (status !== Z_OK || level === 0) throw new Error(`no Deflate of window ${window} and level ${level}`);
    this.#stream.output = this.#output;
  }

  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (!isEligible(protocol)) return PLAIN;
    const length = end - start;
    if (this.#doubt.skips(packet, start, end)) {
      this.skip(protocol, packet, start, end);
      return PLAIN;
    }
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    const deflated = this.#deflate(protocol, packet, start, end);
    this.#doubt.tried(length, deflated);
    if (SEQUENCE + deflated >= length) return PLAIN;
    put16(out, at, sequence);
    out.set(this.#output.subarray(0, deflated), at + SEQUENCE);
    return at + SEQUENCE + deflated;
  }

  skip(protocol: number, packet: Uint8Array, start: number, end: number): void {
    if (!isEligible(protocol)) return;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    zlibDeflateSetDictionary(this.#stream, this.#protocol.octets(protocol));
    zlibDeflateSetDictionary(this.#stream, packet.subarray(start, end));
  }

  reset(): void {
    zlibDeflateReset(this.#stream);
    this.#sequence = 0;
  }

  /** Deflates to #output and returns the length without the trailer. A result longer than #output is not kept. */
  #deflate(protocol: number, packet: Uint8Array, start: number, end: number): number {
    const stream = this.#stream;
    const octets = this.#protocol.octets(protocol);
    const capacity = this.#output.length;
    let before = 0;
    stream.next_out = 0;
    stream.avail_out = capacity;
    stream.input = octets;
    stream.next_in = 0;
    stream.avail_in = octets.length;
    zlibDeflate(stream, Z_NO_FLUSH);
    stream.input = packet;
    stream.next_in = start;
    stream.avail_in = end - start;
    zlibDeflate(stream, Z_SYNC_FLUSH);
    while (stream.avail_out === 0) {
      before += capacity;
      stream.next_out = 0;
      stream.avail_out = capacity;
      zlibDeflate(stream, Z_SYNC_FLUSH);
    }
    return before + stream.next_out - TRAILER.length;
  }
}

export class DeflateDecompressor implements Decompressor {
  readonly selfHealing = false;
  readonly #stream = new ZStream();
  readonly #output = new Uint8Array(MAX_FRAME);
  readonly #protocol = new Protocol();
  /**
   * The number of the next packet. A packet that cannot be inflated is not counted, so that no later packet is
   * accepted.
   */
  #sequence = 0;

  /** `window` is the exponent agreed on, 8 to 15. */
  constructor(window: number) {
    if (zlibInflateInit2(this.#stream, -Math.max(window, MIN_WINDOW)) !== Z_OK)
      throw new Error(`no Deflate of window ${window}`);
    this.#stream.output = this.#output;
  }

  decompress(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (end - start <= SEQUENCE || u16(packet, start) !== this.#sequence) return DAMAGED;
    const stream = this.#stream;
    const room = Math.min(MAX_FRAME, out.length - at);
    stream.next_out = 0;
    stream.avail_out = room;
    stream.input = packet;
    stream.next_in = start + SEQUENCE;
    stream.avail_in = end - start - SEQUENCE;
    if (zlibInflate(stream, Z_SYNC_FLUSH) !== Z_OK || stream.avail_in > 0) return FATAL;
    const inflated = stream.next_out;
    stream.input = TRAILER;
    stream.next_in = 0;
    stream.avail_in = TRAILER.length;
    // The trailer produced octets, so the payload had ended inside a block.
    if (zlibInflate(stream, Z_SYNC_FLUSH) !== Z_OK || stream.next_out !== inflated) return FATAL;
    if (stream.data_type !== BETWEEN_BLOCKS || inflated === 0) return FATAL;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    out.set(this.#output.subarray(0, inflated), at);
    return at + inflated;
  }

  incompressible(protocol: number, packet: Uint8Array, start: number, end: number): void {
    if (!isEligible(protocol)) return;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    zlibInflateSetDictionary(this.#stream, this.#protocol.octets(protocol));
    zlibInflateSetDictionary(this.#stream, packet.subarray(start, end));
  }

  reset(): void {
    zlibInflateReset(this.#stream);
    this.#sequence = 0;
  }
}
