// The other side of the stack: ordinary sockets of the host. Sockets are numbers. A test plays them; run and os implement
// them with non-blocking descriptors.
//
// Readiness is told once for each change: after a read that gave NOT_NOW the stack reads again when it is told that the socket
// is ready for it, and after a write that took less than it was offered likewise.

/** What a call says instead of a number of octets. */
export const NOT_NOW = -1;
/** The socket is broken; {@link SocketSide.failure} says why. */
export const FAILED = -2;

/** Why a connection could not be made, or broke. */
export const Failure = {
  NONE: 0,
  REFUSED: 1,
  NET_UNREACHABLE: 2,
  HOST_UNREACHABLE: 3,
  PROHIBITED: 4,
  RESET: 5,
  TOO_BIG: 6,
  /** An ICMP Time Exceeded. */
  EXPIRED: 7,
  /** The host has no means for it. */
  UNSUPPORTED: 8,
} as const;
export type Failure = (typeof Failure)[keyof typeof Failure];

export interface SocketSide {
  // ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Starts a connection to an address of 4 or 16 octets. Returns the socket. FAILED: see {@link failure} of FAILED. */
  connect(address: Uint8Array, port: number): number;
  /** True when the connection is made, false while it is being made. {@link failure} tells of one that failed. */
  isConnected(socket: number): boolean;
  /** Reads at most `most` octets. 0: the other end has sent its last octet. */
  read(socket: number, into: Uint8Array, at: number, most: number): number;
  /** Writes bytes[start, end) as far as the socket has room. */
  write(socket: number, from: Uint8Array, start: number, end: number): number;
  /** How many octets the socket is likely to take now. */
  room(socket: number): number;
  /** Nothing more will be written. */
  shutdown(socket: number): void;
  close(socket: number): void;
  /** Closes with a reset. */
  abort(socket: number): void;
  /** Why the socket failed. Forgets it. */
  failure(socket: number): Failure;
  /** The connection to the peer for `Stack.openTo` is made (NONE), or it cannot be made, and the socket is about to be aborted. */
  opened?(socket: number, failure: Failure): void;

  // ── datagrams ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A socket for datagrams to and from one address. FAILED: see {@link failure} of FAILED. */
  openDatagrams(address: Uint8Array, port: number): number;
  /** A socket for ICMP echoes to one address. */
  openEchoes(address: Uint8Array): number;
  /** Sends a datagram with this time to live. False: it failed. */
  send(socket: number, from: Uint8Array, start: number, end: number, ttl: number): boolean;
  /** The router or host that reported the failure of a datagram socket, if it is known. Forgets it. */
  reporter(socket: number): Uint8Array | undefined;
  /** Reads a datagram. Returns its length (0: an empty one), NOT_NOW or FAILED. */
  receive(socket: number, into: Uint8Array, at: number, most: number): number;
}
