// syslog(3) without libc: sends each message as one datagram to /dev/log, in the C library's format (RFC 3164). Logging
// never throws and never waits: an Outbox keeps what a slow, stopped or restarted daemon does not take.

import { constants } from "node:os";
import { closeFd, EAGAIN, EINTR, errno, libc, Memory, O } from "../ffi/libc.ts";
import { ABSENT, lineOf, lossText, Outbox, type Reader, UNDELIVERABLE } from "./outbox.ts";

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

const { EMSGSIZE, ENOBUFS } = constants.errno;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SUN_PATH_SIZE = 108;
/** How long we wait after a failed connect before the next attempt. */
const RETRY_MS = 1000;

/** time_t, then struct tm. */
const local = new Memory(64);
const TM = 8;

/**
 * The time stamp of the log in local time: "Nov  2 16:18:16". By the C library, because Date takes 20 ms to load its time
 * zones.
 */
export function logTime(wallMs: number): string {
  local.view.setBigInt64(0, BigInt(Math.floor(wallMs / 1000)), true);
  libc.localtime_r(local.address, local.at(TM));
  const [second = 0, minute = 0, hour = 0, day = 0, month = 0] = [0, 1, 2, 3, 4].map((field) =>
    local.view.getInt32(TM + field * 4, true),
  );
  const clock = [hour, minute, second].map((n) => String(n).padStart(2, "0"));
  return `${MONTHS[month]} ${String(day).padStart(2, " ")} ${clock.join(":")}`;
}

export class Syslog {
  readonly #tag: string;
  readonly #facility: number;
  readonly #daemon: Outbox;

  /** `path` is for tests. */
  constructor(ident: string, facility: Facility, options: { pid: boolean; path?: string }) {
    this.#tag = options.pid ? `${ident}[${process.pid}]` : ident;
    this.#facility = FACILITIES[facility] * 8;
    this.#daemon = daemonAt(options.path ?? "/dev/log", (text) => this.#line("warning", text));
  }

  write(level: Level, text: string): void {
    this.#daemon.push(this.#line(level, text));
  }

  #line(level: Level, text: string): Memory {
    const priority = this.#facility + LEVELS.indexOf(level);
    return lineOf(`<${priority}>${logTime(Date.now())} ${this.#tag}: ${text}\0`);
  }
}

const daemons = new Map<string, Outbox>();

/** The shared connection to a daemon. All senders use it, so that messages of pppd and its chat stay in order. */
function daemonAt(path: string, line: (text: string) => Memory): Outbox {
  let outbox = daemons.get(path);
  if (outbox === undefined) daemons.set(path, (outbox = new Outbox(new Daemon(path, line))));
  return outbox;
}

class Daemon implements Reader {
  readonly #path: string;
  readonly #line: (text: string) => Memory;
  #fd = -1;
  #stream = false;
  #retryAt = 0;

  constructor(path: string, line: (text: string) => Memory) {
    this.#path = path;
    this.#line = line;
  }

  lossLine(count: number): Memory {
    return this.#line(lossText(count));
  }

  /** The second attempt is for a restarted daemon: the old socket is dead and a new one has its path. */
  take(line: Memory, at: number): number {
    for (const isLast of [false, true]) {
      if (this.#fd < 0 && !this.#connect()) return at > 0 ? UNDELIVERABLE : ABSENT;
      // On a stream the NUL ends the record. A datagram needs none.
      const length = line.bytes.length - at - (this.#stream ? 0 : 1);
      const sent = libc.send(this.#fd, line.at(at), length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) return this.#stream ? sent : line.bytes.length;
      const error = errno();
      if (error === EAGAIN || error === EINTR || error === ENOBUFS) return 0;
      if (error === EMSGSIZE) return UNDELIVERABLE;
      this.#disconnect();
      // A new daemon would take the rest of a line for a whole line.
      if (isLast || at > 0) return UNDELIVERABLE;
    }
    return UNDELIVERABLE;
  }

  #disconnect(): void {
    closeFd(this.#fd);
    this.#fd = -1;
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
}
