// The keys of MPPE: start keys from the results of MS-CHAP (RFC 3079), and each session key from the one before (RFC
// 3078 §7.3).

import { sha1 } from "./digests.ts";
import { Rc4 } from "./rc4.ts";

/** Strength of a session key. */
export type MppeBits = 40 | 56 | 128;

/** Octets of the start key in use. The two weak strengths overwrite different parts of the key. */
function mppeKeyLength(bits: MppeBits): 8 | 16 {
  return bits === 128 ? 16 : 8;
}

const PAD = 40;
const PAD1 = new Uint8Array(PAD);
const PAD2 = new Uint8Array(PAD).fill(0xf2);

const MASTER = new TextEncoder().encode("This is the MPPE Master Key");
const CLIENT_SENDS = new TextEncoder().encode(
  "On the client side, this is the send key; on the server side, it is the receive key.",
);
const SERVER_SENDS = new TextEncoder().encode(
  "On the client side, this is the receive key; on the server side, it is the send key.",
);

const START_KEY = 16;
const TLS_HALF = 32;

/** The master key of MS-CHAPv2, 16 octets, from the MD4 of the NT password hash and the response (RFC 3079 §3.4). */
export function mppeMasterKey(passwordHashHash: Uint8Array, ntResponse: Uint8Array): Uint8Array {
  return sha1(passwordHashHash, ntResponse, MASTER).slice(0, START_KEY);
}

export interface MppeStartKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

/**
 * The start keys of MS-CHAPv2, 16 octets each. The weak strengths use the first 8 (RFC 3079 §3.3). The server is the
 * authenticator, no matter which side called.
 */
export function mppeStartKeys(masterKey: Uint8Array, isServer: boolean): MppeStartKeys {
  const of = (magic: Uint8Array): Uint8Array => sha1(masterKey, PAD1, magic, PAD2).slice(0, START_KEY);
  const [client, server] = [of(CLIENT_SENDS), of(SERVER_SENDS)];
  return isServer ? { send: server, receive: client } : { send: client, receive: server };
}

/**
 * The start key of MS-CHAPv1, the same in both directions, 16 octets, from the MD4 of the NT password hash and the 8
 * octet challenge (RFC 3079 §2.4). It is for 128 bits. For 40 and 56 bits the start key is the first 8 octets of the
 * LAN Manager hash (§2.1, §2.2). pppd does not implement that, so it refuses 40 bits after MS-CHAPv1.
 */
export function mppeStartKeyV1(passwordHashHash: Uint8Array, challenge: Uint8Array): Uint8Array {
  return sha1(passwordHashHash, passwordHashHash, challenge).slice(0, START_KEY);
}

/**
 * The start keys after EAP-TLS, 16 octets each: the first octets of the two halves of the master session key. The
 * client's sending key is first (RFC 5216 §2.3; pppd takes 16 of each half's 32 octets).
 */
export function mppeStartKeysTls(masterKey: Uint8Array, isServer: boolean): MppeStartKeys {
  const client = masterKey.slice(0, START_KEY);
  const server = masterKey.slice(TLS_HALF, TLS_HALF + START_KEY);
  return isServer ? { send: server, receive: client } : { send: client, receive: server };
}

/** The session key of one direction. It changes as packets pass. */
export class SessionKey {
  /** 8 octets for 40 and 56 bits, 16 for 128. Borrowed: change() overwrites it. */
  readonly key: Uint8Array;
  readonly #bits: MppeBits;
  /** The input of the hash: start key, pad, session key, pad. `key` is a view of the session key in it. */
  readonly #block: Uint8Array;
  readonly #rc4 = new Rc4();

  /** `startKey` may be longer than the strength needs. */
  constructor(startKey: Uint8Array, bits: MppeBits) {
    const length = mppeKeyLength(bits);
    if (startKey.length < length) throw new RangeError(`a start key of ${startKey.length} octets for ${bits} bits`);
    const start = startKey.subarray(0, length);
    this.#bits = bits;
    this.#block = Uint8Array.of(...start, ...PAD1, ...start, ...PAD2);
    this.key = this.#block.subarray(length + PAD, 2 * length + PAD);
    // The first key is only hashed. Later keys are also encrypted with themselves.
    this.key.set(this.#interim());
    this.#weaken();
  }

  /** The next key (RFC 3078 §7.3). */
  change(): void {
    const { key } = this;
    const interim = this.#interim();
    this.#rc4.setKey(interim);
    this.#rc4.crypt(interim, 0, interim.length, key, 0);
    this.#weaken();
  }

  /** Copies another key of the same strength. */
  copy(other: SessionKey): void {
    this.#block.set(other.#block);
  }

  #interim(): Uint8Array {
    return sha1(this.#block).subarray(0, this.key.length);
  }

  #weaken(): void {
    const { key } = this;
    if (this.#bits === 128) return;
    key[0] = 0xd1;
    if (this.#bits === 56) return;
    key[1] = 0x26;
    key[2] = 0x9e;
  }
}
