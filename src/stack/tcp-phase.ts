// The phases of a connection, and the states of RFC 9293 §3.3.2 that they stand for.

import type { TcpReceiver } from "./tcp-receiver.ts";
import type { TcpSender } from "./tcp-sender.ts";

/** In CONNECTING the host's connect is under way, and the peer waits for the answer to its SYN. */
export const Phase = { CONNECTING: 0, SYN_SENT: 1, SYN_RECEIVED: 2, OPEN: 3, TIME_WAIT: 4, CLOSED: 5 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

const NAMES = ["SYN-RECEIVED", "SYN-SENT", "SYN-RECEIVED", "", "TIME-WAIT", "CLOSED"] as const;

/** Our SYN is on its way. */
export function isOpening(phase: Phase): boolean {
  return phase === Phase.SYN_SENT || phase === Phase.SYN_RECEIVED;
}

/** The two directions end by themselves: which of them have ended makes the states after ESTABLISHED. */
export function stateName(
  phase: Phase,
  { isDone, hasFinished }: TcpSender,
  { isOver }: TcpReceiver,
  closedFirst: boolean,
): string {
  if (phase !== Phase.OPEN) return NAMES[phase];
  if (isOver) return !hasFinished ? "CLOSE-WAIT" : closedFirst ? "CLOSING" : "LAST-ACK";
  return !hasFinished ? "ESTABLISHED" : isDone ? "FIN-WAIT-2" : "FIN-WAIT-1";
}
