// `demand`: a packet port whose TUN exists before the first link and stays between links. Missing addresses are invented. The
// first packet that is worth a link starts one. Packets wait in the kernel's queue of the interface until the link is up.
// They are then kept here, and given to the link once the peer is ready for them.

import { ipv4Text } from "../../wire/ip.ts";
import { type InterfaceId, linkLocalText } from "../../wire/ipv6cp.ts";
import { BusyWatch } from "./busy-watch.ts";
import { KeptPackets, MOST_KEPT } from "./kept-packets.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Log } from "../log.ts";
import { type Machine, type Memory, reasonOf } from "../machine.ts";
import { Exit, Failed } from "../exit.ts";
import { interfaceArguments } from "../scripts/arguments.ts";
import type { Hooks } from "../scripts/hooks.ts";
import { identifiers } from "../settings/identifiers.ts";
import type { NetDevice } from "../host/interfaces.ts";
import type { Interface } from "./interface.ts";
import { isOfLoopback } from "./loopback-guard.ts";
import { filtersOf } from "../settings/link-config.ts";
import { switchOn } from "./switched-parameter.ts";
import { InterfaceSetup, QUEUE_LENGTH } from "./interface-setup.ts";
import { PacketWait } from "./packet-wait.ts";
import { type Load, MAX_PACKET, type Outlast, type PacketPort, type ProtocolsUp } from "./port.ts";
import { RUN_DIRECTORY } from "../live/published-status.ts";

/** pppd invents 10.64.64.64 plus the unit number for us and 10.112.112.112 plus the unit number for the peer. */
const MADE_UP_OUR = 0x0a404040;
const MADE_UP_PEER = 0x0a707070;
const LONGEST_MTU = 1500;
/** The first packet is taken from the queue. The others wait in it. */
const QUEUE = MOST_KEPT - 1;
const DYNADDR = "net/ipv4/ip_dynaddr";

export interface DemandHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly outlast: Outlast;
}

export class Demand implements PacketPort {
  readonly hasIpv4 = true;
  readonly awaitsPeer = true;
  readonly waitsInKernel = true;
  readonly relaysNames = false;
  readonly fd: number;
  readonly #interface: Interface;
  readonly #setup: InterfaceSetup;
  readonly #kept = new KeptPackets();
  /** Somebody removed the interface. */
  gone = false;
  readonly #host: DemandHost;
  readonly #machine: Machine;
  readonly #wait: PacketWait;
  readonly #busy = new BusyWatch();
  /** The addresses of the interface. */
  #our = 0;
  #peer = 0;
  #ids: { our: InterfaceId; peer: InterfaceId } | undefined;
  #undoDynaddr: (() => void) | undefined;

  constructor(host: DemandHost, own: Interface) {
    this.#host = host;
    this.#machine = host.machine;
    this.fd = own.tun.fd;
    this.#wait = new PacketWait(host.machine, own.tun.fd, this.#kept);
    this.#interface = own;
    this.#setup = new InterfaceSetup(
      host.machine,
      own.tun,
      () => host.options.config,
      (level, text) => host.log.write(level, text),
    );
  }

  get name(): string {
    return this.#interface.tun.name;
  }

  get device(): NetDevice {
    return this.#interface.tun;
  }

  get unit(): number {
    return this.#interface.tun.unit;
  }

  // ── before and after ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Names the interface to scripts, and gives it its addresses and routes. Throws Failed. */
  async setUp(): Promise<void> {
    const { options, log, outlast } = this.#host;
    // A signal ends the wait for a script. The caller knows whether it ends the session too.
    await outlast(this.#interface.announce(options.config.speed));
    this.#interface.writePidFiles();
    const { config } = options;
    const { our, peer } = identifiers(
      config,
      () => this.#machine.network.firstEthernetMac(),
      (text) => log.write("error", text),
    );
    // A link-local address is useless without the peer's. Without both, the interface gets neither before IPv6CP is up.
    const known = config.ipv6 && !isNone(our) && !isNone(peer);
    if (config.noip && !known) throw new Failed(Exit.OPTION, "local/remote LL address required for demand-dialling");
    try {
      if (!config.noip) await this.#setAddresses();
      this.#setup.stand(this.#mtu, QUEUE);
      if (!config.noip) {
        this.#setup.up(this.#peer, this.#mtu, QUEUE);
        log.write("notice", `local  IP address ${ipv4Text(this.#our)}`);
        if (this.#peer !== 0) log.write("notice", `remote IP address ${ipv4Text(this.#peer)}`);
      }
    } catch (error) {
      throw error instanceof Failed ? error : this.#failed(error);
    }
    if (!known) return;
    if (this.#setup.up6(our, peer, this.#mtu, QUEUE) !== undefined) throw new Failed(Exit.FATAL, "");
    this.#ids = { our, peer };
    log.write("notice", `local  LL address ${linkLocalText(our)}`);
    log.write("notice", `remote LL address ${linkLocalText(peer)}`);
  }

  /** The interface has its link-local addresses before the link. */
  get hasIpv6(): boolean {
    return this.#ids !== undefined;
  }

  get #mtu(): number {
    return Math.min(this.#host.options.config.mtu, LONGEST_MTU);
  }

  /** Invents missing addresses. IPCP does not insist on them, and it does not ask for an invented address of ours. */
  async #setAddresses(): Promise<void> {
    const { options, hooks, outlast } = this.#host;
    const { config } = options;
    // An address that no option gives is the peer's to choose.
    this.#our = config.ourAddress || MADE_UP_OUR + this.unit;
    this.#peer = config.peerAddress || (config.noremoteip ? 0 : MADE_UP_PEER + this.unit);
    if (this.#peer !== 0) options.addressesFound({ peerAddress: this.#peer });
    this.#setup.setAddresses(this.#our, this.#peer);
    const texts = [ipv4Text(this.#our), ipv4Text(this.#peer)];
    await outlast(hooks.start(config.ipPreUpScript, interfaceArguments(config, this.name, config.speed, ...texts)));
    this.readName();
  }

  #failed(error: unknown): Failed {
    return new Failed(Exit.FATAL, `Interface configuration failed: ${reasonOf(error)}`);
  }

  /** Takes back all that was done to the machine, and closes the interface. */
  end(): void {
    this.#setup.down();
    this.#undoDynaddr?.();
    this.#interface.down();
    this.#interface.close();
  }

  // ── without a link ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Waits for a packet worth a link: see {@link PacketWait.run}. */
  awaitPacket(isOver: () => boolean, nextDeadline: () => number): Promise<"packet" | "stopped" | "gone"> {
    const { config } = this.#host.options;
    const addressed = { ipv4: !config.noip, ipv6: this.hasIpv6 };
    return this.#wait.run(filtersOf(config), addressed, isOver, nextDeadline);
  }

  /** There is no link for the packets that waited for one. */
  discard(): void {
    this.#wait.discard();
  }

  // ── with a link ──────────────────────────────────────────────────────────────────────────────────────────────────

  async begin(speed: number): Promise<boolean> {
    this.#interface.setSpeed(speed);
    return true;
  }

  takeBack(): void {}

  finish(): void {}

  release(): void {}

  lost(): void {
    this.gone = true;
  }

  get hasKept(): boolean {
    return this.#kept.hasReady;
  }

  /** Kept packets go before those in the TUN. Packets of a protocol that is not up are kept. */
  read(into: Memory, at: number, { ipv4Up, ipv6Up }: ProtocolsUp): number {
    const kept = this.#kept;
    // The peer may have ended a protocol a moment ago, before ipv4Down() is called.
    kept.ready.ipv4 &&= ipv4Up;
    kept.ready.ipv6 &&= ipv6Up;
    const first = kept.take();
    if (first !== undefined) {
      into.bytes.set(first, at);
      return first.length;
    }
    for (;;) {
      const got = this.#machine.descriptors.read(this.fd, into, at, MAX_PACKET);
      if (got <= 0 || kept.mayGo(into.bytes, at)) return got;
      kept.add(into.bytes, at, at + got);
    }
  }

  keep(packet: Uint8Array, start: number, end: number): boolean {
    return this.#kept.add(packet, start, end);
  }

  write(from: Memory, start: number, end: number): void {
    if (isOfLoopback(from.bytes, start)) return;
    this.#machine.descriptors.write(this.fd, from, start, end - start);
  }

  nextTimeout(): number {
    return Infinity;
  }

  handleTimeout(): void {}

  readName(): boolean {
    return this.#interface.readName();
  }

  /** The interface has addresses already. {@link ipv4Up} changes them. */
  setAddresses(): void {}

  opened(mtu: number, load: Load, now: number): void {
    this.setMtu(mtu);
    this.#busy.restart(load, now);
  }

  setMtu(mtu: number): void {
    this.#setup.setMtu(mtu);
  }

  /**
   * Packets that come while the kept ones go out need room too. And the kernel loses packets that come just when it changes
   * the length of a queue. Each link would change it, so it is changed only on a busy line, and not where packets are read as
   * they come.
   */
  fitQueue(load: Load, now: number): void {
    if (load.rate > 0 || this.#kept.isEmptying || !this.#busy.hasBeenBusy(load, now)) return;
    this.#setup.setQueue(QUEUE_LENGTH);
  }

  peerReady(protocols: { readonly ipv4: boolean; readonly ipv6: boolean }): void {
    Object.assign(this.#kept.ready, protocols);
  }

  /** IPCP has agreed on these addresses. Throws HostError. */
  ipv4Up(our: number, peer: number, mtu: number): void {
    const { options, log } = this.#host;
    const old = this.#our;
    if (our !== old || peer !== this.#peer) {
      this.#readdress(our, peer, mtu);
      const { config } = options;
      options.addressesFound({
        ...(config.ourAddress && { ourAddress: our }),
        ...(config.peerAddress && { peerAddress: peer }),
      });
    }
    this.#wait.gather();
    this.#kept.changeSource(old, our);
    for (const text of this.#kept.texts()) log.note("info", text);
  }

  #readdress(our: number, peer: number, mtu: number): void {
    const {
      log,
      hooks,
      options: { config },
    } = this.#host;
    const { env } = hooks;
    const changed = { our: our !== this.#our, peer: peer !== this.#peer && this.#peer !== 0 };
    if (changed.our) {
      log.write("warn", `Local IP address changed to ${ipv4Text(our)}`);
      env.set("OLDIPLOCAL", ipv4Text(this.#our));
      if (config.ktune) this.#allowDynamicAddress();
    } else env.delete("OLDIPLOCAL");
    if (changed.peer) {
      log.write("warn", `Remote IP address changed to ${ipv4Text(peer)}`);
      env.set("OLDIPREMOTE", ipv4Text(this.#peer));
    } else env.delete("OLDIPREMOTE");
    this.#our = our;
    this.#peer = peer;
    this.#setup.changeAddresses(our, peer);
    this.#setup.up(peer, mtu, QUEUE);
  }

  /** Lets connections that are being established take the new address. */
  #allowDynamicAddress(): void {
    if (this.#undoDynaddr !== undefined) return;
    const { isOn, undo } = switchOn(this.#machine, RUN_DIRECTORY, DYNADDR);
    this.#undoDynaddr = undo;
    if (!isOn) this.#host.log.write("error", "Couldn't enable dynamic IP addressing");
  }

  /** The same for IPv6CP. Returns the reason to close IPv6CP with, if that fails. */
  ipv6Up(our: InterfaceId, peer: InterfaceId, mtu: number): string | undefined {
    const { log } = this.#host;
    const old = this.#ids;
    if (old === undefined || !isSame(old.our, our) || !isSame(old.peer, peer)) {
      if (old !== undefined) {
        this.#setup.down6();
        if (!isSame(old.our, our)) log.write("warn", `Local LL address changed to ${linkLocalText(our)}`);
        if (!isSame(old.peer, peer)) log.write("warn", `Remote LL address changed to ${linkLocalText(peer)}`);
        this.#ids = { our, peer };
      }
      const trouble = this.#setup.up6(our, peer, mtu, QUEUE);
      if (trouble !== undefined) return trouble;
    }
    this.#wait.gather();
    return undefined;
  }

  ipv4Down(): void {
    this.#kept.ready.ipv4 = false;
    this.#setup.setQueue(QUEUE);
  }

  setNetworkAddress(address: Uint8Array): boolean {
    return this.#setup.addNetwork6(address);
  }

  ipv6Down(): void {
    this.#kept.ready.ipv6 = false;
    this.#setup.setQueue(QUEUE);
    if (this.#ids === undefined) this.#setup.down6();
  }
}

function isNone({ high, low }: InterfaceId): boolean {
  return high === 0 && low === 0;
}

function isSame(a: InterfaceId, b: InterfaceId): boolean {
  return a.high === b.high && a.low === b.low;
}
