// SLIP's framing (RFC 1055): END before and behind each packet, and two octets for an END or ESC in it.

import type { Ring } from "../bytes/ring.ts";

export const END = 0xc0;
export const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** The octets of a packet of this length, if each is escaped. */
export function worstSlip(length: number): number {
  return 2 * length + 2;
}

/** Writes packet[start, end) into a ring that has room for {@link worstSlip}. */
export function putSlip(packet: Uint8Array, start: number, end: number, ring: Ring): void {
  const { bytes } = ring;
  const mask = bytes.length - 1;
  const first = ring.writeAt;
  let at = first;
  bytes[at++ & mask] = END;
  for (let from = start; from < end; from++) {
    const octet = packet[from]!;
    if (octet !== END && octet !== ESC) bytes[at++ & mask] = octet;
    else {
      bytes[at++ & mask] = ESC;
      bytes[at++ & mask] = octet === END ? ESC_END : ESC_ESC;
    }
  }
  bytes[at++ & mask] = END;
  ring.commit(at - first);
}

export class SlipDeframer {
  /** The packet found last is packet[0, length). Borrowed: the next push overwrites it. */
  readonly packet: Uint8Array;
  length = 0;
  readonly stats = { packets: 0, overlong: 0 };
  #fill = 0;
  #isEscaped = false;
  #isLost = false;

  constructor(packet: Uint8Array) {
    this.packet = packet;
  }

  /** Reads bytes[start, end) up to the end of the first packet and returns where it stopped. */
  push(bytes: Uint8Array, start: number, end: number): number {
    this.length = 0;
    for (let at = start; at < end; at++) {
      const octet = bytes[at]!;
      if (octet === END) {
        if (this.#endsPacket()) return at + 1;
      } else if (octet === ESC && !this.#isEscaped) this.#isEscaped = true;
      else {
        if (this.#fill === this.packet.length) this.#isLost = true;
        else this.packet[this.#fill++] = this.#isEscaped ? unescaped(octet) : octet;
        this.#isEscaped = false;
      }
    }
    return end;
  }

  #endsPacket(): boolean {
    this.length = this.#isLost ? 0 : this.#fill;
    if (this.#isLost) this.stats.overlong++;
    if (this.length > 0) this.stats.packets++;
    this.#fill = 0;
    this.#isLost = this.#isEscaped = false;
    return this.length > 0;
  }
}

/** Another octet behind ESC is a fault of the sender, and taken as it is (RFC 1055). */
export function unescaped(octet: number): number {
  return octet === ESC_END ? END : octet === ESC_ESC ? ESC : octet;
}
