// `demand` without a link: waits at the interface for a packet that is worth one.

import { type Filters, isActive } from "../../link/filters.ts";
import { type Machine, type Memory, Poll } from "../machine.ts";
import type { KeptPackets } from "./kept-packets.ts";
import { MAX_PACKET } from "./port.ts";

/** The runtime's own descriptors are undocumented. If none is found, it gets its turn this often. */
const RUNTIME_TURN_MS = 100;
const IPV6_DESTINATION = 24;

/** The protocols that the interface has addresses for. */
export interface Addressed {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

export class PacketWait {
  readonly #machine: Machine;
  readonly #fd: number;
  readonly #kept: KeptPackets;
  readonly #packet: Memory;

  constructor(machine: Machine, fd: number, kept: KeptPackets) {
    this.#machine = machine;
    this.#fd = fd;
    this.#kept = kept;
    this.#packet = machine.descriptors.memory(MAX_PACKET);
  }

  /**
   * Waits for a packet worth a link. It may be one of the kept packets. "stopped": `isOver` has returned true; "gone": the
   * interface was removed. `nextDeadline` is when a timer is due.
   */
  async run(
    filters: Filters | undefined,
    addressed: Addressed,
    isOver: () => boolean,
    nextDeadline: () => number,
  ): Promise<"packet" | "stopped" | "gone"> {
    this.#kept.retain((packet) => isOurs(packet, packet.length, addressed));
    if (this.#kept.some((packet) => isActive(filters, packet, 0, packet.length))) return "packet";
    this.#kept.clear();
    const { clock, descriptors, syslog } = this.#machine;
    const runtime = descriptors.runtimeEvents();
    const set = descriptors.pollSet([this.#fd, ...runtime]);
    for (;;) {
      await clock.turn();
      if (isOver()) return "stopped";
      if (this.#findActive(filters, addressed)) return "packet";
      const turnMs = Math.min(syslog.turnMs(), runtime.length === 0 ? RUNTIME_TURN_MS : Infinity);
      await descriptors.poll(set, Math.min(nextDeadline() - clock.now(), turnMs));
      if (set.got(0) & Poll.ERR) return "gone";
    }
  }

  /** Reads packets up to the first one that is worth a link, and keeps that one. */
  #findActive(filters: Filters | undefined, addressed: Addressed): boolean {
    const { bytes } = this.#packet;
    for (let got; (got = this.#read()) > 0;)
      if (isActive(filters, bytes, 0, got) && isOurs(bytes, got, addressed)) return this.#kept.add(bytes, 0, got);
    return false;
  }

  /** Keeps what waits in the kernel's queue. */
  gather(): void {
    for (let got; (got = this.#read()) > 0;) this.#kept.add(this.#packet.bytes, 0, got);
  }

  /** Throws away what is kept and what waits in the kernel's queue. */
  discard(): void {
    this.#kept.clear();
    while (this.#read() > 0);
  }

  #read(): number {
    return this.#machine.descriptors.read(this.#fd, this.#packet, 0, MAX_PACKET);
  }
}

/**
 * True for a packet of a protocol that the interface has an address for. The kernel's own messages to its neighbours
 * (ff02::/16: router solicitations, group reports) are worth no link.
 */
function isOurs(packet: Uint8Array, length: number, { ipv4, ipv6 }: Addressed): boolean {
  if (packet[0]! >>> 4 === 4) return ipv4;
  const at = IPV6_DESTINATION;
  return ipv6 && length > at + 1 && !(packet[at] === 0xff && packet[at + 1] === 0x02);
}
