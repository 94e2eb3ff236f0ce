// The packet port of `socks`: programs of this machine reach the link's network by a proxy, through our own TCP/IP stack. It
// needs no TUN and no rights. It outlasts a link, so that programs wait for the next one. Scripts get the interface's name as
// a label.

import { addressPortText, addressText, parseAddress } from "../../bytes/prefix.ts";
import type { ProxyPlace } from "../../options/table/socks-rows.ts";
import type { RelaySockets } from "../../proxy/datagram-relay.ts";
import { Proxy } from "../../proxy/proxy.ts";
import { ipv4Octets } from "../../stack/destinations.ts";
import { FAILED, NOT_NOW } from "../../stack/socket-side.ts";
import type { FlowCounts } from "../../stack/flow-count.ts";
import { type InterfaceId, linkLocalAddress } from "../../wire/ipv6cp.ts";
import { Exit, Failed } from "../exit.ts";
import type { Sockets } from "../host/sockets.ts";
import type { Log } from "../log.ts";
import { type Clock, Errno, type Machine, type Memory } from "../machine.ts";
import { DescriptorReport } from "./flow-report.ts";
import { NO_ROOM } from "./forwarding.ts";
import type { Interface } from "./interface.ts";
import { type Load, MAX_PACKET, type Outlast, type PacketPort, type ProtocolsUp } from "./port.ts";
import { SocketAdapter } from "./socket-adapter.ts";

/** While packets flow, sockets are looked at this often. */
const COLLECT_MS = 5;
/** While no loop runs, sockets are looked at this often. */
const IDLE_MS = 100;
const ECONNABORTED = 103;

export interface SocksHost {
  readonly machine: Machine;
  readonly log: Log;
  /** The label of the next link. */
  openInterface(): Interface;
}

export class SocksPort implements PacketPort {
  readonly device = undefined;
  readonly waitsInKernel = false;
  readonly relaysNames = false;
  readonly hasIpv4 = false;
  readonly hasIpv6 = false;
  readonly awaitsPeer = false;
  readonly #host: SocksHost;
  readonly #clock: Clock;
  readonly #sockets: Sockets;
  readonly #adapter: SocketAdapter;
  readonly #report: DescriptorReport;
  readonly #listening: number;
  readonly #proxy: Proxy;
  readonly #endIdling: () => void;
  #interface: Interface;
  #servers: readonly Uint8Array[] = [];
  #collectedAt = -Infinity;
  #hasCallers = false;
  /** Programs send datagrams here; below 0: there is no such socket. */
  readonly #bound: number;
  #hasDatagrams = false;

  /** Throws Failed. */
  constructor(host: SocksHost, place: ProxyPlace) {
    const { machine, log } = host;
    const { clock, network, random } = machine;
    this.#host = host;
    this.#clock = clock;
    this.#sockets = network.openSockets();
    this.#listening = this.#listen(place);
    this.#adapter = new SocketAdapter(this.#sockets);
    this.#report = new DescriptorReport(this.#adapter, log, "another program");
    this.#bound = this.#sockets.callers.bind(parseAddress(place.address)!, place.port);
    this.#interface = this.#openInterface();
    this.#proxy = new Proxy({
      side: this.#adapter,
      accept: () => this.#accept(),
      callerAddress: () => this.#callerAddress(),
      random: () => random.u32(),
      ...(this.#bound >= 0 && { relay: this.#relay(place) }),
    });
    this.#endIdling = clock.every(IDLE_MS, () => this.idle(clock.now()));
    const text = addressPortText(place.address, place.port);
    log.write("notice", `SOCKS and HTTP proxy at ${text}: programs that use it reach the link's network`);
    if (this.#bound < 0) {
      const reason = machine.descriptors.errorText(-this.#bound);
      log.write("info", `The proxy at ${text} relays no UDP datagrams: ${reason}`);
    }
    if (!isLoopback(place.address)) log.write("warn", `Whoever reaches ${text} can use the link through this proxy`);
  }

  #listen(place: ProxyPlace): number {
    const listening = this.#sockets.callers.listen(parseAddress(place.address)!, place.port);
    if (listening >= 0) return listening;
    this.#sockets.end();
    const reason = this.#host.machine.descriptors.errorText(-listening);
    throw new Failed(Exit.FATAL, `Can't listen on ${addressPortText(place.address, place.port)} for socks: ${reason}`);
  }

  #openInterface(): Interface {
    try {
      return this.#host.openInterface();
    } catch (error) {
      this.#sockets.end();
      throw error;
    }
  }

  #accept(): number {
    for (;;) {
      const socket = this.#adapter.accept(this.#listening);
      if (socket >= 0) return socket;
      // A program that has hung up already.
      if (socket === -ECONNABORTED || socket === -Errno.EINTR) continue;
      if (NO_ROOM.has(-socket)) this.#adapter.exhausted++;
      return socket === -Errno.EAGAIN ? NOT_NOW : FAILED;
    }
  }

  #callerAddress(): string {
    return addressText(this.#sockets.callers.address);
  }

  #relay({ address, port }: ProxyPlace): RelaySockets {
    const { callers } = this.#sockets;
    return {
      place: { address: parseAddress(address)!, port },
      receive: (into, at, most) => Math.max(NOT_NOW, callers.receive(this.#bound, into, at, most)),
      sender: () => callers.key,
      senderAddress: () => this.#callerAddress(),
      open: () => this.#adapter.openToCaller(this.#bound, callers.key),
    };
  }

  get name(): string {
    return this.#interface.tun.name;
  }

  get unit(): number {
    return this.#interface.tun.unit;
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  get fd(): number {
    return this.#sockets.fd;
  }

  get flows(): FlowCounts {
    return this.#proxy.stack.counts;
  }

  get hasKept(): boolean {
    return this.#proxy.stack.hasPackets;
  }

  read(into: Memory, at: number, { ipv4Up, ipv6Up }: ProtocolsUp): number {
    const now = this.#clock.now();
    if (now - this.#collectedAt >= COLLECT_MS) this.#collect(now);
    if (!ipv4Up && !ipv6Up) return 0;
    const { stack } = this.#proxy;
    const length = stack.take(into.bytes, at, now);
    return length > 0 || this.#collect(now) === 0 ? length : stack.take(into.bytes, at, now);
  }

  idle(now: number): void {
    this.#collect(now);
    if (this.nextTimeout() <= now) this.handleTimeout(now);
  }

  #collect(now: number): number {
    this.#collectedAt = now;
    this.#report.look(now);
    const count = this.#sockets.collect((socket, readable, writable) => {
      if (socket === this.#listening) this.#hasCallers = true;
      else if (socket === this.#bound) this.#hasDatagrams = true;
      else this.#proxy.ready(socket, readable, writable, now);
    });
    if (this.#hasCallers) this.#proxy.accept(now);
    if (this.#hasDatagrams) this.#proxy.relay();
    this.#hasCallers = this.#hasDatagrams = false;
    return count;
  }

  write(from: Memory, start: number, end: number): void {
    this.#proxy.receivePacket(from.bytes, start, end, this.#clock.now());
  }

  nextTimeout(): number {
    return this.#proxy.nextTimeout();
  }

  handleTimeout(now: number): void {
    this.#proxy.handleTimeout(now);
  }

  // ── a link begins and ends ───────────────────────────────────────────────────────────────────────────────────────

  async begin(speed: number, outlast: Outlast): Promise<boolean> {
    if (!(await outlast(this.#interface.announce(speed)))) return false;
    this.#interface.writePidFiles();
    return true;
  }

  takeBack(): void {
    this.ipv4Down();
    this.ipv6Down();
  }

  finish(): void {
    this.#interface.down();
  }

  /** The proxy stays for the next link. */
  release(): void {
    this.#interface.close();
    this.#interface = this.#host.openInterface();
  }

  /** The session is over. */
  end(): void {
    this.#endIdling();
    this.#proxy.close();
    this.#sockets.callers.close(this.#listening);
    if (this.#bound >= 0) this.#sockets.callers.close(this.#bound);
    this.#sockets.end();
  }

  lost(): void {}

  readName(): boolean {
    return false;
  }

  // ── the network protocols ────────────────────────────────────────────────────────────────────────────────────────

  setAddresses(): void {}

  setServers(servers: readonly number[]): void {
    this.#servers = servers.filter((server) => server !== 0).map(ipv4Octets);
  }

  /** A peer that names no name server may be one. */
  ipv4Up(our: number, peer: number, mtu: number): void {
    this.#proxy.setServers(this.#servers.length > 0 ? this.#servers : [ipv4Octets(peer)]);
    this.setMtu(mtu);
    this.#proxy.setAddress(4, ipv4Octets(our), this.#clock.now());
  }

  ipv4Down(): void {
    this.#proxy.setAddress(4, undefined, this.#clock.now());
  }

  ipv6Up(our: InterfaceId, _peer: InterfaceId, mtu: number): undefined {
    this.setMtu(mtu);
    this.#proxy.setAddress(6, linkLocalAddress(our), this.#clock.now());
  }

  ipv6Down(): void {
    this.#proxy.setAddress(6, undefined, this.#clock.now());
  }

  /** It gives nobody a network. */
  setNetworkAddress(): boolean {
    return false;
  }

  opened(_mtu: number, load: Load): void {
    this.fitQueue(load);
  }

  setMtu(mtu: number): void {
    this.#proxy.stack.setMtu(Math.min(mtu, MAX_PACKET));
  }

  fitQueue({ rate, gain }: Load): void {
    this.#proxy.stack.setRate(rate * gain);
  }

  peerReady(): void {}
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
