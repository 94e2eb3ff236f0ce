// The network phase of a link: IPCP, IPv6CP and compression, and the packets that they permit (RFC 1661 §3.7).

import { DAMAGED, FATAL } from "../compress/codec.ts";
import type { Method } from "../compress/method-row.ts";
import type { Lower } from "../control/dialect.ts";
import { Ipcp, type IpcpResult } from "../control/ipcp-dialect.ts";
import { Ipv6cp, type Ipv6cpResult } from "../control/ipv6cp-dialect.ts";
import { Negotiator } from "../control/negotiator.ts";
import { ipv4Text } from "../wire/ip.ts";
import { Protocol } from "../wire/protocols.ts";
import { Compression, type CompressionNames, type MppeKeys, NO_COMPRESSION } from "./compression.ts";
import { Datapath, LOST } from "./datapath.ts";
import { Gain } from "./gain.ts";
import { type Filters, INBOUND, OUTBOUND } from "./filters.ts";
import type { NetworkTap } from "./link-tap.ts";
import type { GivenTerms, NetworksConfig, NetworksHost } from "./networks-host.ts";
import type { Timer } from "./timers.ts";

type Ncp = { readonly negotiator: Negotiator; readonly protocol: number };

export class Networks {
  /** True while packets of this protocol may pass. */
  ipv4Up = false;
  ipv6Up = false;
  /** IP packets and their octets since the first network protocol came up, and when the last active packet passed. */
  readonly traffic = { packetsIn: 0, packetsOut: 0, octetsIn: 0, octetsOut: 0, lastAt: 0 };
  readonly datapath: Datapath;
  /** The gain by compression of the packets sent. */
  readonly gain = new Gain();
  /** The filters. The peer's options in the secrets file may set them, so they are settled when the peer is known. */
  filters: Filters | undefined;
  /** The protocol that receiveData found. Below 0: the packet cannot be used. */
  protocol = LOST;
  readonly ipcp: Ipcp | undefined;
  #config: NetworksConfig;
  readonly #host: NetworksHost;
  readonly #ipcpNegotiator: Negotiator | undefined;
  #ipv6cpNegotiator: Negotiator | undefined;
  readonly #compression: Compression | undefined;
  readonly #tap: NetworkTap | undefined;
  /** The control protocols by number. */
  #ncps: Ncp[] = [];
  /** Those of IPCP and IPv6CP that are not closed. One may finish twice: each repeated request of it is rejected. */
  readonly #open = new Set<"ipcp" | "ipv6cp">();
  /** IPCP and IPv6CP have started. With require-mppe they start when CCP is up. */
  #begun = false;
  /** Nothing is negotiated. */
  #isGiven = false;

  /** `plain` has PLAIN_SIZE octets. */
  constructor(config: NetworksConfig, host: NetworksHost, plain: Uint8Array) {
    this.#config = config;
    this.#host = host;
    this.#tap = host.tap;
    this.datapath = new Datapath(plain);
    this.filters = config.filters;
    const lower = (timer: Timer): Lower => this.#counted(host.lower(timer));
    if (config.ccp !== undefined) {
      this.#compression = new Compression(config.ccp, lower("ccp"), host, this.datapath, (now) => this.#begin(now));
      this.#ncps.push(this.#compression);
    }
    if (config.ipcp !== undefined) {
      this.ipcp = new Ipcp(config.ipcp, lower("ipcp"), {
        ipcpUp: (result, now) => this.#ipcpUp(result, now),
        ipcpDown: () => this.#ipcpDown(),
        ipcpFinished: (now) => this.#finished("ipcp", now),
        closeIpcp: (reason, now) => this.closeIpcp(reason, now),
        madeUpPeerAddress: host.madeUpPeerAddress,
      });
      this.#ipcpNegotiator = new Negotiator(this.ipcp, lower("ipcp"), config.ipcp.limits);
      this.#ncps.push({ negotiator: this.#ipcpNegotiator, protocol: Protocol.IPCP });
    }
    if (config.ipv6cp !== undefined) {
      const dialect = new Ipv6cp(config.ipv6cp, lower("ipv6cp"), {
        ipv6cpUp: (result, now) => this.#ipv6cpUp(result, now),
        ipv6cpDown: () => this.#ipv6cpDown(),
        ipv6cpFinished: (now) => this.#finished("ipv6cp", now),
        closeIpv6cp: (reason, now) => this.closeIpv6cp(reason, now),
        random32: host.random32,
      });
      this.#ipv6cpNegotiator = new Negotiator(dialect, lower("ipv6cp"), config.ipv6cp.limits);
      this.#ncps.push({ negotiator: this.#ipv6cpNegotiator, protocol: Protocol.IPV6CP });
    }
  }

  /** pppd's names for the compression methods that CCP agreed on. */
  get compression(): CompressionNames {
    return this.#compression?.names ?? NO_COMPRESSION;
  }

  /** The compression methods in use. */
  get methods(): readonly Method[] {
    return this.#compression?.methods ?? [];
  }

  get up(): boolean {
    return this.ipv4Up || this.ipv6Up;
  }

  /** The same layer, which also counts what is sent. */
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

  /** As with noipv6. The network phase has not begun. */
  leaveOutIpv6(): void {
    this.#config = { ...this.#config, ipv6cp: undefined };
    this.#ncps = this.#ncps.filter(({ protocol }) => protocol !== Protocol.IPV6CP);
    this.#ipv6cpNegotiator = undefined;
  }

  // ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Starts the network phase: the peer is known, or need not be. `keys` are for MPPE; "both" means that authentication
   * produced keys in both directions. `isPerLink`: try compression of what the line carries first (80fb).
   */
  start(keys: MppeKeys | "both" | undefined, now: number, isPerLink = false): void {
    const { ipcp, ipv6cp } = this.#config;
    if (ipcp === undefined && ipv6cp === undefined) {
      this.#host.emit({ type: "failure", failure: "no-network-protocol" });
      this.#host.closeLink("No network protocols running", now);
      return;
    }
    this.#begun = false;
    if (this.#compression?.start(keys, now, isPerLink) === false) return;
    if (!this.datapath.encrypted) this.#begin(now);
  }

  #begin(now: number): void {
    if (this.#begun) return;
    this.#begun = true;
    const protocols = [this.#ipcpNegotiator, this.#ipv6cpNegotiator].filter((ncp) => ncp !== undefined);
    if (this.#ipcpNegotiator !== undefined) this.#open.add("ipcp");
    if (this.#ipv6cpNegotiator !== undefined) this.#open.add("ipv6cp");
    for (const ncp of protocols) {
      ncp.open(now);
      ncp.lowerUp(now);
    }
  }

  /** Starts IPv4 without negotiation, as on a SLIP line. Returns why the peer may not use its address. */
  startGiven({ our, peer, vjReceive, vjTransmit }: GivenTerms, now: number): string | undefined {
    this.#isGiven = true;
    if (this.#tap !== undefined) this.#tap.isAlone = true;
    return this.#ipcpUp({ our, peer, dns: [0, 0], wins: [0, 0], vjReceive, vjTransmit }, now);
  }

  stopGiven(): void {
    if (this.ipv4Up) this.#ipcpDown();
  }

  /** The link below is gone. */
  stop(now: number): void {
    this.#begun = false;
    for (const { negotiator } of this.#ncps) negotiator.lowerDown(now);
    this.#open.clear();
  }

  closeIpcp(reason: string, now: number): void {
    if (this.#isGiven) this.#host.closeLink(reason, now);
    this.#ipcpNegotiator?.close(reason, now);
  }

  closeIpv6cp(reason: string, now: number): void {
    this.#ipv6cpNegotiator?.close(reason, now);
  }

  /** Negotiates compression again (SIGUSR2). */
  restartCcp(now: number): void {
    this.#compression?.restart(now);
  }

  /** Negotiates one protocol again while the others stay. False: it is not up. */
  renegotiate(protocol: "ccp" | "ipcp" | "ipv6cp", now: number): boolean {
    const negotiators = {
      ccp: this.#compression?.negotiator,
      ipcp: this.#ipcpNegotiator,
      ipv6cp: this.#ipv6cpNegotiator,
    };
    return negotiators[protocol]?.renegotiate(now) ?? false;
  }

  #finished(protocol: "ipcp" | "ipv6cp", now: number): void {
    if (this.#open.delete(protocol) && this.#open.size === 0) this.#host.closeLink("No network protocols running", now);
  }

  timeout(timer: "ccp" | "ccpReset" | "ipcp" | "ipv6cp", now: number): void {
    if (timer === "ccp") this.#compression?.negotiator.timeout(now);
    else if (timer === "ccpReset") this.#compression?.resetTimeout(now);
    else if (timer === "ipcp") this.#ipcpNegotiator?.timeout(now);
    else this.#ipv6cpNegotiator?.timeout(now);
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** True for a control protocol of this phase. */
  speaks(protocol: number): boolean {
    return this.#ncps.some((ncp) => ncp.protocol === protocol) || this.#compression?.hasSpoken(protocol) === true;
  }

  /** Handles a control packet. False: no part of this phase speaks the protocol. */
  receiveControl(protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    if (protocol === Protocol.CCP) this.#compression?.heardOfBundle(now);
    const ncp = this.#ncps.find((one) => one.protocol === protocol);
    if (ncp === undefined) return false;
    const { received } = this.datapath;
    received.packets++;
    received.bytes += end - start;
    if (ncp === this.#compression) this.#compression.receive(packet, start, end, now);
    else ncp.negotiator.receive(packet, start, end, now);
    return true;
  }

  /** The peer rejected one of our protocols. If it rejects compressed packets, compression ends. */
  protocolRejected(protocol: number, now: number): void {
    if (protocol === Protocol.COMP) protocol = Protocol.CCP;
    else if (protocol === Protocol.COMP_LINK) protocol = Protocol.CCP_LINK;
    const ncp = this.#ncps.find((one) => one.protocol === protocol);
    if (ncp === undefined) {
      if (this.datapath.encrypted && !this.carries(protocol) && !this.speaks(protocol))
        this.#compression?.decrypted(false);
      return;
    }
    if (ncp === this.#compression) this.#compression.protocolRejected(now);
    else ncp.negotiator.protocolRejected(now);
  }

  /** True for configured data protocols, open or not: their packets are dropped, never rejected. */
  carries(protocol: number): boolean {
    const { ipcp, ipv6cp, ccp } = this.#config;
    switch (protocol) {
      case Protocol.IP:
      case Protocol.VJ_COMP:
      case Protocol.VJ_UNCOMP:
        return ipcp !== undefined;
      case Protocol.IPV6:
        return ipv6cp !== undefined;
      case this.datapath.compressedAs:
        return ccp !== undefined;
      default:
        return false;
    }
  }

  /**
   * Handles the packet of a frame, which may carry data. True: it is for the interface and is in the datapath's
   * `packet`. {@link protocol} is its protocol. MP: it is a piece of a packet, to be reassembled.
   */
  receiveData(protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    return this.#receive(this.datapath.decode(protocol, packet, start, end), protocol, now);
  }

  /** The same for a packet that came in pieces. */
  receiveReassembled(protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    return this.#receive(this.datapath.decode(protocol, packet, start, end, true), protocol, now);
  }

  #receive(found: number, protocol: number, now: number): boolean {
    const { datapath, traffic, filters } = this;
    const isCompressed = protocol === datapath.compressedAs;
    this.protocol = found;
    if (isCompressed && datapath.encrypted && datapath.decompressor !== undefined)
      this.#compression?.decrypted(found === Protocol.MP || this.carries(found));
    if (found === Protocol.MP) return false;
    if (found > 0) {
      const { received } = datapath;
      received.packets++;
      received.bytes += datapath.end - datapath.start;
      if (this.#tap?.isOn === true) this.#tap.packet(false, found, datapath.packet, datapath.start, datapath.end, now);
    }
    if ((found === Protocol.IP && this.ipv4Up) || (found === Protocol.IPV6 && this.ipv6Up)) {
      traffic.packetsIn++;
      traffic.octetsIn += datapath.end - datapath.start;
      if (filters !== undefined)
        return this.#passes(filters, INBOUND | found, datapath.packet, datapath.start, datapath.end, now);
      traffic.lastAt = now;
      return true;
    }
    if (found === DAMAGED || found === FATAL) this.#compression?.damaged(found, now);
    else if (isCompressed && datapath.decompressor === undefined) this.#compression?.compressedInVain(now);
    return false;
  }

  /**
   * Prepares the IP packet[start, end) from the interface. Returns the protocol to send it as, or LOST. The packet is
   * in the datapath.
   */
  sendData(packet: Uint8Array, start: number, end: number, now: number): number {
    const protocol = this.#admit(packet, start, end, now);
    if (protocol === LOST) return LOST;
    const { datapath } = this;
    const sent = datapath.encode(protocol, packet, start, end);
    if (sent !== LOST) this.gain.count(end - start, datapath.end - datapath.start);
    return sent;
  }

  /** The same for a packet to be sent in pieces. It is not compressed, and if it names a slot of VJ, that is held. */
  sendInPieces(packet: Uint8Array, start: number, end: number, now: number): number {
    const protocol = this.#admit(packet, start, end, now);
    if (protocol === LOST) return LOST;
    const { datapath } = this;
    datapath.vjOut?.name();
    const sent = datapath.encodeHeader(protocol, packet, start, end);
    if (sent === Protocol.VJ_COMP || sent === Protocol.VJ_UNCOMP) datapath.vjOut?.hold();
    return sent;
  }

  /** Counts the IP packet[start, end) that is to be sent. Returns its protocol; LOST: it may not be sent. */
  #admit(packet: Uint8Array, start: number, end: number, now: number): number {
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
    if (this.#tap?.isOn === true) this.#tap.packet(true, protocol, packet, start, end, now);
    return protocol;
  }

  /**
   * Applies the filters. A packet that pass-filter stops is dropped. One that active-filter stops leaves the link idle.
   */
  #passes(filters: Filters, header: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    if (!filters.passes(header, packet, start, end)) return false;
    if (filters.counts(header, packet, start, end)) this.traffic.lastAt = now;
    return true;
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

  /**
   * Called after every IPCP that was Opened, even if its addresses were refused: pppd counts the up time after those
   * too.
   */
  #ipcpDown(): void {
    this.ipv4Up = false;
    this.#host.ended(Protocol.IP);
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
    this.#host.ended(Protocol.IPV6);
    this.#host.emit({ type: "ipv6-down", last: !this.ipv4Up });
  }

  #countFromNow(now: number): void {
    if (this.ipv4Up || this.ipv6Up) return;
    Object.assign(this.traffic, { packetsIn: 0, packetsOut: 0, octetsIn: 0, octetsOut: 0, lastAt: now });
  }
}
