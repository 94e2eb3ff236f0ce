// A descriptor that leads to systemd's journal. Lines go there with their priority in front (sd-daemon(3)) and need not
// go to syslog as well.

import { fstatSync } from "node:fs";
import { EAGAIN, EINTR, errno, libc, type Memory } from "../ffi/libc.ts";
import { lineOf, lossText, Outbox, type Reader, UNDELIVERABLE } from "./outbox.ts";
import { type Level, LEVELS } from "./syslog-client.ts";

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

export class Journal implements Reader {
  readonly #fd: number;
  readonly #outbox = new Outbox(this);
  #isBroken = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** False when the journal has closed its end. */
  write(level: Level, text: string): boolean {
    if (this.#isBroken) return false;
    this.#outbox.push(linesOf(level, text));
    return !this.#isBroken;
  }

  lossLine(count: number): Memory {
    return linesOf("warning", lossText(count));
  }

  take(line: Memory, at: number): number {
    const sent = libc.send(this.#fd, line.at(at), line.bytes.length - at, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    const error = errno();
    if (error === EAGAIN || error === EINTR) return 0;
    this.#isBroken = true;
    return UNDELIVERABLE;
  }
}

function linesOf(level: Level, text: string): Memory {
  const prefix = `<${LEVELS.indexOf(level)}>`;
  return lineOf(
    text
      .split("\n")
      .map((line) => `${prefix}${line}\n`)
      .join(""),
  );
}

/**
 * Undefined when the descriptor does not lead to the journal. `stream` is systemd's "dev:inode" of the descriptors it
 * gave us.
 */
export function journalAt(fd: number | undefined, stream = process.env["JOURNAL_STREAM"]): Journal | undefined {
  if (fd === undefined || stream === undefined) return undefined;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}` ? new Journal(fd) : undefined;
  } catch {
    return undefined;
  }
}
