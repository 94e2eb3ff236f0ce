// Tar archives: the ustar header, and pax headers for what does not fit in it (POSIX 1003.1, pax).

import { bytesOf, encoded } from "../bytes/text.ts";
import type { ArchiveFormat } from "./archive.ts";

const BLOCK = 512;
const MOST_NAME = 100;
const MOST_SIZE = 8 ** 11;

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

function octal(number: number, digits: number): string {
  return Math.max(0, number).toString(8).padStart(digits, "0").slice(-digits);
}

interface Fields {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
  /** "0": a file. "5": a folder. "x": attributes of the entry that follows. */
  readonly type: "0" | "5" | "x";
}

function header({ name, mode, size, mtime, type }: Fields): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => block.set(bytesOf(text), at);
  put(0, name.slice(0, MOST_NAME));
  put(100, `${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`);
  put(124, `${octal(size >= MOST_SIZE ? 0 : size, 11)}\0${octal(mtime, 11)}\0`);
  put(148, "        ");
  put(156, type);
  put(257, "ustar\x0000");
  put(
    148,
    `${octal(
      block.reduce((sum, octet) => sum + octet, 0),
      6,
    )}\0 `,
  );
  return block;
}

/** "LENGTH key=value\n", where the length counts itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

export const TAR: ArchiveFormat = {
  before({ stat }, name) {
    const isFolder = stat.kind === "folder";
    const size = isFolder ? 0 : stat.size;
    const records = [
      ...(name.length > MOST_NAME ? [record("path", name)] : []),
      ...(size >= MOST_SIZE ? [record("size", String(size))] : []),
    ].join("");
    const main = header({ name, mode: isFolder ? 0o755 : 0o644, size, mtime: stat.mtime, type: isFolder ? "5" : "0" });
    if (records === "") return main;
    const text = bytesOf(records);
    const extra = header({ name: encoded("pax"), mode: 0o644, size: text.length, mtime: stat.mtime, type: "x" });
    return joined([extra, text, padding(text.length), main]);
  },
  after: padding,
  end: () => new Uint8Array(2 * BLOCK),
};

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
