// Sockets of the host for user-mode networking. They are non-blocking, and one descriptor tells of all of them. Addresses are 4
// or 16 octets. A call that fails returns minus the error number.

/** Sockets for those that call a port of this machine. {@link Sockets.collect} tells of them as well. */
export interface Callers {
  /** A socket from which callers are accepted. An address of zeros means all addresses of its family. */
  listen(address: Uint8Array, port: number): number;
  /** A socket for datagrams to this port. */
  bind(address: Uint8Array, port: number): number;
  /** The socket of the next caller. */
  accept(listening: number): number;
  /** Reads the next datagram for a bound socket. */
  receive(bound: number, into: Uint8Array, at: number, most: number): number;
  /** A datagram socket for the caller of the last datagram of a bound socket. Its later datagrams come there. */
  openToCaller(bound: number): number;
  /** The port of the caller that was accepted last, or whose datagram was received last. */
  readonly port: number;
  /** The address of that caller. */
  readonly address: Uint8Array;
  /** Distinguishes the caller of the last datagram, and the address of ours that it was sent to, from all others. */
  readonly key: string;
  /** The family of the caller of the last datagram. */
  readonly family: 4 | 6;
  /** Closes a socket of {@link listen} or {@link bind}. */
  close(socket: number): void;
}

export interface Sockets {
  /** Readable while a socket has something to tell. */
  readonly fd: number;
  /**
   * Tells of every socket that has become readable or writable since the last time, or whose other end sends no more, which is
   * `hasLeft`. Returns how many there were.
   */
  collect(told: (socket: number, readable: boolean, writable: boolean, hasLeft?: boolean) => void): number;
  connect(address: Uint8Array, port: number): number;
  /** 0: connected; EINPROGRESS: not yet; otherwise why not. */
  connectResult(socket: number): number;
  read(socket: number, into: Uint8Array, at: number, most: number): number;
  write(socket: number, from: Uint8Array, start: number, end: number): number;
  /** How many octets the socket is likely to take. */
  room(socket: number): number;
  /** Octets that the other end has not acknowledged. Without it, nobody knows. */
  unsent?(socket: number): number;
  shutdown(socket: number): void;
  close(socket: number): void;
  /** Closes with a reset. */
  abort(socket: number): void;
  openDatagrams(address: Uint8Array, port: number): number;
  openEchoes(address: Uint8Array): number;
  send(socket: number, from: Uint8Array, start: number, end: number, ttl: number, family: 4 | 6): number;
  /** The last ICMP error that a datagram socket was told of, and who sent it. Forgets all. */
  takeIcmp(socket: number): { readonly type: number; readonly from: Uint8Array } | undefined;
  readonly callers: Callers;
  /** Our own address: that towards the rest of the world, or else another one of an interface. Undefined: there is none. */
  ownAddress(family: 4 | 6): Uint8Array | undefined;
  /** Gives back {@link fd}. */
  end(): void;
}
