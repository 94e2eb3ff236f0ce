// The packet port of a link that has a TUN of its own: opened for the link, and gone with it.

import type { InterfaceId } from "../../wire/ipv6cp.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Log } from "../log.ts";
import type { Descriptors, Machine, Memory } from "../machine.ts";
import type { NetDevice } from "../host/interfaces.ts";
import type { Interface } from "./interface.ts";
import { isOfLoopback } from "./loopback-guard.ts";
import { InterfaceSetup, QUEUE_LENGTH } from "./interface-setup.ts";
import { MAX_PACKET, type Outlast, type PacketPort } from "./port.ts";

export class TunPort implements PacketPort {
  readonly hasKept = false;
  readonly hasIpv4 = false;
  readonly hasIpv6 = false;
  readonly awaitsPeer = false;
  readonly waitsInKernel = true;
  readonly relaysNames = false;
  readonly fd: number;
  readonly #descriptors: Descriptors;
  readonly #interface: Interface;
  readonly #setup: InterfaceSetup;

  constructor(machine: Machine, own: Interface, options: OptionsInForce, log: Log) {
    this.#descriptors = machine.descriptors;
    this.fd = own.tun.fd;
    this.#interface = own;
    this.#setup = new InterfaceSetup(
      machine,
      own.tun,
      () => options.config,
      (level, text) => log.write(level, text),
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

  read(into: Memory, at: number): number {
    return this.#descriptors.read(this.fd, into, at, MAX_PACKET);
  }

  write(from: Memory, start: number, end: number): void {
    if (isOfLoopback(from.bytes, start)) return;
    this.#descriptors.write(this.fd, from, start, end - start);
  }

  nextTimeout(): number {
    return Infinity;
  }

  handleTimeout(): void {}

  async begin(speed: number, outlast: Outlast): Promise<boolean> {
    if (!(await outlast(this.#interface.announce(speed)))) return false;
    this.#interface.writePidFiles();
    return true;
  }

  takeBack(): void {
    this.#setup.down();
  }

  finish(): void {
    this.#interface.down();
  }

  release(): void {
    this.#interface.close();
  }

  lost(): void {}

  readName(): boolean {
    return this.#interface.readName();
  }

  setAddresses(our: number, peer: number): void {
    this.#setup.setAddresses(our, peer);
  }

  ipv4Up(_our: number, peer: number, mtu: number): void {
    this.#setup.up(peer, mtu, QUEUE_LENGTH);
  }

  ipv4Down(): void {
    this.#setup.down4();
  }

  ipv6Up(our: InterfaceId, peer: InterfaceId, mtu: number): string | undefined {
    return this.#setup.up6(our, peer, mtu, QUEUE_LENGTH);
  }

  setNetworkAddress(address: Uint8Array): boolean {
    return this.#setup.addNetwork6(address);
  }

  ipv6Down(): void {
    this.#setup.down6();
  }

  opened(): void {}

  setMtu(mtu: number): void {
    this.#setup.setMtu(mtu);
  }

  fitQueue(): void {}

  peerReady(): void {}
}
