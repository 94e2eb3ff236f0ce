// The interface of CHAP's algorithms: making, answering and checking a challenge. MD5 is in this file (RFC 1994 §4.1)
// and also serves EAP's MD5-Challenge (RFC 3748 §5.4). Microsoft's two algorithms are in mschap.ts.

import { bytesOf } from "../bytes/text.ts";
import { md5 } from "../crypto/digests.ts";
import { visible } from "./names.ts";

export type AuthLevel = "debug" | "info" | "notice" | "warn" | "error";

/** The services that CHAP and EAP use. */
export interface AuthLower {
  send(protocol: number, write: (buf: Uint8Array, at: number) => number): void;
  log(level: AuthLevel, text: string): void;
  /** Sets the only timer. Infinity stops it. */
  wakeAt(at: number): void;
}

export interface LogLine {
  readonly level: AuthLevel;
  readonly text: string;
}

/** A proof for an external authority that knows the passwords. */
export interface NtProof {
  /** The name that the peer gave, as a byte string. */
  readonly name: string;
  /** The 8 octets that were hashed. In version 2 this is not the challenge that was sent. */
  readonly challenge: Uint8Array;
  /** 24 octets each. At least one of them is present. */
  readonly ntResponse?: Uint8Array;
  readonly lmResponse?: Uint8Array;
}

/** The input for the keys of MPPE. */
export type MppeMaterial = MsChapMaterial | TlsMaterial;

/**
 * The results of MS-CHAP (RFC 3079 §2, §3). The challenge is the server's, with 8 octets in version 1 and 16 in version
 * 2. The hash has 16 octets, the response 24.
 */
export interface MsChapMaterial {
  readonly version: 1 | 2;
  readonly passwordHashHash: Uint8Array;
  readonly ntResponse: Uint8Array;
  readonly challenge: Uint8Array;
  /** True when we were the server. Our sending key is the other side's receiving key. */
  readonly isServer: boolean;
}

/** The result of EAP-TLS (RFC 5216 §2.3): the master session key of 64 octets. */
export interface TlsMaterial {
  readonly version: "tls";
  readonly masterKey: Uint8Array;
  readonly isServer: boolean;
}

/** A challenge, and the name and secret to answer it with. Both are byte strings. */
export interface Question {
  readonly id: number;
  readonly challenge: Uint8Array;
  readonly name: string;
  readonly secret: string;
}

export interface Answer {
  readonly value: Uint8Array;
  readonly mppe?: MppeMaterial;
}

export interface Verdict {
  readonly accepted: boolean;
  /** The message of the Success or Failure packet. */
  readonly message: string;
  readonly mppe?: MppeMaterial;
}

/** The client's judgement of a Success packet. */
export interface Conclusion {
  readonly accepted: boolean;
  readonly line?: LogLine;
  readonly mppe?: MppeMaterial;
}

export interface Digest {
  challenge(): Uint8Array;
  /** Undefined: the challenge is not valid for this algorithm. */
  respond(question: Question): Answer | undefined;
  judge(question: Question, response: Uint8Array): Verdict;
  /** The proof to give to an external authority. Undefined: the response holds none. */
  proof?(question: Omit<Question, "id" | "secret">, response: Uint8Array): NtProof | undefined;
  /** The verdict when that authority accepts the proof. The hash has 16 octets. */
  accept?(question: Omit<Question, "id" | "secret">, response: Uint8Array, passwordHashHash: Uint8Array): Verdict;
  /** The message of a Failure packet sent without a check. */
  refusal(challenge: Uint8Array, reason?: string): string;
  /** The parts of a response that prove something by themselves. */
  proofs(response: Uint8Array): readonly Uint8Array[];
  checkSuccess(message: string): Conclusion;
  failureLine(message: string): LogLine;
}

const MD5_LENGTH = 16;
/** pppd's challenges have 16 to 23 octets. */
const MD5_LEAST = 16;
const MD5_SPREAD = 8;

export class Md5Digest implements Digest {
  readonly #random32: () => number;

  constructor(random32: () => number) {
    this.#random32 = random32;
  }

  challenge(): Uint8Array {
    return randomOctets(MD5_LEAST + (this.#random32() % MD5_SPREAD), this.#random32);
  }

  respond({ id, challenge, secret }: Question): Answer {
    return { value: md5(Uint8Array.of(id), bytesOf(secret), challenge) };
  }

  judge(question: Question, response: Uint8Array): Verdict {
    const accepted = isSame(response, this.respond(question).value);
    return { accepted, message: accepted ? "Access granted" : this.refusal() };
  }

  refusal(): string {
    return "Access denied";
  }

  proofs(response: Uint8Array): readonly Uint8Array[] {
    return response.length === MD5_LENGTH ? [response] : [];
  }

  checkSuccess(message: string): Conclusion {
    return { accepted: true, line: successLine(message) };
  }

  failureLine(message: string): LogLine {
    return { level: "info", text: withMessage("CHAP authentication failed", message) };
  }
}

/** The log line for a Success that carries no proof. */
export function successLine(message: string): LogLine {
  return { level: "info", text: withMessage("CHAP authentication succeeded", message) };
}

function withMessage(text: string, message: string): string {
  return message === "" ? text : `${text}: ${visible(message)}`;
}

export function randomOctets(length: number, random32: () => number): Uint8Array {
  const octets = new Uint8Array(length);
  for (let at = 0, word = 0; at < length; at++) {
    if ((at & 3) === 0) word = random32();
    octets[at] = word >>> (8 * (at & 3));
  }
  return octets;
}

/** Compares in constant time. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!;
  return difference === 0;
}
