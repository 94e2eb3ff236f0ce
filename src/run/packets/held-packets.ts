// Packets of the peer that wait until the rules that hold for them are in force. A packet that the kernel forwards before would
// begin a flow that no rule looks at again.

import { ipVersion } from "../../wire/ip.ts";

/** Further packets are lost, as in a full queue. */
export const MOST_HELD = 64;

export class HeldPackets {
  /** How many have asked for it. */
  readonly #holds = new Map<number, number>();
  #packets: Uint8Array[] = [];

  /** From now on packets of this version of IP wait. */
  hold(version: 4 | 6): void {
    this.#holds.set(version, (this.#holds.get(version) ?? 0) + 1);
  }

  /** Takes packet[start, end) if its kind waits. */
  add(packet: Uint8Array, start: number, end: number): boolean {
    if (this.#holds.size === 0 || end <= start || !this.#holds.has(ipVersion(packet, start))) return false;
    if (this.#packets.length < MOST_HELD) this.#packets.push(packet.slice(start, end));
    return true;
  }

  /** Undoes one {@link hold}. Returns the packets that need not wait any more. */
  release(version: 4 | 6): Uint8Array[] {
    const holds = (this.#holds.get(version) ?? 0) - 1;
    if (holds > 0) {
      this.#holds.set(version, holds);
      return [];
    }
    this.#holds.delete(version);
    const waits = (packet: Uint8Array): boolean => ipVersion(packet, 0) !== version;
    const free = this.#packets.filter((packet) => !waits(packet));
    this.#packets = this.#packets.filter(waits);
    return free;
  }
}
