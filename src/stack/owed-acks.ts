// The acknowledgments that a connection owes to its peer.

import { TcpFlag } from "../wire/ip.ts";
import type { TcpSegment } from "./tcp-segment.ts";

/** So many are kept for segments out of order. */
const MOST = 8;
/** Answers to segments without octets are limited (RFC 5961 §7), or two ends that disagree would answer each other for ever. */
const MOST_CHALLENGES = 10;
const CHALLENGES_MS = 5000;

export class OwedAcks {
  count = 0;
  #challenges = 0;
  #challengedAt = -Infinity;

  /** At least so many are owed. */
  owe(acks: number): void {
    this.count = Math.min(MOST, Math.max(this.count, acks));
  }

  /** Owes the answer to a segment that is not what was expected. */
  challenge({ length, flags }: TcpSegment, now: number): void {
    if (length > 0 && !(flags & TcpFlag.SYN)) {
      this.owe(1);
      return;
    }
    if (now - this.#challengedAt >= CHALLENGES_MS) {
      this.#challengedAt = now;
      this.#challenges = 0;
    }
    if (this.#challenges++ < MOST_CHALLENGES) this.owe(1);
  }

  /** A segment is sent, which has an acknowledgment. */
  sent(): void {
    if (this.count > 0) this.count--;
  }
}
