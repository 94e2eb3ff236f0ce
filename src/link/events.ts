// What a Link tells its owner, in the order it happened. Drained with takeEvent() after every call.

import type { AuthMethod } from "../wire/auth-method.ts";
import type { InterfaceId } from "../wire/ipv6cp.ts";
import type { Level } from "../control/dialect.ts";

/** RFC 1661 §3.2, with pppd's word for the time before it. */
export type Phase = "dead" | "establish" | "authenticate" | "callback" | "network" | "terminate";

/** Why a link ends or fails, where it is more than somebody's wish. run/exit.ts knows the exit code of each. */
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
  /** LCP agreed: no packet longer than `mtu` octets may be sent. */
  | { type: "lcp-up"; mtu: number }
  | { type: "lcp-down" }
  /** The peer says it is `user`: answer with papVerdict(). */
  | { type: "pap-request"; user: string; password: string }
  /** The peer wanted a proof we have not: another may do, or none. */
  | { type: "unproven"; method: AuthMethod }
  | { type: "peer-authenticated"; name: string; method: AuthMethod }
  | { type: "ipv4-up"; our: number; peer: number; dns: readonly [number, number]; wins: readonly [number, number] }
  /** `last`: no other network protocol is up. */
  | { type: "ipv4-down"; last: boolean }
  | { type: "ipv6-up"; our: InterfaceId; peer: InterfaceId }
  | { type: "ipv6-down"; last: boolean }
  /** Compression or encryption takes so many octets off the MTU. */
  | { type: "overhead"; octets: number }
  | { type: "failure"; failure: Failure }
  /** A request of `octets` on the line had its answer, at least as long as itself, after this time. */
  | { type: "round-trip"; milliseconds: number; octets: number }
  /** LCP has not opened, and the log says what was heard instead: the driver may know more. */
  | { type: "unanswered" }
  /** The peer has dealt with all that was said before awaitPeer(), or does not say so. */
  | { type: "caught-up" }
  /** LCP is done. `waited`: because a timer ran out, not because of a packet or a wish. */
  | { type: "terminated"; waited: boolean };
