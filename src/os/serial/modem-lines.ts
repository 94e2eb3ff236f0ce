// The ioctls of a serial line: modem lines, queues, error counters, hang-up. None of them waits, and none throws: a pty
// supports none of them, and a line that has hung up no longer does.

import { fstatSync } from "node:fs";
import { libc, Memory, POLLHUP } from "../ffi/libc.ts";
import { PollSet } from "../ffi/poll-set.ts";

export interface ModemLines {
  readonly dtr: boolean;
  readonly rts: boolean;
  readonly cts: boolean;
  readonly dsr: boolean;
  /** DCD, carrier. */
  readonly cd: boolean;
  readonly ri: boolean;
}

/** Errors that the driver has counted since it was loaded. */
export interface LineErrors {
  readonly frame: number;
  readonly overrun: number;
  readonly parity: number;
  readonly brk: number;
  readonly bufOverrun: number;
}

const TIOCOUTQ = 0x5411;
const TIOCMGET = 0x5415;
const TIOCMBIS = 0x5416;
const TIOCMBIC = 0x5417;
const TIOCINQ = 0x541b;
const TIOCGICOUNT = 0x545d;

const TIOCM = { DTR: 0x2, RTS: 0x4, CTS: 0x20, CD: 0x40, RI: 0x80, DSR: 0x100 } as const;

/** Major device numbers of Unix 98 pty slaves (Documentation/admin-guide/devices.txt). */
const PTY_SLAVE_FIRST = 136;
const PTY_SLAVE_LAST = 143;

const word = new Memory(4);
const counters = new Memory(80);

/** The state of the modem lines. Undefined when the device has none. */
export function modemLines(fd: number): ModemLines | undefined {
  if (libc.ioctl(fd, TIOCMGET, word.address) < 0) return undefined;
  const bits = word.view.getInt32(0, true);
  return {
    dtr: (bits & TIOCM.DTR) !== 0,
    rts: (bits & TIOCM.RTS) !== 0,
    cts: (bits & TIOCM.CTS) !== 0,
    dsr: (bits & TIOCM.DSR) !== 0,
    cd: (bits & TIOCM.CD) !== 0,
    ri: (bits & TIOCM.RI) !== 0,
  };
}

/** The lines that are up, as the kernel writes them in /proc/tty/driver: "RTS|CTS|DTR", or "" when none is up. */
export function linesText(lines: ModemLines): string {
  const names = ["rts", "cts", "dtr", "dsr", "cd", "ri"] as const;
  return names
    .filter((name) => lines[name])
    .join("|")
    .toUpperCase();
}

/** True when there is a carrier. Undefined when the line cannot tell. To wait for a carrier, call this repeatedly. */
export function carrier(fd: number): boolean | undefined {
  return modemLines(fd)?.cd;
}

/** Sets DTR. False when the device has no DTR. */
export function setDtr(fd: number, up: boolean): boolean {
  return setLine(fd, TIOCM.DTR, up);
}

/** Sets RTS. With CRTSCTS in the terminal settings the driver sets it too. False when the device has no RTS. */
export function setRts(fd: number, up: boolean): boolean {
  return setLine(fd, TIOCM.RTS, up);
}

function setLine(fd: number, line: number, up: boolean): boolean {
  word.view.setInt32(0, line, true);
  return libc.ioctl(fd, up ? TIOCMBIS : TIOCMBIC, word.address) === 0;
}

/** Bytes written and not yet sent. Always 0 on a pty. */
export function outputQueued(fd: number): number {
  return count(fd, TIOCOUTQ);
}

/** Bytes received and not yet read. */
export function inputQueued(fd: number): number {
  return count(fd, TIOCINQ);
}

function count(fd: number, request: number): number {
  return libc.ioctl(fd, request, word.address) < 0 ? 0 : word.view.getInt32(0, true);
}

/** The driver's error counters. Undefined when the driver does not count. */
export function lineErrors(fd: number): LineErrors | undefined {
  if (libc.ioctl(fd, TIOCGICOUNT, counters.address) < 0) return undefined;
  // struct serial_icounter_struct begins with cts, dsr, rng, dcd, rx and tx.
  const { view } = counters;
  return {
    frame: view.getInt32(24, true),
    overrun: view.getInt32(28, true),
    parity: view.getInt32(32, true),
    brk: view.getInt32(36, true),
    bufOverrun: view.getInt32(40, true),
  };
}

/** True when the line is gone for good: carrier lost while watched, device unplugged, or far end of a pty closed. */
export function isHungUp(fd: number): boolean {
  const set = new PollSet([fd], 0);
  set.wait(0);
  return (set.got(0) & POLLHUP) !== 0;
}

export function isPtySlave(fd: number): boolean {
  return isPtyNumber(fstatSync(fd).rdev);
}

/** True when a device number belongs to the slave of a pty. */
export function isPtyNumber(rdev: number): boolean {
  const major = (rdev >>> 8) & 0xfff;
  return major >= PTY_SLAVE_FIRST && major <= PTY_SLAVE_LAST;
}
