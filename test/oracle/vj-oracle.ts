// Both ends of RFC 1144 again, written from its prose for clarity: packets become objects, changes a list, and nothing
// is done in place. It shares no code with src/.
//
// Beyond the RFC it knows one deviation of Linux: `keepsUrgent`.

/** A packet on the link: protocol 21 IP, 2f VJ uncompressed, 2d VJ compressed. */
export interface Frame {
  readonly protocol: number;
  readonly bytes: Uint8Array;
}

interface Segment {
  readonly tos: number;
  readonly id: number;
  readonly fragment: number;
  readonly ttl: number;
  readonly addresses: string;
  readonly ipOptions: string;
  readonly ports: string;
  readonly sequence: number;
  readonly acknowledgment: number;
  /** NS and the reserved bits beside the header length. */
  readonly reserved: number;
  readonly flags: ReadonlySet<Flag>;
  readonly window: number;
  readonly checksum: number;
  readonly urgent: number;
  readonly tcpOptions: string;
  readonly data: readonly number[];
}

const FLAGS = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"] as const;
type Flag = (typeof FLAGS)[number];

const number = (octets: readonly number[]): number => octets.reduce((value, octet) => value * 256 + octet, 0);
const octets = (value: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => Math.floor(value / 256 ** (count - 1 - at)) % 256);
const text = (values: readonly number[]): string => values.join(".");
const values = (list: string): number[] => (list === "" ? [] : list.split(".").map(Number));

/** The fields of an IPv4 packet with a TCP header, except the protocol octet. Its lengths must be right. */
function taken(packet: readonly number[]): Segment {
  const tcp = (packet[0]! % 16) * 4;
  const data = tcp + Math.floor(packet[tcp + 12]! / 16) * 4;
  const total = number(packet.slice(2, 4));
  const bits = packet[tcp + 13]!;
  return {
    tos: packet[1]!,
    id: number(packet.slice(4, 6)),
    fragment: number(packet.slice(6, 8)),
    ttl: packet[8]!,
    addresses: text(packet.slice(12, 20)),
    ipOptions: text(packet.slice(20, tcp)),
    ports: text(packet.slice(tcp, tcp + 4)),
    sequence: number(packet.slice(tcp + 4, tcp + 8)),
    acknowledgment: number(packet.slice(tcp + 8, tcp + 12)),
    reserved: packet[tcp + 12]! % 16,
    flags: new Set(FLAGS.filter((_, at) => Math.floor(bits / 2 ** at) % 2 === 1)),
    window: number(packet.slice(tcp + 14, tcp + 16)),
    checksum: number(packet.slice(tcp + 16, tcp + 18)),
    urgent: number(packet.slice(tcp + 18, tcp + 20)),
    tcpOptions: text(packet.slice(tcp + 20, data)),
    data: packet.slice(data, total),
  };
}

function built(segment: Segment): number[] {
  const ipOptions = values(segment.ipOptions);
  const tcpOptions = values(segment.tcpOptions);
  const tcp = [
    ...values(segment.ports),
    ...octets(segment.sequence, 4),
    ...octets(segment.acknowledgment, 4),
    (5 + tcpOptions.length / 4) * 16 + segment.reserved,
    FLAGS.reduce((bits, flag, at) => bits + (segment.flags.has(flag) ? 2 ** at : 0), 0),
    ...octets(segment.window, 2),
    ...octets(segment.checksum, 2),
    ...octets(segment.urgent, 2),
    ...tcpOptions,
    ...segment.data,
  ];
  const before = [4 * 16 + 5 + ipOptions.length / 4, segment.tos];
  before.push(...octets(20 + ipOptions.length + tcp.length, 2), ...octets(segment.id, 2));
  before.push(...octets(segment.fragment, 2), segment.ttl, 6);
  const after = [...values(segment.addresses), ...ipOptions];
  return [...before, ...checksum([...before, ...after]), ...after, ...tcp];
}

/** The Internet checksum: the complement of the ones' complement sum (RFC 791 §3.1). */
function checksum(header: readonly number[]): number[] {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) {
    sum += number(header.slice(at, at + 2));
    if (sum > 65535) sum -= 65535;
  }
  return octets(65535 - sum, 2);
}

const changed = (value: number, by: number, bits: number): number => (value + by) % 2 ** bits;
const between = (value: number, before: number, bits: number): number => (value - before + 2 ** bits) % 2 ** bits;

/** Receives the packets of one compressor. They are valid, but some may be missing. */
export class OracleDecompressor {
  readonly #slots: (Segment | undefined)[];
  readonly #keepsUrgent: boolean;
  #slot: number | "unknown" = "unknown";

  /** `keepsUrgent`: special encodings leave the URG flag unchanged (Linux) instead of clearing it. */
  constructor(slots: number, options: { keepsUrgent?: boolean } = {}) {
    this.#slots = Array.from({ length: slots }, () => undefined);
    this.#keepsUrgent = options.keepsUrgent ?? false;
  }

  lost(): void {
    this.#slot = "unknown";
  }

  /** The IP packet. Undefined: dropped. */
  receive({ protocol, bytes }: Frame): Uint8Array | undefined {
    const packet = [...bytes];
    if (protocol === 0x21) return bytes;
    if (protocol === 0x2f) {
      this.#slot = packet[9]!;
      this.#slots[this.#slot] = taken(packet);
      packet[9] = 6;
      return Uint8Array.from(packet);
    }
    const change = packet.shift()!;
    const has = (bit: number): boolean => Math.floor(change / bit) % 2 === 1;
    if (has(0x40)) this.#slot = packet.shift()!;
    if (this.#slot === "unknown") return undefined;
    const before = this.#slots[this.#slot];
    if (before === undefined) return undefined;

    const next = (): number => {
      const short = packet.shift()!;
      return short === 0 ? number(packet.splice(0, 2)) : short;
    };
    const flags = new Set(before.flags);
    const set = (flag: Flag, on: boolean): unknown => (on ? flags.add(flag) : flags.delete(flag));
    let { urgent, window, acknowledgment, sequence } = before;
    const check = number(packet.splice(0, 2));
    set("psh", has(0x10));
    const special = change % 16;
    if (special === 0x0b || special === 0x0f) {
      if (!this.#keepsUrgent) set("urg", false);
      sequence = changed(sequence, before.data.length, 32);
      if (special === 0x0b) acknowledgment = changed(acknowledgment, before.data.length, 32);
    } else {
      set("urg", has(0x01));
      if (has(0x01)) urgent = next();
      if (has(0x02)) window = changed(window, next(), 16);
      if (has(0x04)) acknowledgment = changed(acknowledgment, next(), 32);
      if (has(0x08)) sequence = changed(sequence, next(), 32);
    }
    const id = changed(before.id, has(0x20) ? next() : 1, 16);
    const segment = { ...before, flags, urgent, window, acknowledgment, sequence, id, checksum: check, data: packet };
    this.#slots[this.#slot] = segment;
    return Uint8Array.from(built(segment));
  }
}

/** Sends valid IPv4 packets with right lengths and IP checksums, by the rules of §3.2.3 alone. */
export class OracleCompressor {
  readonly #slots: { segment: Segment | undefined; used: number }[];
  readonly #compressId: boolean;
  #sent: number | undefined;
  #clock = 0;

  constructor(slots: number, compressId: boolean) {
    this.#slots = Array.from({ length: slots }, () => ({ segment: undefined, used: 0 }));
    this.#compressId = compressId;
  }

  send(bytes: Uint8Array): Frame {
    const packet = [...bytes];
    if (packet[9] !== 6 || number(packet.slice(6, 8)) % 0x4000 !== 0) return { protocol: 0x21, bytes };
    const now = taken(packet);
    const { flags } = now;
    if (flags.has("syn") || flags.has("fin") || flags.has("rst") || !flags.has("ack")) return { protocol: 0x21, bytes };

    let slot = this.#slots.findIndex(
      ({ segment }) => segment?.addresses === now.addresses && segment.ports === now.ports,
    );
    if (slot < 0) {
      const oldest = Math.min(...this.#slots.map(({ used }) => used));
      slot = this.#slots.findIndex(({ used }) => used === oldest);
      this.#slots[slot]!.segment = undefined;
    }
    const before = this.#slots[slot]!.segment;
    const isNamed = !this.#compressId || slot !== this.#sent;
    this.#slots[slot] = { segment: now, used: ++this.#clock };
    this.#sent = slot;
    const compressed = before && this.#compressed(before, now, isNamed ? slot : undefined);
    if (compressed) return { protocol: 0x2d, bytes: Uint8Array.from(compressed) };
    packet[9] = slot;
    return { protocol: 0x2f, bytes: Uint8Array.from(packet) };
  }

  #compressed(before: Segment, now: Segment, slot: number | undefined): number[] | undefined {
    const constant = ["tos", "fragment", "ttl", "ipOptions", "reserved", "tcpOptions"] as const;
    if (constant.some((field) => before[field] !== now[field])) return undefined;
    if (FLAGS.some((flag) => flag !== "psh" && flag !== "urg" && before.flags.has(flag) !== now.flags.has(flag)))
      return undefined;
    if (!now.flags.has("urg") && now.urgent !== before.urgent) return undefined;

    const coded = (value: number): number[] => (value > 0 && value < 256 ? [value] : [0, ...octets(value, 2)]);
    const window = between(now.window, before.window, 16);
    const acknowledgment = between(now.acknowledgment, before.acknowledgment, 32);
    const sequence = between(now.sequence, before.sequence, 32);
    if (acknowledgment > 65535 || sequence > 65535) return undefined;
    let change = 0;
    let changes: number[] = [];
    const say = (bit: number, value: number): void => {
      change += bit;
      changes.push(...coded(value));
    };
    if (now.flags.has("urg")) say(0x01, now.urgent);
    if (window > 0) say(0x02, window);
    if (acknowledgment > 0) say(0x04, acknowledgment);
    if (sequence > 0) say(0x08, sequence);
    const length = before.data.length;
    if (change === 0 && !(now.data.length > 0 && length === 0)) return undefined;
    if (change === 0x0b || change === 0x0f) return undefined;
    if (sequence === length && (change === 0x08 || (change === 0x0c && acknowledgment === length))) {
      change = change === 0x08 ? 0x0f : 0x0b;
      changes = [];
    }
    const id = between(now.id, before.id, 16);
    if (id !== 1) say(0x20, id);
    if (now.flags.has("psh")) change += 0x10;
    if (slot !== undefined) change += 0x40;
    return [change, ...(slot === undefined ? [] : [slot]), ...octets(now.checksum, 2), ...changes, ...now.data];
  }
}
