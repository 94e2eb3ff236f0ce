// What is counted of a kind of flows. `nullmodem status` shows it.

export const FLOW_FIELDS = ["opened", "closed", "denied", "limited", "fromPeer", "toPeer"] as const;

export class FlowCount implements Record<(typeof FLOW_FIELDS)[number], number> {
  opened = 0;
  closed = 0;
  /** Flows that a rule has refused. */
  denied = 0;
  /** Flows for which there was no room: each was refused, or took the place of another one. */
  limited = 0;
  /** Octets of the packets from the peer and to it. */
  fromPeer = 0;
  toPeer = 0;
}

export interface FlowCounts {
  readonly tcp: FlowCount;
  readonly udp: FlowCount;
  readonly echoes: FlowCount;
}
