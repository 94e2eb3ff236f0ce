// The methods of EAP, both roles: MD5-Challenge (RFC 3748 §5.4) and MSCHAPv2 (draft-kamath-pppext-eap-mschapv2). What
// they need of CHAP's algorithms is digest.ts and mschap.ts; EAP itself, which carries them, is eap.ts. TLS is eap-tls.ts.

import { put16, put8, putBytes, u16 } from "../bytes/be.ts";
import { bytesOf, textOf } from "../bytes/text.ts";
import { ChapCode, parseValueAndName, putValueAndName } from "../wire/chap.ts";
import { EapType } from "../wire/eap.ts";
import type { Answers } from "./answers.ts";
import { type AuthLower, type Digest, Md5Digest, type MppeMaterial } from "./digest.ts";
import { MS_RESPONSE, MS_V2_CHALLENGE, type MsChapConfig, MsChapV2 } from "./mschap.ts";
import { clientNameOf, nameOf, type Names, quoted, visible } from "./names.ts";

/** What a method is given. The data of its packets is what follows the type. */
export interface MethodHost {
  readonly config: Names & MsChapConfig & { readonly answers: Answers };
  /** Who we are in this role. */
  readonly name: string;
  /** As client our secret for that server, as server that of that peer; undefined: none. */
  secret(name: string): string | undefined;
  log: AuthLower["log"];
  /** As server: what the peer called itself before, for a proof that names nobody. */
  readonly identity?: string;
  /** Octets of the longest EAP packet the peer takes. */
  readonly packetRoom: number;
}

/** A Nak's "none of those you may have" (RFC 3748 §5.3.1). pppd up to 2.4.9 suggests SRP, which nobody speaks. */
export const NO_ALTERNATIVE = 0;

// ── client ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Where a client's method stands after an answer: "unfinished" while the server owes something and its Success would be a
 * lie, "finished" when a Success may come, "failed" when the server said no, "refused" when it is the server that did not
 * prove itself.
 */
export type ClientStands = "unfinished" | "finished" | "failed" | "refused";

/** What a client's method makes of a Request. */
export type ClientStep =
  | {
      readonly kind: "answer";
      readonly data: Uint8Array;
      readonly stands: ClientStands;
      readonly mppe?: MppeMaterial;
    }
  /** Something else is wanted: we have no secret, or the Request makes no sense. */
  | { readonly kind: "nak"; readonly hasSecret: boolean }
  | { readonly kind: "ignore" }
  /** It takes a while: resume() says how it went on. */
  | { readonly kind: "pending" };

export interface EapClientMethod {
  readonly type: number;
  take(id: number, data: Uint8Array): ClientStep;
  resume?(): ClientStep;
  /** The conversation has ended, or was abandoned. A new one may begin. */
  close?(): void;
}

const IGNORE = { kind: "ignore" } as const;
/** pppd takes no shorter MD5 challenge. */
const MD5_SHORTEST = 8;

export class Md5Client implements EapClientMethod {
  readonly type = EapType.Md5Challenge;
  readonly #host: MethodHost;
  readonly #digest: Md5Digest;

  constructor(host: MethodHost) {
    this.#host = host;
    this.#digest = new Md5Digest(host.config.random32);
  }

  take(id: number, data: Uint8Array): ClientStep {
    const { config, log, name } = this.#host;
    if (data.length === 0) {
      log("error", "EAP: received MD5-Challenge with no data");
      return IGNORE;
    }
    const question = parseValueAndName(data, 0, data.length);
    if (question === undefined || question.value.length < MD5_SHORTEST) {
      log("error", `EAP: MD5-Challenge with bad length ${data[0]} (8..${data.length - 1})`);
      return { kind: "nak", hasSecret: true };
    }
    const server = nameOf(question.name, config);
    const secret = this.#host.secret(server);
    if (secret === undefined) {
      log("debug", `EAP: no MD5 secret for auth to ${quoted(server)}`);
      return { kind: "nak", hasSecret: false };
    }
    const { value } = this.#digest.respond({ id, challenge: question.value, name, secret });
    if (!config.answers.give(this.#digest.proofs(value))) return IGNORE;
    return { kind: "answer", data: valueAndName(value, name), stands: "finished" };
  }
}

function valueAndName(value: Uint8Array, name: string): Uint8Array {
  const data = new Uint8Array(1 + value.length + name.length);
  putValueAndName(data, 0, value, name);
  return data;
}

/** Opcode, MS-CHAPv2-ID and length. */
const MS_HEADER = 4;

/** The data of a Request or of a Response to a challenge; `body` is what a CHAP packet has. */
function msPacket(opcode: ChapCode, id: number, body: Uint8Array): Uint8Array {
  const data = new Uint8Array(MS_HEADER + body.length);
  putBytes(data, put16(data, put8(data, put8(data, 0, opcode), id), data.length), body);
  return data;
}

export class MsChapV2Client implements EapClientMethod {
  readonly type = EapType.MsChapV2;
  readonly #host: MethodHost;
  readonly #digest: MsChapV2;

  constructor(host: MethodHost) {
    this.#host = host;
    this.#digest = new MsChapV2(host.config, host.log);
  }

  take(_id: number, data: Uint8Array): ClientStep {
    const { log } = this.#host;
    if (data.length < MS_HEADER) {
      log("error", "EAP: received invalid MSCHAPv2 packet, too short");
      return IGNORE;
    }
    if (u16(data, 2) !== data.length) {
      log("error", "EAP: received invalid MSCHAPv2 packet, invalid length");
      return IGNORE;
    }
    const message = textOf(data, MS_HEADER);
    switch (data[0]) {
      case ChapCode.Challenge:
        return this.#respond(data[1]!, data);
      case ChapCode.Success: {
        const { accepted, line, mppe } = this.#digest.checkSuccess(message);
        if (line !== undefined) log(line.level, line.text);
        if (!accepted) return { kind: "answer", data: Uint8Array.of(ChapCode.Failure), stands: "refused" };
        log("info", `Chap authentication succeeded! ${visible(message)}`);
        const answer = { kind: "answer", data: Uint8Array.of(ChapCode.Success), stands: "finished" } as const;
        return mppe === undefined ? answer : { ...answer, mppe };
      }
      case ChapCode.Failure: {
        const { level, text } = this.#digest.failureLine(message);
        log(level, text);
        return { kind: "answer", data: Uint8Array.of(ChapCode.Failure), stands: "failed" };
      }
      default:
        log("error", `EAP: received invalid MSCHAPv2 packet, invalid or unsupported opcode: ${data[0]}`);
        return IGNORE;
    }
  }

  #respond(id: number, data: Uint8Array): ClientStep {
    const { config, log, name } = this.#host;
    const question = parseValueAndName(data, MS_HEADER, data.length);
    if (question === undefined || question.value.length !== MS_V2_CHALLENGE) {
      log("error", `EAP: received invalid MSCHAPv2 packet, invalid value-length: ${data[MS_HEADER] ?? 0}`);
      return IGNORE;
    }
    const server = nameOf(question.name, config);
    const secret = this.#host.secret(server);
    if (secret === undefined) {
      log("debug", `EAP: no CHAP secret for auth to ${quoted(server)}`);
      return { kind: "nak", hasSecret: false };
    }
    const answer = this.#digest.respond({ id, challenge: question.value, name, secret });
    if (answer === undefined || !config.answers.give(this.#digest.proofs(answer.value))) return IGNORE;
    const body = valueAndName(answer.value, name);
    return { kind: "answer", data: msPacket(ChapCode.Response, id, body), stands: "unfinished" };
  }
}

// ── server ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a server's method makes of a Response. */
export type ServerStep =
  /** The next Request. */
  | { readonly kind: "ask"; readonly data: Uint8Array }
  | { readonly kind: "accept"; readonly name: string; readonly mppe?: MppeMaterial }
  /** The peer did not prove itself; or what it said is no Response of this method, which `isBroken` says. */
  | { readonly kind: "refuse"; readonly isBroken: boolean }
  | { readonly kind: "ignore" }
  /** It takes a while: resume() says how it went on. */
  | { readonly kind: "pending" };

export interface EapServerMethod {
  readonly type: number;
  /** pppd's name for the state of waiting for the method's Response. */
  readonly state: string;
  /** The data of the first Request, which has that identifier. */
  begin(id: number): Uint8Array;
  take(data: Uint8Array): ServerStep;
  resume?(): ServerStep;
  /** The conversation has ended, or was abandoned. begin() begins a new one. */
  close?(): void;
}

const BROKEN = { kind: "refuse", isBroken: true } as const;
const REFUSED = { kind: "refuse", isBroken: false } as const;

/** True, and said so, when the peer's proof is one we gave out ourselves. */
function isReflected(host: MethodHost, digest: Digest, response: Uint8Array, name: string): boolean {
  const { config, log } = host;
  if (!config.answers.areOurs(digest.proofs(response))) return false;
  log("warn", `EAP: peer ${quoted(name)} sent our own response back`);
  return true;
}

const MD5_LENGTH = 16;

export class Md5Server implements EapServerMethod {
  readonly type = EapType.Md5Challenge;
  readonly state = "MD5Chall";
  readonly #host: MethodHost;
  readonly #digest: Md5Digest;
  #id = 0;
  #challenge = new Uint8Array(0);

  constructor(host: MethodHost) {
    this.#host = host;
    this.#digest = new Md5Digest(host.config.random32);
  }

  begin(id: number): Uint8Array {
    this.#id = id;
    this.#challenge = new Uint8Array(this.#digest.challenge());
    return valueAndName(this.#challenge, this.#host.name);
  }

  take(data: Uint8Array): ServerStep {
    const { config, log } = this.#host;
    if (data.length === 0) {
      log("error", "EAP: received MD5-Response with no data");
      return BROKEN;
    }
    const response = parseValueAndName(data, 0, data.length);
    if (response === undefined || response.value.length !== MD5_LENGTH) {
      log("error", `EAP: MD5-Response with bad length ${data[0]}`);
      return BROKEN;
    }
    const name = nameOf(response.name || (this.#host.identity ?? ""), config);
    if (isReflected(this.#host, this.#digest, response.value, name)) return REFUSED;
    const secret = this.#host.secret(name);
    if (secret === undefined) {
      log("debug", `EAP: no MD5 secret for auth of ${quoted(name)}`);
      return REFUSED;
    }
    const question = { id: this.#id, challenge: this.#challenge, name, secret };
    return this.#digest.judge(question, response.value).accepted ? { kind: "accept", name } : REFUSED;
  }
}

/**
 * A verdict is a Request of its own, which the peer confirms before EAP's. pppd 2.4.9 and 2.5 leave EAP's out and give
 * the verdict another MS-CHAPv2-ID than the challenge, by which their own clients know it again.
 */
export class MsChapV2Server implements EapServerMethod {
  readonly type = EapType.MsChapV2;
  readonly state = "MSCHAPv2Chall";
  readonly #host: MethodHost;
  readonly #digest: MsChapV2;
  #id = 0;
  #challenge = new Uint8Array(0);
  /** What is done when the peer has confirmed the verdict; undefined: there is none yet. */
  #outcome: ServerStep | undefined;

  constructor(host: MethodHost) {
    this.#host = host;
    this.#digest = new MsChapV2(host.config, host.log);
  }

  begin(id: number): Uint8Array {
    this.#id = id;
    this.#challenge = new Uint8Array(this.#digest.challenge());
    this.#outcome = undefined;
    return msPacket(ChapCode.Challenge, id, valueAndName(this.#challenge, this.#host.name));
  }

  take(data: Uint8Array): ServerStep {
    const { log } = this.#host;
    const opcode = data[0];
    switch (opcode) {
      case undefined:
        log("error", "EAP: received MSCHAPv2 with no data");
        return BROKEN;
      case ChapCode.Response:
        return this.#judge(data);
      case ChapCode.Success:
      case ChapCode.Failure: {
        if (this.#outcome === undefined) return this.#unexpected();
        log("info", `EAP: MSCHAPv2 ${opcode === ChapCode.Success ? "success" : "failure"} confirmed`);
        // It may also be we who did not prove ourselves.
        return opcode === ChapCode.Success ? this.#outcome : REFUSED;
      }
      default:
        log("error", `EAP: Unhandled MSCHAPv2 opcode ${opcode}`);
        return BROKEN;
    }
  }

  #unexpected(): ServerStep {
    this.#host.log("error", "EAP: unexpected MSCHAPv2-Response");
    return BROKEN;
  }

  #judge(data: Uint8Array): ServerStep {
    const { config, log } = this.#host;
    if (this.#outcome !== undefined) return this.#unexpected();
    const response = parseValueAndName(data, MS_HEADER, data.length);
    if (response === undefined || response.value.length !== MS_RESPONSE) {
      log("error", `EAP: Invalid MSCHAPv2-Response length ${data[MS_HEADER] ?? 0}`);
      return BROKEN;
    }
    const name = clientNameOf(response.name || (this.#host.identity ?? ""), config);
    const { accepted, message, mppe } = this.#verdict(response.value, name);
    if (accepted) {
      log("info", `EAP: MSCHAPv2 success for peer ${quoted(name)}`);
      this.#outcome = mppe === undefined ? { kind: "accept", name } : { kind: "accept", name, mppe };
    } else {
      log("warn", `EAP: MSCHAPv2 failure for peer ${quoted(name)}`);
      this.#outcome = REFUSED;
    }
    const code = accepted ? ChapCode.Success : ChapCode.Failure;
    return { kind: "ask", data: msPacket(code, this.#id, bytesOf(message)) };
  }

  #verdict(response: Uint8Array, name: string): ReturnType<Digest["judge"]> {
    const challenge = this.#challenge;
    const refused = { accepted: false, message: this.#digest.refusal(challenge) };
    if (isReflected(this.#host, this.#digest, response, name)) return refused;
    const secret = this.#host.secret(name);
    if (secret === undefined) {
      this.#host.log("error", `No CHAP secret found for authenticating ${quoted(name)}`);
      return refused;
    }
    return this.#digest.judge({ id: this.#id, challenge, name, secret }, response);
  }
}
