// A Configure-Request of the peer that may come again: its octets from the code to the last option.

import { type Control, HEADER_LENGTH } from "../wire/control.ts";

export class KeptRequest {
  #octets: Uint8Array | undefined;

  keep(packet: Uint8Array, { dataStart, dataEnd }: Control): void {
    this.#octets = packet.slice(dataStart - HEADER_LENGTH, dataEnd);
  }

  forget(): void {
    this.#octets = undefined;
  }

  /** True when the packet is the same in every octet, so that the identifier is the same too. */
  isSame(packet: Uint8Array, { dataStart, dataEnd }: Control): boolean {
    const octets = this.#octets;
    const start = dataStart - HEADER_LENGTH;
    return dataEnd - start === octets?.length && octets.every((octet, at) => octet === packet[start + at]);
  }
}
