// A screen as cells, each with a character of one column and a look. What a peer says is shown as visible characters only.

import { inert } from "../../bytes/text.ts";

/** How a character looks. A terminal without colours shows fewer differences. */
export const Look = { plain: 0, strong: 1, faint: 2, bar: 3, good: 4, bad: 5, warn: 6 } as const;
export type Look = (typeof Look)[keyof typeof Look];

const BLANK = 0x20;
const UNSHOWN = "?";

export class Cells {
  readonly columns: number;
  readonly rows: number;
  /** A code point for each cell. */
  readonly chars: Uint32Array;
  readonly looks: Uint8Array;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.chars = new Uint32Array(columns * rows).fill(BLANK);
    this.looks = new Uint8Array(columns * rows);
  }

  /** Puts a text, as much of it as there is room for up to the column `end`. Returns the column behind it. */
  put(row: number, column: number, text: string, look: Look = Look.plain, end = this.columns): number {
    let at = column;
    if (row < 0 || row >= this.rows) return at;
    for (const char of inert(text)) {
      if (at >= Math.min(end, this.columns)) break;
      const index = row * this.columns + at++;
      this.chars[index] = (isNarrow(char) ? char : UNSHOWN).codePointAt(0)!;
      this.looks[index] = look;
    }
    return at;
  }

  /** Gives the whole row this look. */
  fill(row: number, look: Look): void {
    if (row >= 0 && row < this.rows) this.looks.fill(look, row * this.columns, (row + 1) * this.columns);
  }

  /** The text of a row without the blanks at its end. */
  text(row: number): string {
    const chars = this.chars.subarray(row * this.columns, (row + 1) * this.columns);
    return String.fromCodePoint(...chars).trimEnd();
  }

  /** The cell has nothing to show. */
  isBlank(index: number): boolean {
    return this.chars[index] === BLANK && this.looks[index] === Look.plain;
  }
}

/** It takes one column. */
function isNarrow(char: string): boolean {
  return char <= "~" || Bun.stringWidth(char) === 1;
}
