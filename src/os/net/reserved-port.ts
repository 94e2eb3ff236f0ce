// Keeps a port from other programs without taking callers, because the kernel leads its packets elsewhere.

import { closeFd, errno, libc, Memory, O } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";

const system = library(LIBC, {
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
});

const AF_INET = 2;
const AF_INET6 = 10;
const TYPES = { tcp: 1, udp: 2 } as const;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
/** struct sockaddr_in and sockaddr_in6: the size, and where the address lies. */
const SOCKADDR = { 4: { size: 16, at: 4 }, 6: { size: 28, at: 8 } } as const;

/** Returns a descriptor, or minus the error number. An address of zeros means all addresses of its family. */
export function reservePort(protocol: "tcp" | "udp", address: Uint8Array, port: number): number {
  const family = address.length === 4 ? 4 : 6;
  const { size, at } = SOCKADDR[family];
  const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, TYPES[protocol] | O.CLOEXEC, 0);
  if (fd < 0) return -errno();
  const value = new Memory(4);
  const set = (level: number, name: number, to: number): void => {
    value.view.setInt32(0, to, true);
    system()?.setsockopt(fd, level, name, value.address, 4);
  };
  if (family === 6) set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Connections of an earlier program that end slowly are not in the way, but a program that starts now shall not join us.
  if (protocol === "tcp") set(SOL_SOCKET, SO_REUSEADDR, 1);
  const own = new Memory(size);
  own.view.setUint16(0, family === 4 ? AF_INET : AF_INET6, true);
  own.view.setUint16(2, port);
  own.bytes.set(address, at);
  const error = libc.bind(fd, own.address, size) < 0 ? errno() : 0;
  set(SOL_SOCKET, SO_REUSEADDR, 0);
  if (error === 0) return fd;
  closeFd(fd);
  return -error;
}
