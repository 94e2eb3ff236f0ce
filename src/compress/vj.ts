// Van Jacobson's compression of TCP/IP headers (RFC 1144; on PPP, RFC 1332 §4).
//
// Both ends keep the last header of a few connections in numbered slots. A packet of protocol 002f is uncompressed, and
// its IP protocol octet holds the number of the slot for its header. A packet of protocol 002d has only the changes
// from the header in its slot: an octet of Change bits, the slot number unless it is that of the packet before, the TCP
// checksum, and the changes U W A S I in this order. A change of 1 to 255 is one octet. Any other is a zero and two
// octets. All other fields must be unchanged. A packet with other changes is sent uncompressed.
//
// There is no acknowledgment. After a loss the receiver's header is out of date, and the packets that it rebuilds lack
// the changes of the lost one. TCP drops them for their checksum, and its retransmission is sent uncompressed (§4.2).
// So the sender must avoid everything that would hide a loss from the checksum (vj-loss.ts) or compress a
// retransmission.

import { put16, put32, u16 } from "../bytes/be.ts";
import {
  IPV4_MF,
  IPV4_MIN,
  IPV4_OFFSET,
  IpProto,
  ipv4Checksum,
  ipv4Fragment,
  ipv4HeaderChecksum,
  ipv4HeaderLength,
  ipv4Id,
  ipv4Proto,
  ipv4TotalLength,
  tcpAcknowledgment,
  tcpChecksum,
  TcpFlag,
  tcpFlags,
  tcpSequence,
  tcpUrgent,
  tcpWindow,
} from "../wire/ip.ts";
import { Protocol } from "../wire/protocols.ts";
import { CARRIED, copy, headersLength, isSameConnection, isSameOtherwise } from "./vj-headers.ts";
import { forbiddenAfter, isNearWrap, Not } from "./vj-loss.ts";

/** The free room before a VJ_COMP packet for its restored header: sixty octets each for IP and TCP, rounded up. */
export const VJ_HEADROOM = 128;

/** The distance of the headers in the store of the slots. */
const STRIDE = 128;

const Change = { U: 0x01, W: 0x02, A: 0x04, S: 0x08, P: 0x10, I: 0x20, C: 0x40 } as const;
/**
 * These combinations of U W A S are special encodings (§3.2.2): A and S grow by the data length of the packet before,
 * or S alone does.
 */
const ECHOED = Change.S | Change.W | Change.U;
const ONE_WAY = Change.S | Change.A | Change.W | Change.U;
const SPECIAL = ONE_WAY;

/** A packet is compressed only if it has ACK and no other of these flags. */
const JUDGED = TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST | TcpFlag.ACK;

/** Writes a change before packet[at] and returns where it begins. */
function putChange(packet: Uint8Array, at: number, value: number): number {
  if (value > 0 && value < 256) {
    packet[at - 1] = value;
    return at - 1;
  }
  put16(packet, at - 2, value);
  packet[at - 3] = 0;
  return at - 3;
}

function changeAt(packet: Uint8Array, at: number): number {
  return packet[at] === 0 ? u16(packet, at + 1) : packet[at]!;
}

function afterChange(packet: Uint8Array, at: number): number {
  return packet[at] === 0 ? at + 3 : at + 1;
}

/** The Change bits of the fields that are not 0. */
function changesOf(isUrgent: boolean, byW: number, byA: number, byS: number): number {
  let change = isUrgent ? Change.U : 0;
  if (byW !== 0) change |= Change.W;
  if (byA !== 0) change |= Change.A;
  if (byS !== 0) change |= Change.S;
  return change;
}

/** The special encoding of these changes when S grows by the data length of the packet before. 0: there is none. */
function specialOf(change: number, isEcho: boolean, forbidden: number): number {
  if (change === Change.S && (forbidden & Not.ONE_WAY) === 0) return ONE_WAY;
  if (change === (Change.S | Change.A) && isEcho && (forbidden & Not.ECHOED) === 0) return ECHOED;
  return 0;
}

/** The sending side. It uses the peer's slots. */
export class VjCompressor {
  /** Where the packet begins after compress(). */
  start = 0;
  /** TCP packets sent as VJ_COMP or VJ_UNCOMP, and those sent as VJ_COMP. */
  packets = 0;
  compressed = 0;
  /**
   * Slots that were compared besides the one used last; and packets without a slot, which took the one unused longest.
   */
  searches = 0;
  misses = 0;
  readonly #compressId: boolean;
  readonly #headers: Uint8Array;
  /** The Not bits for the next packet of each slot. */
  readonly #forbidden: Uint8Array;
  /** The slots by last use. The first is that of the packet sent last. */
  readonly #recent: Uint8Array;
  /** The slot of a packet that arrives later than the packets that are sent after it. -1: there is none. */
  #held = -1;
  /** The receiver may have used another slot last, so the next packet names its own. */
  #mustName = false;

  /** `slots` is 2 to 16: the peer's max-slot-id plus one. `compressId`: a packet may leave out the slot number. */
  constructor(slots: number, compressId: boolean) {
    this.#compressId = compressId;
    this.#headers = new Uint8Array(slots * STRIDE);
    this.#forbidden = new Uint8Array(slots);
    this.#recent = Uint8Array.from({ length: slots }, (_, at) => slots - 1 - at);
  }

  /**
   * Compresses the IP packet[start, end) in place and returns its protocol. IP: nothing was changed. VJ_UNCOMP: the
   * packet carries its slot. VJ_COMP: the packet now begins at `this.start`, closer to `end`.
   */
  compress(packet: Uint8Array, start: number, end: number): number {
    this.start = start;
    const length = headersLength(packet, start, end);
    if (length === 0 || ipv4Proto(packet, start) !== IpProto.TCP) return Protocol.IP;
    if ((ipv4Fragment(packet, start) & (IPV4_MF | IPV4_OFFSET)) !== 0) return Protocol.IP;
    const ip = ipv4HeaderLength(packet, start);
    if ((tcpFlags(packet, start + ip) & JUDGED) !== TcpFlag.ACK) return Protocol.IP;
    // The receiver recomputes total length and header checksum. Padding would become data, and a damaged checksum would
    // become right.
    if (ipv4TotalLength(packet, start) !== end - start) return Protocol.IP;
    if (ipv4Checksum(packet, start) !== ipv4HeaderChecksum(packet, start, ip)) return Protocol.IP;

    const headers = this.#headers;
    const recent = this.#recent;
    let place = 0;
    while (place < recent.length && !isSameConnection(headers, recent[place]! * STRIDE, packet, start)) place++;
    const isKnown = place < recent.length;
    if (!isKnown) place--;
    const slot = recent[place]!;
    if (slot === this.#held) return Protocol.IP;
    this.packets++;
    if (!isKnown) this.misses++;
    this.searches += place;
    if (place > 0) recent.copyWithin(1, 0, place);
    recent[0] = slot;

    const at = slot * STRIDE;
    const isAlike = isKnown && isSameOtherwise(headers, at, packet, start, length);
    const forbidden = forbiddenAfter(headers, at, packet, start, isAlike);
    if (isAlike && (this.#forbidden[slot]! & Not.COMPRESSED) === 0) {
      const isNamed = place > 0 || !this.#compressId || this.#mustName;
      if (this.#encode(packet, start, end, length, slot, isNamed)) {
        this.#forbidden[slot] = forbidden;
        this.compressed++;
        this.#mustName = this.#held >= 0;
        return Protocol.VJ_COMP;
      }
    }
    this.#forbidden[slot] = forbidden;
    this.#mustName = this.#held >= 0;
    copy(packet, start, length, headers, at);
    packet[start + 9] = slot;
    return Protocol.VJ_UNCOMP;
  }

  /**
   * The next packet will arrive later than the packets after it, so it names its slot. hold() follows when it was
   * compressed.
   */
  name(): void {
    this.#mustName = true;
  }

  /**
   * The packet compressed last will arrive later than the ones after it, until release(). They name their slots, and
   * those that would use its slot are not compressed.
   */
  hold(): void {
    this.#held = this.#recent[0]!;
    this.#mustName = true;
  }

  /** The packet of hold() is sent. The receiver used its slot last. */
  release(): void {
    this.#held = -1;
  }

  /** Writes the changes from the header in the slot in place of the packet's. False: they cannot be written so. */
  #encode(packet: Uint8Array, start: number, end: number, length: number, slot: number, isNamed: boolean): boolean {
    const headers = this.#headers;
    const at = slot * STRIDE;
    const ip = ipv4HeaderLength(packet, start);
    const tcp = start + ip;
    const old = at + ip;
    if (isNearWrap(packet, tcp)) return false;
    const byS = (tcpSequence(packet, tcp) - tcpSequence(headers, old)) >>> 0;
    const byA = (tcpAcknowledgment(packet, tcp) - tcpAcknowledgment(headers, old)) >>> 0;
    if (byS > 0xffff || byA > 0xffff) return false;
    const byW = tcpWindow(packet, tcp) - tcpWindow(headers, old);
    const byI = (ipv4Id(packet, start) - ipv4Id(headers, at)) & 0xffff;
    const flags = tcpFlags(packet, tcp);
    const urgent = tcpUrgent(packet, tcp);
    const isUrgent = (flags & TcpFlag.URG) !== 0;
    // The pointer is sent only with its flag. A change of it without the flag has no meaning, but changes the checksum.
    if (!isUrgent && urgent !== tcpUrgent(headers, old)) return false;

    // Data that was sent already, or an acknowledgment or probe equal to the one before: an earlier packet may have
    // been lost, so this one is sent uncompressed. The RFC requires that only when nothing changed. But then a
    // retransmitted urgent segment would be sent as a change of U, and without other traffic it would never be received
    // correctly.
    const sent = ipv4TotalLength(headers, at) - length;
    if (end - start > length ? byS < sent : (byS | byA | byW) === 0) return false;

    let change = changesOf(isUrgent, byW, byA, byS);
    if (change === ECHOED || change === ONE_WAY) return false;
    // At a special encoding most receivers, Linux among them, leave URG unchanged.
    const maySpecial = byS === sent && (tcpFlags(headers, old) & TcpFlag.URG) === 0;
    const special = maySpecial ? specialOf(change, byA === byS, this.#forbidden[slot]!) : 0;

    copy(packet, start, length, headers, at);
    const checksum = tcpChecksum(packet, tcp);
    // The header is written backwards from the data. It overwrites the old header, which is no longer needed.
    let begin = start + length;
    if (byI !== 1) begin = putChange(packet, begin, byI);
    if (special === 0) {
      if (byS !== 0) begin = putChange(packet, begin, byS);
      if (byA !== 0) begin = putChange(packet, begin, byA);
      if (byW !== 0) begin = putChange(packet, begin, byW & 0xffff);
      if (isUrgent) begin = putChange(packet, begin, urgent);
    } else {
      change = special;
    }
    if (byI !== 1) change |= Change.I;
    if ((flags & TcpFlag.PSH) !== 0) change |= Change.P;
    begin -= 2;
    put16(packet, begin, checksum);
    if (isNamed) {
      change |= Change.C;
      packet[--begin] = slot;
    }
    packet[--begin] = change;
    this.start = begin;
    return true;
  }
}

/** The receiving side. Whatever comes in, it writes only between VJ_HEADROOM octets before the packet and its end. */
export class VjDecompressor {
  /** Where the restored IP packet begins. */
  start = 0;
  /** Good uncompressed packets, and all compressed packets. */
  uncompressedIn = 0;
  compressedIn = 0;
  /** Packets that no compressor sends. */
  errorsIn = 0;
  /** Compressed packets dropped because of an earlier loss. */
  tossed = 0;
  readonly #headers: Uint8Array;
  /** The octets of the header in each slot. 0: no header yet, or the last one was invalid. */
  readonly #lengths: Uint8Array;
  /** The slot of a packet without a slot number. */
  #slot = 0;
  /** Packets without a slot number are dropped until one has it: their slot is unknown (§4.1). */
  #toss = true;

  /**
   * `slots` is 2 to 16: our max-slot-id plus one. Like Linux, we understand packets without a slot number even if we
   * did not permit them.
   */
  constructor(slots: number, _compressId: boolean) {
    this.#headers = new Uint8Array(slots * STRIDE);
    this.#lengths = new Uint8Array(slots);
  }

  /** A frame was lost or damaged. */
  lost(): void {
    this.#toss = true;
  }

  /** Makes the VJ_UNCOMP packet[start, end) an IP packet again, in place. False: it is invalid. */
  uncompressed(packet: Uint8Array, start: number, end: number): boolean {
    this.start = start;
    if (end - start < IPV4_MIN) return this.#nonsense(-1);
    const slot = packet[start + 9]!;
    packet[start + 9] = IpProto.TCP;
    const length = headersLength(packet, start, end);
    if (slot >= this.#lengths.length || length === 0) return this.#nonsense(slot);
    // A ones' complement sum has two zeros, and some senders use the other one.
    const checksum = ipv4HeaderChecksum(packet, start, ipv4HeaderLength(packet, start));
    if (ipv4Checksum(packet, start) % 0xffff !== checksum % 0xffff) return this.#nonsense(slot);
    copy(packet, start, length, this.#headers, slot * STRIDE);
    this.#lengths[slot] = length;
    this.#slot = slot;
    this.#toss = false;
    this.uncompressedIn++;
    return true;
  }

  /**
   * Rebuilds the header of the VJ_COMP packet[start, end), so that it ends where the data begins. There are VJ_HEADROOM
   * free octets before the packet. False: it was dropped.
   */
  compressed(packet: Uint8Array, start: number, end: number): boolean {
    this.start = start;
    this.compressedIn++;
    let at = start;
    const change = end > at ? packet[at++]! : 0;
    if ((change & Change.C) === 0) {
      if (this.#toss) {
        this.tossed++;
        return false;
      }
    } else {
      if (at === end || packet[at]! >= this.#lengths.length) return this.#nonsense(-1);
      this.#slot = packet[at++]!;
      this.#toss = false;
    }
    const slot = this.#slot;
    const length = this.#lengths[slot]!;
    if (length === 0) return this.#nonsense(slot);
    const headers = this.#headers;
    const ip = slot * STRIDE;
    const tcp = ip + ipv4HeaderLength(headers, ip);

    // A truncated packet makes this read after the end. The comparison below then drops it, and the slot with it.
    put16(headers, tcp + 16, u16(packet, at));
    const sent = ipv4TotalLength(headers, ip) - length;
    at = this.#apply(change, packet, at + 2, ip, tcp, sent);
    const total = length + end - at;
    if (at > end || total > 0xffff) return this.#nonsense(slot);

    put16(headers, ip + 2, total);
    put16(headers, ip + 10, ipv4HeaderChecksum(headers, ip, tcp - ip));
    this.start = at - length;
    copy(headers, ip, length, packet, this.start);
    return true;
  }

  /** Applies the changes at packet[at] to the header. `sent` is its data length. Returns where the changes end. */
  #apply(change: number, packet: Uint8Array, at: number, ip: number, tcp: number, sent: number): number {
    const headers = this.#headers;
    const special = change & SPECIAL;
    let flags = tcpFlags(headers, tcp) & ~CARRIED;
    let byA = special === ECHOED ? sent : 0;
    let byS = special === ECHOED || special === ONE_WAY ? sent : 0;
    let byI = 1;
    if (special !== ECHOED && special !== ONE_WAY) {
      if ((change & Change.U) !== 0) {
        flags |= TcpFlag.URG;
        put16(headers, tcp + 18, changeAt(packet, at));
        at = afterChange(packet, at);
      }
      if ((change & Change.W) !== 0) {
        put16(headers, tcp + 14, tcpWindow(headers, tcp) + changeAt(packet, at));
        at = afterChange(packet, at);
      }
      if ((change & Change.A) !== 0) {
        byA = changeAt(packet, at);
        at = afterChange(packet, at);
      }
      if ((change & Change.S) !== 0) {
        byS = changeAt(packet, at);
        at = afterChange(packet, at);
      }
    }
    if ((change & Change.I) !== 0) {
      byI = changeAt(packet, at);
      at = afterChange(packet, at);
    }
    if ((change & Change.P) !== 0) flags |= TcpFlag.PSH;
    headers[tcp + 13] = flags;
    put16(headers, ip + 4, ipv4Id(headers, ip) + byI);
    put32(headers, tcp + 4, tcpSequence(headers, tcp) + byS);
    put32(headers, tcp + 8, tcpAcknowledgment(headers, tcp) + byA);
    return at;
  }

  /** Invalidates the slot until the peer's next uncompressed packet. -1: any slot may be meant. */
  #nonsense(slot: number): false {
    this.errorsIn++;
    this.#toss = true;
    if (slot >= 0 && slot < this.#lengths.length) this.#lengths[slot] = 0;
    return false;
  }
}
