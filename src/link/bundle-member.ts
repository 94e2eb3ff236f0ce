// A link as a member of its bundle, and the terms on which it joins (RFC 1990).

import type { LcpOptions } from "../control/options/lcp-options.ts";
import { DEFAULT_MRU } from "../control/options/lcp/max-receive-unit.ts";
import type { Endpoint } from "../wire/lcp.ts";
import type { MppeKeys } from "./compression.ts";

/** What a link has agreed on with its peer when it asks to join. */
export interface Terms {
  /** The authenticated name of the peer, or "". */
  readonly peerName: string;
  readonly endpoint: Endpoint | undefined;
  /** True when both sides asked for multilink. */
  readonly multilink: boolean;
  /** The longest packet that we reassemble, and the longest that the peer does. */
  readonly ourMrru: number;
  readonly peerMrru: number;
  readonly ourShortSequence: boolean;
  readonly peerShortSequence: boolean;
  readonly peerMru: number;
  readonly keys: MppeKeys | "both" | undefined;
}

/** A link, as the bundle uses it. */
export interface Member {
  /** Its frame buffer. */
  readonly frame: Uint8Array;
  /**
   * The rate in octets a millisecond (0: unknown), and the octets that will be sent before anything that is sent now.
   */
  load(now: number): { rate: number; backlog: number };
  /** True when a packet of `length` octets fits for certain. */
  hasRoom(length: number): boolean;
  /**
   * Sends packet[start, end) of a protocol. It may overwrite PIECE_ROOM octets before the packet and FCS_ROOM after it.
   */
  sendPacket(protocol: number, packet: Uint8Array, start: number, end: number, now: number): void;
  rejectProtocol(protocol: number, packet: Uint8Array, start: number, end: number): void;
  close(reason: string, now: number): void;
}

/** The terms that LCP agreed on. */
export function termsOf(got: LcpOptions, peer: LcpOptions, peerName: string, keys: Terms["keys"]): Terms {
  return {
    peerName,
    endpoint: peer.endpoint,
    multilink: got.mrru !== undefined && peer.mrru !== undefined,
    ourMrru: got.mrru ?? DEFAULT_MRU,
    peerMrru: peer.mrru ?? DEFAULT_MRU,
    ourShortSequence: got.shortSequence,
    peerShortSequence: peer.shortSequence,
    peerMru: peer.mru ?? DEFAULT_MRU,
    keys,
  };
}
