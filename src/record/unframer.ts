// A recorded line taken apart at its flags. A Deframer keeps only good frames; who looks at a record wants to see the
// others too.

export class Unframer {
  #octets: number[] = [];
  #escaped = false;

  get length(): number {
    return this.#octets.length;
  }

  push(data: Uint8Array, found: (octets: Uint8Array, aborted: boolean) => void): void {
    for (const octet of data) {
      if (octet === 0x7e) {
        // pppdump's way: the escape dies with the frame it aborts, but lives on when there is no frame.
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

/** Octets of address and control, when they are there, and of the protocol field, one or two. */
export function headerLength(packet: Uint8Array): number {
  const at = addressLength(packet);
  return at + protocolLength(packet, at);
}

/** 2 when address and control are there, else 0. */
export function addressLength(packet: Uint8Array): 0 | 2 {
  return packet[0] === 0xff && packet[1] === 0x03 ? 2 : 0;
}

/** Octets of the protocol field at packet[at]. */
export function protocolLength(packet: Uint8Array, at: number): 1 | 2 {
  return (packet[at] ?? 0) % 2 === 0 ? 2 : 1;
}
