// The records of logins: utmp, wtmp and lastlog. Uses the C library, which finds and locks the files; under musl its
// functions do nothing. A missing file is no error, because many systems no longer keep them.

import { closeSync, openSync, writeSync } from "node:fs";
import { type Pointer, read } from "bun:ffi";
import { bytesOf } from "../../bytes/text.ts";
import { cstring, Memory } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";

const libc = library(LIBC, {
  setutent: { args: [], returns: "void" },
  getutent: { args: [], returns: "ptr" },
  pututline: { args: ["ptr"], returns: "ptr" },
  endutent: { args: [], returns: "void" },
  updwtmp: { args: ["ptr", "ptr"], returns: "void" },
});

const WTMP = "/var/log/wtmp";
const LASTLOG = "/var/log/lastlog";

const USER_PROCESS = 7;
const DEAD_PROCESS = 8;

// struct utmp and struct lastlog of glibc. x86-64 kept i386's 32-bit times in them, ARM did not.
const wide = process.arch !== "x64";
const UT = { type: 0, pid: 4, line: 8, id: 40, user: 44, host: 76, time: wide ? 344 : 340, size: wide ? 400 : 384 };
const LL = { line: wide ? 8 : 4, host: wide ? 40 : 36, size: wide ? 296 : 292 };
const LINE_SIZE = 32;
const ID_SIZE = 4;
const USER_SIZE = 32;
const HOST_SIZE = 256;

export interface LoginRecord {
  /** The line without "/dev/": "ttyS1". */
  readonly line: string;
  /** The user name, one char a byte. */
  readonly user: string;
  /** The host of a remote login. pppd puts the interface there: "ppp0". */
  readonly host: string;
}

/** Records the login in utmp and wtmp. */
export function recordLogin(login: LoginRecord): void {
  write(USER_PROCESS, login);
}

/** Records the logout in both. pppd writes a nameless user process. We write a dead process, as utmp(5) asks. */
export function recordLogout(line: string): void {
  write(DEAD_PROCESS, { line, user: "", host: "" });
}

function write(type: number, { line, user, host }: LoginRecord): void {
  const system = libc();
  if (system === undefined) return;
  const entry = new Memory(UT.size);
  entry.view.setInt16(UT.type, type, true);
  entry.view.setInt32(UT.pid, process.pid, true);
  put(entry, UT.line, LINE_SIZE, line);
  put(entry, UT.user, USER_SIZE, user);
  put(entry, UT.host, HOST_SIZE, host);
  putTime(entry, UT.time);
  system.setutent();
  put(entry, UT.id, ID_SIZE, idOfOurProcess(() => system.getutent() as Pointer | null) ?? (line.slice(3) || line));
  system.pututline(entry.address);
  system.endutent();
  const path = cstring(WTMP);
  system.updwtmp(path.address, entry.address);
}

/** The id that init gave us if we run from inittab ("pd" in `pd:345:respawn:…`). Our record must replace init's. */
function idOfOurProcess(next: () => Pointer | null): string | undefined {
  for (let found = next(); found !== null; found = next()) {
    if (read.i32(found, UT.pid) !== process.pid) continue;
    let id = "";
    for (let at = 0; at < ID_SIZE; at++) {
      const byte = read.u8(found, UT.id + at);
      if (byte === 0) break;
      id += String.fromCharCode(byte);
    }
    if (id !== "") return id;
  }
  return undefined;
}

/** Records a user's last login, as a pppd without PAM does itself. */
export function recordLastLogin(uid: number, { line, host }: LoginRecord): void {
  const entry = new Memory(LL.size);
  putTime(entry, 0);
  put(entry, LL.line, LINE_SIZE, line);
  put(entry, LL.host, HOST_SIZE, host);
  try {
    const fd = openSync(LASTLOG, "r+");
    try {
      writeSync(fd, entry.bytes, 0, LL.size, uid * LL.size);
    } finally {
      closeSync(fd);
    }
  } catch {
    // lastlog does not exist or is not writable.
  }
}

function put(entry: Memory, at: number, size: number, text: string): void {
  entry.bytes.set(bytesOf(text.slice(0, size)), at);
}

function putTime(entry: Memory, at: number): void {
  const seconds = Math.floor(Date.now() / 1000);
  if (wide) entry.view.setBigInt64(at, BigInt(seconds), true);
  else entry.view.setUint32(at, seconds, true);
}
