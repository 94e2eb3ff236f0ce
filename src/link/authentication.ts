// The authentication phase: PAP, CHAP or EAP in each direction, and what they have proved (RFC 1661 §3.5). CHAP and EAP
// may authenticate again while the link is up.

import { Answers } from "../auth/answers.ts";
import { ChapClient } from "../auth/chap-client.ts";
import type { ChapConfig } from "../auth/chap-config.ts";
import { ChapServer } from "../auth/chap-server.ts";
import type { MppeMaterial } from "../auth/digest.ts";
import { EapClient } from "../auth/eap-client.ts";
import { EapServer } from "../auth/eap-server.ts";
import { type EapConfig, eapComplaint } from "../auth/eap-config.ts";
import { quoted, textOnly } from "../auth/names.ts";
import { PapClient } from "../auth/pap-client.ts";
import type { PapConfig } from "../auth/pap-config.ts";
import { PapServer } from "../auth/pap-server.ts";
import type { AuthMethod } from "../wire/auth-method.ts";
import type { Lower } from "../control/dialect.ts";
import { mppeMasterKey, mppeStartKeys, mppeStartKeysTls, mppeStartKeyV1 } from "../crypto/mppe-keys.ts";
import { ChapCode, parseChap } from "../wire/chap.ts";
import { EapCode, parseEap } from "../wire/eap.ts";
import { ChapDigest } from "../wire/lcp.ts";
import { parsePap } from "../wire/pap.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Failure, LinkEvent } from "./events.ts";
import type { MppeKeys } from "./compression.ts";
import type { Timer } from "./timers.ts";

/** How we authenticate ourselves. */
export interface Account {
  /** "": the configured name. */
  readonly user: string;
  /** Undefined: there is none. Then PAP takes the configured password. */
  readonly secret: string | undefined;
}

export interface AuthenticationConfig {
  readonly pap: PapConfig;
  readonly chap: Omit<ChapConfig, "answers" | "random32">;
  readonly eap: Omit<EapConfig, "answers" | "random32" | "packetRoom">;
  /** Our name for the peers that authenticate themselves to us. */
  readonly name: string;
  /** Our name for a peer that we authenticate ourselves to. */
  readonly user: string;
  /** Our PAP password, asked for when the peer wants it. Undefined: not known yet; resume() asks again. */
  readonly password: () => string | undefined;
  /** Our secret for a server, found by its name, and the secret of a peer, found by its name. Undefined: none. */
  readonly ourSecret: (server: string) => string | undefined;
  readonly peerSecret: (client: string) => string | undefined;
  /** Our name and secret from somebody who is asked, in place of the configured ones. Undefined: as for `password`. */
  readonly account?: (() => Account | undefined) | undefined;
}

export interface AuthenticationHost {
  lower(timer: Timer): Lower;
  random32(): number;
  /** Octets of the longest packet that the peer takes. */
  packetRoom(): number;
  emit(event: LinkEvent): void;
  /** All authentication that was agreed on has succeeded. */
  proved(now: number): void;
  /** An authentication failed. `reason` is sent to the peer. */
  failed(failure: Failure, reason: string, now: number): void;
}

type AuthTimer = "papClient" | "papServer" | "chapClient" | "chapServer" | "eapClient" | "eapServer";

const DIGESTS = { "chap-md5": ChapDigest.Md5, mschap: ChapDigest.Ms, "mschap-v2": ChapDigest.MsV2 } as const;

/** The digest of a CHAP method. Undefined for other methods. */
function digestOf(method: AuthMethod | undefined): ChapDigest | undefined {
  return method === undefined || method === "pap" || method === "eap" ? undefined : DIGESTS[method];
}

export class Authentication {
  readonly #config: AuthenticationConfig;
  readonly #host: AuthenticationHost;
  readonly #papClient: PapClient;
  readonly #papServer: PapServer;
  readonly #chapClient: ChapClient;
  readonly #chapServer: ChapServer;
  readonly #eapClient: EapClient;
  readonly #eapServer: EapServer;
  readonly #log: Lower["log"];
  /** The sides that still have to authenticate themselves. */
  #owed = new Set<"peer" | "us">();
  #method: AuthMethod = "pap";
  /** The method by which we authenticate ourselves. */
  #answered: AuthMethod | undefined;
  #peerName = "";
  /** The method that we are to authenticate ourselves by, while our name and secret are being asked for. */
  #awaited: AuthMethod | undefined;
  /** The peer's last Request or Challenge of that time. */
  #held: Uint8Array | undefined;
  /** The answer to that question. */
  #account: Account | undefined;
  /** The key material that MS-CHAP or TLS produced in each direction. */
  #ourMppe: MppeMaterial | undefined;
  #peerMppe: MppeMaterial | undefined;

  constructor(config: AuthenticationConfig, host: AuthenticationHost) {
    this.#config = config;
    this.#host = host;
    this.#log = (level, text) => host.lower("papClient").log(level, text);
    const shared = { answers: new Answers(), random32: () => host.random32() };
    const ours = (accepted: boolean, mppe: MppeMaterial | undefined, now: number): void => {
      this.#ourMppe = mppe;
      this.#provedUs(accepted, now);
    };
    const peers = (accepted: boolean, name: string | undefined, mppe: MppeMaterial | undefined, now: number): void => {
      this.#peerMppe = mppe;
      this.#provedPeer(name, accepted, now);
    };
    this.#papClient = new PapClient(config.pap, host.lower("papClient"), (accepted, now) =>
      ours(accepted, undefined, now),
    );
    this.#papServer = new PapServer(config.pap, host.lower("papServer"), {
      papRequest: (user, password) => host.emit({ type: "pap-request", user: textOnly(user), password }),
      papDone: (user, accepted, now) => peers(accepted, user, undefined, now),
    });
    const chap = { ...config.chap, ...shared };
    this.#chapClient = new ChapClient(chap, host.lower("chapClient"), {
      chapSecret: (server) => this.#ourSecret(server),
      chapDone: ours,
    });
    this.#chapServer = new ChapServer(chap, host.lower("chapServer"), {
      chapPeerSecret: config.peerSecret,
      chapPeerDone: peers,
    });
    const eap = { ...config.eap, ...shared, packetRoom: () => host.packetRoom() };
    this.#eapClient = new EapClient(eap, host.lower("eapClient"), {
      eapSecret: (server) => this.#ourSecret(server),
      eapDone: ours,
    });
    this.#eapServer = new EapServer(eap, host.lower("eapServer"), {
      eapPeerSecret: config.peerSecret,
      eapPeerDone: peers,
    });
  }

  /**
   * `demand` is the method of the peer that LCP agreed on, `comply` is ours. `loggedIn` is the name of a peer that
   * authenticated itself before PPP began.
   */
  start(demand: AuthMethod | undefined, comply: AuthMethod | undefined, now: number, loggedIn?: string): void {
    const { name } = this.#config;
    this.#ourMppe = this.#peerMppe = undefined;
    if (demand !== undefined) this.#owed.add("peer");
    if (comply !== undefined) this.#owed.add("us");
    this.#method = demand ?? "pap";
    this.#answered = comply;
    this.#peerName = loggedIn ?? "";
    if (loggedIn !== undefined) this.#host.emit({ type: "peer-authenticated", name: loggedIn, method: "login" });
    if (demand === "pap") this.#papServer.start(now);
    if (demand === "eap") this.#eapServer.start(name, now);
    const asked = digestOf(demand);
    if (asked !== undefined) this.#chapServer.start(asked, name, now);
    if (comply !== undefined) this.#startOurs(comply, now);
    if (this.#owed.size === 0) this.#host.proved(now);
  }

  /** Begins to authenticate ourselves, or waits until our name and secret are known. */
  #startOurs(method: AuthMethod, now: number): void {
    const { account, password } = this.#config;
    this.#awaited = method;
    this.#account = account?.();
    if (account !== undefined && this.#account === undefined) return;
    const user = this.#account?.user || this.#config.user;
    const digest = digestOf(method);
    if (method === "pap") {
      const known = this.#account?.secret ?? password();
      if (known === undefined) return;
      this.#papClient.start(user, known, now);
    } else if (digest !== undefined) this.#chapClient.start(digest, user, now);
    else this.#eapClient.start(user, now);
    this.#awaited = undefined;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.receive(method === "eap" ? Protocol.EAP : Protocol.CHAP, held, 0, held.length, now);
  }

  #ourSecret(server: string): string | undefined {
    return this.#config.account === undefined ? this.#config.ourSecret(server) : this.#account?.secret;
  }

  stop(): void {
    this.#awaited = this.#held = this.#account = undefined;
    this.#papClient.stop();
    this.#papServer.stop();
    this.#chapClient.stop();
    this.#chapServer.stop();
    this.#eapClient.stop();
    this.#eapServer.stop();
    this.#owed.clear();
  }

  /** The authenticated name of the peer. "" when it has none. */
  get peerName(): string {
    return this.#peerName;
  }

  /** The keys for MPPE. "both" when authentication produced keys in both directions, so the choice is ambiguous. */
  mppeKeys(): MppeKeys | "both" | undefined {
    if (this.#ourMppe !== undefined && this.#peerMppe !== undefined) return "both";
    const material = this.#ourMppe ?? this.#peerMppe;
    if (material === undefined) return undefined;
    if (material.version === "tls") {
      const { send, receive } = mppeStartKeysTls(material.masterKey, material.isServer);
      return { version: 2, transmit: send, receive };
    }
    const { version, passwordHashHash, ntResponse, challenge, isServer } = material;
    if (version === 1) {
      const key = mppeStartKeyV1(passwordHashHash, challenge);
      return { version, transmit: key, receive: key };
    }
    const { send, receive } = mppeStartKeys(mppeMasterKey(passwordHashHash, ntResponse), isServer);
    return { version, transmit: send, receive };
  }

  speaks(protocol: number): boolean {
    return protocol === Protocol.PAP || protocol === Protocol.CHAP || protocol === Protocol.EAP;
  }

  /** Handles a packet. False: it is not of a protocol of this phase. */
  receive(protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    switch (protocol) {
      case Protocol.PAP: {
        const pap = parsePap(packet, start, end);
        if (pap === undefined) return true;
        this.#papClient.receive(pap, now);
        this.#papServer.receive(pap, now);
        return true;
      }
      case Protocol.CHAP: {
        const chap = parseChap(packet, start, end);
        if (chap === undefined) return true;
        if (chap.code === ChapCode.Challenge && this.#awaited !== undefined) this.#held = packet.slice(start, end);
        this.#chapClient.receive(chap, now);
        this.#chapServer.receive(chap, now);
        return true;
      }
      case Protocol.EAP: {
        const eap = parseEap(packet, start, end);
        if (eap === undefined) {
          const { level, text } = eapComplaint(packet, start, end);
          this.#log(level, text);
          return true;
        }
        if (eap.code === EapCode.Request && this.#awaited !== undefined) this.#held = packet.slice(start, end);
        this.#eapClient.receive(eap, now);
        this.#eapServer.receive(eap, now);
        return true;
      }
      default:
        return false;
    }
  }

  /** The peer already sends network protocols, so it considers authentication complete. */
  heardNetwork(now: number): void {
    this.#eapClient.heardNetwork(now);
  }

  timeout(timer: AuthTimer, now: number): void {
    switch (timer) {
      case "papClient":
        return this.#papClient.timeout(now);
      case "papServer":
        return this.#papServer.timeout(now);
      case "chapClient":
        return this.#chapClient.timeout(now);
      case "chapServer":
        return this.#chapServer.timeout(now);
      case "eapClient":
        return this.#eapClient.timeout(now);
      case "eapServer":
        return this.#eapServer.timeout(now);
    }
  }

  /** Continues an authentication that waited: for an EAP method, the judge of CHAP, or our password. */
  resume(now: number): void {
    if (this.#awaited !== undefined) this.#startOurs(this.#awaited, now);
    this.#chapServer.resume(now);
    this.#eapClient.resume(now);
    this.#eapServer.resume(now);
  }

  /** The owner's answer to a pap-request. `message` is shown to the peer's user. */
  papVerdict(accepted: boolean, message: string, now: number): void {
    this.#papServer.verdict(accepted, message, now);
  }

  /** The peer agreed to a protocol and now rejects it. */
  protocolRejected(protocol: number, now: number): void {
    if (protocol === Protocol.CHAP) {
      this.#chapClient.rejected(now);
      this.#chapServer.rejected(now);
    } else if (protocol === Protocol.EAP) {
      this.#eapClient.rejected(now);
      this.#eapServer.rejected(now);
    } else if (protocol === Protocol.PAP) this.#papRejected(now);
  }

  #papRejected(now: number): void {
    if (this.#answered === "pap" && this.#owed.has("us")) {
      this.#log("error", "PAP authentication failed due to protocol-reject");
      this.#papClient.stop();
      this.#provedUs(false, now);
    }
    if (this.#method === "pap" && this.#owed.has("peer")) {
      this.#log("error", "PAP authentication of peer failed (protocol-reject)");
      this.#papServer.stop();
      this.#provedPeer(undefined, false, now);
    }
  }

  #provedUs(accepted: boolean, now: number): void {
    const isFirst = this.#owed.delete("us");
    if (!accepted) this.#host.failed("we-not-authenticated", "Failed to authenticate ourselves to peer", now);
    else if (isFirst && this.#owed.size === 0) this.#host.proved(now);
  }

  #provedPeer(user: string | undefined, accepted: boolean, now: number): void {
    const isFirst = this.#owed.delete("peer");
    if (!accepted) {
      this.#host.failed("peer-not-authenticated", "Authentication failed", now);
      return;
    }
    if (!isFirst) return;
    const name = (this.#peerName = textOnly(user ?? ""));
    // pppd has this message since 2.5.1.
    this.#log("notice", `Peer ${quoted(name)} authenticated with ${protocolName(this.#method)}`);
    this.#host.emit({ type: "peer-authenticated", name, method: this.#method });
    if (this.#owed.size === 0) this.#host.proved(now);
  }
}

/** MS-CHAP is CHAP with another digest. */
function protocolName(method: AuthMethod): "PAP" | "CHAP" | "EAP" {
  return method === "pap" ? "PAP" : method === "eap" ? "EAP" : "CHAP";
}
