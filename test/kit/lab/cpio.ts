// Writes a cpio archive in the "newc" format, which the kernel unpacks into its first file system (its documentation's
// driver-api/early-userspace/buffer-format). Everything belongs to root. A folder comes before its content.

import { dirname, join } from "node:path";

const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const;

export class Cpio {
  readonly #parts: Uint8Array[] = [];
  readonly #folders = new Set(["/"]);
  #count = 0;

  folder(name: string, mode = 0o755): void {
    const path = join("/", name);
    if (this.#folders.has(path)) return;
    this.folder(dirname(path));
    this.#folders.add(path);
    this.#put(path, TYPE.folder | mode, new Uint8Array());
  }

  file(path: string, content: Uint8Array | string, mode = 0o644): void {
    this.folder(dirname(join("/", path)));
    this.#put(path, TYPE.file | mode, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }

  link(path: string, target: string): void {
    this.folder(dirname(join("/", path)));
    this.#put(path, TYPE.link | 0o777, new TextEncoder().encode(target));
  }

  /** A character device. */
  device(path: string, major: number, minor: number, mode = 0o666): void {
    this.folder(dirname(join("/", path)));
    this.#put(path, TYPE.device | mode, new Uint8Array(), major, minor);
  }

  /** Ends the archive. No files can be added afterwards. */
  end(): Uint8Array {
    this.#put("TRAILER!!!", 0, new Uint8Array());
    return Buffer.concat(this.#parts);
  }

  #put(path: string, mode: number, content: Uint8Array, major = 0, minor = 0): void {
    const name = new TextEncoder().encode(`${path.replace(/^\//, "")}\0`);
    // ino, mode, uid, gid, nlink, mtime, filesize, device of the file system (2), device of the node (2), namesize, check
    const fields = [++this.#count, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    this.#pad(Buffer.concat([Buffer.from(header, "latin1"), name]));
    this.#pad(content);
  }

  /** Name and content are each padded to a multiple of four. */
  #pad(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    if (bytes.length % 4 !== 0) this.#parts.push(new Uint8Array(4 - (bytes.length % 4)));
  }
}
