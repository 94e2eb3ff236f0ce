// What a link is told and what it is given to work with.

import type { Ring } from "../bytes/ring.ts";
import type { EchoConfig } from "../control/echo.ts";
import type { LcpConfig } from "../control/lcp-dialect.ts";
import type { AuthenticationConfig } from "./authentication.ts";
import type { Bundle } from "./bundle.ts";
import type { NetworksConfig } from "./networks.ts";

export interface LinkConfig {
  lcp: LcpConfig;
  echo: EchoConfig;
  authentication: AuthenticationConfig;
  networks: NetworksConfig;
  /** Upper limit of what we send in one packet (`mtu`). */
  mtu: number;
  /** Octets never sent as they are (`escape`). */
  escape: readonly number[];
  /** Take control characters that the receive ACCM says to drop (`receive-all`). */
  receiveAll: boolean;
  /** Only to a peer that wants EAP do we prove who we are. */
  needPeerEap: boolean;
  /** The telephone number to be called back at; undefined: nobody is asked to. */
  callback: string | undefined;
  /** How much of the packets the log gets: Trace.level. */
  debug: number;
  hidePassword: boolean;
}

/** What a link is given to work with. */
export interface LinkHost {
  /** Frames for the line go in here. */
  output: Ring;
  /**
   * The buffers frames are put together in, MAX_FRAME octets, and packets decompressed to, PLAIN_SIZE octets: what
   * {@link Link.receive} found is a part of one of them.
   */
  frame: Uint8Array;
  plain: Uint8Array;
  /** A random number of 32 bits. */
  random32: () => number;
  /** May the peer, having proved who it is, use this address? */
  peerMayUse: (address: number) => boolean;
  /** May a peer that refused to prove anything come in all the same? */
  admitsStrangers: () => boolean;
  /** The peer's address when neither side has one. */
  madeUpPeerAddress: () => number;
  /** Takes the round trip of an answered echo in microseconds, and how many before it had no answer (lcp-rtt-file). */
  timed?: ((rttMicros: number, lost: number) => void) | undefined;
  /** The network phase belongs to a bundle, which the link joins when its peer is known. */
  bundle?: Bundle | undefined;
  /** For the bundle: octets a millisecond (0: unknown), and those on their way already. */
  load?: ((now: number) => { rate: number; backlog: number }) | undefined;
}
