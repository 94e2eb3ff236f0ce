// Sockets for user-mode networking: many of them, non-blocking, behind one epoll descriptor that a poll loop waits for. An event
// is told once for each change (EPOLLET). What fails returns minus the error number.

import { ptr } from "bun:ffi";
import { closeFd, errno, libc, Memory, O, OsError } from "../ffi/libc.ts";
import { ownEventPolls } from "../ffi/event-poll.ts";
import { LIBC, library } from "../ffi/library.ts";
import { CallerSockets } from "./caller-sockets.ts";
import { admitted } from "./descriptor-reserve.ts";
import { interfaceAddresses } from "./interface-addresses.ts";

const system = library(LIBC, {
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getpeername: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  recvmsg: { args: ["i32", "ptr", "i32"], returns: "i32" },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
});

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SHUT_WR = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_ERRQUEUE = 0x2000;
const TIOCOUTQ = 0x5411;
const EINPROGRESS = 115;
const ENOTCONN = 107;

/** The level and name of each socket option (man 7 socket, tcp, ip, ipv6). */
const OPTION = {
  ERROR: [1, 4],
  SNDBUF: [1, 7],
  LINGER: [1, 13],
  NODELAY: [6, 1],
  TTL: [0, 2],
  MTU_DISCOVER: [0, 10],
  RECVERR: [0, 11],
  HOPS6: [41, 16],
  RECVERR6: [41, 25],
} as const;

/** man 2 epoll_ctl. On x86 the structure is packed. */
const EPOLL = { IN: 1, OUT: 4, ERR: 8, HUP: 16, RDHUP: 0x2000, ET: 0x80000000, ADD: 1, CLOEXEC: 0x80000 } as const;
const EVENT = process.arch === "x64" ? { size: 12, data: 4 } : { size: 16, data: 8 };
const EVENTS_AT_ONCE = 64;
/** Offsets in struct msghdr of a 64-bit system, and in the control message of IP_RECVERR (man 7 ip). */
const MSGHDR = { size: 56, iov: 16, iovCount: 24, control: 32, controlSize: 40 } as const;
const IOVEC_SIZE = 16;
const REPORT = { origin: 20, type: 21, code: 22, family: 32, address4: 36, address6: 40 } as const;
const CONTROL_SIZE = 128;
/** SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6. */
const BY_ICMP = [2, 3];

/** An ICMP error and the router or host that sent it. */
export interface IcmpReport {
  readonly type: number;
  readonly code: number;
  readonly from: Uint8Array;
}

/** Any address of documentation: a datagram socket that is connected to it has our own address, and nothing is sent. */
const ELSEWHERE = { 4: Uint8Array.of(192, 0, 2, 1), 6: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1) };

export class SocketSet {
  /** Readable while a socket has something to tell. */
  readonly fd: number;
  readonly callers = new CallerSockets((fd) => this.#watch(fd));
  readonly #calls: NonNullable<ReturnType<typeof system>>;
  readonly #events = new Memory(EVENTS_AT_ONCE * EVENT.size);
  readonly #event = new Memory(EVENT.size);
  readonly #value = new Memory(8);
  readonly #size = new Memory(4);
  readonly #address = new Memory(28);
  readonly #rest = new Memory(256);
  readonly #control = new Memory(CONTROL_SIZE);
  readonly #message = new Memory(MSGHDR.size + IOVEC_SIZE);
  /** The time to live that a socket sends with, where it was set. */
  readonly #ttls = new Map<number, number>();

  /** Throws OsError. */
  constructor() {
    const calls = system();
    if (calls === undefined) throw new Error("the C library has no epoll");
    this.#calls = calls;
    this.fd = calls.epoll_create1(EPOLL.CLOEXEC);
    if (this.fd < 0) throw new OsError("epoll_create1");
    ownEventPolls.add(this.fd);
    const { view } = this.#message;
    view.setBigUint64(MSGHDR.iov, BigInt(this.#message.at(MSGHDR.size)), true);
    view.setBigUint64(MSGHDR.iovCount, 1n, true);
    view.setBigUint64(MSGHDR.control, BigInt(this.#control.address), true);
    view.setBigUint64(MSGHDR.size, BigInt(this.#rest.address), true);
    view.setBigUint64(MSGHDR.size + 8, BigInt(this.#rest.bytes.length), true);
  }

  end(): void {
    ownEventPolls.delete(this.fd);
    closeFd(this.fd);
  }

  /** Tells of every socket that has become readable or writable, or whose other end sends no more. Returns how many there were. */
  collect(told: (socket: number, readable: boolean, writable: boolean, hasLeft: boolean) => void): number {
    const count = this.#calls.epoll_wait(this.fd, this.#events.address, EVENTS_AT_ONCE, 0);
    const { view } = this.#events;
    for (let at = 0; at < count; at++) {
      const events = view.getUint32(at * EVENT.size, true);
      const failed = (events & (EPOLL.ERR | EPOLL.HUP)) !== 0;
      const readable = failed || (events & (EPOLL.IN | EPOLL.RDHUP)) !== 0;
      const hasLeft = failed || (events & EPOLL.RDHUP) !== 0;
      told(view.getInt32(at * EVENT.size + EVENT.data, true), readable, failed || (events & EPOLL.OUT) !== 0, hasLeft);
    }
    return Math.max(0, count);
  }

  // ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────

  connect(address: Uint8Array, port: number): number {
    const fd = this.#open(address, SOCK_STREAM, 0);
    if (fd < 0) return fd;
    this.#set(fd, OPTION.NODELAY, 1);
    return this.#connected(fd, address, port);
  }

  /** 0: connected. EINPROGRESS: not yet. */
  connectResult(fd: number): number {
    const error = this.takeError(fd);
    if (error !== 0) return error;
    this.#size.view.setUint32(0, this.#rest.bytes.length, true);
    if (this.#calls.getpeername(fd, this.#rest.address, this.#size.address) === 0) return 0;
    const why = errno();
    return why === ENOTCONN ? EINPROGRESS : why;
  }

  read(fd: number, into: Uint8Array, at: number, most: number): number {
    const got = libc.recv(fd, ptr(into, at), most, 0);
    return got < 0 ? -errno() : got;
  }

  write(fd: number, from: Uint8Array, start: number, end: number): number {
    const taken = libc.send(fd, ptr(from, start), end - start, MSG_NOSIGNAL);
    return taken < 0 ? -errno() : taken;
  }

  /** How many octets the socket is likely to take. Half of its buffer is the kernel's own. */
  room(fd: number): number {
    return Math.max(0, Math.floor(this.#get(fd, OPTION.SNDBUF) / 2) - this.unsent(fd));
  }

  unsent(fd: number): number {
    libc.ioctl(fd, TIOCOUTQ, this.#value.address);
    return this.#value.view.getInt32(0, true);
  }

  shutdown(fd: number): void {
    this.#calls.shutdown(fd, SHUT_WR);
  }

  close(fd: number): void {
    this.#ttls.delete(fd);
    closeFd(fd);
  }

  /** Closes with a reset. */
  abort(fd: number): void {
    this.#value.view.setInt32(0, 1, true);
    this.#value.view.setInt32(4, 0, true);
    this.#calls.setsockopt(fd, ...OPTION.LINGER, this.#value.address, 8);
    this.close(fd);
  }

  /** The error that the socket reports next, and forgets. 0: none. */
  takeError(fd: number): number {
    return this.#get(fd, OPTION.ERROR);
  }

  // ── datagrams ────────────────────────────────────────────────────────────────────────────────────────────────────

  openDatagrams(address: Uint8Array, port: number): number {
    return this.#connectDatagrams(this.#open(address, SOCK_DGRAM, 0), address, port);
  }

  /** A socket for pings (man 7 icmp, ping_group_range). */
  openEchoes(address: Uint8Array): number {
    const protocol = address.length === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    return this.#connectDatagrams(this.#open(address, SOCK_DGRAM, protocol), address, 0);
  }

  #connectDatagrams(fd: number, address: Uint8Array, port: number): number {
    if (fd < 0) return fd;
    const isIpv4 = address.length === 4;
    // All ICMP errors are reported, and a datagram larger than the path is cut.
    this.#set(fd, isIpv4 ? OPTION.RECVERR : OPTION.RECVERR6, 1);
    if (isIpv4) this.#set(fd, OPTION.MTU_DISCOVER, 0);
    return this.#connected(fd, address, port);
  }

  send(fd: number, from: Uint8Array, start: number, end: number, ttl: number, family: 4 | 6): number {
    if ((this.#ttls.get(fd) ?? 64) !== ttl) {
      this.#set(fd, family === 4 ? OPTION.TTL : OPTION.HOPS6, ttl);
      this.#ttls.set(fd, ttl);
    }
    return start === end ? this.write(fd, this.#rest.bytes, 0, 0) : this.write(fd, from, start, end);
  }

  /** The last ICMP error that a datagram socket was told of. Forgets all. */
  takeIcmp(fd: number): IcmpReport | undefined {
    const { bytes, view } = this.#control;
    let found: IcmpReport | undefined;
    for (;;) {
      bytes.fill(0);
      this.#message.view.setBigUint64(MSGHDR.controlSize, BigInt(CONTROL_SIZE), true);
      if (this.#calls.recvmsg(fd, this.#message.address, MSG_ERRQUEUE) < 0) return found;
      if (!BY_ICMP.includes(bytes[REPORT.origin]!)) continue;
      const isIpv4 = view.getUint16(REPORT.family, true) === AF_INET;
      const at = isIpv4 ? REPORT.address4 : REPORT.address6;
      const from = bytes.slice(at, at + (isIpv4 ? 4 : 16));
      found = { type: bytes[REPORT.type]!, code: bytes[REPORT.code]!, from };
    }
  }

  /** Our own address: that towards the rest of the world, or else another one of an interface. */
  ownAddress(family: 4 | 6): Uint8Array | undefined {
    return this.#addressOutside(family) ?? interfaceAddresses(family)[0];
  }

  #addressOutside(family: 4 | 6): Uint8Array | undefined {
    const fd = this.#open(ELSEWHERE[family], SOCK_DGRAM, 0);
    if (fd < 0) return undefined;
    const size = this.#putAddress(ELSEWHERE[family], 9);
    this.#size.view.setUint32(0, size, true);
    const isKnown =
      libc.connect(fd, this.#address.address, size) === 0 &&
      this.#calls.getsockname(fd, this.#address.address, this.#size.address) === 0;
    closeFd(fd);
    const address = family === 4 ? this.#address.bytes.slice(4, 8) : this.#address.bytes.slice(8, 24);
    // A route may lead out although no interface has an address.
    return isKnown && address.some((octet) => octet !== 0) ? address : undefined;
  }

  // ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #open(address: Uint8Array, type: number, protocol: number): number {
    const family = address.length === 4 ? AF_INET : AF_INET6;
    return admitted(libc.socket(family, type | O.NONBLOCK | O.CLOEXEC, protocol));
  }

  /** Connects the socket and has it watched. */
  #connected(fd: number, address: Uint8Array, port: number): number {
    const size = this.#putAddress(address, port);
    let error = libc.connect(fd, this.#address.address, size) < 0 ? errno() : 0;
    if (error === EINPROGRESS) error = 0;
    if (error === 0) error = this.#watch(fd);
    if (error === 0) return fd;
    closeFd(fd);
    return -error;
  }

  /** Returns 0, or an error number. */
  #watch(fd: number): number {
    this.#event.view.setUint32(0, (EPOLL.IN | EPOLL.OUT | EPOLL.RDHUP | EPOLL.ET) >>> 0, true);
    this.#event.view.setInt32(EVENT.data, fd, true);
    return this.#calls.epoll_ctl(this.fd, EPOLL.ADD, fd, this.#event.address) < 0 ? errno() : 0;
  }

  /** struct sockaddr_in or sockaddr_in6. Returns its size. */
  #putAddress(address: Uint8Array, port: number): number {
    const { bytes, view } = this.#address;
    bytes.fill(0);
    const isIpv4 = address.length === 4;
    view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, true);
    view.setUint16(2, port);
    bytes.set(address, isIpv4 ? 4 : 8);
    return isIpv4 ? 16 : 28;
  }

  #set(fd: number, [level, name]: readonly [number, number], value: number): void {
    this.#value.view.setInt32(0, value, true);
    this.#calls.setsockopt(fd, level, name, this.#value.address, 4);
  }

  #get(fd: number, [level, name]: readonly [number, number]): number {
    this.#size.view.setUint32(0, 4, true);
    if (this.#calls.getsockopt(fd, level, name, this.#value.address, this.#size.address) < 0) return errno();
    return this.#value.view.getInt32(0, true);
  }
}
