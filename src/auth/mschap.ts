// MS-CHAP (RFC 2433) and MS-CHAPv2 (RFC 2759): their hashes, and both as algorithms of CHAP.

import { bytesOf, toHex } from "../bytes/text.ts";
import { desBlock, md4, sha1 } from "../crypto/digests.ts";
import {
  type Answer,
  type AuthLower,
  type Conclusion,
  type Digest,
  isSame,
  type LogLine,
  type MppeMaterial,
  type NtProof,
  type Question,
  randomOctets,
  successLine,
  type Verdict,
} from "./digest.ts";
import { visible, withoutDomain } from "./names.ts";

export interface MsChapConfig {
  readonly random32: () => number;
  /**
   * As client, answer with the LAN Manager hash; as server, accept such an answer (`ms-lanman`). Only in MS-CHAP
   * version 1.
   */
  readonly msLanman: boolean;
  /** Used in place of a random challenge if its length fits (`mschap-challenge`, `mschap2-peer-challenge`). */
  readonly fixedChallenge?: Uint8Array | undefined;
  readonly fixedPeerChallenge?: Uint8Array | undefined;
}

const MS_CHALLENGE = 8;
export const MS_V2_CHALLENGE = 16;
/**
 * Octets of a response. Version 1: LM response, NT response, flag. Version 2: peer challenge, zeros, NT response,
 * flags.
 */
export const MS_RESPONSE = 49;
const SECOND = 24;
const FLAG = 48;
const PROOF = 24;
const NOTHING = new Uint8Array(0);

// ── hashes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** NtPasswordHash (RFC 2759 §8.3): 16 octets. Each octet of the secret counts as a character, as in pppd. */
export function ntPasswordHash(secret: string): Uint8Array {
  const unicode = new Uint8Array(2 * secret.length);
  for (let at = 0; at < secret.length; at++) unicode[2 * at] = secret.charCodeAt(at);
  return md4(unicode);
}

const LM_LENGTH = 14;
const LM_TEXT = bytesOf("KGS!@#$%");

/** LmPasswordHash (RFC 2433, appendix A): 16 octets, from the first fourteen octets in upper case. */
export function lmPasswordHash(secret: string): Uint8Array {
  const large = secret.slice(0, LM_LENGTH).replace(/[a-z]/g, (letter) => letter.toUpperCase());
  const key = new Uint8Array(LM_LENGTH);
  key.set(bytesOf(large));
  const hash = new Uint8Array(16);
  hash.set(desBlock(key.subarray(0, 7), LM_TEXT));
  hash.set(desBlock(key.subarray(7), LM_TEXT), 8);
  return hash;
}

/** ChallengeResponse (RFC 2759 §8.5): 24 octets from a challenge of 8 and a hash of 16. */
export function challengeResponse(challenge: Uint8Array, hash: Uint8Array): Uint8Array {
  const key = new Uint8Array(21);
  key.set(hash);
  const response = new Uint8Array(PROOF);
  for (let part = 0; part < 3; part++)
    response.set(desBlock(key.subarray(7 * part, 7 * part + 7), challenge), 8 * part);
  return response;
}

/** ChallengeHash (RFC 2759 §8.2): 8 octets from two challenges of 16 and the client's name. */
export function challengeHash(peerChallenge: Uint8Array, challenge: Uint8Array, name: string): Uint8Array {
  return sha1(peerChallenge, challenge, bytesOf(withoutDomain(name))).slice(0, MS_CHALLENGE);
}

const SIGNING = bytesOf("Magic server to client signing constant");
const PADDING = bytesOf("Pad to make it do more than one iteration");

/** GenerateAuthenticatorResponse (RFC 2759 §8.7): the server's proof, `S=` and 40 hex digits. */
export function authenticatorResponse(
  passwordHashHash: Uint8Array,
  ntResponse: Uint8Array,
  hashedChallenge: Uint8Array,
): string {
  const digest = sha1(passwordHashHash, ntResponse, SIGNING);
  return `S=${toHex(sha1(digest, hashedChallenge, PADDING)).toUpperCase()}`;
}

// ── version 1 ────────────────────────────────────────────────────────────────────────────────────────────────────────

export class MsChap implements Digest {
  readonly #config: MsChapConfig;
  readonly #log: AuthLower["log"];
  /** The keys' input from the last answer. */
  #mppe: MppeMaterial | undefined;

  constructor(config: MsChapConfig, log: AuthLower["log"]) {
    this.#config = config;
    this.#log = log;
  }

  challenge(): Uint8Array {
    return makeChallenge(MS_CHALLENGE, this.#config.fixedChallenge, this.#config.random32);
  }

  respond({ challenge, secret }: Question): Answer | undefined {
    if (challenge.length !== MS_CHALLENGE) return undefined;
    const hash = ntPasswordHash(secret);
    const ntResponse = challengeResponse(challenge, hash);
    const value = new Uint8Array(MS_RESPONSE);
    value.set(ntResponse, SECOND);
    if (this.#config.msLanman) value.set(challengeResponse(challenge, lmPasswordHash(secret)));
    else value[FLAG] = 1;
    this.#mppe = { version: 1, passwordHashHash: md4(hash), ntResponse, challenge, isServer: false };
    return { value, mppe: this.#mppe };
  }

  judge({ challenge, name, secret }: Question, response: Uint8Array): Verdict {
    const refused = { accepted: false, message: this.refusal(challenge) };
    const proof = this.proof({ challenge, name }, response);
    if (proof === undefined) return refused;
    const { ntResponse, lmResponse = NOTHING } = proof;
    const hash = ntPasswordHash(secret);
    const isGood =
      ntResponse === undefined
        ? isSame(lmResponse, challengeResponse(challenge, lmPasswordHash(secret)))
        : isSame(ntResponse, challengeResponse(challenge, hash));
    return isGood ? this.accept({ challenge }, response, md4(hash)) : refused;
  }

  proof({ challenge, name }: Omit<Question, "id" | "secret">, response: Uint8Array): NtProof | undefined {
    if (response.length !== MS_RESPONSE) return undefined;
    if (response[FLAG] !== 0) return { name, challenge, ntResponse: response.subarray(SECOND, FLAG) };
    if (this.#config.msLanman) return { name, challenge, lmResponse: response.subarray(0, SECOND) };
    this.#log("notice", "Peer request for LANMAN auth not supported");
    return undefined;
  }

  accept({ challenge }: Pick<Question, "challenge">, response: Uint8Array, passwordHashHash: Uint8Array): Verdict {
    const ntResponse = response.slice(SECOND, FLAG);
    const mppe: MppeMaterial = { version: 1, passwordHashHash, ntResponse, challenge, isServer: true };
    return { accepted: true, message: "Access granted", mppe };
  }

  refusal(challenge: Uint8Array): string {
    return `E=691 R=1 C=${toHex(challenge)} V=0`;
  }

  /** Each half proves something, unless it is absent. */
  proofs(response: Uint8Array): readonly Uint8Array[] {
    if (response.length !== MS_RESPONSE) return [];
    const halves = [response.subarray(0, SECOND), response.subarray(SECOND, FLAG)];
    return halves.filter((half) => half.some((octet) => octet !== 0));
  }

  checkSuccess(message: string): Conclusion {
    const line = successLine(message);
    return this.#mppe === undefined ? { accepted: true, line } : { accepted: true, line, mppe: this.#mppe };
  }

  failureLine(message: string): LogLine {
    return msFailureLine(message);
  }
}

// ── version 2 ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An answer that we gave. The same question gets the same answer. A server that knows our secret also knows `proof`.
 */
interface Given {
  readonly id: number;
  readonly challenge: Uint8Array;
  readonly value: Uint8Array;
  readonly proof: string;
  readonly mppe: MppeMaterial;
}

const MOST_GIVEN = 10;
const PROOF_LENGTH = 2 + 40;

/** One object for each link. Answers given on an earlier link do not count. */
export class MsChapV2 implements Digest {
  readonly #config: MsChapConfig;
  readonly #log: AuthLower["log"];
  readonly #given: Given[] = [];
  #next = 0;

  constructor(config: MsChapConfig, log: AuthLower["log"]) {
    this.#config = config;
    this.#log = log;
  }

  challenge(): Uint8Array {
    return makeChallenge(MS_V2_CHALLENGE, this.#config.fixedChallenge, this.#config.random32);
  }

  respond({ id, challenge, name, secret }: Question): Answer | undefined {
    if (challenge.length !== MS_V2_CHALLENGE) return undefined;
    const before = this.#find((given) => given.id === id && isSame(given.challenge, challenge));
    if (before !== undefined) return { value: before.value, mppe: before.mppe };
    const { fixedPeerChallenge, random32 } = this.#config;
    const peerChallenge = makeChallenge(MS_V2_CHALLENGE, fixedPeerChallenge, random32);
    const { ntResponse, passwordHashHash, proof } = proveBoth(peerChallenge, challenge, name, secret);
    const value = new Uint8Array(MS_RESPONSE);
    value.set(peerChallenge);
    value.set(ntResponse, SECOND);
    const mppe: MppeMaterial = { version: 2, passwordHashHash, ntResponse, challenge, isServer: false };
    this.#log("debug", `added response cache entry ${this.#next}`);
    this.#given[this.#next] = { id, challenge, value, proof, mppe };
    this.#next = (this.#next + 1) % MOST_GIVEN;
    return { value, mppe };
  }

  #find(isIt: (given: Given) => boolean): Given | undefined {
    const at = this.#given.findIndex(isIt);
    if (at >= 0) this.#log("debug", `response found in cache (entry ${at})`);
    return this.#given[at];
  }

  judge({ challenge, name, secret }: Question, response: Uint8Array): Verdict {
    const refused = { accepted: false, message: this.refusal(challenge) };
    if (response.length !== MS_RESPONSE) return refused;
    const peerChallenge = response.subarray(0, MS_V2_CHALLENGE);
    const { ntResponse, passwordHashHash } = proveBoth(peerChallenge, challenge, name, secret);
    if (!isSame(response.subarray(SECOND, FLAG), ntResponse)) return refused;
    return this.accept({ challenge, name }, response, passwordHashHash);
  }

  proof({ challenge, name }: Omit<Question, "id" | "secret">, response: Uint8Array): NtProof | undefined {
    if (response.length !== MS_RESPONSE) return undefined;
    const hashed = challengeHash(response.subarray(0, MS_V2_CHALLENGE), challenge, name);
    return { name, challenge: hashed, ntResponse: response.subarray(SECOND, FLAG) };
  }

  accept(
    { challenge, name }: Omit<Question, "id" | "secret">,
    response: Uint8Array,
    passwordHashHash: Uint8Array,
  ): Verdict {
    const ntResponse = response.slice(SECOND, FLAG);
    const hashed = challengeHash(response.subarray(0, MS_V2_CHALLENGE), challenge, name);
    const proof = authenticatorResponse(passwordHashHash, ntResponse, hashed);
    // Windows 98 sets flags that should be 0, and takes the message for a part of the proof.
    const message = response[FLAG] === 0 ? `${proof} M=Access granted` : proof;
    const mppe: MppeMaterial = { version: 2, passwordHashHash, ntResponse, challenge, isServer: true };
    return { accepted: true, message, mppe };
  }

  refusal(challenge: Uint8Array, reason = ""): string {
    return `E=691 R=1 C=${toHex(challenge)} V=0 M=${reason || "Access denied"}`;
  }

  proofs(response: Uint8Array): readonly Uint8Array[] {
    return response.length === MS_RESPONSE ? [response.subarray(SECOND, FLAG)] : [];
  }

  /** Checks that the server knows our secret too. We accept no other server (RFC 2759 §5). */
  checkSuccess(message: string): Conclusion {
    const malformed = "MS-CHAPv2 Success packet is badly formed.";
    if (message.length < PROOF_LENGTH || !message.startsWith("S=")) return failed(malformed);
    const proof = message.slice(0, PROOF_LENGTH);
    const given = this.#find((given) => given.proof === proof);
    if (given === undefined) return failed("MS-CHAPv2 mutual authentication failed.");
    const rest = message.slice(PROOF_LENGTH);
    if (rest !== "" && !rest.startsWith(" M=") && !rest.startsWith("M=")) return failed(malformed);
    return { accepted: true, mppe: given.mppe };
  }

  failureLine(message: string): LogLine {
    return msFailureLine(message);
  }
}

function failed(text: string): Conclusion {
  return { accepted: false, line: { level: "error", text } };
}

/** Computes the proofs of both sides of version 2, and the input for the keys. */
function proveBoth(
  peerChallenge: Uint8Array,
  challenge: Uint8Array,
  name: string,
  secret: string,
): { ntResponse: Uint8Array; passwordHashHash: Uint8Array; proof: string } {
  const hash = ntPasswordHash(secret);
  const hashedChallenge = challengeHash(peerChallenge, challenge, name);
  const ntResponse = challengeResponse(hashedChallenge, hash);
  const passwordHashHash = md4(hash);
  return { ntResponse, passwordHashHash, proof: authenticatorResponse(passwordHashHash, ntResponse, hashedChallenge) };
}

function makeChallenge(length: number, fixed: Uint8Array | undefined, random32: () => number): Uint8Array {
  return fixed !== undefined && fixed.length === length ? fixed.slice() : randomOctets(length, random32);
}

// ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** RFC 2759 §6 in pppd's words. We cannot change a password, whatever R= and V= offer. */
const ERRORS: Readonly<Record<number, string>> = {
  646: "Restricted logon hours",
  647: "Account disabled",
  648: "Password expired",
  649: "No dialin permission",
  691: "Authentication failure",
  709: "Error changing password",
};

/** The log line of a Failure `E=eee R=r C=challenge V=v M=text`: its text, or the meaning of its number. */
function msFailureLine(message: string): LogLine {
  const number = /^E=\s*([+-]?\d*)/.exec(message)?.[1];
  const at = message.indexOf(" M=");
  let text = message;
  if (number !== undefined) {
    const meaning = ERRORS[Number(number)];
    if (at >= 0) text = message.slice(at + " M=".length);
    else if (meaning !== undefined) text = `E=${Number(number)} ${meaning}`;
    else return { level: "error", text: `Unknown MS-CHAP authentication failure: ${visible(message)}` };
  }
  return { level: "error", text: `MS-CHAP authentication failed: ${visible(text)}` };
}
