// Users of Windows prove that they know a password by an answer to a challenge of eight octets (MS-NLMP §3.3): NTLMv2, LMv2, NTLM,
// and LM, which is the only one that Windows 95 has. A password of UTF-8 is taken as its text, and as octets, as in MS-CHAP.

import { challengeResponse, lmPasswordHash, ntPasswordHash } from "../../auth/mschap.ts";
import { isSame } from "../../auth/digest.ts";
import { decoded } from "../../bytes/text.ts";
import { md4, md5 } from "../../crypto/digests.ts";
import { unicodeOctets } from "./smb-text.ts";
import { folded } from "./wildcards.ts";

export interface Proof {
  readonly user: string;
  readonly domain: string;
  /** Empty: none. */
  readonly lm: Uint8Array;
  readonly nt: Uint8Array;
}

/** Wrong proofs a minute. After these none is looked at until the minute is over. */
const MOST_WRONG = 20;
const MINUTE = 60;
/** Octets of an answer of version 1, and of the HMAC of version 2. */
const ANSWER = 24;
const MAC = 16;
/** The hash of LM knows no more letters. Of a longer password it would prove the first ones only. */
const LM_LETTERS = 14;

export class Prover {
  readonly #users: readonly (readonly [name: string, password: string])[];
  readonly #now: () => number;
  #wrong = 0;
  #since = -Infinity;

  /** Names and passwords, one character an octet. `now` is in seconds and never runs backwards. */
  constructor(users: readonly (readonly [name: string, password: string])[], now: () => number) {
    this.#users = users;
    this.#now = now;
  }

  /** Windows does not distinguish names by case, and Windows 95 sends large letters. */
  isProven(proof: Proof, challenge: Uint8Array): boolean {
    const now = this.#now();
    if (now - this.#since >= MINUTE) {
      this.#since = now;
      this.#wrong = 0;
    }
    if (this.#wrong >= MOST_WRONG) return false;
    const user = folded(proof.user);
    const isGood = this.#users.some(
      ([name, password]) => folded(decoded(name)) === user && answers(proof, challenge, password),
    );
    if (!isGood) this.#wrong++;
    return isGood;
  }
}

function answers(proof: Proof, challenge: Uint8Array, password: string): boolean {
  const { lm, nt } = proof;
  const hashes = [ntPasswordHash(password), md4(unicodeOctets(decoded(password)))];
  if (hashes.some((hash) => answersHash(proof, challenge, hash))) return true;
  const lmOnly = nt.length === 0 || isSame(nt, lm);
  if (password.length > LM_LETTERS) return false;
  return lmOnly && lm.length === ANSWER && isSame(lm, challengeResponse(challenge, lmPasswordHash(password)));
}

function answersHash({ user, domain, lm, nt }: Proof, challenge: Uint8Array, hash: Uint8Array): boolean {
  if (nt.length === ANSWER && isSame(nt, challengeResponse(challenge, hash))) return true;
  for (const answer of [nt, lm]) {
    if (answer.length < ANSWER) continue;
    // What follows the HMAC is the client's challenge, and with NTLMv2 more.
    const rest = answer.subarray(MAC);
    for (const where of new Set([domain, domain.toUpperCase(), ""])) {
      const key = hmacMd5(hash, unicodeOctets(folded(user) + where));
      if (isSame(answer.subarray(0, MAC), hmacMd5(key, challenge, rest))) return true;
    }
  }
  return false;
}

const BLOCK = 64;

/** RFC 2104. */
function hmacMd5(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const [inner, outer] = [new Uint8Array(BLOCK).fill(0x36), new Uint8Array(BLOCK).fill(0x5c)];
  for (let at = 0; at < key.length; at++) {
    inner[at]! ^= key[at]!;
    outer[at]! ^= key[at]!;
  }
  return md5(outer, md5(inner, ...parts));
}
