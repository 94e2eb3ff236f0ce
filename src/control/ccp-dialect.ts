// CCP: which compression or encryption each direction uses (RFC 1962), and asking for a reset of it (§3), by pppd's
// rules: what we ask for is what we receive with, and of a list the first method counts.

import { bytesOf } from "../bytes/text.ts";
import {
  bsdOption,
  CcpOption,
  deflateOption,
  lzsOption,
  MppeBit,
  mppeOption,
  predictorOption,
  readBsd,
  readDeflate,
  readLzs,
  readMppe,
} from "../wire/ccp.ts";
import { Code, type ConfOption, type Control, type OptionList, putControl, sameOption } from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";
import { State } from "./automaton.ts";
import { type Answer, type Dialect, type Limits, type Lower, weigh } from "./dialect.ts";
import type { Verdict } from "../wire/control.ts";

/** What one direction agreed on. */
export type Method =
  | { readonly kind: "deflate"; readonly draft: boolean; readonly window: number }
  | { readonly kind: "bsd"; readonly bits: number }
  | { readonly kind: "predictor1" }
  | { readonly kind: "lzs"; readonly mode: LzsMode; readonly histories: 0 | 1 }
  | { readonly kind: "mppc" }
  | { readonly kind: "mppe"; readonly bits: 40 | 56 | 128; readonly stateless: boolean; readonly compress: boolean };

export type LzsMode = 0 | 1 | 2 | 3 | 4;

/** Ask the peer for it, take it when the peer asks (or knows nothing else), or have nothing to do with it. */
export type Wish = "request" | "accept" | "no";

/** Code sizes for what the peer sends and for what we send; 0: not that way. */
export interface Sizes {
  readonly receive: number;
  readonly transmit: number;
}

/** Encryption is required; nothing else is negotiated then. */
export interface MppeConfig {
  readonly bits40: boolean;
  readonly bits56: boolean;
  readonly bits128: boolean;
  /** The key may stay the same for 256 packets. */
  readonly stateful: boolean;
}

export interface CcpConfig {
  readonly deflate: Sizes;
  /** Ask for Deflate by the number it had in its draft too, and take that. */
  readonly deflateDraft: boolean;
  readonly bsd: Sizes;
  readonly predictor1: Wish;
  readonly lzs: Wish;
  readonly mppc: Wish;
  readonly mppe: MppeConfig | undefined;
  readonly limits: Limits;
}

export interface CcpOwner {
  /** The peer will send with this from now on; undefined: plainly. */
  receiveWith(method: Method | undefined): void;
  /** We may send with this from now on. */
  transmitWith(method: Method | undefined): void;
  ccpUp(receive: Method | undefined, transmit: Method | undefined, now: number): void;
  ccpDown(now: number): void;
  ccpFinished(now: number): void;
  /** Encryption was required, and there will be none; `reason` is for the log and the peer. */
  mppeFailed(reason: string, now: number): void;
  /** The peer lost its place in what we send. */
  resetTransmit(): void;
  /** The peer began anew, as asked. */
  resetReceive(): void;
  /** Wakes {@link Ccp.timeout} then; Infinity: not at all. */
  wakeResetAt(at: number): void;
}

/** Why there will be no encryption: no agreement on the kind of it, or a peer that knows none. */
const MPPE_FAILED = "MPPE required but peer negotiation failed";
const MPPE_REFUSED = "MPPE required but peer refused";
/** RFC 1962 has no number for it; this is pppd's. */
const RESET_ACK_MS = 1000;
/** A peer that goes on compressing after the end is told of it once in this time. */
const REMINDER_MS = 1000;
const LZS_HISTORIES = 1;
/** Sequence numbers: the mode RFC 1974 §2.3 recommends. */
const LZS_MODE: LzsMode = 3;
/** 24, 25 and so on are Deflate's only with a window zlib can do. */
const LEAST_WINDOW = 9;
const LEAST_BITS = 9;

export class Ccp implements Dialect {
  readonly name = "CCP";
  readonly protocol = Protocol.CCP;
  readonly #config: CcpConfig;
  readonly #lower: Lower;
  readonly #owner: CcpOwner;
  #mppe: MppeConfig | undefined;
  /** What we ask for, best first. */
  #want: ConfOption[] = [];
  /** What the peer's last request began with, if we agreed to all of it; and what it named that we could do. */
  #transmit: Method | undefined;
  #named: ConfOption[] = [];
  #refused: number[] = [];
  #receive: Method | undefined;
  /** Told to the owner when the answer to it has been sent. */
  #mppeFailure: string | undefined;
  #resetId = 0;
  /** A Reset-Request is on its way; another was wanted meanwhile. */
  #resetting = false;
  #resetAgain = false;
  #state: State = State.Initial;
  /** The owner has a method each way. */
  #receives = false;
  #transmits = false;
  #remindedAt = -Infinity;

  constructor(config: CcpConfig, lower: Lower, owner: CcpOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
    this.#mppe = config.mppe;
  }

  /** There is no key of 40 bits. False: and none of another strength is allowed. */
  forbidMppe40(): boolean {
    this.#mppe = this.#mppe && { ...this.#mppe, bits40: false };
    return this.#mppe === undefined || this.#mppe.bits56 || this.#mppe.bits128;
  }

  /** Nothing is asked for: pppd waits for the peer's request then. */
  static asksNothing({ mppe, deflate, bsd, predictor1, lzs, mppc }: CcpConfig): boolean {
    if (mppe !== undefined || deflate.receive > 0 || bsd.receive > 0) return false;
    return predictor1 !== "request" && lzs !== "request" && mppc !== "request";
  }

  reset(): void {
    const { deflate, deflateDraft, bsd, predictor1, lzs, mppc } = this.#config;
    const mppe = this.#mppe;
    this.#want = [];
    this.#refused = [];
    this.#transmit = this.#receive = undefined;
    if (mppe !== undefined) {
      this.#want.push(mppeOption(mppeBits(mppe, mppc === "request")));
      return;
    }
    if (deflate.receive > 0) this.#want.push(deflateOption(CcpOption.Deflate, deflate.receive));
    if (deflate.receive > 0 && deflateDraft) this.#want.push(deflateOption(CcpOption.DeflateDraft, deflate.receive));
    if (bsd.receive > 0) this.#want.push(bsdOption(bsd.receive));
    if (mppc === "request") this.#want.push(mppeOption(MppeBit.Mppc));
    if (lzs === "request") this.#want.push(lzsOption(LZS_HISTORIES, LZS_MODE));
    if (predictor1 === "request") this.#want.push(predictorOption(CcpOption.Predictor1));
  }

  request(): ConfOption[] {
    return [...this.#want];
  }

  // ── the peer's request: what we send with ────────────────────────────────────────────────────────────────────────

  judge(list: OptionList, rejectOnly: boolean): Answer {
    this.#transmitWith(undefined);
    this.#transmit = undefined;
    let secure = false;
    let first: ConfOption | undefined;
    const answer = weigh(list, rejectOnly, (option) => {
      const verdict = this.#verdict(option);
      if (option.type === CcpOption.Mppe && verdict !== "reject") secure = true;
      if (verdict === "reject" || (rejectOnly && verdict !== "ack")) return verdict;
      first ??= option;
      // A list acknowledged whole means its first to pppd and its last to FreeBSD's user-ppp, so one method is agreed on
      // alone; but of Deflate and BSD-Compress pppd acknowledges all forms, and so do we.
      return option === first || (isPppds(first) && isPppds(option)) ? verdict : "reject";
    });
    this.#named = list.options;
    this.#mppeFailure = this.#mppe !== undefined && !secure ? MPPE_FAILED : undefined;
    if (answer.code === Code.ConfAck) this.#transmit = methodOf(list.options[0]);
    return answer;
  }

  #verdict(option: ConfOption): Verdict {
    const { deflate, deflateDraft, bsd, predictor1, lzs } = this.#config;
    if (this.#mppe !== undefined && option.type !== CcpOption.Mppe) return "reject";
    switch (option.type) {
      case CcpOption.Mppe:
        return this.#mppeVerdict(readMppe(option.value));
      case CcpOption.Deflate:
      case CcpOption.DeflateDraft: {
        const isDraft = option.type === CcpOption.DeflateDraft;
        if (deflate.transmit === 0 || (isDraft && !deflateDraft) || option.value.length !== 2) return "reject";
        const window = readDeflate(option.value);
        const fits = window !== undefined && window >= LEAST_WINDOW && window <= deflate.transmit;
        return fits ? "ack" : deflateOption(option.type, deflate.transmit);
      }
      case CcpOption.BsdCompress: {
        if (bsd.transmit === 0 || option.value.length !== 1) return "reject";
        const bits = readBsd(option.value);
        return bits !== undefined && bits >= LEAST_BITS && bits <= bsd.transmit ? "ack" : bsdOption(bsd.transmit);
      }
      case CcpOption.Predictor1:
        return predictor1 !== "no" && option.value.length === 0 ? "ack" : "reject";
      case CcpOption.Stac: {
        const asked = lzs === "no" ? undefined : readLzs(option.value);
        if (asked === undefined) return "reject";
        const fits = asked.histories <= LZS_HISTORIES && isLzsMode(asked.mode);
        return fits ? "ack" : lzsOption(LZS_HISTORIES, LZS_MODE);
      }
      default:
        return "reject";
    }
  }

  #mppeVerdict(bits: number | undefined): Verdict {
    const { mppc } = this.#config;
    const mppe = this.#mppe;
    if (bits === undefined) return "reject";
    if (mppe === undefined) {
      if (mppc === "no" || (bits & MppeBit.Mppc) === 0) return "reject";
      // A peer that would encrypt as well is told that compression is what there is.
      return bits === MppeBit.Mppc ? "ack" : mppeOption(MppeBit.Mppc);
    }
    const stateful = (bits & MppeBit.Stateless) === 0;
    if (stateful && !mppe.stateful && (bits & KEY_BITS) !== 0) {
      this.#lower.log("error", "Refusing MPPE stateful mode offered by peer");
      return "reject";
    }
    const compress = mppc === "request" ? bits & MppeBit.Mppc : 0;
    const strength = strongest(bits, mppe);
    if (strength === undefined) return (bits & KEY_BITS) === 0 ? mppeOption(mppeBits(mppe, false)) : "reject";
    const good = (strength | compress | (stateful ? 0 : MppeBit.Stateless)) >>> 0;
    return good === bits ? "ack" : mppeOption(good);
  }

  answered(code: number, now: number): void {
    if (code === Code.ConfAck) this.#transmitWith(this.#transmit);
    this.refusalTaken(now);
  }

  // ── our request: what we receive with ────────────────────────────────────────────────────────────────────────────

  requested(): void {
    this.#receive = undefined;
    this.#receiveWith(undefined);
  }

  /** Some peers acknowledge the first method alone: it is the one that counts. */
  acknowledges(options: readonly ConfOption[], requested: readonly ConfOption[]): boolean {
    if (options.length > requested.length || (options.length === 0 && requested.length > 0)) return false;
    return options.every((option, at) => sameOption(option, requested[at]!));
  }

  acknowledged(): void {
    this.#receive = methodOf(this.#want[0]);
    this.#receiveWith(this.#receive);
  }

  naked(options: ConfOption[], asReject: boolean): void {
    if (this.#want.length === 0) {
      // Who asks for nothing may be told what there is: Windows Mobile does.
      if (!asReject) this.#wantCommon(options);
      return;
    }
    for (const option of options) {
      const at = this.#want.findIndex(({ type }) => type === option.type);
      if (at < 0) continue;
      const better = asReject ? undefined : this.#better(this.#want[at]!, option);
      if (better !== undefined) this.#want[at] = better;
      else {
        this.rejected([option]);
        if (this.#mppeFailure !== undefined) this.#mppeFailure = MPPE_FAILED;
      }
    }
  }

  /** The peer's counter-offer, if it is one we can live with. */
  #better(asked: ConfOption, offer: ConfOption): ConfOption | undefined {
    switch (asked.type) {
      case CcpOption.Deflate:
      case CcpOption.DeflateDraft: {
        const window = readDeflate(offer.value);
        if (window === undefined || window < LEAST_WINDOW) return undefined;
        return window < readDeflate(asked.value)! ? deflateOption(asked.type, window) : asked;
      }
      case CcpOption.BsdCompress: {
        const bits = readBsd(offer.value);
        if (bits === undefined || bits < LEAST_BITS) return undefined;
        return bits < readBsd(asked.value)! ? bsdOption(bits) : asked;
      }
      case CcpOption.Stac: {
        const lzs = readLzs(offer.value);
        const fits = lzs !== undefined && lzs.histories <= LZS_HISTORIES && isLzsMode(lzs.mode);
        return fits ? lzsOption(lzs.histories, lzs.mode) : undefined;
      }
      case CcpOption.Mppe:
        return this.#betterMppe(readMppe(asked.value)!, readMppe(offer.value));
      default:
        return undefined;
    }
  }

  #betterMppe(asked: number, offer: number | undefined): ConfOption | undefined {
    const mppe = this.#mppe;
    if (offer === undefined) return undefined;
    if (mppe === undefined) return offer === MppeBit.Mppc ? mppeOption(offer) : undefined;
    if ((offer & MppeBit.Stateless) === 0 && !mppe.stateful) {
      this.#lower.log("error", "Refusing MPPE stateful mode offered by peer");
      return undefined;
    }
    const allowed = mppeBits(mppe, (asked & MppeBit.Mppc) !== 0) | (mppe.bits56 ? MppeBit.Bits56 : 0);
    return (offer & KEY_BITS) !== 0 && (offer & ~allowed) === 0 ? mppeOption(offer) : undefined;
  }

  rejected(options: ConfOption[]): void {
    for (const { type } of options) {
      if (type === CcpOption.Mppe && this.#mppe !== undefined) this.#mppeFailure = MPPE_REFUSED;
      this.#refused.push(type);
      this.#want = this.#want.filter((asked) => asked.type !== type);
    }
    if (this.#want.length === 0) this.#wantCommon(this.#named);
  }

  /** Nothing of ours will do: what the peer can be sent, it can send. Of pppd's methods all were asked for by then. */
  #wantCommon(offered: readonly ConfOption[]): void {
    if (this.#mppe !== undefined) return;
    const common = offered.find(
      (option) => !isPppds(option) && !this.#refused.includes(option.type) && this.#verdict(option) === "ack",
    );
    if (common !== undefined) this.#want = [common];
  }

  /** What the peer refused is the end where encryption is a must. */
  refusalTaken(now: number): void {
    const reason = this.#mppeFailure;
    this.#mppeFailure = undefined;
    if (reason !== undefined) this.#owner.mppeFailed(reason, now);
  }

  // ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(control: Control, packet: Uint8Array): boolean {
    switch (control.code) {
      case Code.ResetReq: {
        if (!this.#isUp) {
          if (this.#isOver)
            this.#lower.send(Protocol.CCP, (buf, at) => putControl(buf, at, Code.TermAck, control.id, NONE));
          return true;
        }
        const data = packet.slice(control.dataStart, control.dataEnd);
        this.#owner.resetTransmit();
        this.#lower.send(Protocol.CCP, (buf, at) => putControl(buf, at, Code.ResetAck, control.id, data));
        return true;
      }
      case Code.ResetAck:
        if (!this.#isUp) return true;
        if (this.#resetting && control.id === this.#resetId) this.#endReset();
        this.#owner.resetReceive();
        return true;
      default:
        return false;
    }
  }

  /** Asks the peer to begin anew; while the answer is awaited, once a second at the most. */
  requestReset(id: () => number, now: number): void {
    if (this.#resetting) {
      this.#resetAgain = true;
      return;
    }
    this.#resetting = true;
    this.#resetId = id();
    this.#sendReset(now);
  }

  /** The time for a Reset-Ack is over. */
  timeout(now: number): void {
    if (this.#resetAgain) this.#sendReset(now);
    else this.#resetting = false;
  }

  #sendReset(now: number): void {
    this.#resetAgain = false;
    this.#lower.send(Protocol.CCP, (buf, at) => putControl(buf, at, Code.ResetReq, this.#resetId, NONE));
    this.#owner.wakeResetAt(now + RESET_ACK_MS);
  }

  #endReset(): void {
    this.#resetting = this.#resetAgain = false;
    this.#owner.wakeResetAt(Infinity);
  }

  /** The peer compressed a packet that nobody here can read. When CCP is over, it has missed that, and is told so. */
  compressedInVain(id: () => number, now: number): void {
    const isEnding = this.#state === State.Closing || this.#state === State.Stopping;
    if ((!this.#isOver && !isEnding) || now < this.#remindedAt + REMINDER_MS) return;
    this.#remindedAt = now;
    this.#lower.send(Protocol.CCP, (buf, at) => putControl(buf, at, Code.TermReq, id(), NOT_OPENED));
  }

  get #isUp(): boolean {
    return this.#state === State.Opened;
  }

  get #isOver(): boolean {
    return this.#state === State.Closed || this.#state === State.Stopped;
  }

  /** Each way compresses only while the request for it is agreed to (RFC 1962 §2), however the state was left. */
  settled(state: State): void {
    this.#state = state;
    if (state !== State.AckSent && state !== State.Opened) this.#transmitWith(undefined);
    if (state !== State.AckRcvd && state !== State.Opened) this.#receiveWith(undefined);
  }

  #transmitWith(method: Method | undefined): void {
    if (method !== undefined || this.#transmits) this.#owner.transmitWith(method);
    this.#transmits = method !== undefined;
  }

  #receiveWith(method: Method | undefined): void {
    if (method !== undefined || this.#receives) this.#owner.receiveWith(method);
    this.#receives = method !== undefined;
  }

  up(now: number): void {
    this.#owner.ccpUp(this.#receive, this.#transmit, now);
  }

  down(now: number): void {
    this.#endReset();
    this.#owner.ccpDown(now);
  }

  finished(now: number): void {
    this.#owner.ccpFinished(now);
  }
}

const NONE = new Uint8Array(0);
/** What a peer that goes on compressing is told. */
const NOT_OPENED = bytesOf("Compression is not negotiated");
const KEY_BITS = MppeBit.Bits40 | MppeBit.Bits56 | MppeBit.Bits128;

/** The bits we ask for: stateless first, whatever else we would take; 56 bits only when the peer names them. */
function mppeBits({ bits40, bits56, bits128 }: MppeConfig, compress: boolean): number {
  let bits: number = MppeBit.Stateless;
  if (bits40) bits |= MppeBit.Bits40;
  if (bits128) bits |= MppeBit.Bits128;
  if (bits56 && !bits40 && !bits128) bits |= MppeBit.Bits56;
  if (compress) bits |= MppeBit.Mppc;
  return bits >>> 0;
}

/** Of the strengths offered the strongest that is allowed. */
function strongest(bits: number, { bits40, bits56, bits128 }: MppeConfig): number | undefined {
  if (bits128 && bits & MppeBit.Bits128) return MppeBit.Bits128;
  if (bits56 && bits & MppeBit.Bits56) return MppeBit.Bits56;
  return bits40 && bits & MppeBit.Bits40 ? MppeBit.Bits40 : undefined;
}

function isPppds({ type }: ConfOption): boolean {
  return type === CcpOption.Deflate || type === CcpOption.DeflateDraft || type === CcpOption.BsdCompress;
}

function isLzsMode(mode: number): mode is LzsMode {
  return mode >= 0 && mode <= 4;
}

/** The method an acceptable option stands for. */
function methodOf(option: ConfOption | undefined): Method | undefined {
  if (option === undefined) return undefined;
  const { type, value } = option;
  switch (type) {
    case CcpOption.Deflate:
    case CcpOption.DeflateDraft:
      return { kind: "deflate", draft: type === CcpOption.DeflateDraft, window: readDeflate(value) ?? 15 };
    case CcpOption.BsdCompress:
      return { kind: "bsd", bits: readBsd(value) ?? LEAST_BITS };
    case CcpOption.Predictor1:
      return { kind: "predictor1" };
    case CcpOption.Stac: {
      const lzs = readLzs(value);
      return lzs !== undefined && isLzsMode(lzs.mode)
        ? { kind: "lzs", mode: lzs.mode, histories: lzs.histories === 0 ? 0 : 1 }
        : undefined;
    }
    case CcpOption.Mppe: {
      const bits = readMppe(value) ?? 0;
      if ((bits & KEY_BITS) === 0) return { kind: "mppc" };
      return {
        kind: "mppe",
        bits: bits & MppeBit.Bits128 ? 128 : bits & MppeBit.Bits56 ? 56 : 40,
        stateless: (bits & MppeBit.Stateless) !== 0,
        compress: (bits & MppeBit.Mppc) !== 0,
      };
    }
    default:
      return undefined;
  }
}

/** What pppd calls it, in "… compression enabled"; `other` is the other direction's when that has the same method. */
export function methodName(method: Method, other: Method | undefined): string {
  switch (method.kind) {
    case "deflate": {
      const sizes = other?.kind === "deflate" && other.window !== method.window ? `/${other.window}` : "";
      return `Deflate${method.draft ? "(old#)" : ""} (${method.window}${sizes})`;
    }
    case "bsd":
      return `BSD-Compress (${method.bits}${other?.kind === "bsd" && other.bits !== method.bits ? `/${other.bits}` : ""})`;
    case "predictor1":
      return "Predictor 1";
    case "lzs":
      return "Stac LZS";
    case "mppc":
      return "MPPC";
    case "mppe":
      return `MPPE ${method.bits}-bit ${method.stateless ? "stateless" : "stateful"}${method.compress ? " MPPC" : ""}`;
  }
}

/** What pppd says when CCP is up; undefined: no compression either way. */
export function enabledText(receive: Method | undefined, transmit: Method | undefined): string | undefined {
  if (receive === undefined && transmit === undefined) return undefined;
  if (transmit === undefined) return `${methodName(receive!, undefined)} receive compression enabled`;
  if (receive === undefined) return `${methodName(transmit, undefined)} transmit compression enabled`;
  const sameNumber =
    receive.kind === transmit.kind &&
    (receive.kind !== "deflate" || receive.draft === (transmit as typeof receive).draft);
  if (sameNumber) return `${methodName(receive, transmit)} compression enabled`;
  return `${methodName(receive, undefined)} / ${methodName(transmit, undefined)} compression enabled`;
}
