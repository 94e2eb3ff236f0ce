// The server's side of EAP (RFC 3748 §4): asks the peer for its name, then for its proof.

import { bytesOf, textOf } from "../bytes/text.ts";
import { EapCode, type EapPacket, EapType, putEap, putEapResult } from "../wire/eap.ts";
import { Protocol } from "../wire/protocols.ts";
import type { AuthLower, MppeMaterial } from "./digest.ts";
import {
  type EapServerMethod,
  Md5Server,
  type MethodHost,
  MsChapV2Server,
  NO_ALTERNATIVE,
  type ServerStep,
} from "./eap-methods.ts";
import type { EapConfig } from "./eap-config.ts";
import { nameOf, quoted } from "./names.ts";

export interface EapServerOwner {
  /** The secret of the peer of that name. Undefined: there is none. */
  eapPeerSecret(name: string): string | undefined;
  /**
   * Reports that the peer is accepted under the name it proved, again after each later proof; or that it is refused,
   * after which nothing follows. The owner may call stop() in it.
   */
  eapPeerDone(accepted: boolean, name: string | undefined, mppe: MppeMaterial | undefined, now: number): void;
}

const IDENTIFY = { type: EapType.Identity, data: bytesOf("Name") };

export class EapServer {
  readonly #config: EapConfig;
  readonly #lower: AuthLower;
  readonly #owner: EapServerOwner;
  #state: "closed" | "identify" | "method" | "accepted" | "refused" = "closed";
  #name = "";
  /** The name that the peer gave. It proves nothing. */
  #identity = "";
  #id: number;
  #requests = 0;
  #responses = 0;
  #method: EapServerMethod | undefined;
  /** The method is still working on a Response. */
  #pending = false;
  #request: { type: number; data: Uint8Array } = IDENTIFY;

  constructor(config: EapConfig, lower: AuthLower, owner: EapServerOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
    this.#id = config.random32() & 0xff;
  }

  /** Starts after LCP has agreed that the peer authenticates with EAP. `name` is our name. */
  start(name: string, now: number): void {
    const { remotename, remotenameGiven } = this.#config;
    this.#name = name;
    this.#responses = this.#requests = 0;
    this.#method?.close?.();
    this.#method = undefined;
    if (remotenameGiven) {
      // remotename already gives the peer's name, so we do not ask for it.
      this.#identity = remotename;
      this.#begin(this.#first(), "Identify");
    } else {
      this.#state = "identify";
      this.#request = IDENTIFY;
    }
    this.#send(now);
  }

  stop(): void {
    this.#end("closed");
  }

  #end(state: "closed" | "accepted" | "refused"): void {
    this.#state = state;
    this.#pending = false;
    this.#method?.close?.();
    this.#config.answers.unwatch();
    this.#lower.wakeAt(Infinity);
  }

  /** The first method to try. */
  #first(): EapServerMethod {
    const { serverMethod } = this.#config;
    const host = this.#host();
    if (serverMethod !== undefined && this.#owner.eapPeerSecret(this.#identity) === undefined)
      return serverMethod.make(host);
    return new Md5Server(host);
  }

  #host(): MethodHost {
    return {
      config: this.#config,
      name: this.#name,
      secret: (name) => this.#owner.eapPeerSecret(name),
      log: (level, text) => this.#lower.log(level, text),
      identity: this.#identity,
      packetRoom: this.#config.packetRoom(),
    };
  }

  /**
   * Switches to a method. `id` is the identifier of its first Request; `from` is the old state's name, if it is to be
   * logged.
   */
  #begin(method: EapServerMethod, from?: string, id = this.#id): void {
    if (this.#method !== method) this.#method?.close?.();
    this.#method = method;
    this.#state = "method";
    this.#config.answers.watch();
    this.#request = { type: method.type, data: method.begin(id) };
    if (from !== undefined) this.#trace(from, method.state);
  }

  #trace(from: string, to: string): void {
    this.#lower.log("debug", `EAP id=0x${this.#id.toString(16).padStart(2)} '${from}' -> '${to}'`);
  }

  #next(now: number): void {
    this.#id = (this.#id + 1) & 0xff;
    this.#send(now);
  }

  #send(now: number): void {
    const { maxRequests, restartMs } = this.#config;
    if (maxRequests > 0 && this.#requests >= maxRequests) {
      const tooMany = this.#responses > 0;
      this.#lower.log("error", tooMany ? "EAP: too many Requests sent" : "EAP: no response to Requests");
      this.#refuse(now);
      return;
    }
    this.#requests++;
    const { type, data } = this.#request;
    this.#lower.send(Protocol.EAP, (buf, at) => putEap(buf, at, EapCode.Request, this.#id, type, data));
    this.#lower.wakeAt(restartMs > 0 ? now + restartMs : Infinity);
  }

  timeout(now: number): void {
    switch (this.#state) {
      case "closed":
      case "refused":
        return;
      case "accepted":
        this.#again(now);
        return;
      // Send the same Request with the same identifier (RFC 3748 §4.1). pppd makes a new challenge.
      case "identify":
      case "method":
        this.#send(now);
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** Asks again. The peer's name is known, so the method it used before starts at once. */
  #again(now: number): void {
    this.#requests = 0;
    this.#begin(this.#method ?? this.#first(), "Identify", (this.#id + 1) & 0xff);
    this.#next(now);
  }

  receive(packet: EapPacket, now: number): void {
    if (packet.code !== EapCode.Response) return;
    if ((this.#state !== "identify" && this.#state !== "method") || this.#pending) return;
    const { id, type, data } = packet;
    if (id !== this.#id) {
      this.#lower.log("debug", `EAP: discarding Response ${id}; expected ID ${this.#id}`);
      return;
    }
    this.#responses++;
    switch (type) {
      case EapType.Identity:
        this.#identified(textOf(data), now);
        return;
      case EapType.Notification:
        this.#lower.log("debug", "EAP unexpected Notification; response discarded");
        return;
      case EapType.Nak:
        this.#nak(data, now);
        return;
      default:
        this.#take(type, data, now);
    }
  }

  #identified(said: string, now: number): void {
    if (this.#state !== "identify") {
      // pppd leaves the name empty as well.
      this.#lower.log("debug", 'EAP discarding unwanted Identify ""');
      return;
    }
    this.#lower.log("info", `EAP: unauthenticated peer name "${quoted(said)}"`);
    this.#identity = nameOf(said, this.#config);
    this.#begin(this.#first(), "Identify", (this.#id + 1) & 0xff);
    this.#next(now);
  }

  /** The peer wants another method. If it lists several (RFC 3748 §5.3.1), take the first one that we have. */
  #nak(data: Uint8Array, now: number): void {
    if (data.length === 0) {
      this.#lower.log("info", "EAP: Nak Response with no suggested protocol");
      this.#break(now);
      return;
    }
    // A peer may not refuse to give its name.
    if (this.#state === "identify") {
      this.#break(now);
      return;
    }
    const wanted = data.find((type) => this.#has(type));
    // pppd up to 2.4.9 suggests SRP when it has no secret.
    if (wanted === undefined && data[0] !== EapType.Srp)
      this.#lower.log("debug", `EAP: peer requesting unknown Type ${data[0]}`);
    if (wanted === undefined && data[0] === NO_ALTERNATIVE) {
      this.#break(now);
      return;
    }
    if (wanted === EapType.MsChapV2) this.#lower.log("info", "EAP: peer proposes MSCHAPv2");
    const method = wanted === undefined ? this.#first() : this.#make(wanted);
    this.#begin(method, wanted === undefined ? "Identify" : undefined, (this.#id + 1) & 0xff);
    this.#next(now);
  }

  #has(type: number): boolean {
    return type === EapType.Md5Challenge || type === EapType.MsChapV2 || type === this.#config.serverMethod?.type;
  }

  #make(type: number): EapServerMethod {
    const { serverMethod } = this.#config;
    if (serverMethod?.type === type) return serverMethod.make(this.#host());
    return type === EapType.MsChapV2 ? new MsChapV2Server(this.#host()) : new Md5Server(this.#host());
  }

  #take(type: number, data: Uint8Array, now: number): void {
    const method = this.#method;
    if (this.#state !== "method" || method === undefined || method.type !== type) {
      this.#unexpected(type, now);
      return;
    }
    this.#follow(method, method.take(data), now);
  }

  /** Call this when the method may have finished its work. */
  resume(now: number): void {
    if (!this.#pending || this.#method?.resume === undefined) return;
    this.#pending = false;
    this.#follow(this.#method, this.#method.resume(), now);
  }

  #follow(method: EapServerMethod, step: ServerStep, now: number): void {
    switch (step.kind) {
      case "ignore":
        return;
      case "ask":
        this.#request = { type: method.type, data: step.data };
        this.#next(now);
        return;
      case "refuse":
        if (step.isBroken) this.#break(now);
        else this.#refuse(now);
        return;
      case "accept":
        this.#accept(step.name, step.mppe, method.state, now);
        return;
      case "pending":
        this.#pending = true;
        return;
      default:
        step satisfies never;
    }
  }

  #unexpected(type: number, now: number): void {
    if (type === EapType.Md5Challenge) this.#lower.log("error", "EAP: unexpected MD5-Response");
    else if (type === EapType.MsChapV2) this.#lower.log("error", "EAP: unexpected MSCHAPv2-Response");
    else {
      this.#lower.log("error", `EAP: unknown Response type ${type}; ignored`);
      return;
    }
    this.#break(now);
  }

  #accept(name: string, mppe: MppeMaterial | undefined, from: string, now: number): void {
    const { intervalMs } = this.#config;
    this.#end("accepted");
    this.#sendResult(EapCode.Success);
    if (intervalMs > 0) this.#lower.wakeAt(now + intervalMs);
    this.#owner.eapPeerDone(true, name, mppe, now);
    this.#trace(from, "Open");
  }

  /** Ends the conversation, because the peer violates the protocol. */
  #break(now: number): void {
    const from = this.#state === "identify" ? "Identify" : (this.#method?.state ?? "Identify");
    this.#refuse(now);
    // In pppd the link, and EAP with it, is closed at this point.
    this.#trace(from, "Initial");
  }

  #refuse(now: number): void {
    this.#end("refused");
    this.#sendResult(EapCode.Failure);
    this.#owner.eapPeerDone(false, undefined, undefined, now);
  }

  #sendResult(code: typeof EapCode.Success | typeof EapCode.Failure): void {
    this.#id = (this.#id + 1) & 0xff;
    this.#lower.send(Protocol.EAP, (buf, at) => putEapResult(buf, at, code, this.#id));
  }

  /** The peer agreed to EAP and now rejects the protocol. */
  rejected(now: number): void {
    if (this.#state !== "identify" && this.#state !== "method") return;
    this.#end("refused");
    this.#lower.log("error", "EAP authentication of peer failed on Protocol-Reject");
    this.#owner.eapPeerDone(false, undefined, undefined, now);
  }
}
