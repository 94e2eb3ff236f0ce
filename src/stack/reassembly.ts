// Fragments of datagrams from the peer (RFC 791 §3.2, RFC 8200 §4.5). Fragments that overlap are an attack and end their datagram
// (RFC 5722), for IPv4 too. What is kept has limits in number, octets and time.

import { put16 } from "../bytes/be.ts";
import { toHex } from "../bytes/text.ts";
import { IPV4_MIN, IPV6_HEADER, ipv4HeaderChecksum } from "../wire/ip.ts";
import type { IpPacket } from "./ip-packet.ts";

const MOST_DATAGRAMS = 32;
const MOST_PIECES = 256;
const MOST_OCTETS = 1_048_576;
const LARGEST = 65535;
const KEPT_MS = 30_000;

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Datagram {
  readonly begunAt: number;
  /** In order of their offset. */
  readonly pieces: Piece[];
  octets: number;
  /** The length of the payload; -1: the last fragment is missing. */
  total: number;
}

export class Reassembly {
  readonly #datagrams = new Map<string, Datagram>();
  #octets = 0;

  get size(): number {
    return this.#datagrams.size;
  }

  /** Takes a fragment. Returns the packet that it completes. */
  take(packet: IpPacket, now: number): Uint8Array | undefined {
    this.#makeRoom(now);
    const { bytes, payload, end, fragmentOffset: offset, moreFragments } = packet;
    const length = end - payload;
    const addresses = toHex(bytes, packet.sourceAt, packet.sourceAt + 2 * packet.addressSize);
    const key = `${addresses} ${packet.protocol} ${packet.fragmentId}`;
    if (length === 0 || (moreFragments && length % 8 !== 0) || offset + length > LARGEST - IPV4_MIN) return undefined;
    let datagram = this.#datagrams.get(key);
    if (datagram === undefined) {
      datagram = { begunAt: now, pieces: [], octets: 0, total: -1 };
      this.#datagrams.set(key, datagram);
    }
    if (!this.#add(datagram, offset, bytes.slice(payload, end), moreFragments)) {
      this.#drop(key, datagram);
      return undefined;
    }
    if (datagram.octets !== datagram.total) return undefined;
    this.#drop(key, datagram);
    return wholeOf(packet, datagram);
  }

  /** False: the fragments contradict each other. */
  #add(datagram: Datagram, offset: number, bytes: Uint8Array, moreFragments: boolean): boolean {
    const { pieces } = datagram;
    const end = offset + bytes.length;
    let place = pieces.length;
    while (place > 0 && pieces[place - 1]!.offset >= offset) place--;
    const after = pieces[place];
    const before = pieces[place - 1];
    if (after?.offset === offset && after.bytes.length === bytes.length)
      return bytes.every((octet, at) => after.bytes[at] === octet);
    if (after !== undefined && (end > after.offset || !moreFragments)) return false;
    if (before !== undefined && before.offset + before.bytes.length > offset) return false;
    if (datagram.total >= 0 && end > datagram.total) return false;
    if (pieces.length === MOST_PIECES) return false;
    if (!moreFragments) datagram.total = end;
    pieces.splice(place, 0, { offset, bytes });
    datagram.octets += bytes.length;
    this.#octets += bytes.length;
    return true;
  }

  #makeRoom(now: number): void {
    for (const [key, datagram] of this.#datagrams) {
      const isFull = this.#datagrams.size >= MOST_DATAGRAMS || this.#octets > MOST_OCTETS - LARGEST;
      // The oldest is first.
      if (!isFull && now - datagram.begunAt < KEPT_MS) return;
      this.#drop(key, datagram);
    }
  }

  #drop(key: string, datagram: Datagram): void {
    if (this.#datagrams.delete(key)) this.#octets -= datagram.octets;
  }
}

/** The packet without its fragmentation. Options of the header are left out. */
function wholeOf({ family, bytes, start, protocol }: IpPacket, { pieces, total }: Datagram): Uint8Array {
  const header = family === 4 ? IPV4_MIN : IPV6_HEADER;
  const whole = new Uint8Array(header + total);
  whole.set(bytes.subarray(start, start + header));
  for (const piece of pieces) whole.set(piece.bytes, header + piece.offset);
  if (family === 4) {
    whole[0] = 0x45;
    put16(whole, 2, header + total);
    put16(whole, 6, 0);
    put16(whole, 10, ipv4HeaderChecksum(whole, 0, header));
  } else {
    put16(whole, 4, total);
    whole[6] = protocol;
  }
  return whole;
}
