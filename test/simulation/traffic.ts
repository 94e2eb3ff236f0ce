// Packets in flows over a simulated link, and what must be true of each that arrives: it was sent, is whole, comes once and
// in its flow's order.

import { put16, put32, u16, u32 } from "../../src/bytes/be.ts";
import type { Rng } from "../kit/rng.ts";
import type { Computer } from "./computer.ts";
import type { SimulatedTun } from "./network.ts";

const IP_HEADER = 20;
const UDP = 17;
const TCP = 6;
const HEADERS = { [UDP]: 8, [TCP]: 20 } as const;
type Protocol = typeof UDP | typeof TCP;
const MAGIC = 0x6e6d_7369;
/** A TCP flow goes on elsewhere after so many packets. */
const TCP_JUMP = 16;
/** What each payload begins with: magic number, flow, sequence. */
const PREFIX = 12;
const LONGEST = 0x4000;
/** The text of a payload repeats after so many octets. */
const PERIOD = 23;
const TEXT = Uint8Array.from({ length: LONGEST + PERIOD }, (_, at) => 97 + (at % PERIOD));
/** The payload that a packet should have. */
const WANTED = new Uint8Array(LONGEST);

/** Packets of one kind from one computer to the other. */
export class Flow {
  sent = 0;
  received = 0;
  /** Sequence number of the packet that came last. */
  #last = -1;
  #tcpSequence = 1;

  readonly number: number;
  readonly protocol: Protocol;
  readonly isText: boolean;

  constructor(number: number, protocol: Protocol, isText: boolean) {
    this.number = number;
    this.protocol = protocol;
    this.isText = isText;
  }

  /** The next packet. */
  next(our: number, peer: number, length: number, id: number): Uint8Array {
    const sequence = this.sent++;
    const header = HEADERS[this.protocol];
    const packet = new Uint8Array(IP_HEADER + header + Math.max(PREFIX, length));
    packet[0] = 0x45;
    put16(packet, 2, packet.length);
    put16(packet, 4, id & 0xffff);
    packet[8] = 64;
    packet[9] = this.protocol;
    put32(packet, 12, our);
    put32(packet, 16, peer);
    const start = IP_HEADER + header;
    put16(packet, IP_HEADER, 1024 + this.number);
    put16(packet, IP_HEADER + 2, 7);
    fill(packet, start, packet.length, this, sequence);
    if (this.protocol === TCP) {
      put32(packet, IP_HEADER + 4, this.#tcpSequence);
      put32(packet, IP_HEADER + 8, 1 + sequence);
      packet[IP_HEADER + 12] = 5 << 4;
      packet[IP_HEADER + 13] = 0x18;
      put16(packet, IP_HEADER + 14, 8192);
      // A jump now and then has VJ send the whole header, as a retransmission would.
      const jump = sequence % TCP_JUMP === 0 ? 1_000_000 : 0;
      this.#tcpSequence = (this.#tcpSequence + jump + packet.length - start) >>> 0;
    } else put16(packet, IP_HEADER + 4, packet.length - IP_HEADER);
    put16(packet, 10, checksum(packet, 0, IP_HEADER, 0));
    put16(packet, checksumAt(this.protocol), checksum(packet, IP_HEADER, packet.length, pseudo(packet)));
    return packet;
  }

  /** Returns what is wrong with a packet that came; undefined: nothing. */
  take(sequence: number): string | undefined {
    const last = this.#last;
    if (sequence >= this.sent) return `packet ${sequence} of flow ${this.number} was never sent`;
    if (sequence === last) return `packet ${sequence} of flow ${this.number} came twice`;
    if (sequence < last) return `packet ${sequence} of flow ${this.number} came after packet ${last}`;
    this.#last = sequence;
    this.received++;
    return undefined;
  }
}

function checksumAt(protocol: Protocol): number {
  return IP_HEADER + (protocol === UDP ? 6 : 16);
}

/** The payload: of text, so that it shrinks, or of noise. */
function fill(packet: Uint8Array, start: number, end: number, flow: Flow, sequence: number): void {
  put32(packet, start, MAGIC);
  put32(packet, start + 4, flow.number);
  put32(packet, start + 8, sequence);
  let at = start + PREFIX;
  if (flow.isText) {
    const from = (at + sequence) % PERIOD;
    packet.set(TEXT.subarray(from, from + end - at), at);
    return;
  }
  let state = (flow.number * 0x9e3779b1 + sequence * 0x85ebca6b) >>> 0 || 1;
  while (at < end) {
    // Four octets a step of Marsaglia's xorshift.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    packet[at++] = state;
    if (at < end) packet[at++] = state >>> 8;
    if (at < end) packet[at++] = state >>> 16;
    if (at < end) packet[at++] = state >>> 24;
  }
}

function pseudo(packet: Uint8Array): number {
  const length = packet.length - IP_HEADER;
  return u16(packet, 12) + u16(packet, 14) + u16(packet, 16) + u16(packet, 18) + packet[9]! + length;
}

/** Of a packet in which the field is 0, the checksum; of a whole one 0. */
function checksum(packet: Uint8Array, start: number, end: number, initial: number): number {
  let sum = initial;
  for (let at = start; at < end; at += 2) sum += (packet[at]! << 8) | (at + 1 < end ? packet[at + 1]! : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** What goes from one computer to the other, and what is known of it there. */
export interface Goods {
  /** How many packets or transfers have come whole. */
  readonly received: number;
  /** The first thing that must not be. */
  readonly fault: string | undefined;
  /** Sends now and then: `gapMs` on average from one burst to the next, of which each has at most `most`. */
  start(gapMs: number, most: number): void;
  /** Sends something small. */
  probe(): void;
  stop(): void;
}

/** All flows from one computer to the other. */
export class Traffic implements Goods {
  readonly flows: readonly Flow[];
  /** Packets that the kernel would drop: their checksums are wrong. */
  damaged = 0;
  /** The first thing that must not be. */
  fault: string | undefined;
  #ids = 0;
  #cancel = (): void => {};

  readonly from: Computer;
  readonly to: Computer;
  readonly rng: Rng;

  constructor(from: Computer, to: Computer, rng: Rng) {
    this.from = from;
    this.to = to;
    this.rng = rng;
    this.flows = [new Flow(1, UDP, true), new Flow(2, UDP, false), new Flow(3, TCP, true), new Flow(4, TCP, false)];
    to.network.received = (packet) => this.#received(packet);
  }

  get received(): number {
    return this.flows.reduce((sum, flow) => sum + flow.received, 0);
  }

  get sent(): number {
    return this.flows.reduce((sum, flow) => sum + flow.sent, 0);
  }

  /** The interface that leads to the other computer. */
  get #tun(): SimulatedTun | undefined {
    return this.from.network.tuns.find(({ isUp, addresses }) => isUp && addresses.length > 0);
  }

  /** Sends one packet of a flow. False: there is no interface, or no room in its queue. */
  send(flow = this.rng.pick(this.flows), length = this.rng.below(1400)): boolean {
    const tun = this.#tun;
    const address = tun?.addresses[0];
    if (tun === undefined || address === undefined || tun.queued >= tun.queueLength) return false;
    const headers = IP_HEADER + HEADERS[flow.protocol];
    return tun.transmit(flow.next(address.our, address.peer, Math.min(length, tun.mtu - headers), this.#ids++));
  }

  /** Sends now and then: `gapMs` on average from one burst to the next. */
  start(gapMs: number, most: number): void {
    const { time } = this.from;
    const again = (): void => {
      for (let left = 1 + this.rng.below(most); left > 0; left--) this.send();
      const appointment = time.after(gapMs * 2 * this.rng.float(), again);
      this.#cancel = () => time.cancel(appointment);
    };
    again();
  }

  probe(): void {
    this.send(this.flows[0], 40);
  }

  /** Keeps the interface's queue full. */
  saturate(length: number): void {
    const { time } = this.from;
    const again = (): void => {
      for (const flow of this.flows) this.send(flow, length);
      const appointment = time.after(50, again);
      this.#cancel = () => time.cancel(appointment);
    };
    again();
  }

  stop(): void {
    this.#cancel();
  }

  #received(packet: Uint8Array): void {
    this.fault ??= this.#judge(packet);
  }

  #judge(packet: Uint8Array): string | undefined {
    const protocol = packet[9] as Protocol;
    if (packet[0] !== 0x45) return packet[0]! >>> 4 === 6 ? undefined : `packet of version ${packet[0]! >>> 4}`;
    const start = IP_HEADER + (HEADERS[protocol] ?? 0);
    const isWhole =
      u16(packet, 2) === packet.length &&
      checksum(packet, 0, IP_HEADER, 0) === 0 &&
      checksum(packet, IP_HEADER, packet.length, pseudo(packet)) === 0;
    if (!isWhole) {
      this.damaged++;
      return undefined;
    }
    const flow = this.flows.find(({ number }) => number === u32(packet, start + 4));
    if (flow === undefined || u32(packet, start) !== MAGIC) return "a packet that was never sent";
    const sequence = u32(packet, start + 8);
    fill(WANTED, start, packet.length, flow, sequence);
    for (let at = start; at < packet.length; at++)
      if (packet[at] !== WANTED[at]) return `packet ${sequence} of flow ${flow.number} is not what was sent`;
    return flow.take(sequence);
  }
}
