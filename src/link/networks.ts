// The network phase of a link: CCP, IPCP and IPv6CP, the packets they let through, and what has to be agreed before any
// may (RFC 1661 §3.7).

import { DAMAGED, FATAL } from "../compress/codec.ts";
import { State } from "../control/automaton.ts";
import type { Keys, Method } from "../compress/method-row.ts";
import { enabledText, methodName } from "../compress/methods.ts";
import { Ccp, type CcpConfig } from "../control/ccp-dialect.ts";
import { Ipcp, type IpcpConfig, type IpcpResult } from "../control/ipcp-dialect.ts";
import { Ipv6cp, type Ipv6cpConfig, type Ipv6cpResult } from "../control/ipv6cp-dialect.ts";
import type { Level, Lower } from "../control/dialect.ts";
import { Negotiator } from "../control/negotiator.ts";
import { Code } from "../wire/control.ts";
import { ipv4Text } from "../wire/ip.ts";
import { Protocol } from "../wire/protocols.ts";
import { Datapath, LOST } from "./datapath.ts";
import { Gain } from "./gain.ts";
import type { LinkEvent } from "./events.ts";
import { KeyWatch } from "./key-watch.ts";
import { type Filters, INBOUND, OUTBOUND } from "./filters.ts";
import type { Timer } from "./timers.ts";

export interface NetworksConfig {
  /** Undefined: no IPv4 (noip), no IPv6 (noipv6), no compression (noccp). */
  readonly ipcp: IpcpConfig | undefined;
  readonly ipv6cp: Ipv6cpConfig | undefined;
  readonly ccp: CcpConfig | undefined;
  /** pass-filter and active-filter; undefined: neither. */
  readonly filters?: Filters | undefined;
}

/** The start keys MS-CHAP leaves behind for MPPE: 16 octets each way. */
export interface MppeKeys extends Keys {
  /** MS-CHAP's first version has no key of 40 bits but the LAN Manager's, which nobody uses. */
  readonly version: 1 | 2;
}

export interface NetworksHost {
  lower(timer: Timer): Lower;
  wakeAt(timer: Timer, at: number): void;
  emit(event: LinkEvent): void;
  log(level: Level, text: string): void;
  /** Closes the link beneath; `reason` is told to the peer. */
  closeLink(reason: string, now: number): void;
  random32(): number;
  peerMayUse(address: number): boolean;
  madeUpPeerAddress(): number;
}

const NO_COMPRESSION = { receive: undefined, transmit: undefined };

type Ncp = { readonly negotiator: Negotiator; readonly protocol: number };

export class Networks {
  /** True while packets of that kind go out and come in. */
  ipv4Up = false;
  ipv6Up = false;
  /** IP packets and their octets, since the first network protocol came up; when the last passed that counts as active. */
  readonly traffic = { packetsIn: 0, packetsOut: 0, octetsIn: 0, octetsOut: 0, lastAt: 0 };
  readonly datapath: Datapath;
  /** What has become of the packets sent. */
  readonly gain = new Gain();
  /** What CCP agreed on each way, by pppd's names; undefined: nothing. */
  compression: { receive: string | undefined; transmit: string | undefined } = NO_COMPRESSION;
  /** Its options in the secrets file may have filters for the peer, so these are settled when it is known. */
  filters: Filters | undefined;
  /** What receiveData found: a protocol, or below 0 nothing that could be taken. */
  protocol = LOST;
  readonly ipcp: Ipcp | undefined;
  readonly #config: NetworksConfig;
  readonly #host: NetworksHost;
  readonly #ipcpNegotiator: Negotiator | undefined;
  readonly #ipv6cpNegotiator: Negotiator | undefined;
  readonly #ccp: Ccp | undefined;
  readonly #ccpNegotiator: Negotiator | undefined;
  /** Control protocols by their number. */
  readonly #ncps: readonly Ncp[];
  /** IPCP and IPv6CP that are not finished. */
  #open = 0;
  /** They have begun: with require-mppe only once CCP is up. */
  #begun = false;
  /** The link is being closed because nothing would be encrypted. */
  #hasFailed = false;
  #mppeKeys: MppeKeys | undefined;
  readonly #keyWatch: KeyWatch;
  /** What compression takes away from the MTU. */
  #overhead = 0;

  /** `plain` has PLAIN_SIZE octets. */
  constructor(config: NetworksConfig, host: NetworksHost, plain: Uint8Array) {
    this.#config = config;
    this.#host = host;
    this.datapath = new Datapath(plain);
    this.filters = config.filters;
    this.#keyWatch = new KeyWatch((level, text) => host.log(level, text));
    const lower = (timer: Timer): Lower => this.#counted(host.lower(timer));
    const ncps: Ncp[] = [];
    if (config.ccp !== undefined) {
      this.#ccp = new Ccp(config.ccp, lower("ccp"), this.#ccpOwner());
      const silent = Ccp.asksNothing(config.ccp);
      this.#ccpNegotiator = new Negotiator(this.#ccp, lower("ccp"), config.ccp.limits, { restart: true, silent });
      ncps.push({ negotiator: this.#ccpNegotiator, protocol: Protocol.CCP });
    }
    if (config.ipcp !== undefined) {
      this.ipcp = new Ipcp(config.ipcp, lower("ipcp"), {
        ipcpUp: (result, now) => this.#ipcpUp(result, now),
        ipcpDown: () => this.#ipcpDown(),
        ipcpFinished: (now) => this.#finished(now),
        closeIpcp: (reason, now) => this.closeIpcp(reason, now),
        madeUpPeerAddress: host.madeUpPeerAddress,
      });
      this.#ipcpNegotiator = new Negotiator(this.ipcp, lower("ipcp"), config.ipcp.limits);
      ncps.push({ negotiator: this.#ipcpNegotiator, protocol: Protocol.IPCP });
    }
    if (config.ipv6cp !== undefined) {
      const dialect = new Ipv6cp(config.ipv6cp, lower("ipv6cp"), {
        ipv6cpUp: (result, now) => this.#ipv6cpUp(result, now),
        ipv6cpDown: () => this.#ipv6cpDown(),
        ipv6cpFinished: (now) => this.#finished(now),
        closeIpv6cp: (reason, now) => this.closeIpv6cp(reason, now),
        random32: host.random32,
      });
      this.#ipv6cpNegotiator = new Negotiator(dialect, lower("ipv6cp"), config.ipv6cp.limits);
      ncps.push({ negotiator: this.#ipv6cpNegotiator, protocol: Protocol.IPV6CP });
    }
    this.#ncps = ncps;
  }

  get up(): boolean {
    return this.ipv4Up || this.ipv6Up;
  }

  /** The same with what goes out counted. */
  #counted(lower: Lower): Lower {
    const { sent } = this.datapath;
    const send: Lower["send"] = (protocol, write) =>
      lower.send(protocol, (buf, at) => {
        const end = write(buf, at);
        sent.packets++;
        sent.bytes += end - at;
        return end;
      });
    return { ...lower, send };
  }

  // ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────────

  /** The peer is known, or need not be. `keys`: what MS-CHAP left for MPPE; "both": it ran in both directions. */
  start(keys: MppeKeys | "both" | undefined, now: number): void {
    const { ccp, ipcp, ipv6cp } = this.#config;
    if (ipcp === undefined && ipv6cp === undefined) {
      this.#host.emit({ type: "failure", failure: "no-network-protocol" });
      this.#host.closeLink("No network protocols running", now);
      return;
    }
    this.#mppeKeys = keys === "both" ? undefined : keys;
    if (ccp?.mppe !== undefined && keys === "both") return this.#noMppe("auth done in both directions.", now);
    if (ccp?.mppe !== undefined && keys === undefined) return this.#noMppe("MS-CHAP[v2] auth not performed.", now);
    if (this.#mppeKeys?.version === 1 && ccp?.mppe?.bits40 === true) {
      this.#host.log("notice", "Disabling 40-bit MPPE; MS-CHAP LM not supported");
      if (this.#ccp?.forbidMppe40() === false) return this.#noMppe("both 40-bit and 128-bit disabled.", now);
    }
    this.datapath.encrypted = ccp?.mppe !== undefined;
    this.#begun = this.#hasFailed = false;
    this.#ccpNegotiator?.open(now);
    this.#ccpNegotiator?.lowerUp(now);
    if (ccp?.mppe === undefined) this.#begin(now);
  }

  #noMppe(why: string, now: number): void {
    this.#host.log("error", `MPPE required, but ${why}`);
    this.#host.emit({ type: "failure", failure: "no-network-protocol" });
    this.#host.closeLink("MPPE required but not available", now);
  }

  #begin(now: number): void {
    if (this.#begun) return;
    this.#begun = true;
    const protocols = [this.#ipcpNegotiator, this.#ipv6cpNegotiator].filter((ncp) => ncp !== undefined);
    this.#open = protocols.length;
    for (const ncp of protocols) {
      ncp.open(now);
      ncp.lowerUp(now);
    }
  }

  /** The link beneath has gone. */
  stop(now: number): void {
    this.#begun = false;
    for (const { negotiator } of this.#ncps) negotiator.lowerDown(now);
    this.#open = 0;
  }

  closeIpcp(reason: string, now: number): void {
    this.#ipcpNegotiator?.close(reason, now);
  }

  closeIpv6cp(reason: string, now: number): void {
    this.#ipv6cpNegotiator?.close(reason, now);
  }

  /** Negotiates compression anew (SIGUSR2). */
  restartCcp(now: number): void {
    if (this.#ccpNegotiator?.opened === true) this.#ccpNegotiator.open(now);
  }

  #finished(now: number): void {
    if (this.#open === 0) return;
    this.#open--;
    if (this.#open === 0) this.#host.closeLink("No network protocols running", now);
  }

  timeout(timer: "ccp" | "ccpReset" | "ipcp" | "ipv6cp", now: number): void {
    if (timer === "ccp") this.#ccpNegotiator?.timeout(now);
    else if (timer === "ccpReset") this.#ccp?.timeout(now);
    else if (timer === "ipcp") this.#ipcpNegotiator?.timeout(now);
    else this.#ipv6cpNegotiator?.timeout(now);
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** True for a control protocol that is spoken here. */
  speaks(protocol: number): boolean {
    return this.#ncps.some((ncp) => ncp.protocol === protocol);
  }

  /** Takes a control packet; false: nobody here speaks the protocol. */
  receiveControl(protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    const ncp = this.#ncps.find((one) => one.protocol === protocol);
    if (ncp === undefined) return false;
    const { received } = this.datapath;
    received.packets++;
    received.bytes += end - start;
    const { state, opened: wasOpened } = ncp.negotiator;
    ncp.negotiator.receive(packet, start, end, now);
    if (protocol === Protocol.CCP && wasOpened && !ncp.negotiator.opened && packet[start] === Code.TermReq)
      this.#compressionEnded(now);
    // A peer that wants no compression ends it, and who asks for none has nothing to wait for.
    const ended = protocol === Protocol.CCP && state === State.ReqSent && packet[start] === Code.TermAck;
    if (ended && this.#ccp?.request().length === 0) ncp.negotiator.close("No compression negotiated", now);
    return true;
  }

  #compressionEnded(now: number): void {
    this.#host.log("notice", "Compression disabled by peer.");
    if (!this.datapath.encrypted) return;
    this.#host.log("error", "MPPE disabled, closing LCP");
    this.#host.closeLink("MPPE disabled by peer", now);
  }

  /** The peer knows nothing of a protocol of ours; without one for compressed packets there is none to compress them. */
  protocolRejected(protocol: number, now: number): void {
    if (protocol === Protocol.COMP) protocol = Protocol.CCP;
    const ncp = this.#ncps.find((one) => one.protocol === protocol);
    if (ncp === undefined) {
      if (this.datapath.encrypted && !this.carries(protocol)) this.#keyWatch.unreadable();
      return;
    }
    ncp.negotiator.protocolRejected(now);
    if (protocol === Protocol.CCP && this.datapath.encrypted)
      this.#mppeFailed("MPPE required but peer negotiation failed", now);
  }

  /** True for data that is ours to take, up or not: nothing to reject the protocol of. */
  carries(protocol: number): boolean {
    const { ipcp, ipv6cp, ccp } = this.#config;
    switch (protocol) {
      case Protocol.IP:
      case Protocol.VJ_COMP:
      case Protocol.VJ_UNCOMP:
        return ipcp !== undefined;
      case Protocol.IPV6:
        return ipv6cp !== undefined;
      case Protocol.COMP:
        return ccp !== undefined;
      default:
        return false;
    }
  }

  /**
   * Takes the packet of a frame whose protocol may be data; true when it is one for the interface: it is in the
   * datapath's `packet`. The protocol it turned out to be of is left in {@link protocol}.
   */
  receiveData(protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    const { datapath, traffic, filters } = this;
    const found = datapath.decode(protocol, packet, start, end);
    this.protocol = found;
    if (protocol === Protocol.COMP && datapath.encrypted && datapath.decompressor !== undefined) {
      if (this.carries(found)) this.#keyWatch.readable();
      else this.#keyWatch.unreadable();
    }
    if (found > 0) {
      const { received } = datapath;
      received.packets++;
      received.bytes += datapath.end - datapath.start;
    }
    if ((found === Protocol.IP && this.ipv4Up) || (found === Protocol.IPV6 && this.ipv6Up)) {
      traffic.packetsIn++;
      traffic.octetsIn += datapath.end - datapath.start;
      if (filters !== undefined)
        return this.#passes(filters, INBOUND | found, datapath.packet, datapath.start, datapath.end, now);
      traffic.lastAt = now;
      return true;
    }
    if (found === DAMAGED || found === FATAL) this.#damaged(found, now);
    else if (protocol === Protocol.COMP && datapath.decompressor === undefined) this.#compressedInVain(now);
    return false;
  }

  #compressedInVain(now: number): void {
    const negotiator = this.#ccpNegotiator;
    if (negotiator !== undefined) this.#ccp?.compressedInVain(() => negotiator.nextId(), now);
  }

  #damaged(how: number, now: number): void {
    const ccp = this.#ccpNegotiator;
    if (ccp?.opened !== true) return;
    if (how === FATAL) {
      this.#host.log("error", "Lost compression sync: disabling compression");
      ccp.close("Lost compression sync", now);
      if (this.datapath.encrypted) this.#mppeFailed("Lost compression sync", now);
      return;
    }
    this.#ccp?.requestReset(() => ccp.nextId(), now);
  }

  /**
   * Takes the IP packet[start, end) from the interface and returns the protocol it goes out as, or LOST; the packet is in
   * the datapath.
   */
  sendData(packet: Uint8Array, start: number, end: number, now: number): number {
    const version = packet[start]! >>> 4;
    let protocol: number;
    if (version === 4 && this.ipv4Up) protocol = Protocol.IP;
    else if (version === 6 && this.ipv6Up) protocol = Protocol.IPV6;
    else return LOST;
    const { traffic, filters } = this;
    if (filters === undefined) traffic.lastAt = now;
    else if (!this.#passes(filters, OUTBOUND | protocol, packet, start, end, now)) return LOST;
    traffic.packetsOut++;
    traffic.octetsOut += end - start;
    const { datapath } = this;
    datapath.sent.packets++;
    datapath.sent.bytes += end - start;
    const sent = datapath.encode(protocol, packet, start, end);
    if (sent !== LOST) this.gain.count(end - start, datapath.end - datapath.start);
    return sent;
  }

  /** What pass-filter stops was received, if it was, and is not sent; what active-filter stops leaves the link idle. */
  #passes(filters: Filters, header: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    if (!filters.passes(header, packet, start, end)) return false;
    if (filters.counts(header, packet, start, end)) this.traffic.lastAt = now;
    return true;
  }

  // ── CCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #ccpOwner(): ConstructorParameters<typeof Ccp>[2] {
    const { datapath } = this;
    return {
      receiveWith: (method) => (datapath.receiver = method?.decompressor(this.#mppeKeys)),
      transmitWith: (method) => {
        datapath.sender = method?.compressor(this.#mppeKeys);
        this.#setOverhead(datapath.compressor?.overhead ?? 0);
      },
      ccpUp: (receive, transmit, now) => {
        this.compression = {
          receive: receive && methodName(receive),
          transmit: transmit && methodName(transmit),
        };
        const text = enabledText(receive, transmit);
        if (text !== undefined) this.#host.log("notice", text);
        this.#warnOfWeakness(receive, transmit);
        if (receive?.encryption?.stateless === true) this.#keyWatch.start(this.#mppeKeys?.version ?? 2);
        if (this.datapath.encrypted) this.#begin(now);
      },
      ccpDown: () => (this.compression = NO_COMPRESSION),
      ccpFinished: (now) => {
        if (this.datapath.encrypted) this.#mppeFailed("MPPE required but peer negotiation failed", now);
      },
      mppeFailed: (reason, now) => this.#mppeFailed(reason, now),
      resetTransmit: () => datapath.compressor?.reset(),
      resetReceive: () => datapath.resetReceive(),
      wakeResetAt: (at) => this.#host.wakeAt("ccpReset", at),
    };
  }

  /** A pppd 2.5 that is offered 40 bits beside 128 asks for those. */
  #warnOfWeakness(...methods: readonly (Method | undefined)[]): void {
    if (this.#config.ccp?.mppe?.bits128 !== true) return;
    const weak = methods.find((method) => (method?.encryption?.bits ?? 128) < 128)?.encryption;
    if (weak !== undefined)
      this.#host.log(
        "warn",
        `MPPE with ${weak.bits} bits only, for the peer wants no more; require-mppe-128 insists on 128`,
      );
  }

  #setOverhead(overhead: number): void {
    // While compression is negotiated anew, the MTU stays: it will be what it was.
    if (overhead === 0 || overhead === this.#overhead) return;
    this.#overhead = overhead;
    this.#host.emit({ type: "overhead", octets: overhead });
  }

  /** The link ends, once, for whatever reason comes first. */
  #mppeFailed(reason: string, now: number): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#host.log("error", reason);
    this.#host.emit({ type: "failure", failure: "no-network-protocol" });
    this.#host.closeLink(reason, now);
  }

  // ── IPCP and IPv6CP ──────────────────────────────────────────────────────────────────────────────────────────────

  #ipcpUp(result: IpcpResult, now: number): string | undefined {
    const { our, peer, dns, wins, vjReceive, vjTransmit } = result;
    if (peer !== 0 && !this.#host.peerMayUse(peer)) {
      this.#host.log("error", `Peer is not authorized to use remote address ${ipv4Text(peer)}`);
      return "Unauthorized remote IP address";
    }
    this.#countFromNow(now);
    this.datapath.setVj(vjReceive, vjTransmit);
    this.ipv4Up = true;
    this.#host.emit({ type: "ipv4-up", our, peer, dns, wins });
    return undefined;
  }

  /** Follows every IPCP that was Opened, also one whose addresses would not do: pppd counts up after those too. */
  #ipcpDown(): void {
    this.ipv4Up = false;
    this.datapath.setVj(undefined, undefined);
    this.#host.emit({ type: "ipv4-down", last: !this.ipv6Up });
  }

  #ipv6cpUp({ our, peer }: Ipv6cpResult, now: number): string | undefined {
    this.#countFromNow(now);
    this.ipv6Up = true;
    this.#host.emit({ type: "ipv6-up", our, peer });
    return undefined;
  }

  #ipv6cpDown(): void {
    this.ipv6Up = false;
    this.#host.emit({ type: "ipv6-down", last: !this.ipv4Up });
  }

  #countFromNow(now: number): void {
    if (this.ipv4Up || this.ipv6Up) return;
    Object.assign(this.traffic, { packetsIn: 0, packetsOut: 0, octetsIn: 0, octetsOut: 0, lastAt: now });
  }
}
