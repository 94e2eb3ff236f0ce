// The packet port of user-mode networking: packets go into our own TCP/IP stack, whose other side is sockets of this process. It
// needs no TUN and no rights. Scripts get the interface's name as a label.

import { parsePrefixes } from "../../bytes/prefix.ts";
import { Destinations, ipv4Octets, isImpossibleSource } from "../../stack/destinations.ts";
import type { FlowCounts } from "../../stack/flow-count.ts";
import { Stack } from "../../stack/stack.ts";
import type { Config } from "../../options/config.ts";
import type { Log } from "../log.ts";
import { type InterfaceId, linkLocalAddress } from "../../wire/ipv6cp.ts";
import { type Clock, type Machine, type Memory } from "../machine.ts";
import type { Sockets } from "../host/sockets.ts";
import { Resolvers } from "../share/resolvers.ts";
import { FlowReport } from "./flow-report.ts";
import { Forwarding } from "./forwarding.ts";
import type { Interface } from "./interface.ts";
import { type Load, MAX_PACKET, type Outlast, type PacketPort, type ProtocolsUp } from "./port.ts";
import { SocketAdapter } from "./socket-adapter.ts";

/** While packets flow, sockets are looked at this often. */
const COLLECT_MS = 5;
const MOST_FLOWS = 8192;
/** Callers of forwarded ports, by TCP and by UDP. They leave room for the peer's own flows. */
const MOST_CALLERS = 2048;
/** At these, services of this machine's loopback answer. */
const LOOPBACK = { 4: Uint8Array.of(127, 0, 0, 1), 6: Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? 1 : 0)) };

export type UsernetRules = Pick<Config, "shareAllow" | "shareDeny" | "shareLoopback" | "forwards">;

export class UsernetPort implements PacketPort {
  readonly device = undefined;
  readonly hasIpv4 = false;
  readonly hasIpv6 = false;
  readonly awaitsPeer = false;
  readonly waitsInKernel = false;
  readonly relaysNames = true;
  readonly #interface: Interface;
  readonly #sockets: Sockets;
  readonly #clock: Clock;
  readonly #stack: Stack;
  readonly #forwarding: Forwarding;
  readonly #report: FlowReport;
  #collectedAt = -Infinity;

  /** Throws HostError. */
  constructor(machine: Machine, own: Interface, rules: UsernetRules, log: Log) {
    this.#interface = own;
    this.#clock = machine.clock;
    const resolvers = new Resolvers(machine);
    const sockets = (this.#sockets = machine.network.openSockets());
    const adapter = new SocketAdapter(sockets);
    const stack = (this.#stack = new Stack({
      side: adapter,
      destinations: new Destinations(parsePrefixes(rules.shareAllow), parsePrefixes(rules.shareDeny)),
      get resolvers() {
        return resolvers.now.own;
      },
      ownAddresses(family) {
        if (rules.shareLoopback) return [LOOPBACK[family]];
        const address = ownAddress(sockets, family);
        if (address === undefined) return [];
        // Without rules there is nothing to compare them with.
        return rules.shareDeny.length === 0 ? [address] : [address, ...machine.network.ownAddresses(family)];
      },
      mostFlows: MOST_FLOWS,
      random: () => machine.random.u32(),
    }));
    const { callers } = sockets;
    const { descriptors } = machine;
    const mostCallers = MOST_CALLERS;
    this.#forwarding = new Forwarding({ callers, adapter, stack, descriptors, log, mostCallers }, rules.forwards);
    this.#report = new FlowReport(stack, adapter, log);
  }

  get name(): string {
    return this.#interface.tun.name;
  }

  get unit(): number {
    return this.#interface.tun.unit;
  }

  get fd(): number {
    return this.#sockets.fd;
  }

  get flows(): FlowCounts {
    return this.#stack.counts;
  }

  setService(protocol: "tcp" | "udp", port: number, loopbackPort: number | undefined): void {
    const at = loopbackPort === undefined ? undefined : { address: LOOPBACK[4], port: loopbackPort };
    this.#stack.gateway.setService(protocol, port, at);
  }

  get hasKept(): boolean {
    return this.#stack.hasPackets;
  }

  read(into: Memory, at: number, { ipv4Up, ipv6Up }: ProtocolsUp): number {
    const now = this.#clock.now();
    if (now - this.#collectedAt >= COLLECT_MS) this.#collect(now);
    if (!ipv4Up && !ipv6Up) return 0;
    const length = this.#stack.take(into.bytes, at, now);
    return length > 0 || this.#collect(now) === 0 ? length : this.#stack.take(into.bytes, at, now);
  }

  #collect(now: number): number {
    this.#collectedAt = now;
    this.#report.look(now);
    return this.#sockets.collect((socket, readable, writable) => {
      if (!this.#forwarding.ready(socket, now)) this.#stack.ready(socket, readable, writable, now);
    });
  }

  write(from: Memory, start: number, end: number): void {
    this.#stack.receive(from.bytes, start, end, this.#clock.now());
  }

  nextTimeout(): number {
    return Math.min(this.#stack.nextTimeout(), this.#forwarding.dueAt);
  }

  handleTimeout(now: number): void {
    this.#stack.handleTimeout(now);
    this.#forwarding.handleTimeout(now);
  }

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

  release(): void {
    this.#forwarding.close();
    this.#stack.close();
    this.#sockets.end();
    this.#interface.close();
  }

  lost(): void {}

  readName(): boolean {
    return false;
  }

  setAddresses(): void {}

  ipv4Up(our: number, peer: number, mtu: number): void {
    this.#stack.gateway.setAddress(4, ipv4Octets(our));
    this.setMtu(mtu);
    if (peer !== 0) this.#forwarding.setEnds(4, { our: ipv4Octets(our), peer: ipv4Octets(peer) });
  }

  ipv4Down(): void {
    this.#forwarding.setEnds(4, undefined);
    this.#stack.gateway.setAddress(4, undefined);
  }

  ipv6Up(our: InterfaceId, peer: InterfaceId, mtu: number): undefined {
    const ends = { our: linkLocalAddress(our), peer: linkLocalAddress(peer) };
    this.#stack.gateway.setAddress(6, ends.our);
    this.setMtu(mtu);
    this.#forwarding.setEnds(6, ends);
  }

  setNetworkAddress(address: Uint8Array): boolean {
    this.#stack.gateway.setNetworkAddress(address);
    return true;
  }

  ipv6Down(): void {
    this.#forwarding.setEnds(6, undefined);
    this.#stack.gateway.setNetworkAddress(undefined);
    this.#stack.gateway.setAddress(6, undefined);
  }

  opened(_mtu: number, load: Load): void {
    this.fitQueue(load);
  }

  setMtu(mtu: number): void {
    this.#stack.setMtu(Math.min(mtu, MAX_PACKET));
  }

  fitQueue({ rate, gain }: Load): void {
    this.#stack.setRate(rate * gain);
  }

  peerReady(): void {}
}

/** An address of this machine that does not lead to its loopback. */
function ownAddress(sockets: Sockets, family: 4 | 6): Uint8Array | undefined {
  const address = sockets.ownAddress(family);
  return address === undefined || isImpossibleSource(address) ? undefined : address;
}
