// LCP: which link options we ask for and what we say to the peer's (RFC 1661 §6), and LCP's own packets (§5.7–5.9).

import { u32 } from "../bytes/be.ts";
import { ACCM_ALL } from "../frame/accm.ts";
import {
  Code,
  type ConfOption,
  type Control,
  option0,
  option16,
  option32,
  type OptionList,
  read16,
  read32,
} from "../wire/control.ts";
import {
  authOption,
  ChapDigest,
  LcpOption,
  parseMagic,
  parseProtocolReject,
  putMagic,
  readAuth,
  readChapDigest,
} from "../wire/lcp.ts";
import { Protocol, protocolName } from "../wire/protocols.ts";
import type { AutomatonOptions } from "./automaton.ts";
import { type Answer, type Dialect, type Limits, type Lower, type Verdict, weigh } from "./negotiator.ts";

/** RFC 1661 §6.1: what holds when nobody asks for anything else. */
export const DEFAULT_MRU = 1500;
/** pppd takes none smaller. */
export const MIN_MRU = 128;
/** So many Naks of our magic number in a row, and the line is a loop. */
const LOOPS = 10;

/** A way to prove who one is, as the Authentication-Protocol option names it. */
export type AuthMethod = "eap" | "chap-md5" | "mschap-v2" | "mschap" | "pap";

export interface LcpConfig {
  /** The MRU to ask for; undefined: neither ask nor agree (default-mru). */
  mru: number | undefined;
  /** The receive ACCM to ask for; undefined: do not ask. */
  asyncmap: number | undefined;
  /** Whether the peer may ask for an ACCM of its own. */
  allowAsyncmap: boolean;
  magic: boolean;
  pcomp: boolean;
  accomp: boolean;
  /** Accept the peer's endpoint discriminator, which means nothing on a single link. */
  endpoint: boolean;
  limits: Limits;
  start: AutomatonOptions;
  /** Ways we want the peer to prove itself, best first; empty: it need not. */
  demand: readonly AuthMethod[];
  /** Ways we are ready to prove ourselves, best first. */
  accept: readonly AuthMethod[];
}

/** One side's options. What is undefined or false has its default. */
export interface LcpOptions {
  mru: number | undefined;
  asyncmap: number | undefined;
  magic: number | undefined;
  pcomp: boolean;
  accomp: boolean;
  auth: AuthMethod | undefined;
}

/** What LCP tells the link. */
export interface LcpOwner {
  lcpUp(now: number): void;
  lcpDown(now: number): void;
  lcpFinished(now: number): void;
  /** Our own packets come back. */
  loopedBack(): void;
  protocolRejected(protocol: number, now: number): void;
  /** True for a protocol this link has a use for. */
  speaks(protocol: number): boolean;
  echoReply(now: number, ours: boolean): void;
  random32(): number;
}

const NOTHING: LcpOptions = {
  mru: undefined,
  asyncmap: undefined,
  magic: undefined,
  pcomp: false,
  accomp: false,
  auth: undefined,
};

export class Lcp implements Dialect {
  readonly name = "LCP";
  readonly protocol = Protocol.LCP;
  /** What we asked for, and once LCP is up, have. */
  readonly got: LcpOptions = { ...NOTHING };
  /** What the peer asked for and we agreed to. */
  peer: LcpOptions = { ...NOTHING };
  readonly #config: LcpConfig;
  readonly #lower: Lower;
  readonly #owner: LcpOwner;
  #demand: AuthMethod[] = [];
  #loops = 0;
  /** Whether LCP is up: echoes are answered only then. */
  #up = false;

  constructor(config: LcpConfig, lower: Lower, owner: LcpOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
  }

  reset(): void {
    const { mru, asyncmap, magic, pcomp, accomp, demand } = this.#config;
    this.#demand = [...demand];
    Object.assign(this.got, {
      mru: mru === DEFAULT_MRU ? undefined : mru,
      asyncmap: asyncmap === ACCM_ALL ? undefined : asyncmap,
      magic: magic ? this.#magic() : undefined,
      pcomp,
      accomp,
      auth: this.#demand[0],
    });
    this.peer = { ...NOTHING };
    this.#loops = 0;
  }

  request(): ConfOption[] {
    const { mru, asyncmap, magic, pcomp, accomp, auth } = this.got;
    const options: ConfOption[] = [];
    if (mru !== undefined) options.push(option16(LcpOption.Mru, mru));
    if (asyncmap !== undefined) options.push(option32(LcpOption.Asyncmap, asyncmap));
    if (auth !== undefined) options.push(methodOption(auth));
    if (magic !== undefined) options.push(option32(LcpOption.Magic, magic));
    if (pcomp) options.push(option0(LcpOption.Pcomp));
    if (accomp) options.push(option0(LcpOption.Accomp));
    return options;
  }

  judge(list: OptionList, rejectOnly: boolean): Answer {
    this.peer = { ...NOTHING };
    return weigh(list, rejectOnly, (option) => this.#verdict(option), LcpOption.Magic);
  }

  #verdict(option: ConfOption): Verdict {
    const { value } = option;
    const config = this.#config;
    switch (option.type) {
      case LcpOption.Mru: {
        const mru = read16(value);
        if (mru === undefined || config.mru === undefined) return "reject";
        if (mru < MIN_MRU) return option16(LcpOption.Mru, MIN_MRU);
        this.peer.mru = mru;
        return "ack";
      }
      case LcpOption.Asyncmap: {
        const accm = read32(value);
        if (accm === undefined || !config.allowAsyncmap) return "reject";
        this.peer.asyncmap = accm;
        return "ack";
      }
      case LcpOption.Auth:
        return this.#authVerdict(value);
      case LcpOption.Magic: {
        const magic = read32(value);
        if (magic === undefined || !config.magic) return "reject";
        // The same number both ways: either our own request came back, or chance wants another.
        if (magic === this.got.magic) return option32(LcpOption.Magic, this.#magic());
        this.peer.magic = magic;
        return "ack";
      }
      case LcpOption.Pcomp:
        if (value.length !== 0 || !config.pcomp) return "reject";
        this.peer.pcomp = true;
        return "ack";
      case LcpOption.Accomp:
        if (value.length !== 0 || !config.accomp) return "reject";
        this.peer.accomp = true;
        return "ack";
      case LcpOption.Endpoint:
        return config.endpoint && value.length >= 1 ? "ack" : "reject";
      default:
        return "reject";
    }
  }

  #authVerdict(value: Uint8Array): Verdict {
    const { accept } = this.#config;
    if (accept.length === 0) {
      this.#lower.log("debug", "No auth is possible");
      return "reject";
    }
    const method = readMethod(value);
    if (method === undefined || !accept.includes(method)) return methodOption(accept[0]!);
    this.peer.auth = method;
    return "ack";
  }

  naked(options: ConfOption[], asReject: boolean): boolean {
    let looped = false;
    for (const option of options) {
      const { type, value } = option;
      // A magic number is never given up: its Naks are counted for another purpose.
      if (asReject && type !== LcpOption.Magic) {
        this.rejected([option]);
        continue;
      }
      switch (type) {
        case LcpOption.Mru: {
          const mru = read16(value);
          if (mru === undefined) return false;
          // A larger MRU than ours is no favour to us.
          if (mru >= MIN_MRU && mru <= Math.max(this.#config.mru ?? 0, DEFAULT_MRU)) this.got.mru = mru;
          break;
        }
        case LcpOption.Asyncmap: {
          const accm = read32(value);
          if (accm === undefined) return false;
          if (this.got.asyncmap !== undefined) this.got.asyncmap = (this.got.asyncmap | accm) >>> 0;
          break;
        }
        case LcpOption.Auth:
          this.#nextMethod(readMethod(value));
          break;
        case LcpOption.Magic:
          looped = true;
          this.got.magic = this.#magic();
          break;
        default:
          // Something the peer would like us to ask for. We do not.
          break;
      }
    }
    this.#loops = looped ? this.#loops + 1 : 0;
    if (this.#loops >= LOOPS) this.#owner.loopedBack();
    return true;
  }

  rejected(options: ConfOption[]): void {
    for (const { type } of options) {
      switch (type) {
        case LcpOption.Mru:
          this.got.mru = undefined;
          break;
        case LcpOption.Asyncmap:
          this.got.asyncmap = undefined;
          break;
        case LcpOption.Auth:
          this.#nextMethod(undefined);
          break;
        case LcpOption.Magic:
          this.got.magic = undefined;
          break;
        case LcpOption.Pcomp:
          this.got.pcomp = false;
          break;
        case LcpOption.Accomp:
          this.got.accomp = false;
          break;
      }
    }
  }

  /** The peer does not want the method asked for: its own suggestion if we can live with it, else our next best. */
  #nextMethod(suggested: AuthMethod | undefined): void {
    this.#demand = this.#demand.filter((method) => method !== this.got.auth);
    this.got.auth = this.#demand.find((method) => method === suggested) ?? this.#demand[0];
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
        this.#owner.echoReply(now, magic !== 0 && magic === this.got.magic);
        return true;
      }
      case Code.DiscReq:
      case Code.Ident:
      case Code.TimeRem:
        return true;
      default:
        return false;
    }
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

  #magic(): number {
    // Zero is no magic number (RFC 1661 §6.4).
    return this.#owner.random32() || 1;
  }
}

function methodOption(method: AuthMethod): ConfOption {
  switch (method) {
    case "pap":
      return authOption(Protocol.PAP);
    case "eap":
      return authOption(Protocol.EAP);
    case "chap-md5":
      return authOption(Protocol.CHAP, ChapDigest.Md5);
    case "mschap":
      return authOption(Protocol.CHAP, ChapDigest.Ms);
    case "mschap-v2":
      return authOption(Protocol.CHAP, ChapDigest.MsV2);
  }
}

function readMethod(value: Uint8Array): AuthMethod | undefined {
  const auth = readAuth(value);
  if (auth === undefined) return undefined;
  if (auth.protocol === Protocol.PAP && auth.data.length === 0) return "pap";
  if (auth.protocol === Protocol.EAP && auth.data.length === 0) return "eap";
  switch (readChapDigest(auth)) {
    case ChapDigest.Md5:
      return "chap-md5";
    case ChapDigest.Ms:
      return "mschap";
    case ChapDigest.MsV2:
      return "mschap-v2";
    default:
      return undefined;
  }
}
