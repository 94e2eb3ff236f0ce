// The configuration of a link, and the functions and buffers that it works with.

import type { Ring } from "../bytes/ring.ts";
import type { EchoConfig } from "../control/echo.ts";
import type { LcpConfig } from "../control/lcp-dialect.ts";
import type { AuthenticationConfig } from "./authentication.ts";
import type { Bundle } from "./bundle.ts";
import type { LineSpeed } from "./line-speed.ts";
import type { LinkTap, NetworkTap } from "./link-tap.ts";
import type { NetworksConfig } from "./networks-host.ts";

export interface LinkConfig {
  lcp: LcpConfig;
  echo: EchoConfig;
  authentication: AuthenticationConfig;
  networks: NetworksConfig;
  /** Upper limit of what we send in one packet (`mtu`). */
  mtu: number;
  /** Octets that are always escaped (`escape`). */
  escape: readonly number[];
  /** Accept control characters that the receive ACCM says to drop (`receive-all`). */
  receiveAll: boolean;
  /** We authenticate ourselves only to a peer that wants EAP. */
  needPeerEap: boolean;
  /** The telephone number for a callback. Undefined: we do not ask for one. */
  callback: string | undefined;
  /** How many packets are logged: Trace.level. */
  debug: number;
  hidePassword: boolean;
}

/** The functions and buffers that a link works with. */
export interface LinkHost {
  /** The ring for frames that go to the line. */
  output: Ring;
  /**
   * The buffer for frames, MAX_FRAME octets, and the one for decompressed packets, PLAIN_SIZE octets. The packet that
   * {@link Link.receive} finds is in one of them.
   */
  frame: Uint8Array;
  plain: Uint8Array;
  /** A random number of 32 bits. */
  random32: () => number;
  /** True when the authenticated peer may use this address. */
  peerMayUse: (address: number) => boolean;
  /** True when a peer that refused to authenticate itself is admitted all the same. */
  admitsStrangers: () => boolean;
  /** The peer's address when neither side has one. */
  madeUpPeerAddress: () => number;
  /**
   * Called with the round trip of an answered echo in microseconds, and the number of unanswered ones before it
   * (lcp-rtt-file).
   */
  timed?: ((rttMicros: number, lost: number) => void) | undefined;
  /** Another program has the line open, and may take a part of what comes. */
  isShared?: (() => boolean) | undefined;
  /** The bundle that has the network phase. The link joins it when its peer is known. */
  bundle?: Bundle | undefined;
  /** The line, if its speed may be changed while the link is up (`climb`). */
  line?: LineSpeed | undefined;
  /** Sees the frames and the events. */
  tap?: LinkTap | undefined;
  /** Sees the packets of the interface, unless a bundle has them. */
  networkTap?: NetworkTap | undefined;
  /** For the bundle: the rate in octets a millisecond (0: unknown), and the octets that are already on their way. */
  load?: ((now: number) => { rate: number; backlog: number }) | undefined;
}
