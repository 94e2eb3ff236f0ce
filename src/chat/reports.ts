// REPORT: the strings to look for, and the line that starts with the string found last. Each string is found once.

import type { ExpectBuffer } from "./expect-buffer.ts";

export interface ReportLine {
  text: string;
  /** The time when the string was found. */
  readonly now: number;
}

const LINE_MAX = 4095;

export class Reports {
  /** A string that was found leaves an empty place, which still counts. */
  strings: (string | undefined)[] = [];
  #line: ReportLine | undefined;

  /** True while a line has begun and not ended. */
  get collecting(): boolean {
    return this.#line !== undefined;
  }

  /** Takes a received byte. Returns the line, if the byte ends one. */
  hear(byte: number, heard: ExpectBuffer, now: number): ReportLine | undefined {
    if (this.#line) return this.collect(byte);
    const at = this.strings.findIndex((text) => text !== undefined && heard.endsIn(text));
    const text = this.strings[at];
    if (text !== undefined) {
      this.strings[at] = undefined;
      this.#line = { text, now };
    }
    return undefined;
  }

  /** A control character ends the line. */
  collect(byte: number): ReportLine | undefined {
    if (byte < 0x20 || byte === 0x7f) return this.take();
    if (this.#line && this.#line.text.length < LINE_MAX) this.#line.text += String.fromCharCode(byte);
    return undefined;
  }

  /** Takes the line as far as it has been received. */
  take(): ReportLine | undefined {
    const line = this.#line;
    this.#line = undefined;
    return line;
  }
}
