// Packets for the peer that belong to no flow: resets, ICMP, fragments. They lie in one array. What does not fit is
// dropped, as any router would.

import { put16, put32 } from "../bytes/be.ts";
import { IPV4_MF, ipv4HeaderChecksum } from "../wire/ip.ts";
import { type Ends, FRAGMENT_SIZE, putIp } from "./ip-packet.ts";

/** As many as the fragments of the longest datagram at the least MTU. */
const MOST_PACKETS = 1024;
const OCTETS = 262144;
const IPV6_FRAGMENT = 44;

export class ReplyQueue {
  /** The packets, each in one piece and behind the one before it. Empty until the first reply. */
  #bytes = new Uint8Array(0);
  #fill = 0;
  /** Where each packet begins, and its length. */
  readonly #places = new Uint32Array(MOST_PACKETS);
  readonly #lengths = new Uint32Array(MOST_PACKETS);
  #first = 0;
  #last = 0;
  #identification = 0;
  dropped = 0;

  get isEmpty(): boolean {
    return this.#first === this.#last;
  }

  /** Keeps a copy. */
  add(packet: Uint8Array, start: number, end: number): void {
    if (!this.#makeRoom(1, end - start)) return;
    this.#bytes.set(packet.subarray(start, end), this.#place(end - start));
  }

  take(into: Uint8Array, at: number): number {
    if (this.isEmpty) return 0;
    const place = this.#places[this.#first]!;
    const length = this.#lengths[this.#first++]!;
    into.set(this.#bytes.subarray(place, place + length), at);
    if (this.isEmpty) this.#first = this.#last = this.#fill = 0;
    return length;
  }

  /** Drops the packets that are longer than this. */
  dropLonger(mtu: number): void {
    this.#compact(mtu);
  }

  /** Adds the packet with a payload, in fragments if the link's MTU wants it (RFC 791 §3.2, RFC 8200 §4.5). */
  addPayload(ends: Ends, protocol: number, payload: Uint8Array, size: number, mtu: number): void {
    if (ends.headerSize + size > mtu) {
      this.#addFragments(ends, protocol, payload, size, mtu);
      return;
    }
    const length = ends.headerSize + size;
    if (!this.#makeRoom(1, length)) return;
    this.#bytes.set(payload.subarray(0, size), putIp(this.#bytes, this.#place(length), ends, protocol, size));
  }

  #addFragments(ends: Ends, protocol: number, payload: Uint8Array, size: number, mtu: number): void {
    const isIpv4 = ends.far.length === 4;
    const extra = isIpv4 ? 0 : FRAGMENT_SIZE;
    const most = Math.floor((mtu - ends.headerSize - extra) / 8) * 8;
    const pieces = Math.ceil(size / most);
    if (!this.#makeRoom(pieces, size + pieces * (ends.headerSize + extra))) return;
    const identification = (this.#identification = (this.#identification + 1) >>> 0);
    for (let offset = 0; offset < size; offset += most) {
      const count = Math.min(most, size - offset);
      const more = offset + count < size;
      const start = this.#place(ends.headerSize + extra + count);
      const packet = this.#bytes;
      const at = putIp(packet, start, ends, isIpv4 ? protocol : IPV6_FRAGMENT, extra + count);
      if (isIpv4) {
        put16(packet, start + 4, identification);
        put16(packet, start + 6, (more ? IPV4_MF : 0) | (offset / 8));
        put16(packet, start + 10, ipv4HeaderChecksum(packet, start, at - start));
      } else {
        put16(packet, at, protocol << 8);
        put16(packet, at + 2, offset | (more ? 1 : 0));
        put32(packet, at + 4, identification);
      }
      packet.set(payload.subarray(offset, offset + count), at + extra);
    }
  }

  /** Where a packet of this length goes, for which there is room. */
  #place(length: number): number {
    const place = this.#fill;
    this.#places[this.#last] = place;
    this.#lengths[this.#last++] = length;
    this.#fill += length;
    return place;
  }

  /** Makes room for so many packets with so many octets together. False: there is none, and they are dropped. */
  #makeRoom(packets: number, octets: number): boolean {
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(OCTETS);
    if (this.#last + packets > MOST_PACKETS || this.#fill + octets > OCTETS) this.#compact(OCTETS);
    if (this.#last + packets <= MOST_PACKETS && this.#fill + octets <= OCTETS) return true;
    this.dropped++;
    return false;
  }

  /** Moves all packets to the front, and drops those that are longer than `most`. */
  #compact(most: number): void {
    const end = this.#last;
    let from = this.#first;
    this.#first = this.#last = this.#fill = 0;
    for (; from < end; from++) {
      const place = this.#places[from]!;
      const length = this.#lengths[from]!;
      if (length > most) this.dropped++;
      else this.#bytes.copyWithin(this.#place(length), place, place + length);
    }
  }
}
