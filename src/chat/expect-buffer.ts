// The octets from the line since the current expect began. The end is compared with the expect; all of it is logged in lines.

import { visibleText } from "./escapes.ts";
import { textOf } from "../bytes/text.ts";

export const HEARD_MAX = 1024;
/** The least that is kept when the buffer wraps. No ABORT or REPORT string is longer. */
const KEEP_MIN = 49;
/** A line of this length is logged without waiting for its newline. */
const LOG_WIDTH = 80;
/** The most characters that `tail` returns. */
const TAIL = 40;

export class ExpectBuffer {
  readonly #bytes = new Uint8Array(HEARD_MAX);
  readonly #log: (line: string) => void;
  #fill = 0;
  /** bytes[0, logged) has been logged. */
  #logged = 0;
  #keep = KEEP_MIN;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Discards the text. `length` is the length of the string to expect. */
  restart(length: number): void {
    this.#fill = this.#logged = 0;
    this.#keep = Math.max(length - 1, KEEP_MIN);
  }

  push(byte: number): void {
    if (this.#fill === HEARD_MAX) this.#wrap();
    this.#bytes[this.#fill++] = byte;
    if (byte === 0x0a) {
      this.#log(this.#pending(this.#fill - 1));
      this.#logged = this.#fill;
    } else if (this.#fill - this.#logged >= LOG_WIDTH) {
      this.flush();
    }
  }

  /** Logs the last line, which has no newline yet. */
  flush(): void {
    if (this.#logged < this.#fill) this.#log(this.#pending(this.#fill));
    this.#logged = this.#fill;
  }

  endsIn(text: string): boolean {
    const start = this.#fill - text.length;
    if (start < 0) return false;
    for (let at = 0; at < text.length; at++) if (this.#bytes[start + at] !== text.charCodeAt(at)) return false;
    return true;
  }

  /** The end of the received text, without surrounding line ends. */
  tail(): string {
    return textOf(this.#bytes, 0, this.#fill).trim().slice(-TAIL);
  }

  #pending(end: number): string {
    return visibleText(textOf(this.#bytes, this.#logged, end));
  }

  #wrap(): void {
    const drop = HEARD_MAX - this.#keep;
    if (this.#logged < drop) this.flush();
    this.#bytes.copyWithin(0, drop, HEARD_MAX);
    this.#logged -= drop;
    this.#fill = this.#keep;
  }
}
