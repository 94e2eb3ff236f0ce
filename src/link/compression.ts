// CCP on a link or bundle: it starts and ends compression and encryption in the datapath. Where encryption is required
// and fails, it lets no packet pass (RFC 1962; pppd's require-mppe).

import { FATAL } from "../compress/codec.ts";
import type { Keys, Method } from "../compress/method-row.ts";
import { enabledText, methodName } from "../compress/methods.ts";
import { State } from "../control/automaton.ts";
import { Ccp, type CcpConfig, type CcpOwner } from "../control/ccp-dialect.ts";
import type { Level, Lower } from "../control/dialect.ts";
import { Negotiator } from "../control/negotiator.ts";
import { Code } from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Datapath } from "./datapath.ts";
import type { LinkEvent } from "./events.ts";
import { KeyWatch } from "./key-watch.ts";
import type { Timer } from "./timers.ts";

/** The start keys for MPPE that MS-CHAP or TLS produced: 16 octets in each direction. */
export interface MppeKeys extends Keys {
  /** MS-CHAP version 1 has a key of 40 bits only with LAN Manager hashes, which are not used. */
  readonly version: 1 | 2;
}

export interface CompressionHost {
  wakeAt(timer: Timer, at: number): void;
  emit(event: LinkEvent): void;
  log(level: Level, text: string): void;
  /** Closes the link below. `reason` is sent to the peer. */
  closeLink(reason: string, now: number): void;
}

/** pppd's names for the methods of the two directions. Undefined: none. */
export interface CompressionNames {
  readonly receive: string | undefined;
  readonly transmit: string | undefined;
}

export const NO_COMPRESSION: CompressionNames = { receive: undefined, transmit: undefined };

export class Compression {
  names = NO_COMPRESSION;
  /** Those that packets are compressed with now. */
  methods: readonly Method[] = [];
  readonly negotiator: Negotiator;
  readonly #config: CcpConfig;
  readonly #host: CompressionHost;
  readonly #datapath: Datapath;
  readonly #ccp: Ccp;
  readonly #keyWatch: KeyWatch;
  /** Called when CCP is up and packets are encrypted. The network protocols wait for it. */
  readonly #encrypted: (now: number) => void;
  /** The link is being closed because packets would not be encrypted. */
  #hasFailed = false;
  #keys: MppeKeys | undefined;
  /** What the line carries was to be compressed, in this network phase. */
  #triedLink = false;
  /** The octets by which compression reduces the MTU. */
  #overhead = 0;

  constructor(
    config: CcpConfig,
    lower: Lower,
    host: CompressionHost,
    datapath: Datapath,
    encrypted: (now: number) => void,
  ) {
    this.#config = config;
    this.#host = host;
    this.#datapath = datapath;
    this.#encrypted = encrypted;
    this.#keyWatch = new KeyWatch((level, text) => host.log(level, text));
    this.#ccp = new Ccp(config, lower, this.#ccpOwner());
    const silent = Ccp.asksNothing(config);
    this.negotiator = new Negotiator(this.#ccp, lower, config.limits, { restart: true, silent });
  }

  /**
   * Starts CCP. `keys` are for MPPE; "both" means that authentication produced keys in both directions. False: the link
   * is closed for want of keys. `isPerLink`: CCP for the single link is tried first, which compresses what the line
   * carries. A peer that does not know it gets CCP for the bundle.
   */
  start(keys: MppeKeys | "both" | undefined, now: number, isPerLink: boolean): boolean {
    this.#triedLink = isPerLink;
    this.#useLink(isPerLink);
    const { mppe } = this.#config;
    this.#keys = keys === "both" ? undefined : keys;
    if (mppe !== undefined && keys === "both") return this.#refuse("auth done in both directions.", now);
    if (mppe !== undefined && keys === undefined) return this.#refuse("MS-CHAP[v2] auth not performed.", now);
    if (this.#keys?.version === 1 && mppe?.bits40 === true) {
      this.#host.log("notice", "Disabling 40-bit MPPE; MS-CHAP LM not supported");
      if (!this.#ccp.forbidMppe40()) return this.#refuse("both 40-bit and 128-bit disabled.", now);
    }
    this.#datapath.encrypted = mppe !== undefined;
    this.#hasFailed = false;
    this.negotiator.open(now);
    this.negotiator.lowerUp(now);
    return true;
  }

  get protocol(): number {
    return this.#ccp.protocol;
  }

  /** True for the protocol of CCP that this network phase uses or has tried. */
  hasSpoken(protocol: number): boolean {
    return protocol === this.protocol || (this.#triedLink && protocol === Protocol.CCP_LINK);
  }

  #useLink(isPerLink: boolean): void {
    this.#ccp.protocol = isPerLink ? Protocol.CCP_LINK : Protocol.CCP;
    this.#datapath.compressedAs = isPerLink ? Protocol.COMP_LINK : Protocol.COMP;
  }

  /** The peer negotiates compression for the bundle. So it is no peer that compresses what the line carries. */
  heardOfBundle(now: number): void {
    if (this.protocol === Protocol.CCP_LINK && !this.negotiator.opened) this.#fallBack(now);
  }

  #fallBack(now: number): void {
    this.negotiator.lowerDown(now);
    this.#useLink(false);
    this.negotiator.lowerUp(now);
  }

  #refuse(why: string, now: number): false {
    this.#host.log("error", `MPPE required, but ${why}`);
    this.#host.emit({ type: "failure", failure: "no-network-protocol" });
    this.#host.closeLink("MPPE required but not available", now);
    return false;
  }

  /** Negotiates compression again (SIGUSR2). */
  restart(now: number): void {
    if (this.negotiator.opened) this.negotiator.open(now);
  }

  /** No Reset-Ack came in time. */
  resetTimeout(now: number): void {
    this.#ccp.timeout(now);
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Handles a packet of CCP. */
  receive(packet: Uint8Array, start: number, end: number, now: number): void {
    const { negotiator } = this;
    const { state, opened: wasOpened } = negotiator;
    negotiator.receive(packet, start, end, now);
    if (wasOpened && !negotiator.opened && packet[start] === Code.TermReq) this.#endedByPeer(now);
    // A peer that wants no compression ends CCP. If we ask for nothing either, there is nothing to wait for.
    const ended = state === State.ReqSent && packet[start] === Code.TermAck;
    if (ended && this.#ccp.request().length === 0) negotiator.close("No compression negotiated", now);
  }

  #endedByPeer(now: number): void {
    this.#host.log("notice", "Compression disabled by peer.");
    if (!this.#datapath.encrypted) return;
    this.#host.log("error", "MPPE disabled, closing LCP");
    this.#host.closeLink("MPPE disabled by peer", now);
  }

  /** The peer rejected CCP or compressed packets. */
  protocolRejected(now: number): void {
    if (this.protocol === Protocol.CCP_LINK) {
      this.#fallBack(now);
      return;
    }
    this.negotiator.protocolRejected(now);
    if (this.#datapath.encrypted) this.#mppeFailed("MPPE required but peer negotiation failed", now);
  }

  /**
   * An encrypted packet was decrypted. `readable` is false when that gave an unknown protocol, or when the peer
   * rejected a protocol that we never sent.
   */
  decrypted(readable: boolean): void {
    if (readable) this.#keyWatch.readable();
    else this.#keyWatch.unreadable();
  }

  /** A compressed packet came without an agreement on compression. */
  compressedInVain(now: number): void {
    this.#ccp.compressedInVain(() => this.negotiator.nextId(), now);
  }

  /** Decompressing a packet gave DAMAGED or FATAL. */
  damaged(how: number, now: number): void {
    if (!this.negotiator.opened) return;
    if (how === FATAL) {
      this.#host.log("error", "Lost compression sync: disabling compression");
      this.negotiator.close("Lost compression sync", now);
      if (this.#datapath.encrypted) this.#mppeFailed("Lost compression sync", now);
      return;
    }
    this.#ccp.requestReset(() => this.negotiator.nextId(), now);
  }

  // ── what CCP agreed on ───────────────────────────────────────────────────────────────────────────────────────────

  #ccpOwner(): CcpOwner {
    const datapath = this.#datapath;
    return {
      receiveWith: (method) => (datapath.receiver = method?.decompressor(this.#keys)),
      transmitWith: (method) => {
        datapath.sender = method?.compressor(this.#keys);
        this.#setOverhead(datapath.compressor?.overhead ?? 0);
      },
      ccpUp: (receive, transmit, now) => this.#up(receive, transmit, now),
      ccpDown: () => {
        this.names = NO_COMPRESSION;
        this.methods = [];
      },
      ccpFinished: (now) => {
        if (datapath.encrypted) this.#mppeFailed("MPPE required but peer negotiation failed", now);
      },
      mppeFailed: (reason, now) => this.#mppeFailed(reason, now),
      resetTransmit: () => datapath.compressor?.reset(),
      resetReceive: () => datapath.resetReceive(),
      wakeResetAt: (at) => this.#host.wakeAt("ccpReset", at),
    };
  }

  #up(receive: Method | undefined, transmit: Method | undefined, now: number): void {
    this.names = { receive: receive && methodName(receive), transmit: transmit && methodName(transmit) };
    this.methods = [receive, transmit].filter((method) => method !== undefined);
    const text = enabledText(receive, transmit);
    if (text !== undefined) this.#host.log("notice", text);
    this.#warnOfWeakness(receive, transmit);
    if (receive?.encryption?.stateless === true) this.#keyWatch.start(this.#keys?.version ?? 2);
    if (this.#datapath.encrypted) this.#encrypted(now);
  }

  /** When offered 40 bits beside 128, a pppd 2.5 asks for 40. */
  #warnOfWeakness(...methods: readonly (Method | undefined)[]): void {
    if (this.#config.mppe?.bits128 !== true) return;
    const weak = methods.find((method) => (method?.encryption?.bits ?? 128) < 128)?.encryption;
    if (weak !== undefined)
      this.#host.log(
        "warn",
        `MPPE with ${weak.bits} bits only, for the peer wants no more; require-mppe-128 insists on 128`,
      );
  }

  #setOverhead(overhead: number): void {
    // While compression is negotiated again the MTU stays, because it will be the same afterwards.
    if (overhead === 0 || overhead === this.#overhead) return;
    this.#overhead = overhead;
    this.#host.emit({ type: "overhead", octets: overhead });
  }

  /** Ends the link, once, for the first reason. */
  #mppeFailed(reason: string, now: number): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#host.log("error", reason);
    this.#host.emit({ type: "failure", failure: "no-network-protocol" });
    this.#host.closeLink(reason, now);
  }
}
