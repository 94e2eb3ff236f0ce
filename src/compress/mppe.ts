// MPPE, Microsoft's point-to-point encryption: CCP option 18, with MPPC inside where the bit C is agreed on (RFC 3078).
//
// All data packets go as 00fd: a header, and RC4 over protocol and packet. Stateless, the key changes before each
// packet, and each has the bit A. Stateful, RC4 runs on from packet to packet, and the key changes with each whose
// count ends in ff, the flag packets. After a loss RC4 begins anew at a packet with A; of that there are two readings:
//
// - By the RFC (§3.1, §8.2), and in FreeBSD and OpenBSD, it begins with the key that is current. Linux takes the next.
// - Linux rejects a flag packet without A, and FreeBSD sends them so. Linux sets no A on the first packet of all.
// - Linux drops a packet with A that comes after a loss it did not know of; the others take it.
//
// A flag packet with A means the same to all of them. So after a Reset-Request our count moves on to the next of these,
// as if the packets before it had been lost. With MPPC inside, which Linux does not have, A is common, as it flushes
// the history too: there we do as the RFC says. What comes from a peer is tried both ways: the right key makes a
// protocol of it, and mostly an IP header.

import { put16, u16 } from "../bytes/be.ts";
import { type MppeBits, SessionKey } from "../crypto/mppe-keys.ts";
import { Rc4 } from "../crypto/rc4.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { protocolAt, protocolEnd } from "../frame/header.ts";
import { IPV6_HEADER, ipv4TotalLength, ipv6PayloadLength, ipVersion } from "../wire/ip.ts";
import { Protocol } from "../wire/protocols.ts";
import { type Compressor, DAMAGED, type Decompressor, FATAL, PLAIN } from "./codec.ts";
import { AT_FRONT, COMPRESSED, COUNT, ENCRYPTED, FLUSHED, isEligible } from "./coherency.ts";
import { MppcDecoder, MppcEncoder } from "./mppc.ts";

/** What CCP agreed on for one direction. */
export interface MppeConfig {
  /** The start key of the direction: 8 octets for 40 and 56 bits, 16 for 128; more are ignored. */
  readonly key: Uint8Array;
  readonly bits: MppeBits;
  readonly stateless: boolean;
  /** MPPC inside. */
  readonly compress: boolean;
}

/** The low octet of a flag packet's count. */
const FLAG = 0xff;

export class MppeCompressor implements Compressor {
  readonly overhead = 4;
  readonly #isStateless: boolean;
  readonly #key: SessionKey;
  readonly #rc4 = new Rc4();
  readonly #encoder: MppcEncoder | undefined;
  #count = 0;
  /** The next packet begins anew. */
  #isFlushed: boolean;

  constructor(config: MppeConfig) {
    this.#isStateless = config.stateless;
    this.#key = new SessionKey(config.key, config.bits);
    this.#rc4.setKey(this.#key.key);
    this.#encoder = config.compress ? new MppcEncoder() : undefined;
    this.#isFlushed = config.compress;
  }

  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (!isEligible(protocol)) return PLAIN;
    const rc4 = this.#rc4;
    const encoder = this.#encoder;
    if (this.#isFlushed && !encoder && !this.#isStateless) this.#count |= FLAG;
    let header = this.#count | ENCRYPTED;
    const isChanged = this.#isStateless || (header & FLAG) === FLAG;
    if (isChanged) this.#key.change();
    if (isChanged || this.#isFlushed) {
      header |= FLUSHED;
      rc4.setKey(this.#key.key);
      encoder?.flush();
    }
    this.#isFlushed = false;
    this.#count = (this.#count + 1) & COUNT;

    let put = encoder ? encoder.encode(protocol, packet, start, end, out, at + 2) : -1;
    if (put < 0) {
      // The packet is not in the peer's history, and so what follows cannot build on ours.
      this.#isFlushed = encoder !== undefined;
      const data = put16(out, at + 2, protocol);
      rc4.crypt(out, at + 2, data, out, at + 2);
      rc4.crypt(packet, start, end, out, data);
      put = data + end - start;
    } else {
      header |= encoder?.isAtFront ? COMPRESSED | AT_FRONT : COMPRESSED;
      rc4.crypt(out, at + 2, put, out, at + 2);
    }
    put16(out, at, header);
    return put;
  }

  /** May be called twice before a packet goes: the key changes once, as a peer that asks twice expects. */
  reset(): void {
    this.#isFlushed = true;
  }
}

/** The protocol that bytes[at, end) begins with, of two octets or of one, which is odd; 0 when there is none. */
function protocolOf(bytes: Uint8Array, at: number, end: number): number {
  const stop = protocolEnd(bytes, at, end);
  return stop < 0 ? 0 : protocolAt(bytes, at, stop);
}

/** A count this far ahead is one that is behind, of a packet that is late. */
const LATE = (COUNT + 1) / 2;

// Linux's measure of what cannot be: an illegal header counts a hundred times as much as a late packet, each good
// packet takes away half, and too much ends the session.
const ILLEGAL_TROUBLE = 100;
const LATE_TROUBLE = 1;
const MOST_TROUBLE = 1600;

/** Further keys that are tried at a packet with A: Linux's, and its next where other packets with A were lost. */
const MOST_AHEAD = 8;
/** The likelihood of a key that is the right one beyond doubt. */
const CERTAIN = 4;

export class MppeDecompressor implements Decompressor {
  readonly selfHealing = true;
  readonly #isStateless: boolean;
  readonly #key: SessionKey;
  /** One of the keys after `#key`, while they are tried. */
  readonly #ahead: SessionKey;
  readonly #rc4 = new Rc4();
  readonly #decoder: MppcDecoder | undefined;
  /** What is to go through MPPC, deciphered. */
  readonly #deciphered: Uint8Array;
  /** What a key makes of the first octets of a packet: the protocol, and the lengths in an IP header. */
  readonly #head = new Uint8Array(8);
  #expected = 0;
  /** Stateful: a packet was lost, and one with A is awaited. */
  #isDiscarding = false;
  /** Keys by which the peer went on at its last A on no flag packet: 0 as the RFC says, 1 as Linux does. */
  #steps = 1;
  #trouble = 0;

  constructor(config: MppeConfig) {
    this.#isStateless = config.stateless;
    this.#key = new SessionKey(config.key, config.bits);
    this.#ahead = new SessionKey(config.key, config.bits);
    this.#rc4.setKey(this.#key.key);
    this.#decoder = config.compress ? new MppcDecoder() : undefined;
    this.#deciphered = new Uint8Array(config.compress ? MAX_FRAME : 0);
  }

  decompress(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (end - start < 3) return DAMAGED;
    if (end - start - 2 > MAX_FRAME) return FATAL;
    const decoder = this.#decoder;
    const header = u16(packet, start);
    start += 2;
    const count = header & COUNT;
    const isFlushed = (header & FLUSHED) !== 0;
    const isCompressed = (header & COMPRESSED) !== 0;
    const isLegal = (header & ENCRYPTED) !== 0 && !(isCompressed && !decoder) && !(this.#isStateless && !isFlushed);
    if (!isLegal) return this.#reject(ILLEGAL_TROUBLE);
    const lost = (count - this.#expected) & COUNT;
    if (lost >= LATE && !this.#isDiscarding) return this.#reject(LATE_TROUBLE);
    if (!this.#isStateless && !isFlushed && (lost > 0 || this.#isDiscarding)) {
      // Keys are not changed here for what was lost: a count that is wrong would take them where the peer never is.
      this.#isDiscarding = true;
      return DAMAGED;
    }
    const isResumed = this.#isDiscarding || lost > 0;
    this.#isDiscarding = false;
    this.#expected = (count + 1) & COUNT;
    const isFlag = (count & FLAG) === FLAG;
    if (this.#isStateless) {
      this.#change(lost + 1);
    } else if (isFlushed || isFlag) {
      // Once for each flag packet among the lost, and once for this.
      this.#change((count >> 8) - ((count - lost) >> 8) + (isFlag ? 1 : 0));
      if (isFlushed && !decoder && (isResumed || !isFlag)) this.#tryKeys(isFlag, packet, start, end);
    }
    if (isFlushed) decoder?.flush();

    const put = this.#decipher(isCompressed, (header & AT_FRONT) !== 0, packet, start, end, out, at);
    // Nothing but data is enciphered: anything else comes of a wrong key.
    if (put < 0 || !isEligible(protocolOf(out, at, put))) {
      this.#isDiscarding = !this.#isStateless;
      return DAMAGED;
    }
    this.#trouble >>= 1;
    return put;
  }

  /** Whoever demands encryption drops what comes plain; it does not change what comes encrypted. */
  incompressible(): void {}

  /** Without meaning, as in Linux: a packet with A says the same, and is in its place. */
  reset(): void {}

  #reject(trouble: number): number {
    this.#trouble += trouble;
    return this.#trouble < MOST_TROUBLE ? DAMAGED : FATAL;
  }

  #decipher(
    isCompressed: boolean,
    isAtFront: boolean,
    packet: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    at: number,
  ): number {
    const decoder = this.#decoder;
    if (!isCompressed || !decoder) {
      this.#rc4.crypt(packet, start, end, out, at);
      return at + end - start;
    }
    const deciphered = this.#deciphered;
    this.#rc4.crypt(packet, start, end, deciphered, 0);
    return decoder.decode(deciphered, 0, end - start, isAtFront, out, at);
  }

  /** Changes the key so many times, and begins RC4 anew. */
  #change(times: number): void {
    for (; times > 0; times--) this.#key.change();
    this.#rc4.setKey(this.#key.key);
  }

  /**
   * Goes on to the key that makes most sense of packet[start, end), which has A. Linux's is one farther for each packet
   * with A, and those too may have been lost.
   */
  #tryKeys(isFlag: boolean, packet: Uint8Array, start: number, end: number): void {
    const usual = isFlag ? 0 : this.#steps;
    const ahead = this.#ahead;
    ahead.copy(this.#key);
    let most = -1;
    let steps = 0;
    for (let step = 0; step <= MOST_AHEAD; step++) {
      if (step > 0) ahead.change();
      const likelihood = 2 * this.#likelihood(ahead, packet, start, end) + (step === usual ? 1 : 0);
      // A flag packet's key is as a rule the one it should be.
      if (likelihood <= most || (isFlag && step > 0 && likelihood < 2 * CERTAIN)) continue;
      most = likelihood;
      steps = step;
    }
    if (!isFlag) this.#steps = Math.min(steps, 1);
    this.#change(steps);
  }

  /**
   * How much what `key` makes of packet[start, end) is like a packet: CERTAIN for IP of this very length, 2 for other
   * IP and any protocol of two octets, 1 for one of a single octet, as every second number is, 0 for none.
   */
  #likelihood(key: SessionKey, packet: Uint8Array, start: number, end: number): number {
    const head = this.#head.fill(0);
    this.#rc4.setKey(key.key);
    this.#rc4.crypt(packet, start, Math.min(start + head.length, end), head, 0);
    const protocol = protocolOf(head, 0, head.length);
    if ((protocol & 1) === 0 || !isEligible(protocol)) return 0;
    const at = protocol === head[0] ? 1 : 2;
    const length = end - start - at;
    if (protocol === Protocol.IP) {
      return ipVersion(head, at) !== 4 ? 0 : ipv4TotalLength(head, at) === length ? CERTAIN : 2;
    }
    if (protocol === Protocol.IPV6) {
      return ipVersion(head, at) !== 6 ? 0 : IPV6_HEADER + ipv6PayloadLength(head, at) === length ? CERTAIN : 2;
    }
    return at;
  }
}
