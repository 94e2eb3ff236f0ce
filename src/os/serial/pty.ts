// A pseudo terminal pair: the master's descriptor and the slave's path.

import { check, libc, Memory, O, openFd } from "../ffi/libc.ts";

const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;

export interface Pty {
  /** The master, close-on-exec and non-blocking. */
  readonly master: number;
  /** "/dev/pts/7" */
  readonly slave: string;
}

/** Makes a new pair with the slave unlocked. Throws OsError. */
export function openPty(): Pty {
  const master = openFd("/dev/ptmx", O.RDWR | O.NOCTTY | O.NONBLOCK);
  const word = new Memory(4);
  check(libc.ioctl(master, TIOCSPTLCK, word.address), "TIOCSPTLCK", "/dev/ptmx");
  check(libc.ioctl(master, TIOCGPTN, word.address), "TIOCGPTN", "/dev/ptmx");
  return { master, slave: `/dev/pts/${word.view.getUint32(0, true)}` };
}
