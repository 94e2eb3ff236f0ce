// What CHAP's algorithms have in common: how a challenge is made, answered and judged. MD5 is here (RFC 1994 §4.1), which
// is EAP's MD5-Challenge too (RFC 3748 §5.4); Microsoft's two are in mschap.ts.

import { bytesOf } from "../bytes/text.ts";
import { md5 } from "../crypto/digests.ts";
import { visible } from "./names.ts";

export type AuthLevel = "debug" | "info" | "notice" | "warn" | "error";

/** What CHAP and EAP stand on. */
export interface AuthLower {
  send(protocol: number, write: (buf: Uint8Array, at: number) => number): void;
  log(level: AuthLevel, text: string): void;
  /** The one timer: Infinity stops it. */
  wakeAt(at: number): void;
}

export interface LogLine {
  readonly level: AuthLevel;
  readonly text: string;
}

/** A proof to be judged by somebody else who knows the passwords. */
export interface NtProof {
  /** Who says it is his: a byte string. */
  readonly name: string;
  /** What was hashed: 8 octets. In version 2 not what was sent. */
  readonly challenge: Uint8Array;
  /** 24 octets each; one of them is there. */
  readonly ntResponse?: Uint8Array;
  readonly lmResponse?: Uint8Array;
}

/** What the keys of MPPE are made from. */
export type MppeMaterial = MsChapMaterial | TlsMaterial;

/**
 * What MS-CHAP leaves (RFC 3079 §2, §3). The challenge is the server's, of 8 octets in version 1 and of 16 in version 2;
 * the hash has 16, the response 24.
 */
export interface MsChapMaterial {
  readonly version: 1 | 2;
  readonly passwordHashHash: Uint8Array;
  readonly ntResponse: Uint8Array;
  readonly challenge: Uint8Array;
  /** We asked: what we send with is the other side's receive key. */
  readonly isServer: boolean;
}

/** What EAP-TLS leaves (RFC 5216 §2.3): the master session key of 64 octets. */
export interface TlsMaterial {
  readonly version: "tls";
  readonly masterKey: Uint8Array;
  readonly isServer: boolean;
}

/** A challenge, and who is to answer it with which secret. Name and secret are byte strings. */
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
  /** What the Success or Failure says. */
  readonly message: string;
  readonly mppe?: MppeMaterial;
}

/** What the client makes of a Success. */
export interface Conclusion {
  readonly accepted: boolean;
  readonly line?: LogLine;
  readonly mppe?: MppeMaterial;
}

export interface Digest {
  challenge(): Uint8Array;
  /** Undefined: this is no challenge of the algorithm. */
  respond(question: Question): Answer | undefined;
  judge(question: Question, response: Uint8Array): Verdict;
  /** What somebody else who knows the passwords is asked instead; undefined: nothing he could judge. */
  proof?(question: Omit<Question, "id" | "secret">, response: Uint8Array): NtProof | undefined;
  /** And what follows when he takes the proof: the hash has 16 octets. */
  accept?(question: Omit<Question, "id" | "secret">, response: Uint8Array, passwordHashHash: Uint8Array): Verdict;
  /** What the Failure says when no judge was needed. */
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

/** What is said of a Success that carries no proof. */
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

/** Takes as long wherever the difference is. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!;
  return difference === 0;
}
