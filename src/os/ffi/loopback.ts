// A descriptor that gives what is written to it: a datagram socket that is connected to itself.

import { closeFd, libc, Memory } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
/** An address of this length without a name: Linux gives the socket a name of its own. */
const FAMILY = 2;
const LONGEST = 128;

/** Below 0: the system refused it. */
export function loopback(): number {
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const name = new Memory(LONGEST);
  const length = new Memory(4);
  name.view.setUint16(0, AF_UNIX, true);
  length.view.setUint32(0, LONGEST, true);
  const isConnected =
    libc.bind(fd, name.address, FAMILY) === 0 &&
    libc.getsockname(fd, name.address, length.address) === 0 &&
    libc.connect(fd, name.address, length.view.getUint32(0, true)) === 0;
  if (isConnected) return fd;
  closeFd(fd);
  return -1;
}
