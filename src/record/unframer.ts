// Splits a recorded line at its flags. A Deframer keeps only good frames, but a record should show bad ones too.

import { addressEnd, protocolEnd } from "../frame/header.ts";

export class Unframer {
  #octets: number[] = [];
  #escaped = false;

  get length(): number {
    return this.#octets.length;
  }

  push(data: Uint8Array, found: (octets: Uint8Array, aborted: boolean) => void): void {
    for (const octet of data) {
      if (octet === 0x7e) {
        // As in pppdump, an escape ends with the frame that it aborts, but is kept when there is no frame.
        if (this.#octets.length === 0) continue;
        found(Uint8Array.from(this.#octets), this.#escaped);
        this.#octets = [];
        this.#escaped = false;
      } else if (octet === 0x7d && !this.#escaped) {
        this.#escaped = true;
      } else {
        this.#octets.push(this.#escaped ? octet ^ 0x20 : octet);
        this.#escaped = false;
      }
    }
  }
}

/** The octets of packet[start, …) after its header: after address and control if they are there, and the protocol. */
export function informationLength(packet: Uint8Array, start = addressEnd(packet, 0, packet.length)): number {
  const at = protocolEnd(packet, start, packet.length);
  return at < 0 ? 0 : packet.length - at;
}
