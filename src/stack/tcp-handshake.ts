// What a connection remembers until it is established: the SYNs of both ends.

import type { IpPacket } from "./ip-packet.ts";
import { MOST_WINDOW, type TcpReceiver } from "./tcp-receiver.ts";
import { NO_SCALE, type TcpSegment } from "./tcp-segment.ts";
import type { TcpSender } from "./tcp-sender.ts";
import { OUR_SHIFT, type TcpWriter } from "./tcp-writer.ts";

/** A SYN that is not answered is given up after so long. */
const PATIENCE_MS = 60_000;
/** The octets of a packet that an ICMP error quotes. */
const QUOTED = 128;

export class TcpHandshake {
  /** Our initial sequence number. */
  readonly iss: number;
  /** Our SYN is to be sent. */
  isDue = false;
  /** Both ends scale their windows. */
  scales = false;
  /** The packet with the peer's SYN, until the connection is made. */
  quoted: Uint8Array | undefined;
  begunAt: number;

  constructor(iss: number, now: number) {
    this.iss = iss;
    this.begunAt = now;
  }

  /** Takes over the options of the peer's SYN. */
  note({ mss, shift, sackPermitted }: TcpSegment, sender: TcpSender, room: number): void {
    sender.offerMss(mss, room);
    sender.sackPermitted = sackPermitted;
    this.scales = shift !== NO_SCALE;
    sender.shift = this.scales ? shift : 0;
  }

  quote({ bytes, start, end }: IpPacket): void {
    this.quoted = bytes.slice(start, Math.min(end, start + QUOTED));
  }

  /** The peer has answered our SYN or acknowledged our answer. */
  finish(segment: TcpSegment, shift: number, sender: TcpSender, receiver: TcpReceiver, now: number): void {
    this.isDue = false;
    sender.timeoutAt = Infinity;
    sender.start(segment, segment.window * 2 ** shift);
    if (sender.repetitions === 0) sender.roundTrip.measured(now - this.begunAt);
    sender.roundTrip.progressed();
    receiver.shift = this.scales ? OUR_SHIFT : 0;
  }

  isHopeless(now: number): boolean {
    return now - this.begunAt >= PATIENCE_MS;
  }

  /** Writes our SYN, or with `isAnswer` our answer to the peer's. */
  put(
    into: Uint8Array,
    at: number,
    writer: TcpWriter,
    sender: TcpSender,
    receiver: TcpReceiver,
    isAnswer: boolean,
  ): number {
    this.isDue = false;
    return writer.putSyn(into, at, {
      sequence: this.iss,
      acknowledgment: isAnswer ? receiver.next : undefined,
      window: isAnswer ? receiver.window : MOST_WINDOW,
      scales: this.scales,
      sacks: sender.sackPermitted,
    });
  }
}
