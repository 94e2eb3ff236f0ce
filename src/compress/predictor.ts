// Predictor type 1 (RFC 1978): a table guesses the next octet from a hash of the octets before it.
//
// The payload begins with the length of the content, two octets, with bit 15 set if it is compressed. Then, for every
// eight octets of content, there is an octet of flags, lowest bit first, and those of the eight that were not guessed.
// Last comes the FCS-16 over the length (without bit 15) and the content, as in a frame. The content is the packet
// after its protocol. We write the protocol as two octets. A peer may write one: the first of two octets is never odd.
// Content that does not shrink is in the payload as it is, and the table learns from it too. The table does not learn
// from packets outside 00fd, because Predictor sends none when it is open.

import { put16, u16 } from "../bytes/be.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { FCS_GOOD, FCS_INIT, fcsNext, fcsOver } from "../frame/fcs.ts";
import { type Compressor, DAMAGED, type Decompressor, FATAL, PLAIN } from "./codec.ts";

const LENGTH = 2;
const PROTOCOL = 2;
const FCS = 2;
const COMPRESSED = 0x8000;

function fcsOfLength(length: number): number {
  return fcsNext(fcsNext(FCS_INIT, length >>> 8), length & 0xff);
}

export class PredictorCompressor implements Compressor {
  readonly overhead = LENGTH + PROTOCOL + FCS;
  readonly #guesses = new Uint8Array(1 << 16);
  #hash = 0;

  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (protocol > 0x3fff || protocol === 0xfd || protocol === 0xfb) return PLAIN;
    const guesses = this.#guesses;
    const length = PROTOCOL + end - start;
    const from = at + LENGTH;
    const limit = from + length;
    let hash = this.#hash;
    let put = from;
    // The protocol precedes the packet: next = start - 2 and start - 1.
    for (let next = start - PROTOCOL; next < end;) {
      const stop = Math.min(next + 8, end);
      const flagsAt = put++;
      let flags = 0;
      for (let bit = 1; next < stop; next++, bit <<= 1) {
        const octet = next >= start ? packet[next]! : next === start - 1 ? protocol & 0xff : protocol >>> 8;
        if (guesses[hash] === octet) {
          flags |= bit;
        } else {
          guesses[hash] = octet;
          if (put < limit) out[put] = octet;
          put++;
        }
        hash = ((hash << 4) ^ octet) & 0xffff;
      }
      if (flagsAt < limit) out[flagsAt] = flags;
    }
    this.#hash = hash;
    if (put < limit) {
      put16(out, at, length | COMPRESSED);
    } else {
      put16(out, at, length);
      put16(out, from, protocol);
      out.set(packet.subarray(start, end), from + PROTOCOL);
      put = limit;
    }
    let fcs = fcsOfLength(length);
    fcs = ~fcsOver(fcsNext(fcsNext(fcs, protocol >>> 8), protocol & 0xff), packet, start, end);
    out[put++] = fcs;
    out[put++] = fcs >>> 8;
    return put;
  }

  reset(): void {
    this.#guesses.fill(0);
    this.#hash = 0;
  }
}

export class PredictorDecompressor implements Decompressor {
  readonly selfHealing = false;
  readonly #guesses = new Uint8Array(1 << 16);
  #hash = 0;

  decompress(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const data = start + LENGTH;
    const dataEnd = end - FCS;
    if (data >= dataEnd) return DAMAGED;
    const header = u16(packet, start);
    const length = header & ~COMPRESSED;
    const stop =
      header >= COMPRESSED
        ? this.#expand(packet, data, dataEnd, out, at, length)
        : this.#copy(packet, data, dataEnd, out, at, length);
    if (stop < 0) return stop;
    const fcs = fcsOver(fcsOver(fcsOfLength(length), out, at, stop), packet, dataEnd, end);
    return fcs === FCS_GOOD ? stop : DAMAGED;
  }

  /** Does nothing: a packet that came plain was not in the peer's table. */
  incompressible(): void {}

  reset(): void {
    this.#guesses.fill(0);
    this.#hash = 0;
  }

  #copy(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number, length: number): number {
    if (end - start !== length) return DAMAGED;
    if (length > roomIn(out, at)) return FATAL;
    const guesses = this.#guesses;
    let hash = this.#hash;
    let put = at;
    for (let from = start; from < end; from++) {
      const octet = packet[from]!;
      out[put++] = guesses[hash] = octet;
      hash = ((hash << 4) ^ octet) & 0xffff;
    }
    this.#hash = hash;
    return put;
  }

  #expand(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number, length: number): number {
    const room = roomIn(out, at);
    const guesses = this.#guesses;
    const limit = at + Math.min(length, room);
    let hash = this.#hash;
    let put = at;
    let from = start;
    let flags = 0;
    while (from < end && put < limit) {
      flags = packet[from++]!;
      for (let bit = 0; bit < 8 && put < limit; bit++) {
        let octet = guesses[hash]!;
        if ((flags & 1) === 0) {
          if (from === end) break;
          octet = guesses[hash] = packet[from++]!;
        }
        out[put++] = octet;
        hash = ((hash << 4) ^ octet) & 0xffff;
        flags >>>= 1;
      }
    }
    this.#hash = hash;
    // A length above our limit is an error or damage, unless the octets for it are really there.
    if (length > room && put === limit) return FATAL;
    // A remaining flag stands for one more octet, at least for the receiver in the RFC.
    return put - at === length && from === end && flags === 0 ? put : DAMAGED;
  }
}

/** The longest packet that may be put at out[at]. */
function roomIn(out: Uint8Array, at: number): number {
  return Math.min(MAX_FRAME, out.length - at);
}
