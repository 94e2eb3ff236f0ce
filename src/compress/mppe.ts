// MPPE, Microsoft's point-to-point encryption: CCP option 18, with MPPC inside if the bit C is agreed on (RFC 3078).
//
// All data packets are sent as 00fd: a header, and protocol and packet enciphered by RC4. In stateless mode the key
// changes before each packet, and each packet has the bit A. In stateful mode RC4 runs on from packet to packet. The
// key changes with each packet whose count ends in ff, the flag packet. After a loss RC4 starts again at a packet with
// A, and implementations differ:
//
// - By the RFC (§3.1, §8.2), and in FreeBSD and OpenBSD, it starts with the current key. Linux uses the next key.
// - Linux rejects a flag packet without A, and FreeBSD sends them so. Linux does not set A on the first packet.
// - Linux drops a packet with A after a loss that it did not notice. The others accept it.
//
// A flag packet with A has the same meaning for all of them. So after a Reset-Request we move our count to the next
// flag packet, as if the packets before it had been lost. With MPPC inside, which Linux does not have, A is common
// because it also flushes the history; then we follow the RFC. For received packets, both keys are tried: the right one
// gives a known protocol, and usually an IP header.

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
  /** The start key: 8 octets for 40 and 56 bits, 16 octets for 128 bits. Further octets are ignored. */
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
  /** RC4 starts again with the next packet. */
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
      // The packet is not in the peer's history, so later packets must not refer to our history.
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

  /** May be called twice before the next packet. The key changes once, as a peer that asks twice expects. */
  reset(): void {
    this.#isFlushed = true;
  }
}

/** The protocol at the start of bytes[at, end): two octets, or one odd octet. 0 when there is none. */
function protocolOf(bytes: Uint8Array, at: number, end: number): number {
  const stop = protocolEnd(bytes, at, end);
  return stop < 0 ? 0 : protocolAt(bytes, at, stop);
}

/** A count this far ahead belongs to a late packet. */
const LATE = (COUNT + 1) / 2;

// Linux's measure of impossible packets: an illegal header counts a hundred times as much as a late packet, each good
// packet halves the sum, and too high a sum ends the session.
const ILLEGAL_TROUBLE = 100;
const LATE_TROUBLE = 1;
const MOST_TROUBLE = 1600;

/** The further keys to try at a packet with A: Linux's key, and its next ones if other packets with A were lost. */
const MOST_AHEAD = 8;
/** The likelihood of a key that is certainly the right one. */
const CERTAIN = 4;

export class MppeDecompressor implements Decompressor {
  readonly selfHealing = true;
  readonly #isStateless: boolean;
  readonly #key: SessionKey;
  /** One of the keys after `#key`, while they are tried. */
  readonly #ahead: SessionKey;
  readonly #rc4 = new Rc4();
  readonly #decoder: MppcDecoder | undefined;
  /** The deciphered octets for MPPC. */
  readonly #deciphered: Uint8Array;
  /** The deciphered start of a packet: the protocol, and the lengths in an IP header. */
  readonly #head = new Uint8Array(8);
  #expected = 0;
  /** Stateful mode: a packet was lost, and a packet with A is awaited. */
  #isDiscarding = false;
  /** By how many keys the peer advanced at its last A outside a flag packet: 0 as in the RFC, 1 as in Linux. */
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
      // The key is not changed for the lost packets: a wrong count would move it to a key that the peer never uses.
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
      // The key changes once for each lost flag packet, and once for this one.
      this.#change((count >> 8) - ((count - lost) >> 8) + (isFlag ? 1 : 0));
      if (isFlushed && !decoder && (isResumed || !isFlag)) this.#tryKeys(isFlag, packet, start, end);
    }
    if (isFlushed) decoder?.flush();

    const put = this.#decipher(header, packet, start, end, out, at);
    // Only data is enciphered. Another protocol means that the key is wrong.
    if (put < 0 || !isEligible(protocolOf(out, at, put))) {
      this.#isDiscarding = !this.#isStateless;
      return DAMAGED;
    }
    this.#trouble >>= 1;
    return put;
  }

  /** Does nothing: a plain packet does not change the state. If encryption is required, the link drops it. */
  incompressible(): void {}

  /** Does nothing, as in Linux: a packet with A resets the state, and at the right place. */
  reset(): void {}

  #reject(trouble: number): number {
    this.#trouble += trouble;
    return this.#trouble < MOST_TROUBLE ? DAMAGED : FATAL;
  }

  #decipher(header: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const decoder = this.#decoder;
    if ((header & COMPRESSED) === 0 || !decoder) {
      this.#rc4.crypt(packet, start, end, out, at);
      return at + end - start;
    }
    const deciphered = this.#deciphered;
    this.#rc4.crypt(packet, start, end, deciphered, 0);
    return decoder.decode(deciphered, 0, end - start, (header & AT_FRONT) !== 0, out, at);
  }

  /** Changes the key this number of times and starts RC4 again. */
  #change(times: number): void {
    for (; times > 0; times--) this.#key.change();
    this.#rc4.setKey(this.#key.key);
  }

  /**
   * Chooses the key that best deciphers packet[start, end), which has A. Linux advances one key for each packet with A,
   * and such packets may have been lost too.
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
      // For a flag packet, the expected key is usually right.
      if (likelihood <= most || (isFlag && step > 0 && likelihood < 2 * CERTAIN)) continue;
      most = likelihood;
      steps = step;
    }
    if (!isFlag) this.#steps = Math.min(steps, 1);
    this.#change(steps);
  }

  /**
   * How well `key` deciphers packet[start, end): CERTAIN for an IP packet of this length, 2 for other IP and for any
   * protocol of two octets, 1 for a protocol of one octet (every second number is one), 0 for anything else.
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
