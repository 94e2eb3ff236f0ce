// REPORT: the strings looked for, each found once, and the line that begins with the one found last.

import type { Heard } from "./expect-buffer.ts";

export interface ReportLine {
  text: string;
  /** When its string was found. */
  readonly now: number;
}

const LINE_MAX = 4095;

export class Reports {
  /** A place that was found is empty, but still counts. */
  strings: (string | undefined)[] = [];
  #line: ReportLine | undefined;

  /** A line has begun and not ended. */
  get collecting(): boolean {
    return this.#line !== undefined;
  }

  /** Takes a byte that was heard; the line it ends, if it ends one. */
  hear(byte: number, heard: Heard, now: number): ReportLine | undefined {
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

  /** The line as far as it came. */
  take(): ReportLine | undefined {
    const line = this.#line;
    this.#line = undefined;
    return line;
  }
}
