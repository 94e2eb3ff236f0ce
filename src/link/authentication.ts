// The authentication phase: who must prove to whom who it is, with PAP, CHAP or EAP, and what has been proved
// (RFC 1661 §3.5).

import { PapClient, type PapConfig, PapServer } from "../auth/pap.ts";
import type { AuthMethod } from "../control/lcp.ts";
import type { Lower } from "../control/negotiator.ts";
import { parsePap } from "../wire/pap.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Failure, LinkEvent } from "./events.ts";
import type { Timer } from "./timers.ts";

export interface AuthenticationConfig {
  readonly pap: PapConfig;
  /** Who we say we are, and our password: asked for when the peer wants it. */
  readonly user: string;
  readonly password: () => string;
}

export interface AuthenticationHost {
  lower(timer: Timer): Lower;
  emit(event: LinkEvent): void;
  /** All that was asked for is proved. */
  proved(now: number): void;
  /** Somebody could not prove who it is; `reason` is told to the peer. */
  failed(failure: Failure, reason: string, now: number): void;
}

export class Authentication {
  readonly #config: AuthenticationConfig;
  readonly #host: AuthenticationHost;
  readonly #papClient: PapClient;
  readonly #papServer: PapServer;
  /** Proofs still owed: by the peer to us, by us to the peer. */
  #owed = new Set<"peer" | "us">();
  #method: AuthMethod = "pap";

  constructor(config: AuthenticationConfig, host: AuthenticationHost) {
    this.#config = config;
    this.#host = host;
    const { pap } = config;
    this.#papClient = new PapClient(pap, host.lower("papClient"), (accepted, now) => this.#provedUs(accepted, now));
    this.#papServer = new PapServer(pap, host.lower("papServer"), {
      papRequest: (user, password) => host.emit({ type: "pap-request", user, password }),
      papDone: (user, accepted, now) => this.#provedPeer(user, accepted, now),
    });
  }

  /** `demand` is what the peer agreed to prove itself with, `comply` what we agreed to. */
  start(demand: AuthMethod | undefined, comply: AuthMethod | undefined, now: number): void {
    if (demand !== undefined) this.#owed.add("peer");
    if (comply !== undefined) this.#owed.add("us");
    this.#method = demand ?? "pap";
    if (demand === "pap") this.#papServer.start(now);
    if (comply === "pap") this.#papClient.start(this.#config.user, this.#config.password(), now);
    if (this.#owed.size === 0) this.#host.proved(now);
  }

  stop(): void {
    this.#papClient.stop();
    this.#papServer.stop();
    this.#owed.clear();
  }

  speaks(protocol: number): boolean {
    return protocol === Protocol.PAP;
  }

  /** False: not a protocol of this phase. */
  receive(protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    if (protocol !== Protocol.PAP) return false;
    const pap = parsePap(packet, start, end);
    if (pap === undefined) return true;
    this.#papClient.receive(pap, now);
    this.#papServer.receive(pap, now);
    return true;
  }

  timeout(timer: "papClient" | "papServer", now: number): void {
    if (timer === "papClient") this.#papClient.timeout(now);
    else this.#papServer.timeout(now);
  }

  /** The owner's answer to a pap-request; `message` is for the peer's user. */
  papVerdict(accepted: boolean, message: string, now: number): void {
    this.#papServer.verdict(accepted, message, now);
  }

  /** The peer agreed to a protocol and now knows nothing of it. */
  protocolRejected(protocol: number, now: number): void {
    if (protocol !== Protocol.PAP) return;
    const lower = this.#host.lower("papClient");
    if (this.#owed.has("us")) {
      lower.log("error", "PAP authentication failed due to protocol-reject");
      this.#papClient.stop();
      this.#provedUs(false, now);
    }
    if (this.#owed.has("peer")) {
      lower.log("error", "PAP authentication of peer failed due to protocol-reject");
      this.#papServer.stop();
      this.#provedPeer(undefined, false, now);
    }
  }

  #provedUs(accepted: boolean, now: number): void {
    this.#owed.delete("us");
    if (!accepted) this.#host.failed("we-not-authenticated", "Failed to authenticate ourselves to peer", now);
    else if (this.#owed.size === 0) this.#host.proved(now);
  }

  #provedPeer(user: string | undefined, accepted: boolean, now: number): void {
    this.#owed.delete("peer");
    if (!accepted) {
      this.#host.failed("peer-not-authenticated", "Authentication failed", now);
      return;
    }
    this.#host.emit({ type: "peer-authenticated", name: user ?? "", method: this.#method });
    if (this.#owed.size === 0) this.#host.proved(now);
  }
}
