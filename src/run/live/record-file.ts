// The file of the `record` option, appended to while a link is up.

import { closeSync, openSync, writeSync } from "node:fs";
import { reasonOf } from "../../os/ffi/libc.ts";
import type { Log } from "../../os/log/log.ts";
import { RecordWriter } from "../../record/pppdump-file.ts";

export class RecordFile {
  readonly #log: Log;
  readonly #path: string;
  /** From the loop's clock to the calendar's. */
  readonly #epoch = Date.now() - performance.now();
  readonly #writer = new RecordWriter(Date.now());
  #fd: number | undefined;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    try {
      this.#fd = openSync(path, "a", 0o644);
      this.#append(this.#writer.start());
    } catch (error) {
      log.write("error", `Couldn't create record file ${path}: ${reasonOf(error)}`);
    }
  }

  sent(bytes: Uint8Array, now: number): void {
    this.#append(this.#writer.sent(bytes, 0, bytes.length, this.#epoch + now));
  }

  received(bytes: Uint8Array, now: number): void {
    this.#append(this.#writer.received(bytes, 0, bytes.length, this.#epoch + now));
  }

  /** Without the items that say so: tshark calls a file that ends with them cut short, and nobody misses them. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #append(bytes: Uint8Array): void {
    if (this.#fd === undefined) return;
    try {
      writeSync(this.#fd, bytes);
    } catch (error) {
      // A full disk ends the recording, not the link.
      this.#log.write("error", `Couldn't write record file ${this.#path}: ${reasonOf(error)}`);
      closeSync(this.#fd);
      this.#fd = undefined;
    }
  }
}
