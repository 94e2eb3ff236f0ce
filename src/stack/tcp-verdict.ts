// What a segment means to a connection that has the numbers of both ends (RFC 9293 §3.10.7.4, RFC 5961).

import { TcpFlag } from "../wire/ip.ts";
import type { TcpHandshake } from "./tcp-handshake.ts";
import type { TcpReceiver } from "./tcp-receiver.ts";
import type { TcpSegment } from "./tcp-segment.ts";

export const Verdict = {
  /** Its acknowledgment and its octets count. */
  TAKE: 0,
  IGNORE: 1,
  /** It ends the connection. */
  END: 2,
  /** It is answered with the state of things. */
  CHALLENGE: 3,
  /** The same, and its acknowledgment counts: it is a probe of our closed window, or comes after a probe. */
  PROBE: 4,
  /** The peer's SYN again: our answer to it was lost. */
  SYN_AGAIN: 5,
  /** Both ends have opened: the peer's SYN comes again with its acknowledgment of ours (RFC 9293 figure 7). */
  SYN_CROSSED: 6,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** `handshake` is given in SYN-RECEIVED, where a SYN has other meanings. */
export function verdictOf(segment: TcpSegment, receiver: TcpReceiver, handshake?: TcpHandshake): Verdict {
  const { flags, sequence } = segment;
  const isAcceptable = receiver.accepts(segment);
  if (flags & TcpFlag.RST) {
    if (!isAcceptable) return Verdict.IGNORE;
    // Only the exact number resets. Any other in the window, and a SYN, is asked about.
    return sequence === receiver.next ? Verdict.END : Verdict.CHALLENGE;
  }
  if (flags & TcpFlag.SYN) {
    if (handshake === undefined) return Verdict.CHALLENGE;
    const isSame = sequence === (receiver.next - 1) >>> 0;
    if (isSame) return handshake.isAnsweredBy(segment) ? Verdict.SYN_CROSSED : Verdict.SYN_AGAIN;
    // The peer has begun anew. It repeats its SYN.
    return isAcceptable && !handshake.isOurs ? Verdict.END : Verdict.CHALLENGE;
  }
  if (!isAcceptable) return receiver.mayAcknowledge(segment) ? Verdict.PROBE : Verdict.CHALLENGE;
  return flags & TcpFlag.ACK ? Verdict.TAKE : Verdict.IGNORE;
}
