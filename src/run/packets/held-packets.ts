// Packets of the peer that wait until the rules that hold for them are in force. A packet that the kernel forwards before would
// begin a flow that no rule looks at again.

import { isLinkLocal } from "../../bytes/prefix.ts";
import { ipVersion } from "../../wire/ip.ts";

/** There are no rules for a version of IP: what this machine would forward is dropped. */
export interface Closed {
  /** Packets to this address of ours are not forwarded, and still get through. Undefined: none do. */
  readonly own: Uint8Array | undefined;
}

/** Ends a hold. The version stays {@link Closed} if there are no rules for it. */
export type Release = (closed?: Closed) => void;

const IPV4_DESTINATION = 16;
const IPV6_DESTINATION = 24;

/** Further packets are lost, as in a full queue. */
export const MOST_HELD = 64;

export class HeldPackets {
  /** How many have asked for it. */
  readonly #holds = new Map<number, number>();
  readonly #closed = new Map<number, Closed>();
  #packets: Uint8Array[] = [];

  /** From now on packets of this version of IP wait. */
  hold(version: 4 | 6): void {
    this.#holds.set(version, (this.#holds.get(version) ?? 0) + 1);
  }

  /** Takes packet[start, end) if its kind waits or is dropped. */
  add(packet: Uint8Array, start: number, end: number): boolean {
    if ((this.#holds.size === 0 && this.#closed.size === 0) || end <= start) return false;
    const version = ipVersion(packet, start);
    if (!this.#holds.has(version)) return this.#drops(version, packet.subarray(start, end));
    if (this.#packets.length < MOST_HELD) this.#packets.push(packet.slice(start, end));
    return true;
  }

  #drops(version: number, packet: Uint8Array): boolean {
    const closed = this.#closed.get(version);
    return closed !== undefined && !(closed.own !== undefined && isForUs(packet, closed.own));
  }

  /** Undoes one {@link hold}. Returns the packets that need not wait any more. */
  release(version: 4 | 6, closed?: Closed): Uint8Array[] {
    if (closed === undefined) this.#closed.delete(version);
    else this.#closed.set(version, closed);
    const holds = (this.#holds.get(version) ?? 0) - 1;
    if (holds > 0) {
      this.#holds.set(version, holds);
      return [];
    }
    this.#holds.delete(version);
    const waits = (packet: Uint8Array): boolean => ipVersion(packet, 0) !== version;
    const free = this.#packets.filter((packet) => !waits(packet) && !this.#drops(version, packet));
    this.#packets = this.#packets.filter(waits);
    return free;
  }
}

/** The packet is for this address, or for a group or an address of the link, which are never forwarded. */
function isForUs(packet: Uint8Array, own: Uint8Array): boolean {
  const at = own.length === 4 ? IPV4_DESTINATION : IPV6_DESTINATION;
  const address = packet.subarray(at, at + own.length);
  const [first = 0] = address;
  const isOfLink = own.length === 4 ? first >= 224 : first === 0xff || isLinkLocal(address);
  return address.length === own.length && (isOfLink || address.every((octet, index) => octet === own[index]));
}
