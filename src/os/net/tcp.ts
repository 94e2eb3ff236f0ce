// TCP by ffi. It gives descriptors for the poll loop, which Bun's sockets do not. Only the look-up of a name waits, on
// a thread of Bun.

import { addressPortText } from "../../bytes/prefix.ts";
import { constants } from "node:os";
import {
  check,
  closeFd,
  cstring,
  EAGAIN,
  EINTR,
  errno,
  hasCode,
  libc,
  Memory,
  O,
  OsError,
  POLLOUT,
} from "../ffi/libc.ts";
import { PollSet } from "../ffi/poll-set.ts";
import { LIBC, library } from "../ffi/library.ts";

export interface Endpoint {
  readonly family: 4 | 6;
  /** The address. A link-local one ends in its scope, such as "%eth0". */
  readonly address: string;
  readonly port: number;
}

const system = library(LIBC, {
  listen: { args: ["i32", "i32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  accept4: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  inet_pton: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  inet_ntop: { args: ["i32", "ptr", "ptr", "u32"], returns: "cstring" },
  if_nametoindex: { args: ["ptr"], returns: "u32" },
});

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const { EINPROGRESS, ECONNABORTED } = constants.errno;

/** The level and name of each socket option (man 7 socket, tcp, ipv6). */
const OPTION = {
  REUSEADDR: [1, 2],
  ERROR: [1, 4],
  BINDTODEVICE: [1, 25],
  KEEPALIVE: [1, 9],
  NODELAY: [6, 1],
  KEEPIDLE: [6, 4],
  KEEPINTVL: [6, 5],
  KEEPCNT: [6, 6],
  V6ONLY: [41, 26],
} as const;

/** sockaddr_in and sockaddr_in6 begin with family and port; the address is at these offsets. */
const SOCKADDR = {
  4: { size: 16, family: AF_INET, address: 4 },
  6: { size: 28, family: AF_INET6, address: 8 },
} as const;
const SCOPE_AT = 24;
const TEXT_SIZE = 64;

/** A peer that vanishes is detected after a minute of silence and these unanswered probes. */
const KEEPALIVE = { idleSeconds: 60, everySeconds: 15, times: 4 } as const;

const word = new Memory(4);
const wordSize = new Memory(4);

function need() {
  const symbols = system();
  if (symbols === undefined) throw new Error("the C library has no sockets");
  return symbols;
}

function setOption(fd: number, [level, name]: readonly [number, number], value: number): void {
  word.view.setInt32(0, value, true);
  check(need().setsockopt(fd, level, name, word.address, 4), "setsockopt");
}

/** Another socket that is set so as well may have the same address. */
export function setReuse(fd: number): void {
  setOption(fd, OPTION.REUSEADDR, 1);
}

export function bindToDevice(fd: number, device: string): void {
  const name = cstring(device);
  check(need().setsockopt(fd, ...OPTION.BINDTODEVICE, name.address, name.bytes.length), "setsockopt");
}

/** The addresses of a host, the preferred one first. Empty when the host does not exist. */
export async function lookUp(host: string, port: number): Promise<Endpoint[]> {
  const family = process.getBuiltinModule("node:net").isIP(host);
  if (family !== 0) return [{ family: family === 4 ? 4 : 6, address: host, port }];
  try {
    // Use the C library's resolver (with /etc/hosts), not Bun's.
    const found = await Bun.dns.lookup(host, { backend: "system", socketType: "tcp" });
    return found.map(({ address, family }) => ({ family: family === 4 ? 4 : 6, address, port }));
  } catch {
    return [];
  }
}

export function toSockaddr({ family, address, port }: Endpoint): Memory {
  const shape = SOCKADDR[family];
  const memory = new Memory(shape.size);
  const [text = "", zone] = address.split("%");
  memory.view.setUint16(0, shape.family, true);
  memory.view.setUint16(2, port);
  need().inet_pton(shape.family, cstring(text).address, memory.at(shape.address));
  if (family === 6 && zone !== undefined)
    memory.view.setUint32(SCOPE_AT, need().if_nametoindex(cstring(zone).address), true);
  return memory;
}

export function fromSockaddr(memory: Memory): Endpoint {
  const family = memory.view.getUint16(0, true) === AF_INET ? 4 : 6;
  const shape = SOCKADDR[family];
  const text = new Memory(TEXT_SIZE);
  const address = String(need().inet_ntop(shape.family, memory.at(shape.address), text.address, TEXT_SIZE));
  const port = memory.view.getUint16(2);
  // An IPv4 client of a dual-stack socket has an IPv4-mapped address.
  const mapped = /^::ffff:([\d.]+)$/.exec(address)?.[1];
  return mapped === undefined ? { family, address, port } : { family: 4, address: mapped, port };
}

function openSocket(family: 4 | 6): number {
  return check(libc.socket(SOCKADDR[family].family, SOCK_STREAM | O.NONBLOCK | O.CLOEXEC, 0), "socket");
}

/** Turns off Nagle's delay and turns on keepalive. Throws OsError. */
function tune(fd: number): void {
  setOption(fd, OPTION.NODELAY, 1);
  setOption(fd, OPTION.KEEPIDLE, KEEPALIVE.idleSeconds);
  setOption(fd, OPTION.KEEPINTVL, KEEPALIVE.everySeconds);
  setOption(fd, OPTION.KEEPCNT, KEEPALIVE.times);
  setOption(fd, OPTION.KEEPALIVE, 1);
}

/** Starts a connection; {@link isConnected} tells its outcome. Throws OsError. */
export function startConnecting(to: Endpoint): number {
  const fd = openSocket(to.family);
  try {
    tune(fd);
    const address = toSockaddr(to);
    if (libc.connect(fd, address.address, address.bytes.length) < 0) {
      const error = errno();
      if (error !== EINPROGRESS && error !== EINTR)
        throw new OsError("connect", addressPortText(to.address, to.port), error);
    }
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** False while connecting. Throws OsError when the connection fails. */
export function isConnected(fd: number): boolean {
  if (new PollSet([fd], POLLOUT).wait(0) <= 0) return false;
  wordSize.view.setUint32(0, 4, true);
  check(need().getsockopt(fd, ...OPTION.ERROR, word.address, wordSize.address), "getsockopt");
  const error = word.view.getInt32(0, true);
  if (error !== 0) throw new OsError("connect", "", error);
  return true;
}

/** The wildcard addresses of both families. */
const EVERYWHERE = { 4: "0.0.0.0", 6: "::" } as const;

/**
 * Listens, by default for one connection, and returns the descriptor. With a device only what comes in by it is accepted: Linux
 * takes a packet to an address of ours from whatever interface it comes. Throws OsError.
 */
export function listenOn(where: Endpoint, backlog = 1, device?: string): number {
  const fd = openSocket(where.family);
  try {
    setReuse(fd);
    if (where.family === 6) setOption(fd, OPTION.V6ONLY, where.address === EVERYWHERE[6] ? 0 : 1);
    if (device !== undefined) bindToDevice(fd, device);
    const address = toSockaddr(where);
    check(libc.bind(fd, address.address, address.bytes.length), "bind");
    check(need().listen(fd, backlog), "listen");
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** The port of a listening socket. Throws OsError. */
export function portOf(listening: number): number {
  const address = new Memory(SOCKADDR[6].size);
  wordSize.view.setUint32(0, address.bytes.length, true);
  check(need().getsockname(listening, address.address, wordSize.address), "getsockname");
  return address.view.getUint16(2);
}

/** Listens on all addresses. Throws OsError. */
export function listenEverywhere(port: number): number {
  try {
    return listenOn({ family: 6, address: EVERYWHERE[6], port });
  } catch (error) {
    if (!hasCode(error, "EAFNOSUPPORT", "EADDRNOTAVAIL")) throw error;
    return listenOn({ family: 4, address: EVERYWHERE[4], port });
  }
}

/** Accepts a connection. Undefined when none is waiting. Throws OsError. */
export function takeCaller(listening: number): { fd: number; from: Endpoint } | undefined {
  const address = new Memory(SOCKADDR[6].size);
  wordSize.view.setUint32(0, address.bytes.length, true);
  const fd = need().accept4(listening, address.address, wordSize.address, O.NONBLOCK | O.CLOEXEC);
  if (fd < 0) {
    const error = errno();
    if (error === EAGAIN || error === EINTR || error === ECONNABORTED) return undefined;
    throw new OsError("accept", "", error);
  }
  tune(fd);
  return { fd, from: fromSockaddr(address) };
}
