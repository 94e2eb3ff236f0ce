// TCP conversations between the two sides of a link: small hosts that send, acknowledge, wait and retransmit, with the
// habits of many stacks, and other traffic in between. There is no clock; hosts take turns. All random numbers come
// from the rng.

import type { Rng } from "../kit/rng.ts";

export type Side = 0 | 1;

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;
const URG = 0x20;
const ECE = 0x40;
const CWR = 0x80;

export function put(bytes: Uint8Array, at: number, value: number, count: number): void {
  for (let i = count - 1; i >= 0; i--, value = Math.floor(value / 256)) bytes[at + i] = value % 256;
}

export function get(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

/**
 * The folded ones' complement sum of bytes[from, to) and of an earlier sum. 0xffff when it includes a right checksum.
 */
function sum(bytes: Uint8Array, from: number, to: number, before = 0): number {
  let total = before;
  for (let at = from; at < to; at += 2) total += bytes[at]! * 256 + (at + 1 < to ? bytes[at + 1]! : 0);
  while (total > 0xffff) total = (total % 65536) + Math.floor(total / 65536);
  return total;
}

/** Where the TCP header of an IPv4 packet begins, and where its data begins. */
export function tcpAt(packet: Uint8Array): number {
  return (packet[0]! & 15) * 4;
}

export function dataAt(packet: Uint8Array): number {
  return tcpAt(packet) + (packet[tcpAt(packet) + 12]! >> 4) * 4;
}

function tcpSum(packet: Uint8Array): number {
  const at = tcpAt(packet);
  return sum(packet, at, packet.length, sum(packet, 12, 20, 6 + packet.length - at));
}

export function isTcpRight(packet: Uint8Array): boolean {
  return tcpSum(packet) === 0xffff;
}

export function isIpRight(packet: Uint8Array): boolean {
  return sum(packet, 0, tcpAt(packet)) === 0xffff && get(packet, 2, 2) === packet.length;
}

/** Fills in total length and both checksums. */
export function seal(packet: Uint8Array): Uint8Array {
  put(packet, 2, packet.length, 2);
  put(packet, 10, 0, 2);
  put(packet, 10, 0xffff - sum(packet, 0, tcpAt(packet)), 2);
  const at = tcpAt(packet) + 16;
  put(packet, at, 0, 2);
  put(packet, at, 0xffff - tcpSum(packet), 2);
  return packet;
}

interface Habits {
  readonly mss: number;
  /** How the IP identification continues. */
  readonly id: "one by one" | "one for all" | "zero" | "swapped" | "any";
  /** Packets for one tick of the timestamp clock. 0: no timestamps. */
  readonly timestamps: number;
  readonly sack: boolean;
  readonly ecn: boolean;
  readonly ipOptions: Uint8Array;
  readonly isRestless: boolean;
}

function habitsOf(rng: Rng, total: number): Habits {
  return {
    mss: Math.max(rng.pick([1, 8, 216, 536, 1285, 1460]), Math.ceil(total / 100)),
    id: rng.pick(["one by one", "one by one", "one for all", "zero", "swapped", "any"]),
    timestamps: rng.pick([0, 0, 0, 1, 40]),
    sack: rng.chance(0.3),
    ecn: rng.chance(0.3),
    ipOptions: rng.chance(0.15)
      ? Uint8Array.from(rng.pick([[1, 1, 1, 1], Array<number>(40).fill(1)]))
      : new Uint8Array(0),
    isRestless: rng.chance(0.2),
  };
}

/** One end of a connection. Positions are octets from the start of the stream. */
class Endpoint {
  readonly side: Side;
  readonly header: Uint8Array;
  readonly total: number;
  received = 0;
  acknowledged = 0;
  peer!: Endpoint;
  readonly #rng: Rng;
  readonly #hostId: () => number;
  readonly #habits: Habits;
  readonly #first: number;
  readonly #key: number;
  readonly #buffer: number;
  /** The positions up to which the application has given data, data was sent, and the peer accepts data. */
  #written = 0;
  #next = 0;
  #room = 1000;
  #unread = 0;
  #gap = 0;
  #quiet = 0;
  #isAckDue = false;
  #tos = 0;
  #ttl = 64;
  #id: number;
  #sent = 0;

  /** `hostId` returns the next identification of the host, for hosts that number all packets together. */
  constructor(rng: Rng, side: Side, header: Uint8Array, total: number, hostId: () => number) {
    this.side = side;
    this.header = header;
    this.total = total;
    this.#rng = rng;
    this.#hostId = hostId;
    this.#habits = habitsOf(rng, total);
    this.#first = rng.chance(0.1) ? 2 ** 32 - rng.below(total + 2) : rng.u32();
    this.#key = rng.u32();
    this.#buffer = rng.pick([1500, 8192, 65535]);
    this.#id = rng.u32() & 0xffff;
  }

  get isDone(): boolean {
    return this.acknowledged === this.total && this.received === this.peer.total;
  }

  /** The octet of the stream at a position. */
  octet(at: number): number {
    return (Math.imul(at + this.#key, 0x9e3779b1) >>> 11) & 0xff;
  }

  /** The packet that it sends in its turn, if any. */
  turn(): Uint8Array[] {
    const rng = this.#rng;
    const packets: Uint8Array[] = [];
    if (this.#sent === 0) packets.push(this.#packet(0, 0, SYN | (this.side === 0 ? 0 : ACK)));
    if (rng.chance(0.5)) this.#written = Math.min(this.total, this.#written + rng.pick([1, 1, 10, 500, 6000]));
    if (rng.chance(0.5)) this.#unread -= rng.below(this.#unread + 1);
    if (this.acknowledged < this.#next && ++this.#quiet > 8) {
      this.#quiet = 0;
      this.#next = this.acknowledged;
    }
    const limit = Math.min(this.#written, this.acknowledged + this.#room);
    while (this.#next < limit && packets.length < 4) {
      const length = Math.min(limit - this.#next, rng.chance(0.9) ? this.#habits.mss : 1 + rng.below(this.#habits.mss));
      packets.push(this.#packet(this.#next, length, ACK));
      this.#next += length;
    }
    if (packets.length > 0) return packets;
    if (this.#isAckDue || rng.chance(0.1)) return [this.#packet(this.#next, 0, ACK)];
    // A keepalive, with or without an octet of old data.
    if (this.#next > 0 && rng.chance(0.05)) return [this.#packet(this.#next - 1, rng.below(2), ACK)];
    if (this.#room === 0 && this.#written > this.#next) return [this.#packet(this.#next, 1, ACK)];
    return [];
  }

  farewell(): Uint8Array {
    return this.#packet(this.#next, 0, this.#rng.chance(0.8) ? FIN | ACK : RST);
  }

  /** Receives a packet from the peer with a right checksum. Throws when its data is not what the peer sent. */
  take(packet: Uint8Array): void {
    const at = tcpAt(packet);
    const flags = packet[at + 13]!;
    if ((flags & (SYN | RST)) !== 0) return;
    const acknowledged = (get(packet, at + 8, 4) - this.#first - this.acknowledged) >>> 0;
    if (acknowledged <= this.total - this.acknowledged) {
      if (acknowledged > 0) this.#quiet = 0;
      this.acknowledged += acknowledged;
      this.#next = Math.max(this.#next, this.acknowledged);
      this.#room = get(packet, at + 14, 2);
    }
    const data = packet.subarray(dataAt(packet));
    const from = this.received + ((get(packet, at + 4, 4) - this.peer.#first - this.received) | 0);
    if (data.length > 0) this.#isAckDue = true;
    this.#gap = from > this.received ? from : 0;
    if (from > this.received || from + data.length <= this.received) return;
    for (let i = this.received - from; i < data.length; i++)
      if (data[i] !== this.peer.octet(from + i)) throw new Error(`a stream is damaged at octet ${from + i}`);
    this.#unread += from + data.length - this.received;
    this.received = from + data.length;
  }

  #packet(position: number, length: number, flags: number): Uint8Array {
    const rng = this.#rng;
    const { id, timestamps, sack, ecn, ipOptions, isRestless } = this.#habits;
    const options: number[] = [];
    if (timestamps > 0) options.push(1, 1, 8, 10, 0, 0, 0, (this.#sent / timestamps) & 0xff, 0, 0, 0, 7);
    if (sack && this.#gap > 0) options.push(1, 1, 5, 10, ...[0, 0, 0, 0, 0, 0], this.#gap & 0xff, 9);
    const tcp = 20 + ipOptions.length;
    const data = tcp + 20 + options.length;
    const packet = new Uint8Array(data + length);
    packet.set(this.header);
    packet[0] = 0x40 + tcp / 4;
    if (isRestless && rng.chance(0.02)) this.#tos ^= rng.pick([3, 0x10]);
    if (isRestless && rng.chance(0.02)) this.#ttl = rng.pick([63, 64]);
    packet[1] = this.#tos;
    this.#id = (this.#id + 1) & 0xffff;
    const ids = {
      "one by one": this.#id,
      "one for all": this.#hostId(),
      zero: 0,
      swapped: ((this.#id & 0xff) << 8) | (this.#id >> 8),
      any: rng.u32() & 0xffff,
    };
    put(packet, 4, ids[id], 2);
    packet[6] = id === "zero" ? 0x40 : 0;
    packet[8] = this.#ttl;
    packet[9] = 6;
    packet.set(ipOptions, 20);
    packet.set(this.header.subarray(20, 24), tcp);
    put(packet, tcp + 4, (this.#first + position) % 2 ** 32, 4);
    if ((flags & ACK) !== 0) put(packet, tcp + 8, (this.peer.#first + this.received) % 2 ** 32, 4);
    packet[tcp + 12] = ((data - tcp) / 4) * 16 + (ecn && rng.chance(0.02) ? 1 : 0);
    if (length > 0 && rng.chance(0.3)) flags |= PSH;
    if (ecn && rng.chance(0.1)) flags |= rng.pick([ECE, CWR]);
    if (isRestless && rng.chance(0.1)) flags |= URG;
    packet[tcp + 13] = flags;
    put(packet, tcp + 14, Math.max(0, this.#buffer - this.#unread), 2);
    if ((flags & URG) !== 0 || (isRestless && rng.chance(0.02)))
      put(packet, tcp + 18, rng.pick([0, 1, length, 300]), 2);
    packet.set(options, tcp + 20);
    for (let at = 0; at < length; at++) packet[data + at] = this.octet(position + at);
    seal(packet);
    // It was damaged before it came here, which is not the link's fault.
    if (rng.chance(0.002)) packet[tcp + 17]! ^= 0x20;
    this.#sent++;
    this.#isAckDue = false;
    return packet;
  }
}

/** Any number of connections, some of them open at a time. */
export class Conversations {
  readonly #rng: Rng;
  readonly #left: (readonly [Endpoint, Endpoint])[] = [];
  readonly #open: (readonly [Endpoint, Endpoint])[] = [];
  readonly #byPort = new Map<number, readonly [Endpoint, Endpoint]>();
  #now: readonly [Endpoint, Endpoint] | undefined;
  readonly #atOnce: number;

  constructor(rng: Rng, count: number, atOnce: number) {
    this.#rng = rng;
    this.#atOnce = atOnce;
    const ids = [rng.below(65536), rng.below(65536)];
    for (let at = 0; at < count; at++) {
      const ends = ([0, 1] as const).map((side) => {
        const header = new Uint8Array(24);
        const [client, server] = [at % 3, rng.below(2)];
        put(header, side === 0 ? 12 : 16, 0x0a000001 + client, 4);
        put(header, side === 0 ? 16 : 12, 0xc0a80001 + server, 4);
        put(header, side === 0 ? 20 : 22, 1025 + at, 2);
        put(header, side === 0 ? 22 : 20, 23, 2);
        return new Endpoint(rng, side, header, rng.pick([0, 20, 200, 1500, 9000]), () => {
          return (ids[side] = (ids[side]! + 1) & 0xffff);
        });
      });
      const [client, server] = [ends[0]!, ends[1]!];
      client.peer = server;
      server.peer = client;
      this.#left.push([client, server]);
      this.#byPort.set(1025 + at, [client, server]);
    }
  }

  get isOver(): boolean {
    return this.#left.length === 0 && this.#open.length === 0;
  }

  /** The next packets of one host, all to one side. There may be none. */
  turn(): { to: Side; packets: Uint8Array[] } {
    const rng = this.#rng;
    while (this.#open.length < this.#atOnce && this.#left.length > 0) this.#open.push(this.#left.shift()!);
    if (this.#now === undefined || rng.chance(0.2)) this.#now = rng.pick(this.#open);
    const end = rng.pick(this.#now);
    const packets = end.turn();
    if (this.#now.every(({ isDone }) => isDone)) {
      packets.push(end.farewell());
      this.#open.splice(this.#open.indexOf(this.#now), 1);
      this.#now = undefined;
    }
    return { to: end.side === 0 ? 1 : 0, packets };
  }

  /** A packet came over the link with right checksums. */
  arrive(to: Side, packet: Uint8Array): void {
    const ends = this.#byPort.get(get(packet, tcpAt(packet) + (to === 1 ? 0 : 2), 2));
    ends?.[to].take(packet);
  }
}

/** Packets that VJ must not compress, made from a TCP packet that it would compress. */
export function others(packet: Uint8Array): Uint8Array[] {
  const tcp = tcpAt(packet);
  const altered = (at: number, value: number): Uint8Array => {
    const copy = packet.slice();
    copy[at] = value;
    return seal(copy);
  };
  const unsealed = (at: number, value: number): Uint8Array => {
    const copy = packet.slice();
    put(copy, at, value, 2);
    return copy;
  };
  const flags = packet[tcp + 13]!;
  return [
    ...[FIN, SYN, RST].map((flag) => altered(tcp + 13, flags | flag)),
    altered(tcp + 13, flags & ~ACK),
    altered(9, 17),
    // Fragments: the first one, the last one.
    altered(6, packet[6]! | 0x20),
    altered(7, 2),
    altered(0, 0x60 | (packet[0]! & 15)),
    Uint8Array.from([...packet, 0, 0, 0, 0]),
    packet.slice(0, -1),
    packet.slice(0, tcp + 19),
    unsealed(10, get(packet, 10, 2) ^ 1),
    unsealed(2, get(packet, 2, 2) - 1),
    unsealed(2, get(packet, 2, 2) + 1),
    unsealed(tcp + 12, 0x4010),
    unsealed(tcp + 12, 0xf010).subarray(0, tcp + 40),
    new Uint8Array(0),
  ];
}
