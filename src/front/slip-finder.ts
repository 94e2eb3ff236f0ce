// Finds SLIP and CSLIP (RFC 1055, RFC 1144): an END octet, and behind it an IPv4 header whose checksum is correct. CSLIP
// changes two octets of the header of a TCP packet that it sends whole (RFC 1144 §3.2.3), and only packets after such a one
// have a compressed header.

import { END, ESC, unescaped } from "../frame/slip.ts";

const LONGEST_HEADER = 60;
const PROTOCOL = 9;
const TCP = 6;

export class SlipFinder {
  readonly #header = new Uint8Array(LONGEST_HEADER);
  /** Octets of the header so far; -1: wait for END. */
  #fill = -1;
  #isEscaped = false;
  /** How many of the latest octets a packet may consist of that has not ended. They belong to a SLIP line. */
  kept = 0;

  /** Takes the next octet. True: it completes the header of a packet. */
  push(octet: number): boolean {
    if (octet === END) {
      this.#fill = 0;
      this.kept = 1;
      this.#isEscaped = false;
      return false;
    }
    if (this.#fill < 0) {
      this.kept = 0;
      return false;
    }
    this.kept++;
    if (octet === ESC && !this.#isEscaped) {
      this.#isEscaped = true;
      return false;
    }
    const plain = this.#isEscaped ? unescaped(octet) : octet;
    this.#isEscaped = false;
    this.#header[this.#fill++] = plain;
    const first = this.#header[0]!;
    const length = 4 * (first & 15);
    const isHeader = (first >> 4 === 4 || first >> 4 === 7) && length >= 20;
    if (isHeader && this.#fill < length) return false;
    this.#fill = -1;
    return isHeader && this.#isGood(length);
  }

  #isGood(length: number): boolean {
    const header = this.#header;
    if (header[0]! >> 4 === 7) {
      header[0] = 0x40 | (header[0]! & 15);
      header[PROTOCOL] = TCP;
    }
    let sum = 0;
    for (let at = 0; at < length; at += 2) sum += (header[at]! << 8) | header[at + 1]!;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return sum === 0xffff;
  }
}
