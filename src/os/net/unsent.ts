// How much of what a program wrote to a TCP connection the other side has not acknowledged yet (tcp(7), SIOCOUTQ).

import { libc, Memory } from "../ffi/libc.ts";

const SIOCOUTQ = 0x5411;

/** 0 where the kernel does not say. */
export function unacknowledged(fd: number): number {
  const value = new Memory(4);
  return libc.ioctl(fd, SIOCOUTQ, value.address) < 0 ? 0 : value.view.getInt32(0, true);
}
