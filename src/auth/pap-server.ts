// PAP as the side that asks for a name and a password (RFC 1334 §2.2).

import { printable } from "../bytes/text.ts";
import { PapCode, type PapPacket, putAuthReply } from "../wire/pap.ts";
import { Protocol } from "../wire/protocols.ts";
import type { PapConfig, PapLower } from "./pap-config.ts";

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
