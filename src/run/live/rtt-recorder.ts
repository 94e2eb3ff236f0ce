// The file of `lcp-rtt-file`, kept up to date while LCP is up.

import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { EINVAL, OsError, reasonOf } from "../../os/ffi/libc.ts";
import type { Log } from "../../os/log/log.ts";
import { RTT_ELEMENT, RTT_FILE_SIZE, RTT_HEADER, RttRing } from "../../record/rtt-file.ts";

export class RttFile {
  readonly #path: string;
  readonly #log: Log;
  readonly #ring = new RttRing(new Uint8Array(RTT_FILE_SIZE));
  #fd: number | undefined;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** LCP is up, and a request goes out every so many seconds. */
  up(intervalSeconds: number): void {
    this.down();
    try {
      this.#fd = openSync(
        this.#path,
        constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY,
        0o644,
      );
      if (!fstatSync(this.#fd).isFile()) throw new OsError("open", this.#path, EINVAL);
      ftruncateSync(this.#fd, RTT_FILE_SIZE);
      readSync(this.#fd, this.#ring.bytes, 0, RTT_FILE_SIZE, 0);
    } catch (error) {
      this.#fail("Can't open", error);
      return;
    }
    this.#ring.open(intervalSeconds);
    this.#write(0, RTT_FILE_SIZE);
  }

  down(): void {
    if (this.#fd === undefined) return;
    this.#ring.close();
    this.#write(0, RTT_HEADER);
    this.#close();
  }

  /** An echo was answered just now, after `micros`; `lost` before it were not. */
  answered(micros: number, lost: number): void {
    if (this.#fd === undefined) return;
    const at = this.#ring.answered(Math.floor(Date.now() / 1000), micros, lost);
    // The element first: who reads by the header's index must find it there.
    this.#write(at, RTT_ELEMENT);
    this.#write(0, RTT_HEADER);
  }

  #write(at: number, length: number): void {
    if (this.#fd === undefined) return;
    try {
      writeSync(this.#fd, this.#ring.bytes, at, length, at);
    } catch (error) {
      // A full disk ends the measuring, not the link.
      this.#fail("Can't write", error);
    }
  }

  #fail(what: string, error: unknown): void {
    this.#log.write("error", `${what} the RTT log file ${this.#path}: ${reasonOf(error)}`);
    this.#close();
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
