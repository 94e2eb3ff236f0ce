// Link quality monitoring: exchanges reports with the peer and derives the loss from two of them (RFC 1989).
//
// A report says what its sender has sent, and repeats what the sender had received when our last report came. Two
// reports of each side give the loss in each direction. Loss is only logged. A dead peer is detected by echoes.

import { type LinkQualityReport, LQR_LENGTH, parseLqr, putLqr } from "../wire/lqr.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Lower } from "./dialect.ts";

/**
 * What the line has carried so far, all frames included. Octets are counted as in RFC 1989 §2.3, with FCS and one flag.
 */
export interface LineCounters {
  packetsOut(): number;
  octetsOut(): number;
  packetsIn(): number;
  octetsIn(): number;
  /** Bad frames: a wrong FCS and similar errors. */
  errorsIn(): number;
  /** Good frames that were dropped for want of room. */
  discardsIn(): number;
  /** How much a control packet of `length` octets will add to octetsOut. */
  frameOctets(length: number): number;
}

/** Packets of one direction since start(), as far as reports tell. */
export interface Loss {
  sent: number;
  lost: number;
}

/** A report, and what we had received when it came. */
interface Heard {
  report: LinkQualityReport;
  inLqrs: number;
  packets: number;
  discards: number;
  errors: number;
  octets: number;
}

export class LqrMonitor {
  /** From us to the peer, and from the peer to us. */
  readonly out: Loss = { sent: 0, lost: 0 };
  readonly in: Loss = { sent: 0, lost: 0 };
  readonly #lower: Pick<Lower, "send" | "log" | "wakeAt">;
  readonly #counters: LineCounters;
  readonly #magic: () => number;
  /** The longest time between our reports that the peer wants. 0: one after each of its own. Undefined: none. */
  #periodMs: number | undefined;
  #outLqrs = 0;
  #last: Heard | undefined;

  /** `magic` returns our present magic number, or 0. */
  constructor(lower: Pick<Lower, "send" | "log" | "wakeAt">, counters: LineCounters, magic: () => number) {
    this.#lower = lower;
    this.#counters = counters;
    this.#magic = magic;
  }

  /** LCP is up. `peerPeriodMs` is from the peer's Quality-Protocol option. Undefined when it sent none. */
  start(now: number, peerPeriodMs: number | undefined): void {
    this.out.sent = this.out.lost = this.in.sent = this.in.lost = 0;
    this.#outLqrs = 0;
    this.#last = undefined;
    this.#periodMs = peerPeriodMs;
    this.timeout(now);
  }

  stop(): void {
    this.#periodMs = undefined;
    this.#lower.wakeAt(Infinity);
  }

  timeout(now: number): void {
    if (this.#periodMs !== undefined && this.#periodMs > 0) this.#report(now);
  }

  /** Handles a packet of protocol c025. */
  receive(packet: Uint8Array, start: number, end: number, now: number): void {
    const report = parseLqr(packet, start, end);
    if (report === undefined) {
      this.#lower.log("debug", `Received a link quality report of only ${end - start} octets`);
      return;
    }
    if (report.magic !== 0 && report.magic === this.#magic()) {
      this.#lower.log("warn", "appear to have received our own link quality report!");
      return;
    }
    const before = this.#last;
    const counters = this.#counters;
    this.#last = {
      report,
      inLqrs: (before?.inLqrs ?? 0) + 1,
      packets: counters.packetsIn(),
      discards: counters.discardsIn(),
      errors: counters.errorsIn(),
      octets: counters.octetsIn(),
    };
    if (before !== undefined) this.#compare(before, this.#last);
    if (this.#wanted(before?.report, report)) this.#report(now);
  }

  /** True when a report is due at once, not only at the next period. */
  #wanted(before: LinkQualityReport | undefined, report: LinkQualityReport): boolean {
    if (this.#periodMs === undefined) return false;
    if (this.#periodMs === 0) return true;
    // The peer's last two reports count the same number of our reports, and fewer than we sent: the last one was lost.
    return before?.peerInLqrs === report.peerInLqrs && report.peerInLqrs !== this.#outLqrs;
  }

  #report(now: number): void {
    this.#outLqrs++;
    this.#lower.send(Protocol.LQR, (buf, at) => {
      const counters = this.#counters;
      const heard = this.#last;
      return putLqr(buf, at, {
        magic: this.#magic(),
        lastOutLqrs: heard?.report.peerOutLqrs ?? 0,
        lastOutPackets: heard?.report.peerOutPackets ?? 0,
        lastOutOctets: heard?.report.peerOutOctets ?? 0,
        peerInLqrs: heard?.inLqrs ?? 0,
        peerInPackets: heard?.packets ?? 0,
        peerInDiscards: heard?.discards ?? 0,
        peerInErrors: heard?.errors ?? 0,
        peerInOctets: heard?.octets ?? 0,
        peerOutLqrs: this.#outLqrs,
        peerOutPackets: counters.packetsOut() + 1,
        peerOutOctets: counters.octetsOut() + counters.frameOctets(LQR_LENGTH),
      });
    });
    if (this.#periodMs !== undefined && this.#periodMs > 0) this.#lower.wakeAt(now + this.#periodMs);
  }

  #compare(before: Heard, after: Heard): void {
    const { report: was } = before;
    const { report: is } = after;
    const incoming = add(this.in, since(is.peerOutPackets, was.peerOutPackets), since(after.packets, before.packets));
    // Before the peer has received a report of ours, its numbers about our reports mean nothing.
    const outgoing =
      was.peerInLqrs === 0
        ? undefined
        : add(this.out, since(is.lastOutPackets, was.lastOutPackets), since(is.peerInPackets, was.peerInPackets));
    const ofOurs = outgoing === undefined ? "" : `${outgoing.lost} of ${outgoing.sent} packets to the peer, `;
    const isLossy = incoming.lost > 0 || (outgoing !== undefined && outgoing.lost > 0);
    this.#lower.log(
      isLossy ? "info" : "debug",
      `Link quality: lost ${ofOurs}${incoming.lost} of ${incoming.sent} packets from the peer`,
    );
  }
}

/** The difference of two counters of 32 bits, which wrap. A counter that ran backwards gives 0. */
function since(now: number, before: number): number {
  return Math.max(0, (now - before) | 0);
}

function add(total: Loss, sent: number, received: number): Loss {
  // A packet that waited in a queue is counted as sent one report too late. So more may arrive than were sent.
  const lost = Math.max(0, sent - received);
  total.sent += sent;
  total.lost += lost;
  return { sent, lost };
}
