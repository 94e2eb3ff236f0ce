// PAP in both roles (RFC 1334 §2): sends a name and a password, and checks them.

import { printable } from "../bytes/text.ts";
import { PapCode, type PapPacket, putAuthReply, putAuthReq } from "../wire/pap.ts";
import { Protocol } from "../wire/protocols.ts";

export interface PapConfig {
  /** As client: time between requests, and how many to send. */
  restartMs: number;
  maxAuthreq: number;
  /** As server: how long to wait for a request; 0: for ever. */
  timeoutMs: number;
}

/** The services that PAP uses. */
export interface PapLower {
  send(protocol: number, write: (buf: Uint8Array, at: number) => number): void;
  log(level: "info" | "notice" | "warn" | "error", text: string): void;
  wakeAt(at: number): void;
}

export class PapClient {
  readonly #config: PapConfig;
  readonly #lower: PapLower;
  readonly #done: (accepted: boolean, now: number) => void;
  #user = "";
  #password = "";
  #id = 0;
  #left = 0;
  #waiting = false;

  /** `done` is called once for each start(). */
  constructor(config: PapConfig, lower: PapLower, done: (accepted: boolean, now: number) => void) {
    this.#config = config;
    this.#lower = lower;
    this.#done = done;
  }

  start(user: string, password: string, now: number): void {
    this.#user = user;
    this.#password = password;
    this.#left = this.#config.maxAuthreq;
    this.#waiting = true;
    this.#request(now);
  }

  stop(): void {
    this.#waiting = false;
    this.#lower.wakeAt(Infinity);
  }

  timeout(now: number): void {
    if (!this.#waiting) return;
    if (this.#left > 0) {
      this.#request(now);
      return;
    }
    this.stop();
    this.#lower.log("error", "No response to PAP authenticate-requests");
    this.#done(false, now);
  }

  #request(now: number): void {
    this.#left--;
    this.#id = (this.#id + 1) & 0xff;
    this.#lower.send(Protocol.PAP, (buf, at) => putAuthReq(buf, at, this.#id, this.#user, this.#password));
    this.#lower.wakeAt(now + this.#config.restartMs);
  }

  /** Handles an Ack or a Nak. */
  receive(packet: PapPacket, now: number): void {
    if (!this.#waiting || packet.code === PapCode.AuthReq) return;
    this.stop();
    if (packet.message !== "") this.#lower.log("info", `Remote message: ${printable(packet.message)}`);
    const accepted = packet.code === PapCode.AuthAck;
    if (accepted) this.#lower.log("notice", "PAP authentication succeeded");
    else this.#lower.log("error", "PAP authentication failed");
    this.#done(accepted, now);
  }
}

export interface PapServerOwner {
  /** Asks the owner to check a name and a password. It calls verdict(), at once or later. */
  papRequest(user: string, password: string, now: number): void;
  /** `user` is undefined when no request came in time. */
  papDone(user: string | undefined, accepted: boolean, now: number): void;
}

export class PapServer {
  readonly #config: PapConfig;
  readonly #lower: PapLower;
  readonly #owner: PapServerOwner;
  #state: "closed" | "listening" | "judging" | "accepted" | "refused" = "closed";
  #id = 0;
  #user = "";

  constructor(config: PapConfig, lower: PapLower, owner: PapServerOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
  }

  start(now: number): void {
    this.#state = "listening";
    if (this.#config.timeoutMs > 0) this.#lower.wakeAt(now + this.#config.timeoutMs);
  }

  stop(): void {
    this.#state = "closed";
    this.#lower.wakeAt(Infinity);
  }

  timeout(now: number): void {
    if (this.#state !== "listening") return;
    this.#state = "refused";
    this.#owner.papDone(undefined, false, now);
  }

  receive(packet: PapPacket, now: number): void {
    if (packet.code !== PapCode.AuthReq) return;
    switch (this.#state) {
      case "closed":
      case "judging":
        return;
      // Our answer was lost. Send it again.
      case "accepted":
        this.#reply(PapCode.AuthAck, packet.id, "");
        return;
      case "refused":
        this.#reply(PapCode.AuthNak, packet.id, "");
        return;
      case "listening":
        this.#state = "judging";
        this.#lower.wakeAt(Infinity);
        this.#id = packet.id;
        this.#user = packet.user;
        this.#owner.papRequest(packet.user, packet.password, now);
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** The answer to papRequest. A late answer is ignored, because the link may be down meanwhile. */
  verdict(accepted: boolean, message: string, now: number): void {
    if (this.#state !== "judging") return;
    this.#state = accepted ? "accepted" : "refused";
    this.#reply(accepted ? PapCode.AuthAck : PapCode.AuthNak, this.#id, message);
    const user = printable(this.#user);
    if (accepted) this.#lower.log("notice", `PAP peer authentication succeeded for ${user}`);
    else this.#lower.log("warn", `PAP peer authentication failed for ${user}`);
    this.#owner.papDone(this.#user, accepted, now);
  }

  #reply(code: typeof PapCode.AuthAck | typeof PapCode.AuthNak, id: number, message: string): void {
    this.#lower.send(Protocol.PAP, (buf, at) => putAuthReply(buf, at, code, id, message));
  }
}
