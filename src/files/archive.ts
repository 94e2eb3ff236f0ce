// A folder as one file, made while it is sent. An archive format gives the octets before, after and at the end of all files; this
// reads the files between them.

import { type DeepEntry, deepEntries, type UnknownEntry } from "./folder-entries.ts";
import { type Folder, isTrouble, type OpenFile, type Path } from "./folder.ts";
import { BROKEN, NO_MORE, type Source } from "./reply.ts";

export interface ArchiveFormat {
  /** The octets before a file or folder. For a file, `crc` is the CRC-32 of what follows, if the format asks for it. */
  before(entry: DeepEntry, name: string, crc: number): Uint8Array;
  /** The octets after a file of this size. */
  after(size: number): Uint8Array;
  /** The octets at the end. */
  end(): Uint8Array;
  /** Updates the CRC-32. Undefined: the format has none, and files are read once. */
  readonly crc?: ((crc: number, bytes: Uint8Array, start: number, end: number) => number) | undefined;
}

/** How much is read at once for the CRC. */
const SLICE = 1 << 20;
/** So many entries in a row may be left out before others have their turn. */
const MOST_LEFT_OUT = 256;
const part = new Uint8Array(1 << 16);

export class ArchiveSource implements Source {
  readonly length = undefined;
  readonly #folder: Folder;
  readonly #start: Path;
  readonly #entries: Iterator<DeepEntry | UnknownEntry>;
  readonly #format: ArchiveFormat;
  /** The name of the folder that the archive unpacks to. */
  readonly #top: string;
  #octets: Uint8Array = new Uint8Array(0);
  #file: OpenFile | undefined;
  #entry: DeepEntry | undefined;
  #crc = 0;
  #at = 0;
  #phase: "next" | "crc" | "data" | "end" | "done" = "next";

  constructor(folder: Folder, start: Path, format: ArchiveFormat) {
    this.#folder = folder;
    this.#start = start;
    this.#format = format;
    this.#top = start.at(-1) ?? "files";
    this.#entries = deepEntries(folder, start);
  }

  fill(into: Uint8Array, at: number, end: number): number {
    for (let entries = 0; entries < MOST_LEFT_OUT;) {
      if (this.#octets.length > 0) {
        const some = this.#octets.subarray(0, end - at);
        into.set(some, at);
        this.#octets = this.#octets.subarray(some.length);
        return some.length;
      }
      if (this.#phase === "done") return NO_MORE;
      if (this.#phase === "data") {
        const got = this.#data(into, at, end);
        if (got !== 0) return got;
      } else if (this.#phase === "crc") {
        if (!this.#checksum()) return this.#phase === "crc" ? 0 : BROKEN;
      } else {
        this.#next();
        entries++;
      }
    }
    return 0;
  }

  #next(): void {
    if (this.#phase === "end") {
      this.#phase = "done";
      return;
    }
    const { done, value: entry } = this.#entries.next();
    if (done === true) {
      this.#octets = this.#format.end();
      this.#phase = "end";
      return;
    }
    const { stat } = entry;
    if (stat === undefined) return;
    if (stat.kind === "folder") {
      const folder = { path: entry.path, stat };
      this.#octets = this.#format.before(folder, this.#nameOf(folder), 0);
      return;
    }
    const file = this.#folder.open([...this.#start, ...entry.path]);
    // A file that this process may not read is left out.
    if (isTrouble(file)) return;
    this.#file = file;
    const { size, mtime, version } = file.stat();
    this.#entry = { path: entry.path, stat: { ...stat, kind: "file", size, mtime, version } };
    this.#at = this.#crc = 0;
    this.#phase = "crc";
  }

  #nameOf({ path, stat }: DeepEntry): string {
    return `${this.#top}/${path.join("/")}${stat.kind === "folder" ? "/" : ""}`;
  }

  /** Reads a slice of the file. True: the whole file has been read. */
  #checksum(): boolean {
    const entry = this.#entry!;
    const { size } = entry.stat;
    const { crc } = this.#format;
    if (crc !== undefined) {
      for (const stop = this.#at + SLICE; this.#at < Math.min(stop, size);) {
        const got = this.#file!.read(part, 0, Math.min(part.length, size - this.#at), this.#at);
        if (isTrouble(got) || got === 0) {
          this.#phase = "done";
          return false;
        }
        this.#crc = crc(this.#crc, part, 0, got);
        this.#at += got;
      }
      if (this.#at < size) return false;
    }
    this.#octets = this.#format.before(entry, this.#nameOf(entry), this.#crc);
    this.#at = 0;
    this.#phase = "data";
    return true;
  }

  /** Octets of the file. 0: there are no more. */
  #data(into: Uint8Array, at: number, end: number): number {
    const { size } = this.#entry!.stat;
    if (this.#at === size) {
      this.#octets = this.#format.after(size);
      this.#closeFile();
      this.#phase = "next";
      return 0;
    }
    const got = this.#file!.read(into, at, Math.min(end, at + size - this.#at), this.#at);
    if (isTrouble(got) || got === 0) return BROKEN;
    this.#at += got;
    return got;
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  close(): void {
    this.#closeFile();
    this.#entries.return?.();
  }
}
