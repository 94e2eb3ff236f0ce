// CHAP as the side that gives challenges and judges the answers (RFC 1994 §4).

import { ChapCode, type ChapPacket, putChap, putChapResult } from "../wire/chap.ts";
import type { ChapDigest } from "../wire/lcp.ts";
import { Protocol } from "../wire/protocols.ts";
import { type ChapConfig, digestOf } from "./chap-config.ts";
import { type AuthLower, type Digest, Md5Digest, type MppeMaterial, type Verdict } from "./digest.ts";
import { clientNameOf, shownName } from "./names.ts";

export interface ChapServerOwner {
  /** The secret of the peer of that name. Undefined: there is none. */
  chapPeerSecret(name: string): string | undefined;
  /**
   * Reports that the peer is accepted under that name, again after each later challenge because the keys are new; or
   * that it is refused, after which nothing follows. The name is undefined when the peer gave none. The owner may call
   * stop() in it.
   */
  chapPeerDone(accepted: boolean, name: string | undefined, mppe: MppeMaterial | undefined, now: number): void;
}

const NOTHING: Uint8Array = new Uint8Array(0);

export class ChapServer {
  readonly #config: ChapConfig;
  readonly #lower: AuthLower;
  readonly #owner: ChapServerOwner;
  #state: "closed" | "asking" | "judging" | "accepted" | "refused" = "closed";
  #digest: Digest;
  #name = "";
  /** The response that the judge is checking. */
  #response = NOTHING;
  #peer = "";
  #id = 0;
  #challenge = NOTHING;
  #sent = 0;
  /** The message of the last verdict. */
  #message = "";

  constructor(config: ChapConfig, lower: AuthLower, owner: ChapServerOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
    this.#digest = new Md5Digest(config.random32);
  }

  /** Starts after LCP has agreed that the peer authenticates with this digest. `name` is our name. */
  start(digest: ChapDigest, name: string, now: number): void {
    this.#digest = digestOf(digest, this.#config, this.#lower);
    this.#name = name;
    this.#id = this.#config.random32() & 0xff;
    this.#ask(now);
  }

  stop(): void {
    this.#end("closed");
  }

  #end(state: "closed" | "accepted" | "refused"): void {
    this.#state = state;
    this.#config.answers.unwatch();
    this.#lower.wakeAt(Infinity);
  }

  #ask(now: number): void {
    this.#state = "asking";
    this.#id = (this.#id + 1) & 0xff;
    this.#challenge = this.#digest.challenge();
    this.#sent = 0;
    this.#config.answers.watch();
    this.#sendChallenge(now);
  }

  #sendChallenge(now: number): void {
    this.#sent++;
    this.#lower.send(Protocol.CHAP, (buf, at) =>
      putChap(buf, at, ChapCode.Challenge, this.#id, this.#challenge, this.#name),
    );
    this.#lower.wakeAt(now + this.#config.restartMs);
  }

  timeout(now: number): void {
    switch (this.#state) {
      case "closed":
      case "judging":
      case "refused":
        return;
      case "accepted":
        this.#ask(now);
        return;
      case "asking":
        if (this.#sent < this.#config.maxChallenge) {
          this.#sendChallenge(now);
          return;
        }
        this.#end("refused");
        this.#owner.chapPeerDone(false, undefined, undefined, now);
        return;
      default:
        this.#state satisfies never;
    }
  }

  receive(packet: ChapPacket, now: number): void {
    if (packet.code !== ChapCode.Response || packet.id !== this.#id) return;
    switch (this.#state) {
      case "closed":
      case "judging":
        return;
      // Our result was lost. Send it again without a new check (RFC 1994 §4.2).
      case "accepted":
      case "refused":
        this.#sendResult();
        return;
      case "asking":
        this.#judge(packet.value, packet.name, now);
        return;
      default:
        this.#state satisfies never;
    }
  }

  #judge(response: Uint8Array, said: string, now: number): void {
    const name = clientNameOf(said, this.#config);
    const verdict = this.#verdict(response, name);
    if (verdict !== undefined) this.#conclude(verdict, name, now);
  }

  /** Call this when the judge may have finished. */
  resume(now: number): void {
    if (this.#state !== "judging") return;
    const found = this.#config.judge?.take();
    if (found === undefined) return;
    const question = { challenge: this.#challenge, name: this.#peer };
    const verdict =
      found.accepted && this.#digest.accept !== undefined
        ? this.#digest.accept(question, this.#response, found.passwordHashHash)
        : { accepted: false, message: this.#digest.refusal(this.#challenge, found.accepted ? "" : found.message) };
    this.#conclude(verdict, this.#peer, now);
  }

  #conclude({ accepted, message, mppe }: Verdict, name: string, now: number): void {
    this.#end(accepted ? "accepted" : "refused");
    this.#message = message;
    if (!accepted) this.#lower.log("warn", `Peer ${shownName(name)} failed CHAP authentication`);
    this.#sendResult();
    const { intervalMs } = this.#config;
    if (accepted && intervalMs > 0) this.#lower.wakeAt(now + intervalMs);
    this.#owner.chapPeerDone(accepted, name, mppe, now);
  }

  /** Checks a response. Undefined when the judge was asked and will answer later. */
  #verdict(response: Uint8Array, name: string): Verdict | undefined {
    const challenge = this.#challenge;
    const { judge } = this.#config;
    if (this.#config.answers.areOurs(this.#digest.proofs(response))) {
      this.#lower.log("warn", `Peer ${shownName(name)} sent our own CHAP response back`);
      return { accepted: false, message: this.#digest.refusal(challenge) };
    }
    if (judge !== undefined) {
      const proof = this.#digest.proof?.({ challenge, name }, response);
      if (proof === undefined) return { accepted: false, message: this.#digest.refusal(challenge) };
      this.#state = "judging";
      this.#response = response.slice();
      this.#peer = name;
      this.#lower.wakeAt(Infinity);
      judge.ask(proof);
      return undefined;
    }
    const secret = this.#owner.chapPeerSecret(name);
    if (secret === undefined) {
      this.#lower.log("error", `No CHAP secret found for authenticating ${shownName(name)}`);
      return { accepted: false, message: "" };
    }
    return this.#digest.judge({ id: this.#id, challenge, name, secret }, response);
  }

  #sendResult(): void {
    const code = this.#state === "accepted" ? ChapCode.Success : ChapCode.Failure;
    this.#lower.send(Protocol.CHAP, (buf, at) => putChapResult(buf, at, code, this.#id, this.#message));
  }

  /** The peer agreed to CHAP and now rejects the protocol. Like pppd, we log nothing. */
  rejected(now: number): void {
    if (this.#state !== "asking") return;
    this.#end("refused");
    this.#owner.chapPeerDone(false, undefined, undefined, now);
  }
}
