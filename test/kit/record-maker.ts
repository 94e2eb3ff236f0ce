// Makes record files: packets that are framed and written as by pppd's `record` option, compressed or not.

import { Ring } from "../../src/bytes/ring.ts";
import type { Compressor } from "../../src/compress/codec.ts";
import { Framer } from "../../src/frame/framer.ts";
import { RecordWriter } from "../../src/record/pppdump-file.ts";

export type Way = "sent" | "received";

/** Room before a packet for its header, and after it for the FCS and a compressor. */
const ROOM = 64;

export class RecordMaker {
  readonly #pieces: Uint8Array[] = [];
  readonly #writer: RecordWriter;
  readonly #start: number;
  now: number;

  constructor(start = 1_700_000_000_000) {
    this.now = this.#start = start;
    this.#writer = new RecordWriter(start);
    this.#pieces.push(this.#writer.start());
  }

  /** One frame of these octets, protocol included. `spoil` flips a bit after the FCS is computed. */
  frame(way: Way, octets: ArrayLike<number>, spoil = false): this {
    const ring = new Ring(new Uint8Array(65536));
    const framer = new Framer(ring);
    framer.accm = 0;
    const packet = new Uint8Array(octets.length + ROOM);
    packet.set(octets);
    framer.write(packet, 0, octets.length, false, this.now - this.#start);
    const bytes = ring.bytes.slice(ring.readAt, ring.readAt + ring.length);
    if (spoil) bytes[bytes.length >> 1]! ^= 1;
    return this.octets(way, bytes);
  }

  /** Octets of the line as they are. */
  octets(way: Way, bytes: Uint8Array): this {
    this.#pieces.push(this.#writer[way](bytes, 0, bytes.length, this.now));
    return this;
  }

  /** A packet of `protocol` as the compressor would send it, in a frame of `as`. */
  compressed(way: Way, compressor: Compressor, protocol: number, packet: Uint8Array, compress = true, as = 0xfd): this {
    const from = new Uint8Array(packet.length + ROOM);
    from.set(packet);
    const out = new Uint8Array(packet.length + ROOM);
    if (!compress) compressor.skip?.(protocol, from, 0, packet.length);
    const end = compress ? compressor.compress(protocol, from, 0, packet.length, out, 0) : -1;
    return end < 0 ? this.frame(way, [protocol, ...packet]) : this.frame(way, [as, ...out.subarray(0, end)]);
  }

  /** Raw octets of the file. */
  raw(bytes: Uint8Array): this {
    this.#pieces.push(bytes);
    return this;
  }

  get file(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}
