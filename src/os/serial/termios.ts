// Terminal attributes by TCGETS2/TCSETS2 (asm-generic layout: x86-64 and arm64), and break.

import type { Pointer } from "bun:ffi";
import { check, libc, Memory } from "../ffi/libc.ts";

/** struct termios2, field by field. `ispeed` and `ospeed` are baud rates; they count only when CBAUD is BOTHER. */
export interface Termios {
  iflag: number;
  oflag: number;
  cflag: number;
  lflag: number;
  line: number;
  /** The control characters (NCCS = 19), indexed by {@link CC}. */
  cc: Uint8Array;
  ispeed: number;
  ospeed: number;
}

export const IFLAG = {
  IGNBRK: 0o1,
  BRKINT: 0o2,
  IGNPAR: 0o4,
  PARMRK: 0o10,
  INPCK: 0o20,
  ISTRIP: 0o40,
  INLCR: 0o100,
  IGNCR: 0o200,
  ICRNL: 0o400,
  IXON: 0o2000,
  IXANY: 0o4000,
  IXOFF: 0o10000,
} as const;

export const OFLAG = { OPOST: 0o1, ONLCR: 0o4 } as const;

export const CFLAG = {
  CBAUD: 0o10017,
  /** The speed is in ispeed and ospeed as a number, not in a B… code. */
  BOTHER: 0o10000,
  CIBAUD: 0o2003600000,
  CSIZE: 0o60,
  CS5: 0o0,
  CS6: 0o20,
  CS7: 0o40,
  CS8: 0o60,
  CSTOPB: 0o100,
  CREAD: 0o200,
  PARENB: 0o400,
  PARODD: 0o1000,
  HUPCL: 0o2000,
  CLOCAL: 0o4000,
  CMSPAR: 0o10000000000,
  CRTSCTS: 0o20000000000,
} as const;

export const LFLAG = {
  ISIG: 0o1,
  ICANON: 0o2,
  ECHO: 0o10,
  ECHOE: 0o20,
  ECHOK: 0o40,
  ECHONL: 0o100,
  NOFLSH: 0o200,
  TOSTOP: 0o400,
  IEXTEN: 0o100000,
} as const;

export const CC = { VINTR: 0, VQUIT: 1, VERASE: 2, VKILL: 3, VEOF: 4, VTIME: 5, VMIN: 6, VSTART: 8, VSTOP: 9 } as const;

/** The rates that have a code. Codes below 38400 count from 0, the others from BOTHER + 1. */
const CODED = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];
const CODED_FAST = [
  57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000,
  4000000,
];

const NCCS = 19;
const TERMIOS2_SIZE = 44;

const TCGETS2 = 0x802c542a;
const SET = {
  now: { request: 0x402c542b, name: "TCSETS2" },
  drain: { request: 0x402c542c, name: "TCSETSW2" },
  flush: { request: 0x402c542d, name: "TCSETSF2" },
} as const;
const TCSBRK = 0x5409;
const TCFLSH = 0x540b;

const block = new Memory(TERMIOS2_SIZE);

/** tcgetattr(3). Throws OsError, ENOTTY when fd is no terminal. */
export function readTermios(fd: number): Termios {
  check(libc.ioctl(fd, TCGETS2, block.address), "TCGETS2");
  const { view, bytes } = block;
  return {
    iflag: view.getUint32(0, true),
    oflag: view.getUint32(4, true),
    cflag: view.getUint32(8, true),
    lflag: view.getUint32(12, true),
    line: view.getUint8(16),
    cc: bytes.slice(17, 17 + NCCS),
    ispeed: view.getUint32(36, true),
    ospeed: view.getUint32(40, true),
  };
}

/** tcsetattr(3): at once, after the output has drained, or after that with the input discarded. Throws OsError. */
export function writeTermios(fd: number, termios: Termios, when: "now" | "drain" | "flush"): void {
  const { view, bytes } = block;
  view.setUint32(0, termios.iflag, true);
  view.setUint32(4, termios.oflag, true);
  view.setUint32(8, termios.cflag, true);
  view.setUint32(12, termios.lflag, true);
  view.setUint8(16, termios.line);
  bytes.set(termios.cc.subarray(0, NCCS), 17);
  view.setUint32(36, termios.ispeed, true);
  view.setUint32(40, termios.ospeed, true);
  const { request, name } = SET[when];
  check(libc.ioctl(fd, request, block.address), name);
}

/**
 * Puts a baud rate into `termios`; any number the hardware can make is allowed. 0 is B0, which hangs up the line. A
 * rate that has a code gets that code, because later programs that know only codes would otherwise read 0.
 */
export function setSpeed(termios: Termios, baud: number): void {
  const code = CODED.indexOf(baud);
  const fast = CODED_FAST.indexOf(baud);
  const bits = code >= 0 ? code : CFLAG.BOTHER + fast + 1;
  termios.cflag = ((termios.cflag & ~(CFLAG.CBAUD | CFLAG.CIBAUD)) | bits) >>> 0;
  termios.ispeed = termios.ospeed = baud;
}

/** The cflag bits that change the format of an octet on the line. */
const FRAMING = ["CSTOPB", "CREAD", "PARENB", "PARODD", "CMSPAR"] as const;

/**
 * The differences between two settings, in stty's words: "icanon", "-istrip", "cs7", "9600". Leaves out CTS flow
 * control, carrier and hang-up.
 */
export function changesOf(before: Termios, after: Termios): string[] {
  const changes: string[] = [];
  const compare = (was: number, is: number, flags: readonly (readonly [name: string, bit: number])[]): void => {
    for (const [name, bit] of flags)
      if ((was & bit) !== (is & bit)) changes.push(`${(is & bit) === 0 ? "-" : ""}${name.toLowerCase()}`);
  };
  if (after.ospeed !== before.ospeed) changes.push(String(after.ospeed));
  const { CSIZE } = CFLAG;
  if ((before.cflag & CSIZE) !== (after.cflag & CSIZE)) changes.push(`cs${5 + ((after.cflag & CSIZE) >>> 4)}`);
  compare(
    before.cflag,
    after.cflag,
    FRAMING.map((name) => [name, CFLAG[name]]),
  );
  compare(before.iflag, after.iflag, Object.entries(IFLAG));
  compare(before.oflag, after.oflag, Object.entries(OFLAG));
  compare(before.lflag, after.lflag, Object.entries(LFLAG));
  for (const [name, at] of [
    ["min", CC.VMIN],
    ["time", CC.VTIME],
  ] as const)
    if (before.cc[at] !== after.cc[at]) changes.push(`${name} ${after.cc[at]}`);
  return changes;
}

/** tcsendbreak(3): waits for the output to drain, then holds the line at space for a quarter of a second. */
export function sendBreak(fd: number): void {
  check(libc.ioctl(fd, TCSBRK, null), "TCSBRK");
}

/** tcflush(3). */
export function flushTty(fd: number, queue: "input" | "output" | "both"): void {
  // The argument is a plain number where others take a pointer.
  const which = { input: 0, output: 1, both: 2 } as const;
  check(libc.ioctl(fd, TCFLSH, which[queue] as Pointer), "TCFLSH");
}
