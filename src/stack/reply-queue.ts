// Packets for the peer that belong to no flow: resets, ICMP, fragments. What does not fit is dropped, as any router would.

import { put16, put32 } from "../bytes/be.ts";
import { IPV4_MF, ipv4HeaderChecksum } from "../wire/ip.ts";
import { type Ends, FRAGMENT_SIZE, putIp } from "./ip-packet.ts";

const MOST_PACKETS = 128;
const IPV6_FRAGMENT = 44;

export class ReplyQueue {
  readonly #packets: Uint8Array[] = [];
  #identification = 0;
  dropped = 0;

  get isEmpty(): boolean {
    return this.#packets.length === 0;
  }

  /** Keeps a copy. */
  add(packet: Uint8Array, start: number, end: number): void {
    if (this.#packets.length < MOST_PACKETS) this.#packets.push(packet.slice(start, end));
    else this.dropped++;
  }

  take(into: Uint8Array, at: number): number {
    const packet = this.#packets.shift();
    if (packet === undefined) return 0;
    into.set(packet, at);
    return packet.length;
  }

  /** Cuts a payload into fragments for a link with this MTU (RFC 791 §3.2, RFC 8200 §4.5). */
  addFragments(ends: Ends, protocol: number, payload: Uint8Array, size: number, mtu: number): void {
    const isIpv4 = ends.far.length === 4;
    const extra = isIpv4 ? 0 : FRAGMENT_SIZE;
    const most = Math.floor((mtu - ends.headerSize - extra) / 8) * 8;
    if (Math.ceil(size / most) + this.#packets.length > MOST_PACKETS) {
      this.dropped++;
      return;
    }
    const identification = (this.#identification = (this.#identification + 1) >>> 0);
    for (let offset = 0; offset < size; offset += most) {
      const count = Math.min(most, size - offset);
      const isLast = offset + count === size;
      const packet = new Uint8Array(ends.headerSize + extra + count);
      const at = putIp(packet, 0, ends, isIpv4 ? protocol : IPV6_FRAGMENT, extra + count);
      if (isIpv4) {
        put16(packet, 4, identification);
        put16(packet, 6, (isLast ? 0 : IPV4_MF) | (offset / 8));
        put16(packet, 10, ipv4HeaderChecksum(packet, 0, at));
      } else {
        packet[at] = protocol;
        put16(packet, at + 2, offset | (isLast ? 0 : 1));
        put32(packet, at + 4, identification);
      }
      packet.set(payload.subarray(offset, offset + count), at + extra);
      this.#packets.push(packet);
    }
  }
}
