// MPPE, Microsoft's point-to-point encryption: CCP option 18, with MPPC inside where the bit C is agreed on (RFC 3078).
//
// All data packets go as 00fd: a header, and RC4 over protocol and packet. Stateless, the key changes before each
// packet, and each has the bit A. Stateful, RC4 runs on from packet to packet, and the key changes with each whose count
// ends in ff, the flag packets. After a loss RC4 begins anew at a packet with A; of that there are two readings:
//
// - By the RFC (§3.1, §8.2), and in FreeBSD and OpenBSD, it begins with the key that is current. Linux takes the next.
// - Linux rejects a flag packet without A, and FreeBSD sends them so. Linux sets no A on the first packet of all.
// - Linux drops a packet with A that comes after a loss it did not know of; the others take it.
//
// A flag packet with A means the same to all of them. So after a Reset-Request our count moves on to the next of these,
// as if the packets before it had been lost. With MPPC inside, which Linux does not have, A is common, as it flushes the
// history too: there we do as the RFC says. What comes from a peer is tried both ways: the right key makes a protocol
// of it, and the first octet of an IP header.

import { put16, u16 } from "../bytes/be.ts";
import { type MppeBits, SessionKey } from "../crypto/mppe-keys.ts";
import { Rc4 } from "../crypto/rc4.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
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

function isFlag(count: number): boolean {
  return (count & FLAG) === FLAG;
}

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
    const isChanged = this.#isStateless || isFlag(header);
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

/** A count this far ahead is one that is behind, of a packet that is late. */
const LATE = (COUNT + 1) / 2;

// Linux's measure of what cannot be: an illegal header counts a hundred times as much as a late packet, each good
// packet takes away half, and too much ends the session.
const ILLEGAL_TROUBLE = 100;
const LATE_TROUBLE = 1;
const MOST_TROUBLE = 1600;

/** Further keys that are tried at an A on no flag packet: Linux's, and its next where packets with A were lost. */
const MOST_AHEAD = 3;

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
  /** The first octets that a key makes of a packet. */
  readonly #head = new Uint8Array(3);
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
    this.#isDiscarding = false;
    this.#follow(count, lost, isFlushed, packet, start, end);
    if (isFlushed) decoder?.flush();
    const rc4 = this.#rc4;
    if (!isCompressed || !decoder) {
      rc4.crypt(packet, start, end, out, at);
      this.#trouble >>= 1;
      return at + end - start;
    }
    const deciphered = this.#deciphered;
    rc4.crypt(packet, start, end, deciphered, 0);
    const put = decoder.decode(deciphered, 0, end - start, (header & AT_FRONT) !== 0, out, at);
    if (put < 0) this.#isDiscarding = !this.#isStateless;
    else this.#trouble >>= 1;
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

  /** Brings the key and RC4 to where the sender had them for packet[start, end), before which `lost` are missing. */
  #follow(count: number, lost: number, isFlushed: boolean, packet: Uint8Array, start: number, end: number): void {
    const key = this.#key;
    const expected = this.#expected;
    this.#expected = (count + 1) & COUNT;
    if (this.#isStateless) {
      for (; lost >= 0; lost--) key.change();
    } else {
      // One change for each flag packet among the lost.
      const changes = ((expected + lost) >>> 8) - (expected >>> 8);
      for (let left = changes; left > 0; left--) key.change();
      if (isFlag(count)) key.change();
      else if (!isFlushed) return;
      else if (!this.#decoder) this.#tryKeys(packet, start, end);
    }
    this.#rc4.setKey(key.key);
  }

  /** Goes on to the key that makes most sense of packet[start, end), which has A and is no flag packet. */
  #tryKeys(packet: Uint8Array, start: number, end: number): void {
    const ahead = this.#ahead;
    ahead.copy(this.#key);
    let most = -1;
    let steps = 0;
    for (let step = 0; step <= MOST_AHEAD; step++) {
      if (step > 0) ahead.change();
      const likelihood = 2 * this.#likelihood(ahead, packet, start, end) + (step === this.#steps ? 1 : 0);
      if (likelihood <= most) continue;
      most = likelihood;
      steps = step;
    }
    this.#steps = Math.min(steps, 1);
    for (; steps > 0; steps--) this.#key.change();
  }

  /** How much what `key` makes of packet[start, end) is like a protocol and the first octet behind it: 0 to 3. */
  #likelihood(key: SessionKey, packet: Uint8Array, start: number, end: number): number {
    const head = this.#head;
    this.#rc4.setKey(key.key);
    this.#rc4.crypt(packet, start, Math.min(start + head.length, end), head, 0);
    // One octet where the first is odd, as anywhere in PPP.
    const isShort = (head[0]! & 1) !== 0;
    const protocol = isShort ? head[0]! : u16(head, 0);
    if ((protocol & 1) === 0 || !isEligible(protocol)) return 0;
    const version = head[isShort ? 1 : 2]! >>> 4;
    if (protocol === Protocol.IP) return version === 4 ? 3 : 0;
    if (protocol === Protocol.IPV6) return version === 6 ? 3 : 0;
    return isShort ? 1 : 2;
  }
}
