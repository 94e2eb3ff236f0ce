// The file of `lcp-rtt-file`, kept up to date while LCP is up.

import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";
import { RTT_ELEMENT, RTT_FILE_SIZE, RTT_HEADER, RttRing } from "../../record/rtt-file.ts";

export class RttFile {
  readonly #path: string;
  readonly #machine: Pick<Machine, "clock" | "files" | "descriptors">;
  readonly #log: Log;
  readonly #ring = new RttRing(new Uint8Array(RTT_FILE_SIZE));
  #fd: number | undefined;

  constructor(path: string, machine: Pick<Machine, "clock" | "files" | "descriptors">, log: Log) {
    this.#path = path;
    this.#machine = machine;
    this.#log = log;
  }

  /** LCP is up, and a request is sent every `intervalSeconds`. */
  up(intervalSeconds: number): void {
    this.down();
    try {
      this.#fd = this.#machine.files.open(this.#path, "update");
      this.#machine.files.readResized(this.#fd, this.#path, this.#ring.bytes);
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

  /** An echo was answered just now, after `micros`. `lost` echoes before it were not answered. */
  answered(micros: number, lost: number): void {
    if (this.#fd === undefined) return;
    const at = this.#ring.answered(Math.floor(this.#machine.clock.wall() / 1000), micros, lost);
    // The element is written first: a reader that uses the place in the header must find it.
    this.#write(at, RTT_ELEMENT);
    this.#write(0, RTT_HEADER);
  }

  #write(at: number, length: number): void {
    if (this.#fd === undefined) return;
    try {
      this.#machine.files.write(this.#fd, this.#ring.bytes.subarray(at, at + length), at);
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
    if (this.#fd !== undefined) this.#machine.descriptors.close(this.#fd);
    this.#fd = undefined;
  }
}
