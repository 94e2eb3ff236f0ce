// What has to be written to a terminal so that it shows other cells: the changed ones only, and no more octets than allowed. The
// rest comes with the next call.

import { Cells, Look } from "./cells.ts";
import type { TerminalKind } from "./terminal-kind.ts";

const ESC = "\x1b[";
/** Equal cells between two changed ones that are cheaper to write again than to jump over. */
const BRIDGE = 4;
/** The fewest cells that are worth a shift or an erasure. */
const WORTH = 6;

const COLOURED: Readonly<Record<Look, string>> = {
  [Look.plain]: `${ESC}m`,
  [Look.strong]: `${ESC}0;1m`,
  [Look.faint]: `${ESC}0;2m`,
  [Look.bar]: `${ESC}0;7m`,
  [Look.good]: `${ESC}0;32m`,
  [Look.bad]: `${ESC}0;1;31m`,
  [Look.warn]: `${ESC}0;33m`,
};
const PLAIN: Readonly<Record<Look, string>> = {
  ...COLOURED,
  [Look.faint]: COLOURED[Look.plain],
  [Look.good]: COLOURED[Look.plain],
  [Look.bad]: COLOURED[Look.strong],
  [Look.warn]: COLOURED[Look.strong],
};

export class Painter {
  /** The terminal shows all that the last call wanted. */
  isDone = true;
  readonly #kind: TerminalKind;
  /** What the terminal shows. Undefined: nobody knows. */
  #shown: Cells | undefined;
  /** Where the cursor is. -1: nobody knows. */
  #row = -1;
  #column = -1;
  #look: Look | undefined;
  /** The row to begin with, so that the rows at the end have their turn. */
  #next = 0;
  #text = "";
  #room = 0;

  constructor(kind: TerminalKind) {
    this.#kind = kind;
  }

  /** The terminal may show anything. */
  forget(): void {
    this.#shown = undefined;
  }

  /** Returns what to write, at most `most` octets. */
  paint(wanted: Cells, most: number): string {
    this.#text = "";
    this.#room = most;
    const shown = this.#begin(wanted);
    this.isDone = shown !== undefined;
    if (shown === undefined) return "";
    const first = this.#next % wanted.rows;
    for (let count = 0; count < wanted.rows; count++) {
      const row = (first + count) % wanted.rows;
      this.#next = row;
      if (this.#paintRow(shown, wanted, row)) continue;
      this.isDone = false;
      break;
    }
    if (this.isDone) this.#next = 0;
    return this.#text;
  }

  /** Clears the terminal when nobody knows what it shows. Undefined: there is no room for that. */
  #begin({ columns, rows }: Cells): Cells | undefined {
    if (this.#shown?.columns === columns && this.#shown.rows === rows) return this.#shown;
    this.#look = undefined;
    this.#row = this.#column = -1;
    if (!this.#add(`${COLOURED[Look.plain]}${ESC}H${ESC}2J`)) return undefined;
    this.#look = Look.plain;
    this.#row = this.#column = 0;
    this.#next = 0;
    this.#shown = new Cells(columns, rows);
    return this.#shown;
  }

  /** False: there was no room for all. */
  #paintRow(shown: Cells, wanted: Cells, row: number): boolean {
    const { columns } = wanted;
    const start = row * columns;
    const differs = (at: number): boolean =>
      shown.chars[start + at] !== wanted.chars[start + at] || shown.looks[start + at] !== wanted.looks[start + at];
    if (this.#kind.canShift && !this.#shift(shown, wanted, row)) return false;
    for (let at = 0; at < columns; at++) {
      if (!differs(at)) continue;
      if (this.#isRestBlank(wanted, start, at, columns) && columns - at >= WORTH)
        return this.#eraseRest(shown, start, row, at);
      let end = at + 1;
      for (let next = end; next < columns && next - end < BRIDGE; next++) if (differs(next)) end = next + 1;
      if (!this.#write(shown, wanted, row, at, end)) return false;
      at = end - 1;
    }
    return true;
  }

  #isRestBlank(wanted: Cells, start: number, at: number, columns: number): boolean {
    for (let next = at; next < columns; next++) if (!wanted.isBlank(start + next)) return false;
    return true;
  }

  #eraseRest(shown: Cells, start: number, row: number, at: number): boolean {
    if (!this.#add(this.#lookText(Look.plain) + this.#moveText(row, at) + `${ESC}K`)) return false;
    this.#look = Look.plain;
    this.#place(row, at);
    shown.chars.fill(0x20, start + at, start + shown.columns);
    shown.looks.fill(Look.plain, start + at, start + shown.columns);
    return true;
  }

  /** A graph at the end of a row has moved by one column: the terminal moves it. False: there was no room. */
  #shift(shown: Cells, wanted: Cells, row: number): boolean {
    const { columns } = wanted;
    const start = row * columns;
    const isShifted = (at: number): boolean =>
      shown.chars[start + at + 1] === wanted.chars[start + at] &&
      shown.looks[start + at + 1] === wanted.looks[start + at];
    const isSame = (at: number): boolean =>
      shown.chars[start + at] === wanted.chars[start + at] && shown.looks[start + at] === wanted.looks[start + at];
    // The last two columns are the newest value of the graph and nothing.
    let from = columns - 2;
    let gain = 0;
    let changed = 0;
    for (let at = from - 1; at >= 0 && isShifted(at); at--) {
      if (isSame(at)) continue;
      from = at;
      changed++;
    }
    gain = changed;
    if (gain < WORTH) return true;
    if (!this.#add(this.#lookText(Look.plain) + this.#moveText(row, from) + `${ESC}P`)) return false;
    this.#look = Look.plain;
    this.#place(row, from);
    shown.chars.copyWithin(start + from, start + from + 1, start + columns);
    shown.looks.copyWithin(start + from, start + from + 1, start + columns);
    shown.chars[start + columns - 1] = 0x20;
    shown.looks[start + columns - 1] = Look.plain;
    return true;
  }

  /** Writes cells, as many as there is room for. */
  #write(shown: Cells, wanted: Cells, row: number, from: number, to: number): boolean {
    const start = row * wanted.columns;
    for (let at = from; at < to;) {
      const look = wanted.looks[start + at] as Look;
      let end = at;
      let text = "";
      const before = this.#lookText(look) + this.#moveText(row, at);
      let octets = before.length;
      for (; end < to && wanted.looks[start + end] === look; end++) {
        const char = String.fromCodePoint(wanted.chars[start + end]!);
        const length = Buffer.byteLength(char);
        if (octets + length > this.#room) break;
        octets += length;
        text += char;
      }
      if (end === at) return false;
      this.#text += before + text;
      this.#room -= octets;
      this.#look = look;
      shown.chars.set(wanted.chars.subarray(start + at, start + end), start + at);
      shown.looks.fill(look, start + at, start + end);
      // In the last column, a terminal waits with the next line or not.
      this.#place(end < wanted.columns ? row : -1, end);
      at = end;
    }
    return true;
  }

  #place(row: number, column: number): void {
    this.#row = row;
    this.#column = column;
  }

  #lookText(look: Look): string {
    return look === this.#look ? "" : (this.#kind.hasColour ? COLOURED : PLAIN)[look];
  }

  #moveText(row: number, column: number): string {
    if (row === this.#row && column === this.#column) return "";
    if (row === this.#row && column > this.#column && this.#column >= 0) return `${ESC}${column - this.#column}C`;
    return `${ESC}${row + 1};${column + 1}H`;
  }

  #add(text: string): boolean {
    if (text.length > this.#room) return false;
    this.#text += text;
    this.#room -= text.length;
    return true;
  }
}
