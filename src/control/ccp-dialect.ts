// CCP over the table of methods (compress/methods.ts): it settles which method each direction uses (RFC 1962). As in
// pppd, the method of our request is the one we receive with, and the first method in a list is the one that counts.

import type { Method, MethodRow } from "../compress/method-row.ts";
import { methodOf, METHODS, type MethodsConfig } from "../compress/methods.ts";
import {
  Code,
  type ConfOption,
  type Control,
  type OptionList,
  putControl,
  sameOption,
  type Verdict,
} from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";
import { State } from "./automaton.ts";
import { CcpResets } from "./ccp-resets.ts";
import { type Answer, type Dialect, type Limits, type Lower, weigh } from "./dialect.ts";

export interface CcpConfig extends MethodsConfig {
  readonly limits: Limits;
}

export interface CcpOwner {
  /** From now on the peer sends with this method. Undefined means without compression. */
  receiveWith(method: Method | undefined): void;
  /** From now on we may send with this method. */
  transmitWith(method: Method | undefined): void;
  ccpUp(receive: Method | undefined, transmit: Method | undefined, now: number): void;
  ccpDown(now: number): void;
  ccpFinished(now: number): void;
  /** Encryption is required and cannot be agreed on. `reason` is for the log and the peer. */
  mppeFailed(reason: string, now: number): void;
  /** The peer cannot follow our compressed packets and asks for a reset. */
  resetTransmit(): void;
  /** The peer acknowledged a reset: its next packet starts without history. */
  resetReceive(): void;
  /** Calls {@link Ccp.timeout} at this time. Infinity: never. */
  wakeResetAt(at: number): void;
}

/** The reason when encryption fails: the sides agree on no form of it, or the peer does not know it. */
const MPPE_FAILED = "MPPE required but peer negotiation failed";
const MPPE_REFUSED = "MPPE required but peer refused";

export class Ccp implements Dialect {
  readonly name = "CCP";
  /** CCP for the bundle, or for the single link (RFC 1962 §2). */
  protocol: typeof Protocol.CCP | typeof Protocol.CCP_LINK = Protocol.CCP;
  readonly #lower: Lower;
  readonly #owner: CcpOwner;
  readonly #resets: CcpResets;
  #config: MethodsConfig;
  /** The methods to ask for, best first. */
  #want: ConfOption[] = [];
  /** The method of the peer's last request. Undefined unless we agreed to all of that request. */
  #transmit: Method | undefined;
  /** The options of the peer's last request. */
  #named: ConfOption[] = [];
  /** The types of option that the peer refused. */
  #refused: number[] = [];
  #receive: Method | undefined;
  /** The owner gets this reason after the answer has been sent. */
  #mppeFailure: string | undefined;
  #state: State = State.Initial;
  /** True when the owner has been given a method for the direction. */
  #receives = false;
  #transmits = false;

  constructor(config: CcpConfig, lower: Lower, owner: CcpOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
    this.#resets = new CcpResets(
      (write) => lower.send(this.protocol, write),
      (at) => owner.wakeResetAt(at),
    );
  }

  /** Forbids keys of 40 bits. Returns false when no other strength is allowed. */
  forbidMppe40(): boolean {
    const mppe = this.#config.mppe && { ...this.#config.mppe, bits40: false };
    this.#config = { ...this.#config, mppe };
    return mppe === undefined || mppe.bits56 || mppe.bits128;
  }

  /** True when we ask for no method. Like pppd, we then wait for the peer's request. */
  static asksNothing(config: CcpConfig): boolean {
    return METHODS.every((row) => row.ask?.(config) === undefined);
  }

  get #isSecure(): boolean {
    return this.#config.mppe !== undefined;
  }

  /** The rows of the methods that may be used. */
  get #rows(): readonly MethodRow<MethodsConfig>[] {
    return this.#isSecure ? METHODS.filter((row) => row.encrypts) : METHODS;
  }

  reset(): void {
    this.#want = this.#rows.map((row) => row.ask?.(this.#config)).filter((option) => option !== undefined);
    this.#refused = [];
    this.#transmit = this.#receive = undefined;
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
      if (verdict !== "reject") secure = true;
      if (verdict === "reject" || (rejectOnly && verdict !== "ack")) return verdict;
      first ??= option;
      // pppd takes an acknowledged list as an agreement on its first method, FreeBSD's user-ppp as one on its last. So
      // one method alone is agreed on. Like pppd, we acknowledge all forms of Deflate and BSD-Compress.
      return option === first || (inLists(first) && inLists(option)) ? verdict : "reject";
    });
    this.#named = list.options;
    this.#mppeFailure = this.#isSecure && !secure ? MPPE_FAILED : undefined;
    if (answer.code === Code.ConfAck) this.#transmit = list.options[0] && methodOf(list.options[0]);
    return answer;
  }

  #verdict({ type, value }: ConfOption): Verdict {
    const row = this.#rows.find((one) => one.type === type);
    return row?.judge?.(value, this.#config, this.#complain) ?? "reject";
  }

  readonly #complain = (text: string): void => this.#lower.log("error", text);

  answered(code: number, now: number): void {
    if (code === Code.ConfAck) this.#transmitWith(this.#transmit);
    this.refusalTaken(now);
  }

  // ── our request: what we receive with ────────────────────────────────────────────────────────────────────────────

  requested(): void {
    this.#receive = undefined;
    this.#receiveWith(undefined);
  }

  /** Some peers acknowledge only the first method of our list. That is enough, because only the first counts. */
  acknowledges(options: readonly ConfOption[], requested: readonly ConfOption[]): boolean {
    if (options.length > requested.length || (options.length === 0 && requested.length > 0)) return false;
    return options.every((option, at) => sameOption(option, requested[at]!));
  }

  acknowledged(): void {
    this.#receive = this.#want[0] && methodOf(this.#want[0]);
    this.#receiveWith(this.#receive);
  }

  naked(options: ConfOption[], asReject: boolean): void {
    if (this.#want.length === 0) {
      // Windows Mobile names its methods in a Nak when our request has none.
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

  /** The option to ask for after the peer's counter-offer. Undefined when we cannot use the offer. */
  #better(asked: ConfOption, offer: ConfOption): ConfOption | undefined {
    const row = this.#rows.find((one) => one.type === asked.type);
    return row?.better?.(asked.value, offer.value, this.#config, this.#complain);
  }

  rejected(options: ConfOption[]): void {
    for (const { type } of options) {
      if (this.#isSecure && this.#rows.some((row) => row.type === type)) this.#mppeFailure = MPPE_REFUSED;
      this.#refused.push(type);
      this.#want = this.#want.filter((asked) => asked.type !== type);
    }
    if (this.#want.length === 0) this.#wantCommon(this.#named);
  }

  /**
   * Called when the peer refused all our methods. A method that the peer offered to receive it can also send, so that
   * one is asked for. pppd's own methods are left out, because all of them were asked for before.
   */
  #wantCommon(offered: readonly ConfOption[]): void {
    if (this.#isSecure) return;
    const common = offered.find(
      (option) => !inLists(option) && !this.#refused.includes(option.type) && this.#verdict(option) === "ack",
    );
    if (common !== undefined) this.#want = [common];
  }

  /** Where encryption is required, a refusal of it ends the link. */
  refusalTaken(now: number): void {
    const reason = this.#mppeFailure;
    this.#mppeFailure = undefined;
    if (reason !== undefined) this.#owner.mppeFailed(reason, now);
  }

  // ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(control: Control, packet: Uint8Array): boolean {
    const { code, id, dataStart, dataEnd } = control;
    if (code !== Code.ResetReq && code !== Code.ResetAck) return false;
    if (this.#state !== State.Opened) {
      if (code === Code.ResetReq && this.#isOver)
        this.#lower.send(this.protocol, (buf, at) => putControl(buf, at, Code.TermAck, id, NONE));
    } else if (code === Code.ResetReq) {
      const data = packet.slice(dataStart, dataEnd);
      this.#owner.resetTransmit();
      this.#lower.send(this.protocol, (buf, at) => putControl(buf, at, Code.ResetAck, id, data));
    } else {
      this.#resets.acknowledged(id);
      this.#owner.resetReceive();
    }
    return true;
  }

  /** Asks the peer to start without history. */
  requestReset(id: () => number, now: number): void {
    this.#resets.request(id, now);
  }

  timeout(now: number): void {
    this.#resets.timeout(now);
  }

  /** A compressed packet came that cannot be read here. When CCP is closed, the peer has missed that and is told so. */
  compressedInVain(id: () => number, now: number): void {
    const isEnding = this.#state === State.Closing || this.#state === State.Stopping;
    if (this.#isOver || isEnding) this.#resets.remind(id, now);
  }

  get #isOver(): boolean {
    return this.#state === State.Closed || this.#state === State.Stopped;
  }

  /**
   * Starts and stops compression in each direction. A direction is compressed only while its request is agreed on (RFC
   * 1962 §2), however CCP left that state.
   */
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
    this.#resets.stop();
    this.#owner.ccpDown(now);
  }

  finished(now: number): void {
    this.#owner.ccpFinished(now);
  }
}

const NONE = new Uint8Array(0);

function inLists({ type }: ConfOption): boolean {
  return METHODS.some((row) => row.type === type && row.inLists);
}
