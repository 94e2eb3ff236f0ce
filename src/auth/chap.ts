// CHAP in both roles (RFC 1994): answers challenges and sends them.

import { ChapCode, type ChapPacket, putChap, putChapResult } from "../wire/chap.ts";
import { ChapDigest } from "../wire/lcp.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Answers } from "./answers.ts";
import { type AuthLower, type Digest, Md5Digest, type MppeMaterial, type NtProof, type Verdict } from "./digest.ts";
import { MsChap, type MsChapConfig, MsChapV2 } from "./mschap.ts";
import { clientNameOf, nameOf, type Names, shownName } from "./names.ts";

export interface ChapConfig extends Names, MsChapConfig {
  /**
   * As server: time between challenges, and how many to send. As client: the same for a response that gets no result.
   */
  readonly restartMs: number;
  readonly maxChallenge: number;
  /** As server: how long after a success to challenge again; 0: never. */
  readonly intervalMs: number;
  /** As client: how long to wait for the result; 0: for ever. */
  readonly timeoutMs: number;
  /** As server: checks the proofs in place of our own secrets. */
  readonly judge?: NtJudge | undefined;
  /** The link's record of our own answers. */
  readonly answers: Answers;
}

/** An external authority that knows the passwords. A new `ask` replaces the one before. */
export interface NtJudge {
  ask(proof: NtProof): void;
  /** Takes the verdict. Undefined: there is none yet. */
  take(): NtVerdict | undefined;
}

/** The verdict. A success has the hash of the password's hash, 16 octets. */
export type NtVerdict =
  | { readonly accepted: true; readonly passwordHashHash: Uint8Array }
  /** The reason to give to the peer's user; "" stands for the usual text. */
  | { readonly accepted: false; readonly message: string };

function digestOf(code: ChapDigest, config: MsChapConfig, lower: AuthLower): Digest {
  const log: AuthLower["log"] = (level, text) => lower.log(level, text);
  switch (code) {
    case ChapDigest.Md5:
      return new Md5Digest(config.random32);
    case ChapDigest.Ms:
      return new MsChap(config, log);
    case ChapDigest.MsV2:
      return new MsChapV2(config, log);
    default:
      return code satisfies never;
  }
}

// ── client ───────────────────────────────────────────────────────────────────────────────────────────────────────────

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

// ── server ───────────────────────────────────────────────────────────────────────────────────────────────────────────

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
