// Has the names and passwords judged that callers type at the prompts of the front, as those of PAP are.

import type { Front } from "../../front/front.ts";
import type { Ring } from "../../bytes/ring.ts";
import { textOnly } from "../../auth/names.ts";
import type { Log } from "../log.ts";
import type { Clock } from "../machine.ts";
import type { Peers } from "../peers/peers.ts";
import { PapAnswer } from "./pap-answer.ts";

export interface LoginCheckHost {
  readonly peers: Peers;
  readonly clock: Clock;
  readonly log: Log;
  /** What the front reads. */
  readonly input: Ring;
  /** Where the caller logs in. */
  readonly tty: string;
  readonly ifname: string;
}

export class LoginCheck {
  /** Who has logged in. */
  user: string | undefined;
  readonly #host: LoginCheckHost;
  readonly #answer: PapAnswer;
  #asked = "";

  constructor(host: LoginCheckHost) {
    this.#host = host;
    this.#answer = new PapAnswer(host.peers, host.clock);
  }

  /** When the answer to a caller is due. */
  get dueAt(): number {
    return this.#answer.dueAt;
  }

  /** `listener` has the line, and the front is a part of it. */
  settle(front: Front, listener: Pick<Front, "receive">, now: number): void {
    for (;;) {
      const credentials = front.takeCredentials();
      if (credentials !== undefined) {
        const { tty, ifname } = this.#host;
        this.#asked = textOnly(credentials.user);
        this.#answer.judge({ ...credentials, tty, ifname, isTyped: true }, now);
      }
      const verdict = this.#answer.take(now);
      if (verdict === undefined) return;
      if (verdict.accepted) this.user = this.#asked;
      else this.#host.log.write("warn", `A login on ${this.#host.tty} was refused`);
      front.judged(verdict.accepted, this.#host.input);
      // The caller may have typed ahead.
      if (!front.isMuted) listener.receive(this.#host.input, now);
    }
  }
}
