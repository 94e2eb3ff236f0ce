// The methods of EAP in both roles: MD5-Challenge (RFC 3748 §5.4) and MSCHAPv2 (draft-kamath-pppext-eap-mschapv2). They
// use digest.ts and mschap.ts. EAP itself is in eap-client.ts and eap-server.ts. TLS is in eap-tls.ts.

import { put16, put8, putBytes, u16 } from "../bytes/be.ts";
import { bytesOf, textOf } from "../bytes/text.ts";
import { ChapCode, parseValueAndName, putValueAndName } from "../wire/chap.ts";
import { EapType } from "../wire/eap.ts";
import type { Answers } from "./answers.ts";
import { type AuthLower, type Digest, Md5Digest, type MppeMaterial } from "./digest.ts";
import { MS_RESPONSE, MS_V2_CHALLENGE, type MsChapConfig, MsChapV2 } from "./mschap.ts";
import { clientNameOf, nameOf, type Names, quoted, visible } from "./names.ts";

/** The services that a method uses. The data of its packets is the part behind the type. */
export interface MethodHost {
  readonly config: Names & MsChapConfig & { readonly answers: Answers };
  /** Our name in this role. */
  readonly name: string;
  /** As client, our secret for that server. As server, the secret of that peer. Undefined: there is none. */
  secret(name: string): string | undefined;
  log: AuthLower["log"];
  /** As server: the identity that the peer gave, for methods whose proof has no name. */
  readonly identity?: string;
  /** The longest EAP packet that the peer accepts, in octets. */
  readonly packetRoom: number;
}

/**
 * In a Nak: none of the methods is acceptable (RFC 3748 §5.3.1). pppd up to 2.4.9 suggests SRP, which is not in use.
 */
export const NO_ALTERNATIVE = 0;

// ── client ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The client method's progress after an answer. "unfinished": the server has still to prove something, so a Success is
 * not valid. "finished": a Success may come. "failed": the server refused us. "refused": the server did not prove its
 * identity.
 */
export type ClientStands = "unfinished" | "finished" | "failed" | "refused";

/** The client method's reaction to a Request. */
export type ClientStep =
  | {
      readonly kind: "answer";
      readonly data: Uint8Array;
      readonly stands: ClientStands;
      readonly mppe?: MppeMaterial;
    }
  /** We want another method: we have no secret, or the Request makes no sense. */
  | { readonly kind: "nak"; readonly hasSecret: boolean }
  | { readonly kind: "ignore" }
  /** The method needs time. resume() returns the reaction later. */
  | { readonly kind: "pending" };

export interface EapClientMethod {
  readonly type: number;
  take(id: number, data: Uint8Array): ClientStep;
  resume?(): ClientStep;
  /** Called when the conversation has ended or is abandoned. A new one may follow. */
  close?(): void;
}

const IGNORE = { kind: "ignore" } as const;
/** pppd accepts no shorter MD5 challenge. */
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

/** The data of a Request or of a Response to a challenge. `body` is the content of the CHAP packet. */
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

/** The server method's reaction to a Response. */
export type ServerStep =
  /** Send the next Request. */
  | { readonly kind: "ask"; readonly data: Uint8Array }
  | { readonly kind: "accept"; readonly name: string; readonly mppe?: MppeMaterial }
  /** Refuse the peer: its proof is wrong, or (`isBroken`) its packet is not a Response of this method. */
  | { readonly kind: "refuse"; readonly isBroken: boolean }
  | { readonly kind: "ignore" }
  /** The method needs time. resume() returns the reaction later. */
  | { readonly kind: "pending" };

export interface EapServerMethod {
  readonly type: number;
  /** pppd's name for the state in which the method's Response is awaited. */
  readonly state: string;
  /** The data of the first Request. `id` is its identifier. */
  begin(id: number): Uint8Array;
  take(data: Uint8Array): ServerStep;
  resume?(): ServerStep;
  /** Called when the conversation has ended or is abandoned. begin() starts a new one. */
  close?(): void;
}

const BROKEN = { kind: "refuse", isBroken: true } as const;
const REFUSED = { kind: "refuse", isBroken: false } as const;

/** True when the peer's proof is one of our own answers. Logs that. */
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
 * The verdict is a Request of its own, and the peer confirms it before EAP's own Success. pppd 2.4.9 and 2.5 omit EAP's
 * Success. They give the verdict another MS-CHAPv2-ID than the challenge, and their own clients recognize it by that.
 */
export class MsChapV2Server implements EapServerMethod {
  readonly type = EapType.MsChapV2;
  readonly state = "MSCHAPv2Chall";
  readonly #host: MethodHost;
  readonly #digest: MsChapV2;
  #id = 0;
  #challenge = new Uint8Array(0);
  /** What follows when the peer confirms the verdict. Undefined: there is no verdict yet. */
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
        // A Failure can also mean that our own proof failed.
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
