// LCP over its table of options (options/lcp-options.ts): it detects a looped line, and handles the packets that only
// LCP has (RFC 1661 §5.7–§5.9).

import { u32 } from "../bytes/be.ts";
import type { AuthMethod } from "../wire/auth-method.ts";
import { Code, type ConfOption, type Control, type OptionList } from "../wire/control.ts";
import { LcpOption, parseMagic, parseProtocolReject, putMagic } from "../wire/lcp.ts";
import { Protocol, protocolName } from "../wire/protocols.ts";
import type { AutomatonOptions } from "./automaton.ts";
import type { Answer, Dialect, Limits, Lower } from "./dialect.ts";
import type { LcpHost } from "./options/lcp/lcp-row.ts";
import { LCP_OPTIONS, type LcpAsked, type LcpOptions, type LcpOptionsConfig } from "./options/lcp-options.ts";
import { OptionTalk } from "./options/option-row.ts";

/** After this number of Naks of our magic number in a row the line is a loop. */
const LOOPS = 10;

export interface LcpConfig extends LcpOptionsConfig {
  readonly limits: Limits;
  readonly start: AutomatonOptions;
  /** The peer must authenticate itself. */
  readonly authRequired: boolean;
}

/** Events of LCP for the link. */
export interface LcpOwner {
  lcpUp(now: number): void;
  lcpDown(now: number): void;
  lcpFinished(now: number): void;
  /** The peer demands an authentication that we cannot do. */
  cannotProve(method: AuthMethod): void;
  /** The peer agreed to none of our requests. */
  lcpGaveUp(): void;
  /** Our own packets come back. */
  loopedBack(): void;
  protocolRejected(protocol: number, now: number): void;
  /** True for a protocol that this link uses. */
  speaks(protocol: number): boolean;
  /** An Echo-Reply came. `data` is what follows its magic number. */
  echoReply(now: number, ours: boolean, data: Uint8Array, id: number): void;
  /** A vendor-specific packet came. False: it is unknown. */
  vendorPacket(packet: Uint8Array, control: Control, now: number): boolean;
  /** The peer does not know vendor-specific packets. False: it was sent none. */
  vendorRejected(): boolean;
  random32(): number;
}

export class Lcp implements Dialect {
  readonly name = "LCP";
  readonly protocol = Protocol.LCP;
  readonly #talk: OptionTalk<LcpOptionsConfig, LcpAsked, LcpOptions, LcpHost>;
  readonly #lower: Lower;
  readonly #owner: LcpOwner;
  #loops = 0;
  /** True while LCP is up. Echoes are answered only then. */
  #up = false;

  constructor(config: LcpConfig, lower: Lower, owner: LcpOwner) {
    this.#lower = lower;
    this.#owner = owner;
    this.#talk = new OptionTalk(LCP_OPTIONS, config, {
      log: (level, text) => lower.log(level, text),
      random32: () => owner.random32(),
      cannotProve: (method) => owner.cannotProve(method),
    });
  }

  /** What we asked for. Once LCP is up, the peer has agreed to it. */
  get got(): LcpOptions {
    return this.#talk.got;
  }

  /** What the peer asked for and we agreed to. */
  get peer(): LcpOptions {
    return this.#talk.peer;
  }

  reset(): void {
    this.#talk.reset();
    this.#loops = 0;
  }

  request(): ConfOption[] {
    return this.#talk.request();
  }

  judge(list: OptionList, rejectOnly: boolean): Answer {
    return this.#talk.judge(list, rejectOnly, LcpOption.Magic);
  }

  understands(options: readonly ConfOption[]): boolean {
    return this.#talk.understands(options);
  }

  naked(options: ConfOption[], asReject: boolean): void {
    for (const option of options) {
      // The magic number is never given up, because Naks of it reveal a looped line.
      if (asReject && option.type !== LcpOption.Magic) this.#talk.rejected(option);
      else this.#talk.naked(option, false);
    }
    this.#loops = options.some(({ type }) => type === LcpOption.Magic) ? this.#loops + 1 : 0;
    if (this.#loops >= LOOPS) this.#owner.loopedBack();
  }

  rejected(options: ConfOption[]): void {
    for (const option of options) this.#talk.rejected(option);
  }

  receive(control: Control, packet: Uint8Array, now: number): boolean {
    const { code, id, dataStart, dataEnd } = control;
    switch (code) {
      case Code.ProtRej:
        this.#protocolRejected(packet, dataStart, dataEnd, now);
        return true;
      case Code.EchoReq: {
        const echo = parseMagic(packet, dataStart, dataEnd);
        const magic = this.got.magic ?? 0;
        if (this.#up && echo !== undefined)
          this.#lower.send(Protocol.LCP, (buf, at) => putMagic(buf, at, Code.EchoRep, id, magic, echo.data));
        return true;
      }
      case Code.EchoRep: {
        if (!this.#up || dataEnd - dataStart < 4) return true;
        const magic = u32(packet, dataStart);
        this.#owner.echoReply(now, magic !== 0 && magic === this.got.magic, packet.slice(dataStart + 4, dataEnd), id);
        return true;
      }
      case Code.Vendor:
        return this.#up && this.#owner.vendorPacket(packet, control, now);
      case Code.DiscReq:
      case Code.Ident:
      case Code.TimeRem:
        return true;
      default:
        return false;
    }
  }

  codeRejected(code: number): boolean {
    return code === Code.Vendor && this.#owner.vendorRejected();
  }

  #protocolRejected(packet: Uint8Array, start: number, end: number, now: number): void {
    const reject = parseProtocolReject(packet, start, end);
    if (reject === undefined || !this.#up) return;
    const { protocol } = reject;
    const hex = `0x${protocol.toString(16)}`;
    const name = protocolName(protocol);
    const text = name === undefined ? hex : `'${name}' (${hex})`;
    if (this.#owner.speaks(protocol)) this.#lower.log("debug", `Protocol-Reject for ${text} received`);
    else this.#lower.log("warn", `Protocol-Reject for unsupported protocol ${text}`);
    if (protocol === Protocol.LCP) this.#lower.log("error", "Received Protocol-Reject for LCP!");
    this.#owner.protocolRejected(protocol, now);
  }

  gaveUp(): void {
    this.#owner.lcpGaveUp();
  }

  up(now: number): void {
    this.#up = true;
    this.#owner.lcpUp(now);
  }

  down(now: number): void {
    this.#up = false;
    this.#owner.lcpDown(now);
  }

  finished(now: number): void {
    this.#owner.lcpFinished(now);
  }
}
