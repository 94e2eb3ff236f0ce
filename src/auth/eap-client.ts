// The client's side of EAP (RFC 3748 §4): answering Requests until a Success or Failure comes.

import { bytesOf, textOf } from "../bytes/text.ts";
import { EapCode, type EapPacket, EapType, putEap } from "../wire/eap.ts";
import { Protocol } from "../wire/protocols.ts";
import type { AuthLower, LogLine, MppeMaterial } from "./digest.ts";
import {
  type ClientStands,
  type ClientStep,
  type EapClientMethod,
  Md5Client,
  type MethodHost,
  MsChapV2Client,
  NO_ALTERNATIVE,
} from "./eap-methods.ts";
import type { EapConfig } from "./eap-config.ts";
import { quoted } from "./names.ts";

export interface EapClientOwner {
  /** Our secret for the server of that name. Undefined: there is none. */
  eapSecret(server: string): string | undefined;
  /**
   * Reports that we are accepted, at each Success from the server; or that we are refused, after which nothing follows.
   * The owner may call stop() in it.
   */
  eapDone(accepted: boolean, mppe: MppeMaterial | undefined, now: number): void;
}

interface Answered {
  readonly id: number;
  readonly type: number;
  readonly data: Uint8Array;
  readonly answerType: number;
  readonly answer: Uint8Array;
}

const NOTHING = new Uint8Array(0);
/** pppd's names and numbers of the client's states, for log lines. */
const CLIENT_STATES = { closed: "Closed (2)", listening: "Listen (3)", accepted: "Open (20)", refused: "BadAuth (22)" };

export class EapClient {
  readonly #config: EapConfig;
  readonly #lower: AuthLower;
  readonly #owner: EapClientOwner;
  #state: keyof typeof CLIENT_STATES = "closed";
  #user = "";
  #requests = 0;
  #method: EapClientMethod | undefined;
  /** The method's progress. Without a method, the server may accept us at once. */
  #stands: "none" | "unfinished" | "finished" = "none";
  #mppe: MppeMaterial | undefined;
  /** A repeated Request gets the same answer (RFC 3748 §4.1). */
  #last: Answered | undefined;
  /** The Request that the method is still working on. */
  #pending: { readonly id: number; readonly type: number; readonly data: Uint8Array } | undefined;

  constructor(config: EapConfig, lower: AuthLower, owner: EapClientOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
  }

  /** Starts after LCP has agreed that we authenticate with EAP. */
  start(user: string, now: number): void {
    this.#user = user;
    this.#state = "listening";
    this.#requests = 0;
    this.#forget();
    this.#wait(now);
  }

  stop(): void {
    this.#end("closed");
  }

  #end(state: "closed" | "accepted" | "refused"): void {
    this.#state = state;
    this.#pending = undefined;
    this.#method?.close?.();
    this.#lower.wakeAt(Infinity);
  }

  #forget(): void {
    this.#method?.close?.();
    this.#method = this.#mppe = this.#last = undefined;
    this.#stands = "none";
  }

  #wait(now: number): void {
    const { timeoutMs } = this.#config;
    if (this.#state === "listening") this.#lower.wakeAt(timeoutMs > 0 ? now + timeoutMs : Infinity);
  }

  timeout(now: number): void {
    if (this.#state === "listening") this.#fail(now, "error", "EAP: timeout waiting for Request from peer");
  }

  #fail(now: number, level: LogLine["level"], text: string): void {
    this.#end("refused");
    this.#lower.log(level, text);
    this.#owner.eapDone(false, undefined, now);
  }

  receive(packet: EapPacket, now: number): void {
    switch (packet.code) {
      case EapCode.Request:
        if (this.#state === "listening" || this.#state === "accepted") this.#request(packet, now);
        return;
      case EapCode.Success:
        this.#success(now);
        return;
      case EapCode.Failure:
        if (this.#state === "listening" || this.#state === "accepted")
          this.#fail(now, "error", "EAP: peer reports authentication failure");
        return;
      case EapCode.Response:
        return;
      default:
        packet satisfies never;
    }
  }

  #request({ id, type, data }: { id: number; type: number; data: Uint8Array }, now: number): void {
    const { maxReceived } = this.#config;
    this.#requests++;
    if (maxReceived > 0 && this.#requests > maxReceived) {
      this.#fail(now, "info", "EAP: received too many Request messages");
      return;
    }
    // The server repeats this Request or sends the next one later.
    if (this.#pending !== undefined) return;
    const last = this.#last;
    if (last?.id === id && last.type === type && sameOctets(last.data, data)) {
      this.#send(id, last.answerType, last.answer);
      this.#wait(now);
      return;
    }
    switch (type) {
      case EapType.Identity:
        if (data.length > 0) this.#lower.log("info", `EAP: Identity prompt "${quoted(textOf(data))}"`);
        this.#answer(id, type, data, type, bytesOf(this.#user), now);
        return;
      case EapType.Notification:
        if (data.length > 0) this.#lower.log("info", `EAP: Notification "${quoted(textOf(data))}"`);
        this.#answer(id, type, data, type, NOTHING, now);
        return;
      case EapType.Nak:
        // Answering a Nak could only cause trouble.
        this.#lower.log("warn", "EAP: unexpected Nak in Request; ignored");
        return;
      default:
        this.#proceed(id, type, data, now);
    }
  }

  #proceed(id: number, type: number, data: Uint8Array, now: number): void {
    const method = this.#methodOf(type);
    if (method === undefined) {
      this.#lower.log("info", `EAP: unknown authentication type ${type}; Naking`);
      this.#answer(id, type, data, EapType.Nak, this.#wanted(type, true), now);
      return;
    }
    this.#follow(method.take(id, data), id, type, data, now);
  }

  /** Call this when the method may have finished its work. */
  resume(now: number): void {
    const pending = this.#pending;
    if (pending === undefined || this.#method?.resume === undefined) return;
    this.#pending = undefined;
    this.#follow(this.#method.resume(), pending.id, pending.type, pending.data, now);
  }

  #follow(step: ClientStep, id: number, type: number, data: Uint8Array, now: number): void {
    switch (step.kind) {
      case "ignore":
        return;
      case "nak":
        this.#answer(id, type, data, EapType.Nak, this.#wanted(type, step.hasSecret), now);
        return;
      case "answer":
        this.#answer(id, type, data, type, step.data, now);
        this.#stand(step.stands, step.mppe, now);
        return;
      case "pending":
        this.#pending = { id, type, data };
        this.#stands = "unfinished";
        return;
      default:
        step satisfies never;
    }
  }

  #stand(stands: ClientStands, mppe: MppeMaterial | undefined, now: number): void {
    switch (stands) {
      case "unfinished":
      case "finished":
        this.#stands = stands;
        this.#mppe = mppe;
        return;
      // Do not wait for the Failure packet: it may be lost, and pppd sends none.
      case "failed":
        this.#fail(now, "error", "EAP: peer reports authentication failure");
        return;
      case "refused":
        this.#end("refused");
        this.#owner.eapDone(false, undefined, now);
        return;
      default:
        stands satisfies never;
    }
  }

  /** The method keeps state, so it is reused while the server stays with it. */
  #methodOf(type: number): EapClientMethod | undefined {
    if (this.#method?.type === type) return this.#method;
    const made = this.#make(type);
    if (made === undefined) return undefined;
    this.#method?.close?.();
    this.#method = made;
    return made;
  }

  #make(type: number): EapClientMethod | undefined {
    const { clientMethod } = this.#config;
    const host: MethodHost = {
      config: this.#config,
      name: this.#user,
      secret: (server) => this.#owner.eapSecret(server),
      log: (level, text) => this.#lower.log(level, text),
      packetRoom: this.#config.packetRoom(),
    };
    if (clientMethod?.type === type) return clientMethod.make(host);
    if (type === EapType.MsChapV2) return new MsChapV2Client(host);
    if (type === EapType.Md5Challenge) return new Md5Client(host);
    return undefined;
  }

  /** The types that our Nak suggests, the best first. Servers of RFC 2284 read only one. */
  #wanted(type: number, hasSecret: boolean): Uint8Array {
    const { clientMethod } = this.#config;
    const types: number[] = clientMethod === undefined ? [] : [clientMethod.type];
    if (hasSecret) types.push(EapType.MsChapV2, EapType.Md5Challenge);
    const others = types.filter((other) => other !== type);
    return Uint8Array.from(others.length > 0 ? others : [NO_ALTERNATIVE]);
  }

  #answer(id: number, type: number, data: Uint8Array, answerType: number, answer: Uint8Array, now: number): void {
    this.#last = { id, type, data, answerType, answer };
    this.#send(id, answerType, answer);
    this.#wait(now);
  }

  #send(id: number, type: number, data: Uint8Array): void {
    this.#lower.send(Protocol.EAP, (buf, at) => putEap(buf, at, EapCode.Response, id, type, data));
  }

  #success(now: number): void {
    const isDue = this.#state === "listening" || this.#state === "accepted";
    if (!isDue || this.#stands === "unfinished") {
      this.#lower.log("debug", `EAP unexpected success message in state ${CLIENT_STATES[this.#state]}`);
      return;
    }
    const mppe = this.#mppe;
    this.#end("accepted");
    // pppd keeps counting. With eap-interval it would give up after 20 Requests.
    this.#requests = 0;
    this.#lower.log("notice", "EAP authentication succeeded");
    this.#owner.eapDone(true, mppe, now);
  }

  /**
   * The server has sent network protocols, so it has accepted us. A Success is sent only once. If our method is
   * finished, the Success was lost (RFC 3748 §4.2) or omitted, as pppd does after MSCHAPv2.
   */
  heardNetwork(now: number): void {
    if (this.#state === "listening" && this.#stands === "finished") this.#success(now);
  }

  /** The peer asked for EAP and now rejects the protocol. */
  rejected(now: number): void {
    if (this.#state === "listening") this.#fail(now, "error", "EAP authentication failed due to Protocol-Reject");
  }
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, at) => octet === b[at]);
}
