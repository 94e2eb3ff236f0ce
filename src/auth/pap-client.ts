// PAP as the side that says a name and a password (RFC 1334 §2.1).

import { printable } from "../bytes/text.ts";
import { PapCode, type PapPacket, putAuthReq } from "../wire/pap.ts";
import { Protocol } from "../wire/protocols.ts";
import type { PapConfig, PapLower } from "./pap-config.ts";

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
