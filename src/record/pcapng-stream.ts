// Turns packets and notes of several lines into one pcapng file: an interface for each line and one for the packets of the
// network, notes as rows of their own and as comments, bad frames and gaps as comments.

import { addressEnd, protocolAt, protocolEnd } from "../frame/header.ts";
import { hidePassword } from "../wire/hidden-password.ts";
import { COUNT_MASK, type Kept, NETWORK } from "./packet-ring.ts";
import { interfaceBlock, journalBlock, packetBlock, sectionBlock } from "./pcapng.ts";

/** More comments than this wait for no packet. */
const MOST_COMMENTS = 32;
/** All of a block with a packet but the packet and comments, with padding. */
const PACKET_BLOCK = 56;
/** The header of a comment, and its padding. */
const COMMENT_OPTION = 8;
/** The longest comment on a gap. */
const GAP = 48;
const OCTETS_A_CHAR = 3;
const FIRST_CONTROL_OCTET = 0x80;

export interface PcapngStreamOptions {
  /** The difference between the calendar and the times of the packets, in ms. */
  readonly epoch: number;
  readonly hidePassword: boolean;
  /** The name of the interface for a line. */
  name(line: number): string;
  /** Takes a block. False: there is no room for it. */
  put(block: Uint8Array): boolean;
  /** How many octets put() has room for. Left out: for all. */
  room?(): number;
}

export class PcapngStream {
  readonly #options: PcapngStreamOptions;
  /** By the number of the line. */
  readonly #interfaces = new Map<number, number>();
  readonly #badFrames = new Map<number, number>();
  #comments: string[] = [];
  #isBegun = false;
  #lost = 0;

  constructor(options: PcapngStreamOptions) {
    this.#options = options;
  }

  /** A file without packets is one too. False: there is no room. */
  begin(): boolean {
    if (!this.#isBegun) this.#isBegun = this.#options.put(sectionBlock());
    return this.#isBegun;
  }

  add(item: Kept): void {
    if (!this.begin()) this.#lost += item.type === "packet" ? 1 : 0;
    else if (item.type === "note") this.#note(item.line, item.time, item.text);
    else this.#packet(item);
  }

  #note(line: number, time: number, text: string): void {
    const { epoch, name, put } = this.#options;
    put(journalBlock(epoch + time, `${name(line)}: ${text}`));
    this.#comment(text);
  }

  #comment(text: string): void {
    if (this.#comments.length < MOST_COMMENTS) this.#comments.push(text);
  }

  #packet({ line, isSent, time, octets, length, badFrames, leftOut }: Kept & { type: "packet" }): void {
    const { epoch, put, room } = this.#options;
    if (leftOut > 0) this.#comment(`${leftOut} packets before this one were not kept`);
    if (!isSent) this.#countBad(line, badFrames);
    // A block that nobody takes would cost as much as any other.
    if (room !== undefined && this.#mostOctets(octets.length) > room()) {
      this.#lost++;
      return;
    }
    const id = this.#interfaceOf(line);
    const shown = this.#options.hidePassword ? withoutPassword(octets) : octets;
    const gap = `${this.#lost} packet${this.#lost === 1 ? " was" : "s were"} not captured here`;
    const comments = this.#lost > 0 ? [...this.#comments, gap] : this.#comments;
    const fits =
      id !== undefined && put(packetBlock({ line: id, isSent, time: epoch + time, octets: shown, length, comments }));
    this.#lost = fits ? 0 : this.#lost + 1;
    if (fits && this.#comments.length > 0) this.#comments = [];
  }

  /** A block with the comments that wait is no longer than this. */
  #mostOctets(length: number): number {
    let most = PACKET_BLOCK + length + COMMENT_OPTION + GAP;
    for (const comment of this.#comments) most += COMMENT_OPTION + comment.length * OCTETS_A_CHAR;
    return most;
  }

  #countBad(line: number, badFrames: number): void {
    const before = this.#badFrames.get(line);
    this.#badFrames.set(line, badFrames);
    // Without an earlier packet, nothing tells when they came. A link that begins counts from 0, and seems to go backwards.
    const bad = before === undefined ? 0 : (badFrames - before) & COUNT_MASK;
    if (bad > 0 && bad <= COUNT_MASK / 2)
      this.#comment(`${bad} bad frame${bad === 1 ? "" : "s"} received before this one`);
  }

  #interfaceOf(line: number): number | undefined {
    const known = this.#interfaces.get(line);
    if (known !== undefined) return known;
    const { name, put } = this.#options;
    const description = line === NETWORK ? "packets of the interface, decompressed" : "what went over the line";
    if (!put(interfaceBlock(name(line), description))) return undefined;
    this.#interfaces.set(line, this.#interfaces.size);
    return this.#interfaces.size - 1;
  }
}

/** The packet, or a copy with the password overwritten. */
function withoutPassword(octets: Uint8Array): Uint8Array {
  const end = octets.length;
  const address = addressEnd(octets, 0, end);
  const at = protocolEnd(octets, address, end);
  if (at < 0 || octets[address]! < FIRST_CONTROL_OCTET) return octets;
  const copy = octets.slice();
  hidePassword(protocolAt(octets, address, at), copy, at, end);
  return copy;
}
