// syslog(3) without libc's: one datagram a message to /dev/log, in the form the C library writes (RFC 3164).
// A missing or restarted daemon costs nothing but its messages: logging never throws and never stalls the link for long.

import { closeFd, EAGAIN, errno, EINTR, libc, Memory, O, POLLOUT } from "./libc.ts";

export const LEVELS = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] as const;
export type Level = (typeof LEVELS)[number];

const FACILITIES = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;
export type Facility = keyof typeof FACILITIES;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SUN_PATH_SIZE = 108;
/** A daemon that has not read for so long loses this message. */
const PATIENCE_MS = 100;
/** After a failed connect the next one is not tried before. */
const RETRY_MS = 1000;

/** "Nov  2 16:18:16": the clock of the log, in local time. */
export function logTime(date: Date): string {
  const day = String(date.getDate()).padStart(2, " ");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, "0"));
  return `${MONTHS[date.getMonth()]} ${day} ${clock.join(":")}`;
}

export class Syslog {
  readonly #tag: string;
  readonly #facility: number;
  readonly #path: string;
  #fd = -1;
  #stream = false;
  #retryAt = 0;

  /** `path` is for tests. */
  constructor(ident: string, facility: Facility, options: { pid: boolean; path?: string }) {
    this.#tag = options.pid ? `${ident}[${process.pid}]` : ident;
    this.#facility = FACILITIES[facility] * 8;
    this.#path = options.path ?? "/dev/log";
  }

  write(level: Level, text: string): void {
    const priority = this.#facility + LEVELS.indexOf(level);
    const line = `<${priority}>${logTime(new Date())} ${this.#tag}: ${text}`;
    // The second attempt is for a daemon that was restarted: the old socket is dead, the new one is in its place.
    if (!this.#send(line)) this.#send(line);
  }

  close(): void {
    if (this.#fd >= 0) closeFd(this.#fd);
    this.#fd = -1;
  }

  /** False when the connection turned out to be broken. */
  #send(line: string): boolean {
    if (this.#fd < 0 && !this.#connect()) return true;
    const bytes = Buffer.from(line);
    const message = new Memory(bytes.length + 1);
    message.bytes.set(bytes);
    // On a stream the terminating NUL ends the record.
    const length = bytes.length + (this.#stream ? 1 : 0);
    for (let waited = false; ;) {
      if (libc.send(this.#fd, message.address, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
      const error = errno();
      if (error === EINTR) continue;
      if (error === EAGAIN) {
        if (waited) return true;
        waited = true;
        this.#waitWritable();
        continue;
      }
      this.close();
      return false;
    }
  }

  #connect(): boolean {
    const now = performance.now();
    if (now < this.#retryAt) return false;
    const path = Buffer.from(this.#path);
    const address = new Memory(2 + SUN_PATH_SIZE);
    address.view.setUint16(0, AF_UNIX, true);
    address.bytes.set(path.subarray(0, SUN_PATH_SIZE - 1), 2);
    for (const type of [SOCK_DGRAM, SOCK_STREAM]) {
      const fd = libc.socket(AF_UNIX, type | O.CLOEXEC, 0);
      if (fd < 0) break;
      if (libc.connect(fd, address.address, 2 + path.length + 1) === 0) {
        this.#fd = fd;
        this.#stream = type === SOCK_STREAM;
        return true;
      }
      closeFd(fd);
    }
    this.#retryAt = now + RETRY_MS;
    return false;
  }

  #waitWritable(): void {
    const set = new Memory(8);
    set.view.setInt32(0, this.#fd, true);
    set.view.setInt16(4, POLLOUT, true);
    libc.poll(set.address, 1, PATIENCE_MS);
  }
}
