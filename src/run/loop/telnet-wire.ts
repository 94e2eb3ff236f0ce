// What a TCP connection with telnet on it has besides its rings: the octets as they are on the connection.

import { HELD_OCTETS, type Telnet } from "../../front/telnet.ts";
import type { Ring } from "../../bytes/ring.ts";
import type { Descriptors, Memory } from "../machine.ts";

const SIZE = 4096;
const NOTHING = new Uint8Array(0);

export class TelnetWire {
  readonly telnet: Telnet;
  /** What the last read has brought, and what the last write has taken from the ring. Borrowed. */
  data = NOTHING;
  taken = NOTHING;
  readonly #descriptors: Descriptors;
  readonly #from: Memory;
  readonly #to: Memory;
  readonly #plain = new Uint8Array(SIZE + HELD_OCTETS);
  /** What is to be written: to[start, end). */
  #start = 0;
  #end = 0;

  constructor(telnet: Telnet, descriptors: Descriptors) {
    this.telnet = telnet;
    this.#descriptors = descriptors;
    this.#from = descriptors.memory(SIZE);
    this.#to = descriptors.memory(SIZE);
  }

  /** Nothing is to be undone or doubled any more, and all that was prepared has been written. */
  get isOver(): boolean {
    return this.telnet.kind === "plain" && this.#start === this.#end && !this.telnet.hasAnswers;
  }

  /** There is something to write besides what is in the ring. */
  get hasOutput(): boolean {
    return this.#start < this.#end || this.telnet.hasAnswers;
  }

  /** Reads at most so many octets. Returns read's result; {@link data} is what was in them. */
  read(fd: number, room: number): number {
    const got = this.#descriptors.read(fd, this.#from, 0, Math.min(room, SIZE));
    const length = got > 0 ? this.telnet.receive(this.#from.bytes, 0, got, this.#plain) : 0;
    this.data = this.#plain.subarray(0, length);
    return got;
  }

  /** Writes, and takes at most so many octets of the ring, which are {@link taken} then. Returns write's result. */
  write(fd: number, output: Ring, most: number): number {
    this.taken = NOTHING;
    if (this.#start === this.#end) {
      const room = Math.floor((SIZE - this.telnet.answerOctets) / 2);
      const at = output.readAt;
      const count = Math.min(most, output.readable, room);
      this.taken = output.bytes.slice(at, at + count);
      this.#start = 0;
      this.#end = this.telnet.transmit(this.taken, 0, count, this.#to.bytes);
      output.consume(count);
    }
    const put = this.#descriptors.write(fd, this.#to, this.#start, this.#end - this.#start);
    if (put > 0) this.#start += put;
    return put;
  }
}
