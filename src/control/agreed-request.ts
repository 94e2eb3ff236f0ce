// The peer's request that we agreed to. The peer repeats it when our Ack was late or lost. It is then Acked again and the
// layer stays up. A second repetition, or a late one, is a new negotiation. (By RFC 1661 §4.4 the first one would be.)

import type { Control } from "../wire/control.ts";

/** Code, identifier, length. */
const HEADER = 4;

export class AgreedRequest {
  /** The octets from the code to the last option. Undefined when the request was already repeated. */
  #octets: Uint8Array | undefined;
  #at = 0;

  keep(packet: Uint8Array, { dataStart, dataEnd }: Control, now: number): void {
    this.#octets = packet.slice(dataStart - HEADER, dataEnd);
    this.#at = now;
  }

  forget(): void {
    this.#octets = undefined;
  }

  /** True once, when the packet is the same request and the agreement was not made before `since`. */
  isRepeated(packet: Uint8Array, { dataStart, dataEnd }: Control, since: number): boolean {
    const octets = this.#octets;
    this.#octets = undefined;
    if (octets === undefined || this.#at < since) return false;
    const start = dataStart - HEADER;
    return dataEnd - start === octets.length && octets.every((octet, at) => octet === packet[start + at]);
  }
}
