// LCP: which link options we ask for and what we say to the peer's (RFC 1661 §6), and LCP's own packets (§5.7–5.9).

import { u32 } from "../bytes/be.ts";
import { ACCM_ALL } from "../frame/accm.ts";
import type { FcsBits } from "../frame/fcs.ts";
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
  CALLBACK_CBCP,
  callbackOption,
  ChapDigest,
  type Endpoint,
  endpointOption,
  LcpOption,
  MAX_ENDPOINT_LENGTH,
  parseMagic,
  parseProtocolReject,
  putMagic,
  qualityOption,
  readAuth,
  readChapDigest,
  readEndpoint,
  readQuality,
} from "../wire/lcp.ts";
import { Protocol, protocolName } from "../wire/protocols.ts";
import type { AutomatonOptions } from "./automaton.ts";
import { type Answer, type Dialect, type Limits, type Lower, type Verdict, weigh } from "./negotiator.ts";

/** RFC 1661 §6.1: what holds when nobody asks for anything else. */
export const DEFAULT_MRU = 1500;
/** pppd takes none smaller. */
const MIN_MRU = 128;
/** Hundredths of a second between two link quality reports. */
const LEAST_PERIOD = 100;
/** So many Naks of our magic number in a row, and the line is a loop. */
const LOOPS = 10;

/** A way to prove who one is, as the Authentication-Protocol option names it. */
export type AuthMethod = "eap" | "chap-md5" | "mschap-v2" | "mschap" | "pap";

export interface LcpConfig {
  /** The MRU to ask for; undefined: neither ask nor agree (default-mru). */
  mru: number | undefined;
  /** The receive ACCM to ask for; undefined: do not ask. */
  asyncmap: number | undefined;
  /** Whether the peer may ask for an ACCM of its own, and what that has to name: control characters we escape anyway. */
  allowAsyncmap: boolean;
  escapedAsyncmap: number;
  magic: boolean;
  pcomp: boolean;
  accomp: boolean;
  /** Accept the peer's endpoint discriminator, which means nothing on a single link. */
  endpoint: boolean;
  /** RFC 1990: what we ask for, and agree to; undefined: a single link. */
  multilink: MultilinkConfig | undefined;
  /** Hundredths of a second between the link quality reports we ask for; 0: none, though the peer may; -1: never. */
  qualityPeriod: number;
  /** Ask to be called back, by CBCP. */
  callback: boolean;
  /** Bits (0, 16 or 32) of the FCS we ask the peer to send; undefined: no FCS but that of 16 bits, either way. */
  fcs: FcsBits | undefined;
  limits: Limits;
  start: AutomatonOptions;
  /** A peer that proves nothing may not come in. */
  authRequired: boolean;
  /** Ways we want the peer to prove itself, best first; empty: it need not. */
  demand: readonly AuthMethod[];
  /** Ways we are ready to prove ourselves, best first. */
  accept: readonly AuthMethod[];
}

export interface MultilinkConfig {
  /** The largest packet we can put together. */
  readonly mrru: number;
  /** Sequence numbers of 12 bits. */
  readonly shortSequence: boolean;
  /** Says which bundle a link belongs to; undefined: nothing is said. */
  readonly endpoint: Endpoint | undefined;
}

/** One side's options. What is undefined or false has its default. */
export interface LcpOptions {
  mru: number | undefined;
  asyncmap: number | undefined;
  magic: number | undefined;
  pcomp: boolean;
  accomp: boolean;
  auth: AuthMethod | undefined;
  /** Hundredths of a second between the reports the side wants to get. */
  quality: number | undefined;
  callback: boolean;
  fcs: FcsBits | undefined;
  mrru: number | undefined;
  shortSequence: boolean;
  endpoint: Endpoint | undefined;
}

/** What LCP tells the link. */
export interface LcpOwner {
  lcpUp(now: number): void;
  lcpDown(now: number): void;
  lcpFinished(now: number): void;
  /** The peer wants us to prove who we are in a way we cannot. */
  cannotProve(method: AuthMethod): void;
  /** Our requests were in vain. */
  lcpGaveUp(): void;
  /** Our own packets come back. */
  loopedBack(): void;
  protocolRejected(protocol: number, now: number): void;
  /** True for a protocol this link has a use for. */
  speaks(protocol: number): boolean;
  /** An Echo-Reply came; `data` is what follows its magic number. */
  echoReply(now: number, ours: boolean, data: Uint8Array): void;
  random32(): number;
}

const NOTHING: LcpOptions = {
  mru: undefined,
  asyncmap: undefined,
  magic: undefined,
  pcomp: false,
  accomp: false,
  auth: undefined,
  quality: undefined,
  callback: false,
  fcs: undefined,
  mrru: undefined,
  shortSequence: false,
  endpoint: undefined,
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
    const { mru, asyncmap, magic, pcomp, accomp, demand, qualityPeriod, callback, fcs, multilink } = this.#config;
    this.#demand = [...demand];
    Object.assign(this.got, {
      mru: mru === DEFAULT_MRU ? undefined : mru,
      asyncmap: asyncmap === ACCM_ALL ? undefined : asyncmap,
      magic: magic ? this.#magic() : undefined,
      pcomp,
      accomp,
      auth: this.#demand[0],
      quality: qualityPeriod > 0 ? qualityPeriod : undefined,
      callback,
      fcs: fcs === 16 ? undefined : fcs,
      mrru: multilink?.mrru,
      shortSequence: multilink?.shortSequence ?? false,
      endpoint: multilink?.endpoint,
    });
    this.peer = { ...NOTHING };
    this.#loops = 0;
  }

  request(): ConfOption[] {
    const { mru, asyncmap, magic, pcomp, accomp, auth } = this.got;
    const { quality, callback, fcs, mrru, shortSequence, endpoint } = this.got;
    const options: ConfOption[] = [];
    if (mru !== undefined) options.push(option16(LcpOption.Mru, mru));
    if (asyncmap !== undefined) options.push(option32(LcpOption.Asyncmap, asyncmap));
    if (auth !== undefined) options.push(methodOption(auth));
    if (quality !== undefined) options.push(qualityOption(Protocol.LQR, quality));
    if (callback) options.push(callbackOption(CALLBACK_CBCP));
    if (magic !== undefined) options.push(option32(LcpOption.Magic, magic));
    if (pcomp) options.push(option0(LcpOption.Pcomp));
    if (accomp) options.push(option0(LcpOption.Accomp));
    if (fcs !== undefined) options.push(fcsOption(fcs));
    if (mrru !== undefined) options.push(option16(LcpOption.Mrru, mrru));
    if (shortSequence) options.push(option0(LcpOption.Ssnhf));
    if (endpoint !== undefined) options.push(endpointOption(endpoint));
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
        const least = (accm | config.escapedAsyncmap) >>> 0;
        if (accm !== least) return option32(LcpOption.Asyncmap, least);
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
      case LcpOption.Quality:
        return this.#qualityVerdict(value);
      case LcpOption.FcsAlternatives:
        return this.#fcsVerdict(value);
      case LcpOption.Mrru: {
        const mrru = read16(value);
        if (mrru === undefined || config.multilink === undefined) return "reject";
        this.peer.mrru = mrru;
        return "ack";
      }
      case LcpOption.Ssnhf:
        if (value.length !== 0 || config.multilink === undefined) return "reject";
        this.peer.shortSequence = true;
        return "ack";
      case LcpOption.Endpoint:
        if (!config.endpoint || value.length < 1 || value.length > 1 + MAX_ENDPOINT_LENGTH) return "reject";
        this.peer.endpoint = readEndpoint(value);
        return "ack";
      default:
        return "reject";
    }
  }

  #qualityVerdict(value: Uint8Array): Verdict {
    const quality = readQuality(value);
    if (quality === undefined || this.#config.qualityPeriod < 0) return "reject";
    // Reports are the only quality protocol there is.
    if (quality.protocol !== Protocol.LQR || quality.period === undefined)
      return qualityOption(Protocol.LQR, quality.period ?? 0);
    // More than one a second tells nothing more.
    if (quality.period > 0 && quality.period < LEAST_PERIOD) return qualityOption(Protocol.LQR, LEAST_PERIOD);
    this.peer.quality = quality.period;
    return "ack";
  }

  #fcsVerdict(value: Uint8Array): Verdict {
    if (value.length !== 1 || this.#config.fcs === undefined) return "reject";
    const bits = value[0]!;
    const one = FCS_BITS.find(([, bit]) => bit === bits);
    // Two at once is a thing the RFC allows and nobody does: the stronger of them will do.
    if (one === undefined) return fcsOption((FCS_BITS.find(([, bit]) => bits & bit) ?? FCS_BITS[1])[0]);
    this.peer.fcs = one[0];
    return "ack";
  }

  #authVerdict(value: Uint8Array): Verdict {
    const { accept } = this.#config;
    const method = readMethod(value);
    if (method !== undefined && !accept.includes(method)) this.#owner.cannotProve(method);
    if (accept.length === 0) {
      this.#lower.log("debug", "No auth is possible");
      return "reject";
    }
    if (this.peer.auth !== undefined) return "reject";
    if (method !== undefined && accept.includes(method)) {
      this.peer.auth = method;
      return "ack";
    }
    // A peer that wants CHAP is offered another digest before another protocol.
    const isChap = readAuth(value)?.protocol === Protocol.CHAP;
    const offer = (isChap ? accept.find(isDigest) : undefined) ?? accept[0]!;
    return methodOption(offer);
  }

  understands(options: readonly ConfOption[]): boolean {
    return options.every(({ type, value }) => {
      switch (type) {
        case LcpOption.Mru:
        case LcpOption.Mrru:
          return read16(value) !== undefined;
        case LcpOption.Asyncmap:
        case LcpOption.Magic:
          return read32(value) !== undefined;
        case LcpOption.Auth:
          return readAuth(value) !== undefined;
        case LcpOption.Quality:
          return readQuality(value) !== undefined;
        default:
          return true;
      }
    });
  }

  naked(options: ConfOption[], asReject: boolean): void {
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
          const mru = read16(value)!;
          // A larger MRU than ours is no favour to us.
          if (mru >= MIN_MRU && mru <= Math.max(this.#config.mru ?? 0, DEFAULT_MRU)) this.got.mru = mru;
          break;
        }
        case LcpOption.Asyncmap:
          if (this.got.asyncmap !== undefined) this.got.asyncmap = (this.got.asyncmap | read32(value)!) >>> 0;
          break;
        case LcpOption.Auth:
          this.#nextMethod(readMethod(value));
          break;
        case LcpOption.Magic:
          looped = true;
          this.got.magic = this.#magic();
          break;
        case LcpOption.Quality: {
          const quality = readQuality(value);
          const fits = quality?.protocol === Protocol.LQR && quality.period !== undefined;
          if (this.got.quality !== undefined) this.got.quality = fits ? quality.period : undefined;
          break;
        }
        case LcpOption.FcsAlternatives:
        case LcpOption.Callback:
          this.rejected([option]);
          break;
        case LcpOption.Mrru: {
          const mrru = read16(value)!;
          if (this.got.mrru !== undefined && mrru >= MIN_MRU) this.got.mrru = Math.min(this.got.mrru, mrru);
          break;
        }
        default:
          // Something the peer would like us to ask for. We do not.
          break;
      }
    }
    this.#loops = looped ? this.#loops + 1 : 0;
    if (this.#loops >= LOOPS) this.#owner.loopedBack();
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
        case LcpOption.Quality:
          this.got.quality = undefined;
          break;
        case LcpOption.Callback:
          this.got.callback = false;
          break;
        case LcpOption.FcsAlternatives:
          this.got.fcs = undefined;
          break;
        case LcpOption.Mrru:
          this.got.mrru = undefined;
          break;
        case LcpOption.Ssnhf:
          this.got.shortSequence = false;
          break;
        case LcpOption.Endpoint:
          this.got.endpoint = undefined;
          break;
      }
    }
  }

  /** The peer does not want the method asked for: its own suggestion, by pppd's rules, else our next best. */
  #nextMethod(suggested: AuthMethod | undefined): void {
    const asked = this.got.auth;
    if (suggested === "pap" && asked !== undefined && isDigest(asked))
      this.#demand = this.#demand.filter((method) => !isDigest(method));
    else this.#demand = this.#demand.filter((method) => method !== asked);
    // Of the digests the one it names, if that is one of ours.
    if (suggested !== undefined && isDigest(suggested) && this.#demand.includes(suggested))
      this.#demand = this.#demand.filter((method) => !isDigest(method) || method === suggested);
    this.got.auth = this.#demand[0];
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
        this.#owner.echoReply(now, magic !== 0 && magic === this.got.magic, packet.slice(dataStart + 4, dataEnd));
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

  #magic(): number {
    // Zero is no magic number (RFC 1661 §6.4).
    return this.#owner.random32() || 1;
  }
}

/** RFC 1570 §2.1, the strongest first. */
const FCS_BITS: readonly [readonly [FcsBits, number], readonly [FcsBits, number], readonly [FcsBits, number]] = [
  [32, 4],
  [16, 2],
  [0, 1],
];

function fcsOption(fcs: FcsBits): ConfOption {
  return { type: LcpOption.FcsAlternatives, value: Uint8Array.of(fcs === 32 ? 4 : fcs === 16 ? 2 : 1) };
}

/** CHAP with one digest or another. */
function isDigest(method: AuthMethod): boolean {
  return method !== "pap" && method !== "eap";
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
