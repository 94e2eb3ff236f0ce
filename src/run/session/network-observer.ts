// What is told of a network phase: the log, the scripts, the service manager and the collector of name servers each take
// what they need. None of them can change what happens.

import type { LinkEvent } from "../../link/events.ts";
import { ipv4Text } from "../../wire/ip.ts";
import { linkLocalText } from "../../wire/ipv6cp.ts";

export type Ipv4Up = Extract<LinkEvent, { type: "ipv4-up" }>;
export type Ipv6Up = Extract<LinkEvent, { type: "ipv6-up" }>;
export type NetworkUp = Ipv4Up | Ipv6Up;

export interface NetworkDown {
  readonly protocol: "ipv4" | "ipv6";
  /** How it came up; undefined: it has not been agreed on. */
  readonly was: NetworkUp | undefined;
  /** No other network protocol is up. */
  readonly isLast: boolean;
  /** Since the first network protocol came up. */
  readonly seconds: number;
  readonly octetsIn: number;
  readonly octetsOut: number;
}

export interface NetworkObserver {
  /** The peer has agreed on addresses. The interface does not have them yet. */
  agreed?(event: NetworkUp): void;
  /** The interface carries packets of the protocol. */
  up?(event: NetworkUp): void;
  down?(event: NetworkDown): void;
  /** A script has given the interface another name. */
  renamed?(): void;
  /** The links are over. After a bug nothing has gone down before. */
  end?(): void;
}

/** Our address and the peer's, as the log and the scripts have them. */
export function addressTexts(event: NetworkUp): [our: string, peer: string] {
  return event.type === "ipv4-up"
    ? [ipv4Text(event.our), ipv4Text(event.peer)]
    : [linkLocalText(event.our), linkLocalText(event.peer)];
}
