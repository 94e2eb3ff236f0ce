// CHAP as the side that answers challenges (RFC 1994 §4).

import { ChapCode, type ChapPacket, putChap } from "../wire/chap.ts";
import type { ChapDigest } from "../wire/lcp.ts";
import { Protocol } from "../wire/protocols.ts";
import { type ChapConfig, digestOf } from "./chap-config.ts";
import { type AuthLower, type Digest, Md5Digest, type MppeMaterial } from "./digest.ts";
import { nameOf, shownName } from "./names.ts";

export interface ChapClientOwner {
  /** Our secret for the server of that name. Undefined: there is none. */
  chapSecret(server: string): string | undefined;
  /**
   * Reports that we are accepted, again after each later challenge because the keys are new; or that we are refused,
   * after which nothing follows. The owner may call stop() in it.
   */
  chapDone(accepted: boolean, mppe: MppeMaterial | undefined, now: number): void;
}

export class ChapClient {
  readonly #config: ChapConfig;
  readonly #lower: AuthLower;
  readonly #owner: ChapClientOwner;
  #state: "closed" | "waiting" | "accepted" | "refused" = "closed";
  #digest: Digest;
  #user = "";
  #giveUpAt = Infinity;
  #repeatAt = Infinity;
  #repeatsLeft = 0;
  /** Our last response, while its result is unknown. */
  #response: { id: number; value: Uint8Array } | undefined;

  constructor(config: ChapConfig, lower: AuthLower, owner: ChapClientOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
    this.#digest = new Md5Digest(config.random32);
  }

  /** Starts after LCP has agreed that we authenticate with this digest. */
  start(digest: ChapDigest, user: string, now: number): void {
    const { timeoutMs } = this.#config;
    this.#digest = digestOf(digest, this.#config, this.#lower);
    this.#user = user;
    this.#state = "waiting";
    this.#response = undefined;
    this.#giveUpAt = timeoutMs > 0 ? now + timeoutMs : Infinity;
    this.#repeatAt = Infinity;
    this.#wake();
  }

  stop(): void {
    this.#end("closed");
  }

  #end(state: "closed" | "accepted" | "refused"): void {
    this.#state = state;
    this.#response = undefined;
    this.#giveUpAt = this.#repeatAt = Infinity;
    this.#wake();
  }

  #wake(): void {
    this.#lower.wakeAt(Math.min(this.#giveUpAt, this.#repeatAt));
  }

  timeout(now: number): void {
    if (this.#state !== "waiting") return;
    if (now >= this.#giveUpAt) {
      this.#end("refused");
      this.#lower.log("error", "CHAP authentication timed out");
      this.#owner.chapDone(false, undefined, now);
      return;
    }
    if (now >= this.#repeatAt) this.#repeat(now);
    this.#wake();
  }

  /**
   * Sends the response again. The result is sent only once and may be lost; a repeated response makes the server repeat
   * it (RFC 1994 §4.2). pppd does not do this.
   */
  #repeat(now: number): void {
    this.#repeatsLeft--;
    this.#repeatAt = this.#repeatsLeft > 0 ? now + this.#config.restartMs : Infinity;
    this.#sendResponse();
  }

  #sendResponse(): void {
    if (this.#response === undefined) return;
    const { id, value } = this.#response;
    this.#lower.send(Protocol.CHAP, (buf, at) => putChap(buf, at, ChapCode.Response, id, value, this.#user));
  }

  receive(packet: ChapPacket, now: number): void {
    if (this.#state === "closed" || this.#state === "refused") return;
    switch (packet.code) {
      case ChapCode.Challenge:
        this.#respond(packet.id, packet.value, packet.name, now);
        return;
      case ChapCode.Success:
      case ChapCode.Failure:
        if (this.#state === "waiting" && this.#response !== undefined)
          this.#conclude(packet.code === ChapCode.Success, packet.message, now);
        return;
      case ChapCode.Response:
        return;
      default:
        packet satisfies never;
    }
  }

  #respond(id: number, challenge: Uint8Array, said: string, now: number): void {
    const server = nameOf(said, this.#config);
    const secret = this.#owner.chapSecret(server);
    if (secret === undefined)
      this.#lower.log("warn", `No CHAP secret found for authenticating us to ${shownName(server)}`);
    // Without a secret, pppd answers with an empty one and is refused. We do the same.
    const answer = this.#digest.respond({ id, challenge, name: this.#user, secret: secret ?? "" });
    if (answer === undefined) {
      this.#lower.log("warn", `CHAP challenge of ${challenge.length} octets ignored: not one of this algorithm`);
      return;
    }
    if (!this.#config.answers.give(this.#digest.proofs(answer.value))) return;
    this.#response = { id, value: answer.value };
    this.#sendResponse();
    if (this.#state === "waiting") {
      this.#repeatsLeft = this.#config.maxChallenge;
      this.#repeatAt = now + this.#config.restartMs;
      this.#wake();
    } else if (answer.mppe !== undefined) {
      this.#owner.chapDone(true, answer.mppe, now);
    }
  }

  #conclude(accepted: boolean, message: string, now: number): void {
    const {
      accepted: proved,
      line,
      mppe,
    } = accepted
      ? this.#digest.checkSuccess(message)
      : { accepted: false, line: this.#digest.failureLine(message), mppe: undefined };
    this.#end(proved ? "accepted" : "refused");
    if (line !== undefined) this.#lower.log(line.level, line.text);
    if (proved) this.#lower.log("notice", "CHAP authentication succeeded");
    else this.#lower.log("error", "CHAP authentication failed");
    this.#owner.chapDone(proved, mppe, now);
  }

  /** The peer asked for CHAP and now rejects the protocol. */
  rejected(now: number): void {
    if (this.#state !== "waiting") return;
    this.#end("refused");
    this.#lower.log("error", "CHAP authentication failed due to protocol-reject");
    this.#owner.chapDone(false, undefined, now);
  }
}
