// When a queue drops a packet: CoDel (RFC 8289 §5). A packet is dropped when for a whole interval every packet has waited longer
// than the target, and then more and more often until the queue is shorter.

/** RFC 8289 §4.2 and §4.3, for lines on which a packet takes no time. */
const TARGET_MS = 5;
const INTERVAL_MS = 100;
/**
 * While one full packet is sent, the next one waits. That is no standing queue, so the target is longer than the time of a full
 * packet (RFC 8289 §4.4). With two of them the line does not run dry while a sender reacts.
 */
const TARGET_PACKETS = 2;
/** A queue that begins to drop again so soon goes on where it left off. */
const SOON_INTERVALS = 16;

export interface CoDelTimes {
  readonly targetMs: number;
  readonly intervalMs: number;
}

/** The times for a line of so many octets a millisecond whose packets have at most so many octets. */
export function coDelTimes(rate: number, longest: number): CoDelTimes {
  const packetMs = rate > 0 ? longest / rate : 0;
  const targetMs = Math.max(TARGET_MS, TARGET_PACKETS * packetMs);
  return { targetMs, intervalMs: Math.max(INTERVAL_MS + targetMs, 2 * targetMs) };
}

/** The state of one queue. */
export class CoDel {
  /** When the wait will have been too long for an interval. 0: it is not too long. */
  #lateAt = 0;
  #isDropping = false;
  #dropAt = 0;
  #count = 0;
  #lastCount = 0;

  /**
   * Whether the packet that is taken now goes or is dropped. `waitedMs`: it was so long in the queue. `isLast`: so little is
   * behind it that the line would run dry. The caller drops and asks again for the next packet.
   */
  drops(waitedMs: number, isLast: boolean, now: number, times: CoDelTimes): boolean {
    const isLate = this.#isLate(waitedMs, isLast, now, times);
    if (this.#isDropping) {
      if (!isLate) this.#isDropping = false;
      else if (now >= this.#dropAt) {
        this.#count++;
        this.#dropAt += times.intervalMs / Math.sqrt(this.#count);
        return true;
      }
      return false;
    }
    if (!isLate) return false;
    this.#isDropping = true;
    const since = this.#count - this.#lastCount;
    this.#count = since > 1 && now - this.#dropAt < SOON_INTERVALS * times.intervalMs ? since : 1;
    this.#lastCount = this.#count;
    this.#dropAt = now + times.intervalMs / Math.sqrt(this.#count);
    return true;
  }

  #isLate(waitedMs: number, isLast: boolean, now: number, { targetMs, intervalMs }: CoDelTimes): boolean {
    if (waitedMs < targetMs || isLast) {
      this.#lateAt = 0;
      return false;
    }
    if (this.#lateAt === 0) {
      this.#lateAt = now + intervalMs;
      return false;
    }
    return now >= this.#lateAt;
  }
}
