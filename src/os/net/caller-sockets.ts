// Sockets for those that call a port of this machine, by TCP or by UDP. Each caller gets a socket of its own, connected to it, also
// with UDP. A call that fails returns minus the error number.

import { isLinkLocal } from "../../bytes/prefix.ts";
import { ptr } from "bun:ffi";
import { closeFd, errno, libc, Memory, O } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";
import { FILTER_SIZE, putCallerFilter } from "./caller-filter.ts";
import { admitted } from "./descriptor-reserve.ts";

const system = library(LIBC, {
  listen: { args: ["i32", "i32"], returns: "i32" },
  accept4: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  recvmsg: { args: ["i32", "ptr", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
});

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const BACKLOG = 128;

/** The level and name of each socket option (man 7 socket, tcp, ip, ipv6). */
const OPTION = {
  REUSEADDR: [1, 2],
  KEEPALIVE: [1, 9],
  ATTACH_FILTER: [1, 26],
  NODELAY: [6, 1],
  PKTINFO: [0, 8],
  MTU_DISCOVER: [0, 10],
  RECVERR: [0, 11],
  RECVERR6: [41, 25],
  V6ONLY: [41, 26],
  RECVPKTINFO6: [41, 49],
} as const;

/** struct sockaddr_in and sockaddr_in6: the size, and where the address lies. */
const SOCKADDR = { 4: { size: 16, at: 4 }, 6: { size: 28, at: 8 } } as const;
const SCOPE_AT = 24;
/** struct msghdr of a 64-bit system, with a struct iovec behind it. */
const MSGHDR = { size: 56, nameSize: 8, iov: 16, iovCount: 24, control: 32, controlSize: 40 } as const;
const CONTROL_SIZE = 128;
/** The control messages of IP_PKTINFO and IPV6_RECVPKTINFO: where our address and the interface's index lie. */
const PKTINFO = { 4: { level: 0, address: 20, index: 16 }, 6: { level: 41, address: 16, index: 32 } } as const;
const LEVEL_AT = 8;

/** Returns 0, or an error number. */
export type Watch = (fd: number) => number;

export class CallerSockets {
  /** The port of the caller that was accepted last, or whose datagram was received last. */
  port = 0;
  /** The address of that caller. */
  address = new Uint8Array(0);
  /** Distinguishes the caller of the last datagram, and the address of ours that it was sent to, from all others. */
  key = "";
  /** The family of the caller of the last datagram. */
  family: 4 | 6 = 4;
  readonly #watch: Watch;
  readonly #calls: NonNullable<ReturnType<typeof system>>;
  readonly #value = new Memory(4);
  readonly #caller = new Memory(SOCKADDR[6].size);
  readonly #callerSize = new Memory(4);
  readonly #our = new Memory(SOCKADDR[6].size);
  readonly #control = new Memory(CONTROL_SIZE);
  readonly #message = new Memory(MSGHDR.size + 16);
  readonly #filter = new Memory(FILTER_SIZE);
  /** struct sock_fprog */
  readonly #program = new Memory(16);
  /** The ports of bound sockets. */
  readonly #bound = new Map<number, number>();

  /** `watch` has a socket watched for events. */
  constructor(watch: Watch) {
    const calls = system();
    if (calls === undefined) throw new Error("the C library has no sockets");
    this.#calls = calls;
    this.#watch = watch;
    const { view } = this.#message;
    view.setBigUint64(0, BigInt(this.#caller.address), true);
    view.setBigUint64(MSGHDR.iov, BigInt(this.#message.at(MSGHDR.size)), true);
    view.setBigUint64(MSGHDR.iovCount, 1n, true);
    view.setBigUint64(MSGHDR.control, BigInt(this.#control.address), true);
    this.#program.view.setBigUint64(8, BigInt(this.#filter.address), true);
  }

  /** A socket from which callers are accepted. An address of zeros means all addresses of its family. */
  listen(address: Uint8Array, port: number): number {
    return this.#ready(address, port, SOCK_STREAM);
  }

  /** A socket for datagrams to this port. */
  bind(address: Uint8Array, port: number): number {
    const fd = this.#ready(address, port, SOCK_DGRAM);
    if (fd >= 0) this.#bound.set(fd, port);
    return fd;
  }

  #ready(address: Uint8Array, port: number, type: number): number {
    const family = address.length === 4 ? 4 : 6;
    const fd = this.#open(family, type);
    if (fd < 0) return fd;
    if (family === 6) this.#set(fd, OPTION.V6ONLY, 1);
    // A port of TCP may have connections of an earlier process that end slowly.
    if (type === SOCK_STREAM) this.#set(fd, OPTION.REUSEADDR, 1);
    else this.#set(fd, family === 4 ? OPTION.PKTINFO : OPTION.RECVPKTINFO6, 1);
    const { bytes, view } = this.#our;
    bytes.fill(0);
    view.setUint16(0, family === 4 ? AF_INET : AF_INET6, true);
    view.setUint16(2, port);
    bytes.set(address, SOCKADDR[family].at);
    let error = libc.bind(fd, this.#our.address, SOCKADDR[family].size) < 0 ? errno() : 0;
    if (error === 0 && type === SOCK_STREAM && this.#calls.listen(fd, BACKLOG) < 0) error = errno();
    return this.#finished(fd, error === 0 ? this.#watch(fd) : error);
  }

  /** The socket of the next caller. */
  accept(listening: number): number {
    this.#callerSize.view.setUint32(0, this.#caller.bytes.length, true);
    const flags = O.NONBLOCK | O.CLOEXEC;
    const fd = admitted(this.#calls.accept4(listening, this.#caller.address, this.#callerSize.address, flags));
    if (fd < 0) return fd;
    this.#noteCaller();
    this.#set(fd, OPTION.NODELAY, 1);
    // The kernel notices by itself that the machine of a caller has vanished.
    this.#set(fd, OPTION.KEEPALIVE, 1);
    return this.#finished(fd, this.#watch(fd));
  }

  /** Reads the next datagram for a bound socket. */
  receive(bound: number, into: Uint8Array, at: number, most: number): number {
    const { view } = this.#message;
    view.setUint32(MSGHDR.nameSize, this.#caller.bytes.length, true);
    view.setBigUint64(MSGHDR.controlSize, BigInt(CONTROL_SIZE), true);
    view.setBigUint64(MSGHDR.size, BigInt(ptr(into, at)), true);
    view.setBigUint64(MSGHDR.size + 8, BigInt(most), true);
    this.#control.bytes.fill(0);
    const got = this.#calls.recvmsg(bound, this.#message.address, 0);
    if (got < 0) return -errno();
    this.family = this.#noteCaller();
    this.#noteOurAddress(this.#bound.get(bound) ?? 0);
    const caller = this.#caller.bytes.subarray(0, view.getUint32(MSGHDR.nameSize, true));
    this.key = [bound, ...caller, ...this.#our.bytes].join(" ");
    return got;
  }

  /** Returns the family of the caller. */
  #noteCaller(): 4 | 6 {
    const family = this.#caller.view.getUint16(0, true) === AF_INET ? 4 : 6;
    const { at } = SOCKADDR[family];
    this.port = this.#caller.view.getUint16(2);
    this.address = this.#caller.bytes.slice(at, at + (family === 4 ? 4 : 16));
    return family;
  }

  /** Our address that the last datagram was sent to, as a sockaddr. */
  #noteOurAddress(port: number): void {
    const { bytes, view } = this.#our;
    const { at } = SOCKADDR[this.family];
    const info = PKTINFO[this.family];
    bytes.fill(0);
    bytes.set(this.#caller.bytes.subarray(0, 2));
    view.setUint16(2, port);
    if (this.#control.view.getUint32(LEVEL_AT, true) === info.level)
      bytes.set(this.#control.bytes.subarray(info.address, info.address + (this.family === 4 ? 4 : 16)), at);
    if (this.family === 6 && isLinkLocal(bytes, at))
      view.setUint32(SCOPE_AT, this.#control.view.getUint32(info.index, true), true);
  }

  /** A socket for the caller of the last datagram of a bound socket. Its later datagrams come there. */
  openToCaller(bound: number): number {
    const isIpv4 = this.family === 4;
    const { size } = SOCKADDR[this.family];
    const fd = this.#open(this.family, SOCK_DGRAM);
    if (fd < 0) return fd;
    if (!isIpv4) this.#set(fd, OPTION.V6ONLY, 1);
    this.#set(fd, isIpv4 ? OPTION.RECVERR : OPTION.RECVERR6, 1);
    if (isIpv4) this.#set(fd, OPTION.MTU_DISCOVER, 0);
    this.#set(fd, OPTION.REUSEADDR, 1);
    let error = this.#attachFilter(fd);
    if (error !== 0) return this.#finished(fd, error);
    // Two sockets share a port while both allow it. No other program can join them, because the bound one allows it only now.
    this.#set(bound, OPTION.REUSEADDR, 1);
    if (libc.bind(fd, this.#our.address, size) < 0) error = errno();
    this.#set(bound, OPTION.REUSEADDR, 0);
    if (error === 0 && libc.connect(fd, this.#caller.address, size) < 0) error = errno();
    return this.#finished(fd, error === 0 ? this.#watch(fd) : error);
  }

  /**
   * The socket takes only the datagrams of the last caller: between bind and connect those of all callers come to it.
   * Returns 0, or an error number.
   */
  #attachFilter(fd: number): number {
    this.#program.view.setUint16(0, putCallerFilter(this.#filter.view, this.address, this.port), true);
    const size = this.#program.bytes.length;
    return this.#calls.setsockopt(fd, ...OPTION.ATTACH_FILTER, this.#program.address, size) < 0 ? errno() : 0;
  }

  close(fd: number): void {
    this.#bound.delete(fd);
    closeFd(fd);
  }

  #open(family: 4 | 6, type: number): number {
    return admitted(libc.socket(family === 4 ? AF_INET : AF_INET6, type | O.NONBLOCK | O.CLOEXEC, 0));
  }

  #finished(fd: number, error: number): number {
    if (error === 0) return fd;
    closeFd(fd);
    return -error;
  }

  #set(fd: number, [level, name]: readonly [number, number], value: number): void {
    this.#value.view.setInt32(0, value, true);
    this.#calls.setsockopt(fd, level, name, this.#value.address, 4);
  }
}
