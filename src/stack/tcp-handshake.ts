// What a connection remembers until it is established: the SYNs of both ends.

import { TcpFlag } from "../wire/ip.ts";
import type { IpPacket } from "./ip-packet.ts";
import type { TcpReceiver } from "./tcp-receiver.ts";
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
  /** The host opens the connection. */
  isOurs = false;
  /** The window of our SYN, which opens the connection. */
  #offered = 0;
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

  /** The host opens the connection, and its socket takes so many octets. */
  open(room: number): void {
    this.isOurs = this.scales = true;
    this.#offered = Math.min(0xffff, room);
  }

  /** Takes over the options of the peer's SYN. */
  note(
    { sequence, mss, shift, sackPermitted }: TcpSegment,
    sender: TcpSender,
    receiver: TcpReceiver,
    room: number,
  ): void {
    this.scales = shift !== NO_SCALE;
    receiver.begin((sequence + 1) >>> 0, this.#offered, this.scales ? OUR_SHIFT : 0);
    sender.offerMss(mss, room);
    sender.sackPermitted = sackPermitted;
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
    else sender.roundTrip.startOver();
    receiver.shift = this.scales ? OUR_SHIFT : 0;
  }

  /** A SYN of the peer acknowledges ours, which the host has opened with. */
  isAnsweredBy({ flags, acknowledgment }: TcpSegment): boolean {
    return this.isOurs && (flags & TcpFlag.ACK) !== 0 && acknowledgment === (this.iss + 1) >>> 0;
  }

  /** Our SYN has not been answered in time. */
  handleTimeout(sender: TcpSender): void {
    this.isDue = true;
    sender.repetitions++;
    sender.roundTrip.timedOut();
    sender.timeoutAt = Infinity;
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
      window: isAnswer ? receiver.window : this.#offered,
      scales: this.scales,
      sacks: sender.sackPermitted,
    });
  }
}
