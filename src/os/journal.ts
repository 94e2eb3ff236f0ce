// A descriptor that systemd's journal listens at: lines with their priority in front (sd-daemon(3)), which need not go to
// syslog as well.

import { fstatSync } from "node:fs";
import { libc, Memory } from "./libc.ts";
import { type Level, LEVELS } from "./syslog.ts";

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

export class Journal {
  readonly #fd: number;
  /** The last line went out in part. */
  #broken = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** False when it was not taken: nobody reads, or not fast enough to be worth the link. */
  write(level: Level, text: string): boolean {
    const prefix = `<${LEVELS.indexOf(level)}>`;
    const lines = text.split("\n").map((line) => `${prefix}${line}\n`);
    const bytes = Buffer.from((this.#broken ? "\n" : "") + lines.join(""));
    const memory = new Memory(bytes.length);
    memory.bytes.set(bytes);
    const sent = libc.send(this.#fd, memory.address, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) this.#broken = sent < bytes.length;
    return sent === bytes.length;
  }
}

/** Undefined when it is not the journal's. `stream` is what systemd says of the descriptors it gave us: "dev:inode". */
export function journalAt(fd: number | undefined, stream = process.env["JOURNAL_STREAM"]): Journal | undefined {
  if (fd === undefined || stream === undefined) return undefined;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}` ? new Journal(fd) : undefined;
  } catch {
    return undefined;
  }
}
