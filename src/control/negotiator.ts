// Option negotiation over the automaton: requests, answers, retransmission, termination (RFC 1661 §4.4–§5.6).

import { bytesOf, printable, textOf, toHex } from "../bytes/text.ts";
import {
  Code,
  type ConfOption,
  type Control,
  parseControl,
  parseOptions,
  putConfigure,
  putControl,
  sameOptions,
} from "../wire/control.ts";
import { AgreedRequest } from "./agreed-request.ts";
import { Automaton, type Action, type AutomatonEvent, type AutomatonOptions, State } from "./automaton.ts";
import type { Answer, Dialect, Limits, Lower } from "./dialect.ts";
import { OwnRequest } from "./own-request.ts";
import { RefusedRequest } from "./refused-request.ts";

const EMPTY = new Uint8Array(0);
const MOST_REJECTED = 120;
const CROSSING_MS = 1000;

export class Negotiator {
  readonly #dialect: Dialect;
  readonly #lower: Lower;
  readonly #limits: Limits;
  readonly #automaton: Automaton;
  readonly #request: OwnRequest;
  /** Identifier of our last packet that needs an answer. */
  #id = 0;
  #left = 0;
  #naksSent = 0;
  /** Naks and empty Rejects since the last answer that changed our request. */
  #sterile = 0;
  readonly #agreed = new AgreedRequest();
  readonly #refused = new RefusedRequest();
  /** The peer has ended this layer while it was open. */
  endedByPeer = false;
  #heard = false;
  #nudged = false;
  /** Until this time a request that a Nak of {@link #nudge} names was sent before the Nak arrived. */
  #crossingUntil = -Infinity;
  #reason = "";
  /** The state in which the event began, and the packet that it is about. */
  #was: State = State.Initial;
  #event: AutomatonEvent = "Up";
  #now = 0;
  #control: Control | undefined;
  #packet: Uint8Array = EMPTY;
  #answer: Answer | undefined;

  constructor(dialect: Dialect, lower: Lower, limits: Limits, options: AutomatonOptions = {}) {
    this.#dialect = dialect;
    this.#lower = lower;
    this.#limits = limits;
    this.#request = new OwnRequest(dialect, lower, limits);
    this.#automaton = new Automaton((action) => this.#act(action), options);
  }

  get state(): State {
    return this.#automaton.state;
  }

  get opened(): boolean {
    return this.#automaton.state === State.Opened;
  }

  /** The layer below is up. The peer counts as silent until its first packet comes. */
  lowerUp(now: number): void {
    this.#heard = this.#nudged = this.endedByPeer = false;
    this.#request.lowerUp();
    this.#feed("Up", now);
  }

  lowerDown(now: number): void {
    this.#feed("Down", now);
  }

  /** Takes an open layer down and negotiates it again (RFC 1661 §4.4). False: it is not open. */
  renegotiate(now: number): boolean {
    if (!this.opened) return false;
    this.lowerDown(now);
    this.#automaton.speaksFirst = true;
    this.lowerUp(now);
    return true;
  }

  open(now: number): void {
    this.#feed("Open", now);
  }

  /** `reason` becomes the text of the Terminate-Request. */
  close(reason: string, now: number): void {
    this.#reason = reason;
    this.#feed("Close", now);
  }

  timeout(now: number): void {
    this.#lower.wakeAt(Infinity);
    if (this.#request.repeats(now)) return;
    if (this.#left > 0) {
      this.#feed("TO+", now);
      return;
    }
    const { state } = this.#automaton;
    if (state >= State.ReqSent && state <= State.AckSent) {
      this.#lower.log("warn", `${this.#dialect.name}: timeout sending Config-Requests`);
      this.#dialect.gaveUp?.();
    }
    this.#feed("TO-", now);
  }

  /** The peer rejected our protocol as a whole (RFC 1661 §5.7). */
  protocolRejected(now: number): void {
    this.#feed("RXJ-", now);
  }

  /** The next identifier of this layer, for packets that its owner sends (Protocol-Reject, Code-Reject). */
  nextId(): number {
    this.#id = (this.#id + 1) & 0xff;
    return this.#id;
  }

  /** Handles packet[start, end), which begins with the code. */
  receive(packet: Uint8Array, start: number, end: number, now: number): void {
    const control = parseControl(packet, start, end);
    const { state } = this.#automaton;
    // Nothing can be sent before the layer below is up. A peer that is this early repeats its request.
    if (control === undefined || state === State.Initial || state === State.Starting) return;
    this.#control = control;
    this.#packet = packet;
    switch (control.code) {
      case Code.ConfReq:
        this.#receiveRequest(packet, control, now);
        break;
      case Code.ConfAck:
        this.#receiveAck(packet, control, now);
        break;
      case Code.ConfNak:
      case Code.ConfRej:
        this.#receiveRefusal(packet, control, now);
        break;
      case Code.TermReq:
        this.#receiveTermReq(packet, control, now);
        break;
      case Code.TermAck:
        this.#feed("RTA", now);
        break;
      case Code.CodeRej:
        // By RFC 1661 §5.6 a layer ends when the peer rejects a code that every peer must know (RXJ-). pppd continues,
        // and so do we.
        this.#codeRejected(packet, control);
        this.#feed("RXJ+", now);
        break;
      default:
        if (this.#dialect.receive?.(control, packet, now) !== true) this.#feed("RUC", now);
    }
  }

  #codeRejected(packet: Uint8Array, { dataStart }: Control): void {
    const [code = 0, id = 0] = packet.subarray(dataStart, dataStart + 2);
    if (this.#dialect.codeRejected?.(code) === true) return;
    this.#lower.log("warn", `${this.#dialect.name}: Rcvd Code-Reject for code ${code}, id ${id}`);
  }

  #receiveRequest(packet: Uint8Array, control: Control, now: number): void {
    const { state } = this.#automaton;
    if (state === State.Closing || state === State.Stopping || state === State.Closed) {
      this.#feed("RCR+", now);
      return;
    }
    if (state === State.Opened && this.#ackAgain(packet, control, now)) return;
    if (this.#isNaked(control, now)) return;
    // The peer started again. Our request and our judgement start again too, because our magic number is new.
    if (state === State.Opened || state === State.Stopped) this.#restart();
    if (state === State.ReqSent && !this.#heard && !this.#request.answered) this.#request.peerHeard(now);
    this.#heard = true;
    const again = this.#refused.answerTo(packet, control, now);
    this.#answer = again ?? this.#judged(packet, control, now);
    this.#feed(this.#answer.code === Code.ConfAck ? "RCR+" : "RCR-", now);
  }

  #judged(packet: Uint8Array, control: Control, now: number): Answer {
    const list = parseOptions(packet, control.dataStart, control.dataEnd);
    const answer = this.#dialect.judge(list, this.#naksSent >= this.#limits.maxFailure);
    if (answer.code === Code.ConfAck) {
      this.#agreed.keep(packet, control, now);
      this.#refused.forget();
      this.#naksSent = 0;
    } else {
      this.#agreed.forget();
      this.#refused.keep(packet, control, answer, now);
      if (answer.code === Code.ConfNak) this.#naksSent++;
    }
    return answer;
  }

  /** The peer repeated its request when our Nak was on the way. The Nak is its answer, and another request will follow. */
  #isNaked({ id }: Control, now: number): boolean {
    const isNaked = now < this.#crossingUntil && id < (this.#limits.nudges ?? 0);
    this.#crossingUntil = -Infinity;
    return isNaked;
  }

  /** Acknowledges a repetition of the request that we agreed to. False: it is a new request. */
  #ackAgain(packet: Uint8Array, control: Control, now: number): boolean {
    if (!this.#agreed.isRepeated(packet, control, now, this.#limits.restartMs)) return false;
    const { options } = this.#answer!;
    this.#lower.send(this.#dialect.protocol, (buf, at) => putConfigure(buf, at, Code.ConfAck, control.id, options));
    return true;
  }

  #receiveAck(packet: Uint8Array, control: Control, now: number): void {
    if (this.#stray(control)) return;
    const list = parseOptions(packet, control.dataStart, control.dataEnd);
    const agrees = this.#dialect.acknowledges?.bind(this.#dialect) ?? sameOptions;
    if (this.#negotiating && (list.rest.length > 0 || !agrees(list.options, this.#request.options))) {
      this.#complain("configure-ack", packet, control);
      return;
    }
    if (this.#negotiating) this.#dialect.acknowledged?.();
    this.#request.acknowledged(now);
    this.#sterile = 0;
    this.#feed("RCA", now);
    if (!this.#heard) this.#nudge();
  }

  /**
   * The peer answered, but its own request was lost before we listened, and it would repeat it only when its restart timer
   * ends. An empty Nak of that request makes it send a new one. Its identifier is not known, but most begin with 1 or 0. A
   * Nak with another identifier is ignored (RFC 1661 §5.3), so at most one of these is taken. Once for each lower-layer-up.
   */
  #nudge(): void {
    const { nudges = 0 } = this.#limits;
    if (this.#nudged || nudges === 0 || this.#automaton.state !== State.AckRcvd) return;
    this.#nudged = true;
    this.#crossingUntil = this.#now + CROSSING_MS;
    for (let id = nudges - 1; id >= 0; id--)
      this.#lower.send(this.#dialect.protocol, (buf, at) => putConfigure(buf, at, Code.ConfNak, id, []));
  }

  #receiveRefusal(packet: Uint8Array, control: Control, now: number): void {
    if (this.#stray(control)) return;
    const list = parseOptions(packet, control.dataStart, control.dataEnd);
    const nak = control.code === Code.ConfNak;
    if (this.#negotiating) {
      if (list.rest.length > 0 || !(nak ? this.#understands(list.options) : this.#request.isRejectable(list.options))) {
        this.#complain(nak ? "configure-nak" : "configure-rej", packet, control);
        return;
      }
      // As in pppd, an empty Reject asks for the same request again.
      const isSterile = nak || list.options.length === 0;
      this.#sterile = isSterile ? this.#sterile + 1 : 0;
      const tired = this.#sterile >= this.#limits.maxFailure;
      if (nak) this.#dialect.naked(list.options, tired);
      else this.#dialect.rejected(list.options);
      // The peer insists on something that we cannot change. Only the restart timer repeats our request then, not each
      // answer of the peer.
      if (tired && sameOptions(this.#dialect.request(), this.#request.options)) {
        this.#request.slowDown();
        return;
      }
    }
    this.#request.settle();
    this.#feed("RCN", now);
    this.#dialect.refusalTaken?.(now);
  }

  #understands(options: readonly ConfOption[]): boolean {
    return this.#dialect.understands?.(options) ?? true;
  }

  #receiveTermReq(packet: Uint8Array, control: Control, now: number): void {
    if (this.#automaton.state === State.Opened) {
      this.endedByPeer = true;
      const text = textOf(packet, control.dataStart, control.dataEnd);
      const { name } = this.#dialect;
      this.#lower.log("info", `${name} terminated by peer${text === "" ? "" : ` (${printable(text)})`}`);
    }
    this.#feed("RTR", now);
  }

  /** True in the states where the answer to a request matters. In the others the automaton alone decides. */
  get #negotiating(): boolean {
    return this.#automaton.state >= State.ReqSent && this.#automaton.state <= State.AckSent;
  }

  /** True for an answer to another request than the last, and for a second answer. Like pppd, we ignore both. */
  #stray(control: Control): boolean {
    const { state } = this.#automaton;
    return state >= State.ReqSent && this.#request.isStray(control);
  }

  #complain(what: string, packet: Uint8Array, { dataStart, dataEnd }: Control): void {
    this.#lower.log("error", `Received bad ${what}:  ${toHex(packet, dataStart, dataEnd, " ")}`);
  }

  #feed(event: AutomatonEvent, now: number): void {
    this.#now = now;
    this.#event = event;
    this.#was = this.#automaton.state;
    this.#automaton.feed(event);
    const { state } = this.#automaton;
    this.#dialect.settled?.(state);
    if (state >= State.Closing && state !== State.Opened) return;
    this.#request.stop();
    this.#lower.wakeAt(Infinity);
  }

  #act(action: Action): void {
    const { protocol } = this.#dialect;
    const now = this.#now;
    switch (action) {
      case "tlu":
        this.#dialect.up(now);
        break;
      case "tld":
        this.#dialect.down(now);
        break;
      case "tlf":
        this.#dialect.finished(now);
        break;
      case "tls":
        break;
      case "irc":
        this.#left = this.#limits.maxConfigure;
        break;
      case "zrc":
        this.#left = 0;
        this.#request.stop();
        this.#lower.wakeAt(now + this.#limits.restartMs);
        break;
      case "scr":
        this.#sendConfigureRequest(now);
        break;
      case "sca":
      case "scn": {
        const { code, options } = this.#answer!;
        const { id } = this.#control!;
        this.#lower.send(protocol, (buf, at) => putConfigure(buf, at, code, id, options));
        this.#dialect.answered?.(code, now);
        this.#request.answerSent(action === "sca", now);
        break;
      }
      case "str":
        this.#sendTerminateRequest(now);
        break;
      case "sta": {
        const id = this.#event === "RTR" || this.#event === "RCR+" ? this.#control!.id : this.nextId();
        this.#lower.send(protocol, (buf, at) => putControl(buf, at, Code.TermAck, id, EMPTY));
        break;
      }
      case "scj":
        this.#sendCodeReject();
        break;
      case "ser":
        // Only LCP has echoes, and its dialect answers them.
        break;
    }
  }

  #sendConfigureRequest(now: number): void {
    if (this.#event === "TO+") {
      this.#left--;
      this.#request.send(now);
      return;
    }
    const before = this.#was;
    const begun = this.#event === "RCR+" || this.#event === "RCR-";
    if (!begun && (before < State.ReqSent || before === State.Opened)) this.#restart();
    this.#left = this.#limits.maxConfigure - 1;
    this.#request.begin(this.nextId(), now);
  }

  #sendTerminateRequest(now: number): void {
    const { maxTerminate, restartMs } = this.#limits;
    if (this.#event !== "TO+") this.#left = maxTerminate;
    this.#request.stop();
    const id = this.nextId();
    const text = bytesOf(this.#reason);
    this.#lower.send(this.#dialect.protocol, (buf, at) => putControl(buf, at, Code.TermReq, id, text));
    this.#left--;
    this.#lower.wakeAt(maxTerminate === 0 ? now : now + restartMs);
  }

  /** Returns the whole packet, cut to the smallest MRU that a peer may have agreed to. */
  #sendCodeReject(): void {
    const { dataStart, dataEnd } = this.#control!;
    const rejected = this.#packet.slice(dataStart - 4, Math.min(dataEnd, dataStart + MOST_REJECTED));
    const id = this.nextId();
    this.#lower.send(this.#dialect.protocol, (buf, at) => putControl(buf, at, Code.CodeRej, id, rejected));
  }

  #restart(): void {
    this.#naksSent = this.#sterile = 0;
    this.#refused.forget();
    this.#dialect.reset();
  }
}
