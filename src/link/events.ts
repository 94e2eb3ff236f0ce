// The events of a Link for its owner, in order. The owner takes them with takeEvent() after every call.

import type { AuthMethod } from "../wire/auth-method.ts";
import type { InterfaceId } from "../wire/ipv6cp.ts";
import type { Level } from "../control/dialect.ts";

/** RFC 1661 §3.2, with pppd's word for the time before it. */
export type Phase = "dead" | "establish" | "authenticate" | "callback" | "network" | "terminate";

/**
 * The reasons for the end or failure of a link, other than a request to end it. run/exit.ts has the exit code of each.
 */
export type Failure =
  | "loopback"
  | "peer-dead"
  | "callback"
  | "not-in-bundle"
  | "peer-not-authenticated"
  | "we-not-authenticated"
  | "ip-address-refused"
  | "no-network-protocol";

export type LinkEvent =
  | { type: "log"; level: Level; text: string }
  | { type: "phase"; phase: Phase }
  /** LCP agreed. No packet longer than `mtu` octets may be sent. */
  | { type: "lcp-up"; mtu: number }
  | { type: "lcp-down" }
  /** The peer sent this name and password. The owner answers with papVerdict(). */
  | { type: "pap-request"; user: string; password: string }
  /** The peer asked for an authentication that we cannot do. It may ask for another one, or for none. */
  | { type: "unproven"; method: AuthMethod }
  /** "login": before PPP began. */
  | { type: "peer-authenticated"; name: string; method: AuthMethod | "login" }
  | { type: "ipv4-up"; our: number; peer: number; dns: readonly [number, number]; wins: readonly [number, number] }
  /** `last`: no other network protocol is up. */
  | { type: "ipv4-down"; last: boolean }
  | { type: "ipv6-up"; our: InterfaceId; peer: InterfaceId }
  | { type: "ipv6-down"; last: boolean }
  /** Compression or encryption reduces the MTU by this number of octets. */
  | { type: "overhead"; octets: number }
  | { type: "failure"; failure: Failure }
  /** A request of `octets` octets was answered after this time by a packet that is at least as long. */
  | { type: "round-trip"; milliseconds: number; octets: number }
  /** LCP has not opened, and the log says what was received instead. The driver may know more. */
  | { type: "unanswered" }
  /** The peer has handled everything sent before awaitPeer(), or has not confirmed that in time. */
  | { type: "caught-up" }
  /** LCP is closed. `waited`: a timer ran out; no packet or request ended it. `byPeer`: the peer asked for the end. */
  | { type: "terminated"; waited: boolean; byPeer: boolean };
