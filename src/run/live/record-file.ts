// The file of the `record` option. Items are appended while a link is up.

import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";
import { RecordWriter } from "../../record/pppdump-file.ts";

export class RecordFile {
  readonly #machine: Pick<Machine, "files" | "descriptors">;
  readonly #log: Log;
  readonly #path: string;
  /** The difference between the calendar and the loop's clock. */
  readonly #epoch: number;
  readonly #writer: RecordWriter;
  #fd: number | undefined;

  constructor(path: string, machine: Pick<Machine, "clock" | "files" | "descriptors">, log: Log) {
    this.#path = path;
    this.#machine = machine;
    this.#log = log;
    const wall = machine.clock.wall();
    this.#epoch = wall - machine.clock.now();
    this.#writer = new RecordWriter(wall);
    try {
      this.#fd = machine.files.openForCaller(path, "append");
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

  /** Writes no end items: no reader needs them, and tshark reports a file with them as cut short. */
  close(): void {
    if (this.#fd !== undefined) this.#machine.descriptors.close(this.#fd);
    this.#fd = undefined;
  }

  #append(bytes: Uint8Array): void {
    if (this.#fd === undefined) return;
    try {
      this.#machine.files.write(this.#fd, bytes);
    } catch (error) {
      // A full disk ends the recording, not the link.
      this.#log.write("error", `Couldn't write record file ${this.#path}: ${reasonOf(error)}`);
      this.close();
    }
  }
}
