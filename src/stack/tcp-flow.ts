// One TCP connection between the peer and a socket (RFC 9293). The peer opens it: its SYN is answered when the host's connect
// has succeeded. Or the host opens it, for a forwarded port: then the socket is connected already and we send the SYN.

import { TCP_MIN, TcpFlag } from "../wire/ip.ts";
import { type Flow, portsOf, type Source, type StackHost } from "./flow.ts";
import type { Target } from "./gateway.ts";
import type { Ends, IpPacket } from "./ip-packet.ts";
import { isBefore } from "./sequence.ts";
import { Failure } from "./socket-side.ts";
import { Keepalive } from "./keepalive.ts";
import { TcpHandshake } from "./tcp-handshake.ts";
import { OwedAcks } from "./owed-acks.ts";
import { isOpening, Phase, stateName } from "./tcp-phase.ts";
import { TcpReceiver } from "./tcp-receiver.ts";
import { resetFor, type TcpFields, type TcpSegment } from "./tcp-segment.ts";
import { TcpSender } from "./tcp-sender.ts";
import { Verdict, verdictOf } from "./tcp-verdict.ts";
import { TcpWriter } from "./tcp-writer.ts";

const TIME_WAIT_MS = 60_000;
/** A peer that acknowledges nothing for so long is gone. */
const SILENCE_MS = 900_000;

export class TcpFlow implements Flow {
  readonly ends: Ends;
  readonly ports: number;
  socket = -1;
  chained: Flow | undefined;
  isQueued = false;
  nextQueued: Source | undefined;
  previousQueued: Source | undefined;
  dueAt = Infinity;
  heapPlace = -1;
  heapTime = 0;
  readonly #host: StackHost;
  readonly #writer: TcpWriter;
  readonly #handshake: TcpHandshake;
  readonly #keepalive: Keepalive;
  #phase: Phase = Phase.CONNECTING;
  readonly #receiver: TcpReceiver;
  readonly #sender: TcpSender;
  readonly #acks = new OwedAcks();
  /** We sent our FIN before the peer's came. */
  #closedFirst = false;

  constructor(host: StackHost, ends: Ends, farPort: number, peerPort: number, now: number) {
    this.#host = host;
    this.ends = ends;
    this.#writer = new TcpWriter(ends, farPort, peerPort, host.mtu - ends.headerSize - TCP_MIN);
    this.#keepalive = new Keepalive(now);
    this.ports = portsOf(farPort, peerPort);
    this.#handshake = new TcpHandshake(host.random() >>> 0, now);
    this.#receiver = new TcpReceiver(host.side, host.pool);
    this.#sender = new TcpSender(host.side, host.pool, host.line, (this.#handshake.iss + 1) >>> 0);
  }

  /** The state in the RFC's words. */
  get state(): string {
    return stateName(this.#phase, this.#sender, this.#receiver, this.#closedFirst);
  }

  get phase(): Phase {
    return this.#phase;
  }

  // ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The peer's SYN: starts the host's connection to the address. False: the flow has ended. */
  accept(segment: TcpSegment, packet: IpPacket, target: Target, now: number): boolean {
    this.#handshake.note(segment, this.#sender, this.#receiver, this.#writer.room);
    this.#handshake.quote(packet);
    this.socket = this.#host.side.connect(target.address, target.port);
    if (this.socket < 0) {
      this.#refuse(this.#host.side.failure(this.socket));
      return false;
    }
    if (this.#host.side.isConnected(this.socket)) this.#connected(now);
    return true;
  }

  /** The host has accepted a connection for the peer: sends our SYN. */
  open(socket: number, now: number): void {
    this.socket = socket;
    this.#handshake.open(Math.max(this.#writer.room, this.#host.side.room(socket)));
    this.#sender.sackPermitted = true;
    this.#phase = Phase.SYN_SENT;
    this.#sendSyn(now);
  }

  #connected(now: number): void {
    this.#handshake.quoted = undefined;
    this.#phase = Phase.SYN_RECEIVED;
    this.#handshake.begunAt = now;
    this.#receiver.openWindow(this.socket, 1);
    this.#sendSyn(now);
  }

  #sendSyn(now: number): void {
    this.#handshake.isDue = true;
    this.#sender.next = this.#sender.max = (this.#handshake.iss + 1) >>> 0;
    this.#host.wake(this);
    this.#sender.timeoutAt = now + this.#sender.roundTrip.timeoutMs;
    this.#settle(now);
  }

  /** Tells the peer that the connection cannot be made. */
  #refuse(failure: Failure): void {
    const syn = this.#handshake.quoted;
    if (syn === undefined || failure === Failure.REFUSED || failure === Failure.RESET || failure === Failure.NONE)
      this.#reset(TcpFlag.RST | TcpFlag.ACK, 0);
    else this.#host.gateway.report(failure, this.ends, syn);
    this.end();
  }

  // ── from the socket ──────────────────────────────────────────────────────────────────────────────────────────────

  ready(readable: boolean, writable: boolean, now: number): void {
    const { side } = this.#host;
    if (this.#phase === Phase.CONNECTING) {
      if (side.isConnected(this.socket)) this.#connected(now);
      else {
        const failure = side.failure(this.socket);
        if (failure !== Failure.NONE) this.#refuse(failure);
      }
      return;
    }
    if (readable) {
      this.#sender.buffer.readable();
      this.#host.wake(this);
    }
    if (writable && this.#receiver.resume(this.socket, this.#sender.mss)) this.#owe(1);
    this.#settle(now);
  }

  // ── from the peer ────────────────────────────────────────────────────────────────────────────────────────────────

  /** A segment of the connection (RFC 9293 §3.10.7.3 and §3.10.7.4). */
  receive(segment: TcpSegment, now: number): void {
    this.#keepalive.heard(now);
    if (this.#phase === Phase.CONNECTING) {
      // The SYN again, or the peer has given up.
      if (segment.flags & TcpFlag.RST && segment.sequence === this.#receiver.next) this.end();
    } else if (this.#phase === Phase.SYN_SENT) this.#receiveInSynSent(segment, now);
    else {
      this.#receiveSynchronized(segment, now);
      this.#settle(now);
    }
  }

  #receiveInSynSent(segment: TcpSegment, now: number): void {
    const { flags, acknowledgment } = segment;
    if (flags & TcpFlag.ACK && acknowledgment !== this.#sender.max) {
      if (!(flags & TcpFlag.RST)) this.#reply(resetFor(segment));
      return;
    }
    if (flags & TcpFlag.RST) {
      if (flags & TcpFlag.ACK) this.end(Failure.REFUSED);
      return;
    }
    if (!(flags & TcpFlag.SYN)) return;
    this.#handshake.note(segment, this.#sender, this.#receiver, this.#writer.room);
    if (flags & TcpFlag.ACK) this.#establish(segment, 0, now);
    else {
      this.#phase = Phase.SYN_RECEIVED;
      this.#receiver.openWindow(this.socket, 1);
      this.#sendSyn(now);
    }
    this.#owe(1);
    this.#settle(now);
  }

  #establish(segment: TcpSegment, shift: number, now: number): void {
    this.#phase = Phase.OPEN;
    this.#handshake.finish(segment, shift, this.#sender, this.#receiver, now);
    if (this.#handshake.isOurs) this.#host.side.opened?.(this.socket, Failure.NONE);
    this.#receiver.openWindow(this.socket, 1);
    this.#host.wake(this);
  }

  #receiveSynchronized(segment: TcpSegment, now: number): void {
    const receiver = this.#receiver;
    const verdict = verdictOf(segment, receiver, this.#phase === Phase.SYN_RECEIVED ? this.#handshake : undefined);
    if (verdict === Verdict.TAKE || verdict === Verdict.PROBE) {
      if (verdict === Verdict.PROBE) this.#challenge(segment, now);
      if (segment.flags & TcpFlag.ACK) this.#receiveAck(segment, verdict === Verdict.TAKE && !receiver.isOver, now);
    } else if (verdict === Verdict.END) this.end();
    else if (verdict === Verdict.CHALLENGE) {
      this.#challenge(segment, now);
      if (this.#phase === Phase.TIME_WAIT && segment.flags & TcpFlag.FIN) this.#waitTime(now);
    } else if (verdict === Verdict.SYN_AGAIN) {
      this.#handshake.isDue = true;
      this.#host.wake(this);
    } else if (verdict === Verdict.SYN_CROSSED) {
      this.#establish(segment, 0, now);
      this.#owe(1);
    }
  }

  #receiveAck(segment: TcpSegment, hasText: boolean, now: number): void {
    if (this.#phase === Phase.SYN_RECEIVED) {
      if (segment.acknowledgment !== this.#sender.max) {
        this.#reply(resetFor(segment));
        return;
      }
      this.#establish(segment, this.#sender.shift, now);
    }
    if (!this.#sender.acknowledge(segment, now)) {
      this.#challenge(segment, now);
      return;
    }
    this.#host.wake(this);
    if (hasText) this.#receiveText(segment);
  }

  #receiveText(segment: TcpSegment): void {
    const receiver = this.#receiver;
    const { bytes, sequence, dataStart, dataEnd } = segment;
    if (segment.flags & TcpFlag.FIN) receiver.finish((sequence + (dataEnd - dataStart)) >>> 0);
    if (dataEnd > dataStart) {
      const inOrder = receiver.take(this.socket, sequence, bytes, dataStart, dataEnd);
      // Each segment out of order is answered at once: three such answers make the peer repeat what is missing.
      this.#owe(inOrder && receiver.early.count === 0 ? 1 : this.#acks.count + 1);
    } else if (segment.flags & TcpFlag.FIN) this.#owe(1);
  }

  /** Acknowledgments are owed, at least so many. */
  #owe(acks: number): void {
    this.#acks.owe(acks);
    this.#host.wake(this);
  }

  /** Tells the peer how things are: its segment is not what was expected. */
  #challenge(segment: TcpSegment, now: number): void {
    this.#acks.challenge(segment, now);
    this.#host.wake(this);
  }

  // ── to the peer ──────────────────────────────────────────────────────────────────────────────────────────────────

  take(into: Uint8Array, at: number, now: number): number {
    if (isOpening(this.#phase)) return this.#takeSyn(into, at, now);
    if (this.#phase !== Phase.OPEN && this.#phase !== Phase.TIME_WAIT) return 0;
    const sender = this.#sender;
    const receiver = this.#receiver;
    const writer = this.#writer;
    if (!receiver.isOver) receiver.openWindow(this.socket, sender.mss);
    const room = writer.begin(into, at, receiver, sender.sackPermitted);
    let length = 0;
    if (this.#acks.count <= 1 && sender.prepare(this.socket, room, now))
      length = writer.putData(into, at, sender, receiver);
    else if (this.#acks.count > 0) length = writer.putAck(into, at, sender.bareSequence, receiver);
    else if (this.#keepalive.isDue) {
      this.#keepalive.isDue = false;
      length = writer.putAck(into, at, sender.next - 1, receiver);
    }
    if (length > 0) this.#acks.sent();
    this.#settle(now);
    return length;
  }

  #takeSyn(into: Uint8Array, at: number, now: number): number {
    const receiver = this.#receiver;
    const isAnswer = this.#phase === Phase.SYN_RECEIVED;
    const isOwed = this.#acks.count > 0;
    this.#acks.count = 0;
    if (!this.#handshake.isDue) {
      if (!isOwed || !isAnswer) return 0;
      this.#writer.begin(into, at, receiver, false);
      return this.#writer.putAck(into, at, this.#sender.next, receiver);
    }
    this.#sender.timeoutAt = now + this.#sender.roundTrip.timeoutMs;
    this.#settle(now);
    return this.#handshake.put(into, at, this.#writer, this.#sender, receiver, isAnswer);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  handleTimeout(now: number): void {
    const sender = this.#sender;
    if (this.#phase === Phase.TIME_WAIT) {
      this.end();
      return;
    }
    if (sender.timeoutAt <= now) {
      const silence = now - Math.max(this.#keepalive.heardAt, sender.unansweredSince);
      if (isOpening(this.#phase) ? this.#handshake.isHopeless(now) : silence >= SILENCE_MS)
        return this.#giveUp(Failure.HOST_UNREACHABLE);
      if (isOpening(this.#phase)) this.#handshake.handleTimeout(sender);
      else sender.handleTimeout(now);
    }
    if (sender.probeAt <= now) sender.handleProbe();
    if (this.#phase === Phase.OPEN && this.#keepalive.nextTimeout() <= now && !this.#keepalive.handleTimeout()) {
      this.#giveUp();
      return;
    }
    this.#host.wake(this);
    this.#settle(now);
  }

  #waitTime(now: number): void {
    this.#host.setDeadline(this, now + TIME_WAIT_MS);
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Looks at what has changed: an end in one direction, a broken socket, a deadline. */
  #settle(now: number): void {
    if (this.#phase === Phase.CLOSED || this.#phase === Phase.TIME_WAIT) return;
    const sender = this.#sender;
    const receiver = this.#receiver;
    if (receiver.hasFailed || sender.buffer.hasFailed) {
      this.#giveUp();
      return;
    }
    if (receiver.reachesFin()) {
      this.#closedFirst = sender.hasFinished;
      this.#owe(1);
      this.#host.side.shutdown(this.socket);
    }
    if (receiver.isOver && sender.isDone) {
      this.#release();
      if (!this.#closedFirst) {
        this.#forget();
        return;
      }
      this.#phase = Phase.TIME_WAIT;
      this.#waitTime(now);
      return;
    }
    const keepaliveAt = this.#phase === Phase.OPEN ? this.#keepalive.nextTimeout() : Infinity;
    this.#host.setDeadline(this, Math.min(sender.timeoutAt, sender.probeAt, keepaliveAt));
  }

  /** Resets the connection both ways. */
  #giveUp(failure: Failure = Failure.RESET): void {
    this.#reset(TcpFlag.RST | TcpFlag.ACK, this.#phase === Phase.SYN_SENT ? this.#handshake.iss : this.#sender.max);
    this.end(failure);
  }

  end(failure: Failure = Failure.RESET): void {
    if (this.#phase === Phase.CLOSED) return;
    if (this.#handshake.isOurs && isOpening(this.#phase)) this.#host.side.opened?.(this.socket, failure);
    this.#release(true);
    this.#forget();
  }

  /** Ends a connection whose peer is still there: the stack closes. */
  abandon(): void {
    if (this.#phase !== Phase.CONNECTING && this.#phase !== Phase.TIME_WAIT) this.#giveUp();
    else this.end();
  }

  #release(abort = false): void {
    if (this.socket >= 0) this.#host.closeSocket(this.socket, abort);
    this.socket = -1;
    this.#sender.buffer.release();
    this.#receiver.release();
  }

  #forget(): void {
    this.#phase = Phase.CLOSED;
    this.#host.forget(this);
  }

  #reset(flags: number, sequence: number): void {
    this.#reply({ sequence, acknowledgment: this.#receiver.next, flags, window: 0 });
  }

  #reply(fields: TcpFields): void {
    const packet = this.#writer.bare(fields);
    this.#host.reply(packet, 0, packet.length);
  }

  /** Whether a SYN for the same ports begins a new connection (RFC 9293 §3.10.7.4, RFC 6191). */
  mayBeReplacedBy({ flags, sequence }: TcpSegment): boolean {
    if (flags !== TcpFlag.SYN) return false;
    const { next } = this.#receiver;
    // The peer has begun anew while the host's connect is under way, or this connection waits for old segments.
    return this.#phase === Phase.CONNECTING
      ? sequence !== (next - 1) >>> 0
      : this.#phase === Phase.TIME_WAIT && isBefore(next, sequence);
  }

  /** The packet with this number did not arrive, says a router. All but the size is believed of a SYN only (RFC 5927 §5). */
  reported(failure: Failure, sequence: number, mtu: number): void {
    const sender = this.#sender;
    if (this.#phase === Phase.SYN_SENT && sequence === this.#handshake.iss) this.end(failure);
    if (failure !== Failure.TOO_BIG || this.#phase !== Phase.OPEN) return;
    if (isBefore(sequence, sender.una) || !isBefore(sequence, sender.max)) return;
    sender.limitMss(mtu - this.ends.headerSize - TCP_MIN);
    this.#host.wake(this);
  }

  /** The link has another MTU. */
  fitMtu(): void {
    this.#writer.room = this.#host.mtu - this.ends.headerSize - TCP_MIN;
    this.#sender.fitMss(this.#writer.room);
  }
}
