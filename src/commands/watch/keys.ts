// The keys of a terminal, from the octets that it sends. A sequence may come in pieces over a slow line.

export type Key =
  | "up"
  | "down"
  | "first"
  | "last"
  | "enter"
  | "tab"
  | "escape"
  | "redraw"
  | "end"
  /** The terminal can show an update as a whole. */
  | "whole-updates"
  /** A printable character, or a key without a use. */
  | { readonly char: string };

const CONTROLS: Readonly<Record<string, Key>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x03": "end",
  "\x04": "end",
  "\x0c": "redraw",
  "\x0e": "down",
  "\x10": "up",
  "\x7f": "escape",
  "\b": "escape",
};

const SEQUENCES: Readonly<Record<string, Key>> = {
  A: "up",
  B: "down",
  H: "first",
  F: "last",
  "1~": "first",
  "4~": "last",
  "7~": "first",
  "8~": "last",
};

/** ESC [ … or ESC O …, with its last octet. */
const SEQUENCE = /^\x1b(?:\[([0-?]*[ -/]*[@-~])|O(.))/s;
const PART = /^\x1b(?:\[[0-?]*[ -/]*|O)?$/;
const WHOLE_UPDATES = /^\?2026;[12]\$y$/;

export class KeyReader {
  #pending = "";

  /** An escape has come, and what follows may be on its way. */
  get isPending(): boolean {
    return this.#pending !== "";
  }

  /** Takes what the terminal has sent. */
  take(text: string): Key[] {
    let rest = this.#pending + text;
    const keys: Key[] = [];
    while (rest !== "") {
      if (PART.test(rest)) break;
      const [sequence, control, shifted] = SEQUENCE.exec(rest) ?? [];
      if (sequence !== undefined) {
        rest = rest.slice(sequence.length);
        const key = SEQUENCES[control ?? shifted ?? ""];
        if (key !== undefined) keys.push(key);
        else if (control !== undefined && WHOLE_UPDATES.test(control)) keys.push("whole-updates");
        continue;
      }
      const char = String.fromCodePoint(rest.codePointAt(0)!);
      rest = rest.slice(char.length);
      keys.push(char === "\x1b" ? "escape" : (CONTROLS[char] ?? { char }));
    }
    // No terminal sends a longer one.
    this.#pending = rest.length > 32 ? "" : rest;
    return keys;
  }

  /** Nothing has followed: the key Escape was pressed. */
  settle(): Key[] {
    const isEscape = this.#pending === "\x1b";
    this.#pending = "";
    return isEscape ? ["escape"] : [];
  }
}
