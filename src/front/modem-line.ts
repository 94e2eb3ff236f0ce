// A line whose caller has dialled: PPP has it until the caller goes back to the modem's commands, by "+++" between pauses
// (Hayes; S2 and S12) or because it drops its DTR.

import type { Ring } from "../bytes/ring.ts";
import { putWords } from "./front.ts";
import type { Modem } from "./modem.ts";

const ESCAPES = 3;
const HIGHEST_ESCAPE = 127;

/** PPP on the line. */
export interface Connection {
  readonly packet: Uint8Array;
  readonly packetStart: number;
  readonly packetEnd: number;
  /** Frames that it would send are dropped, because the line has another use for the moment. */
  isMuted: boolean;
  receive(input: Ring, now: number): boolean;
  flush(now: number): void;
  nextTimeout(): number;
  handleTimeout(now: number): void;
}

export interface ModemLineParts {
  readonly modem: Modem;
  readonly connection: Connection;
  readonly input: Ring;
  readonly output: Ring;
}

export class ModemLine {
  /** The caller has ended the connection. */
  isHungUp = false;
  readonly #modem: Modem;
  #connection: Connection;
  readonly #input: Ring;
  readonly #output: Ring;
  #lastAt: number;
  /** Octets of an escape that are in the ring. The connection gets them if the escape comes to nothing. */
  #held = 0;

  constructor({ modem, connection, input, output }: ModemLineParts, now: number) {
    this.#modem = modem;
    this.#connection = connection;
    this.#input = input;
    this.#output = output;
    this.#lastAt = now;
  }

  /** Something else has the connection from now on. */
  connect(connection: Connection): void {
    connection.isMuted = this.#connection.isMuted;
    this.#connection = connection;
  }

  get packet(): Uint8Array {
    return this.#connection.packet;
  }

  get packetStart(): number {
    return this.#connection.packetStart;
  }

  get packetEnd(): number {
    return this.#connection.packetEnd;
  }

  receive(input: Ring, now: number): boolean {
    this.#endGuard(now);
    if (this.#connection.isMuted) this.#command(input);
    if (this.#connection.isMuted) return false;
    if (input.length > 0) {
      if (input.length === this.#held) return false;
      const isEscape = this.#isEscape(input, now);
      this.#lastAt = now;
      this.#held = isEscape ? input.length : 0;
      if (isEscape) return false;
    }
    return this.#connection.receive(input, now);
  }

  /** The caller has paused when nothing has come until then. */
  get #guardEndsAt(): number {
    return this.#lastAt + this.#modem.guardMs;
  }

  /** True when the ring has nothing but escapes, and a pause was before the first. */
  #isEscape(input: Ring, now: number): boolean {
    const { escape } = this.#modem;
    if (escape > HIGHEST_ESCAPE || input.length > ESCAPES) return false;
    // Without a guard time, three escapes need no pause before them or between them.
    const paused = now >= this.#guardEndsAt;
    if (this.#modem.guardMs > 0 && paused !== (this.#held === 0)) return false;
    for (let at = 0; at < input.length; at++)
      if (input.bytes[(input.readAt + at) & (input.bytes.length - 1)] !== escape) return false;
    return true;
  }

  /** The pause after three escapes leads to the command line. */
  #endGuard(now: number): void {
    if (this.#held < ESCAPES || now < this.#guardEndsAt) return;
    this.#input.consume(this.#held);
    this.#held = 0;
    this.#connection.isMuted = true;
    this.#modem.escaped();
  }

  /** The caller's DTR has fallen. */
  dtrFell(): void {
    const does = this.#modem.dtrFell();
    if (does === "hang-up") this.isHungUp = true;
    else if (does === "command") this.#connection.isMuted = true;
  }

  /** PPP has ended. The caller hears of it. */
  ends(now: number): void {
    if (!this.isHungUp) this.#modem.disconnected();
    this.flush(now);
  }

  /** Takes commands up to the one that gives the line back. */
  #command(input: Ring): void {
    while (input.length > 0 && this.#connection.isMuted && !this.isHungUp) {
      const octet = input.bytes[input.readAt]!;
      input.consume(1);
      const act = this.#modem.octet(octet);
      this.isHungUp ||= act === "hang-up";
      if (act !== "return") continue;
      this.#say();
      this.#connection.isMuted = false;
    }
  }

  /** Says what the modem has to say, and has the connection send what waits. */
  flush(now: number): void {
    this.#say();
    this.#connection.flush(now);
  }

  #say(): void {
    if (this.#modem.wordsLength <= this.#output.free) putWords(this.#modem.takeWords(), this.#output);
  }

  nextTimeout(): number {
    return Math.min(this.#held === ESCAPES ? this.#guardEndsAt : Infinity, this.#connection.nextTimeout());
  }

  handleTimeout(now: number): void {
    this.#endGuard(now);
    if (this.#connection.nextTimeout() <= now) this.#connection.handleTimeout(now);
  }
}
