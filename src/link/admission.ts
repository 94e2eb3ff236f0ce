// The phases between LCP and the network protocols: authentication in both directions, and the callback (RFC 1661
// §3.5).

import { CbcpClient } from "../control/cbcp-client.ts";
import type { Level, Lower } from "../control/dialect.ts";
import type { LcpOptions } from "../control/options/lcp-options.ts";
import { Protocol } from "../wire/protocols.ts";
import { Authentication, type AuthenticationConfig } from "./authentication.ts";
import type { Failure, LinkEvent, Phase } from "./events.ts";
import type { Timer } from "./timers.ts";

export interface AdmissionConfig {
  readonly authentication: AuthenticationConfig;
  /** The peer must authenticate itself. */
  readonly authRequired: boolean;
  /** We authenticate ourselves only to a peer that wants EAP. The second field says whether we can. */
  readonly needPeerEap: boolean;
  readonly canEap: boolean;
  /** The telephone number for a callback. Undefined: we do not ask for a callback. */
  readonly callback: string | undefined;
}

export interface AdmissionHost {
  lower(timer: Timer): Lower;
  emit(event: LinkEvent): void;
  log(level: Level, text: string): void;
  random32(): number;
  /** True when a peer that refused to authenticate itself is admitted all the same. */
  admitsStrangers(): boolean;
  /** Octets of the longest packet that the peer takes. */
  mtu(): number;
  setPhase(phase: Phase): void;
  fail(failure: Failure, reason: string, now: number): void;
  /** Both sides are admitted: the network phase begins. */
  admitted(now: number): void;
}

/**
 * The longest packet of an authentication, however long the peer's packets may be. Certificates take several packets.
 */
const LONGEST_PROOF = 1500;

export class Admission {
  readonly authentication: Authentication;
  readonly #config: AdmissionConfig;
  readonly #host: AdmissionHost;
  readonly #cbcp: CbcpClient | undefined;
  #asksCallback = false;
  /** The name of a peer that authenticated itself before PPP began. */
  #loggedIn: string | undefined;
  /** The magic number of that peer. "none": LCP has not opened yet. */
  #magic: number | undefined | "none" = "none";

  constructor(config: AdmissionConfig, host: AdmissionHost) {
    this.#config = config;
    this.#host = host;
    if (config.callback !== undefined)
      this.#cbcp = new CbcpClient(config.callback, host.lower("lqr"), {
        callbackAgreed: (now) => host.fail("callback", "Call me back, please", now),
        noCallback: (now) => host.admitted(now),
      });
    this.authentication = new Authentication(config.authentication, {
      lower: (timer) => host.lower(timer),
      random32: () => host.random32(),
      packetRoom: () => Math.min(host.mtu(), LONGEST_PROOF),
      emit: (event) => host.emit(event),
      proved: (now) => this.#proved(now),
      failed: (failure, reason, now) => host.fail(failure, reason, now),
    });
  }

  /** The peer has authenticated itself before PPP. Its name need not be proved again. */
  vouch(name: string): void {
    this.#loggedIn = name;
  }

  /** LCP agreed on these options of ours (`got`) and of the peer. */
  start(got: LcpOptions, peer: LcpOptions, now: number): void {
    const { authRequired, needPeerEap, canEap } = this.#config;
    const host = this.#host;
    // Whoever begins LCP anew may be another than the one that has logged in. A repeated request has the same number.
    const isSame = this.#magic === "none" || (peer.magic !== undefined && peer.magic === this.#magic);
    if (this.#loggedIn !== undefined && !isSame) {
      host.log("warn", "peer began anew without a login: terminating link");
      host.fail("peer-not-authenticated", "log in again", now);
      return;
    }
    this.#magic = peer.magic;
    const isKnown = got.auth !== undefined || this.#loggedIn !== undefined;
    if (authRequired && !isKnown && !host.admitsStrangers()) {
      host.log("warn", "peer refused to authenticate: terminating link");
      host.fail("peer-not-authenticated", "peer refused to authenticate", now);
      return;
    }
    if (needPeerEap && peer.auth !== "eap") {
      const problem = canEap
        ? "peer doesn't want to authenticate us with eap"
        : "eap required to authenticate us but no suitable secrets";
      host.log("warn", problem);
      host.fail(canEap ? "peer-not-authenticated" : "we-not-authenticated", "couldn't negotiate eap", now);
      return;
    }
    this.#asksCallback = got.callback;
    host.setPhase("authenticate");
    this.authentication.start(got.auth, peer.auth, now, this.#loggedIn);
  }

  stop(): void {
    this.#cbcp?.stop();
    this.authentication.stop();
  }

  /** Authentication is complete. The callback remains. */
  #proved(now: number): void {
    if (this.#cbcp === undefined || !this.#asksCallback) {
      this.#host.admitted(now);
      return;
    }
    this.#host.setPhase("callback");
    this.#cbcp.start();
  }

  speaks(protocol: number): boolean {
    return (protocol === Protocol.CBCP && this.#cbcp !== undefined) || this.authentication.speaks(protocol);
  }

  /** Handles a packet of authentication or callback. False: it is of another protocol. */
  receive(protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    if (protocol !== Protocol.CBCP || this.#cbcp === undefined)
      return this.authentication.receive(protocol, packet, start, end, now);
    this.#cbcp.receive(packet, start, end, now);
    return true;
  }
}
