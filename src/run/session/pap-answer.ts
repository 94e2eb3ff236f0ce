// The answer to a peer that says its name and password by PAP: from the secrets and the system at once, from Samba later. An
// answer may have to wait, as one of PAM does after a wrong password.

import type { Clock } from "../machine.ts";
import type { PapClaim, PapVerdict } from "../peers/pap-judge.ts";
import type { Peers } from "../peers/peers.ts";

export class PapAnswer {
  readonly #peers: Pick<Peers, "askSamba" | "judgePap">;
  readonly #clock: Pick<Clock, "now">;
  #verdict: PapVerdict | undefined;
  #verdictAt = Infinity;
  /** The verdict that Samba, or a login in another process, will give. */
  #awaited: Promise<PapVerdict> | undefined;

  constructor(peers: Pick<Peers, "askSamba" | "judgePap">, clock: Pick<Clock, "now">) {
    this.#peers = peers;
    this.#clock = clock;
  }

  /** The peer has said who it is. A later call replaces an earlier one. */
  judge(claim: PapClaim, now: number): void {
    this.#verdict = undefined;
    this.#verdictAt = Infinity;
    const verdict = this.#peers.askSamba(claim) ?? this.#peers.judgePap(claim);
    const later = (this.#awaited = verdict instanceof Promise ? verdict : undefined);
    if (!(verdict instanceof Promise)) this.#settle(verdict, now);
    else void verdict.then((settled) => this.#awaited === later && this.#settle(settled, this.#clock.now()));
  }

  #settle(verdict: PapVerdict, now: number): void {
    this.#verdict = verdict;
    this.#verdictAt = now + verdict.delayMs;
  }

  /** When {@link take} will have a verdict; Infinity: none is there yet. */
  get dueAt(): number {
    return this.#verdictAt;
  }

  /** The verdict, once and when it is due. */
  take(now: number): PapVerdict | undefined {
    if (this.#verdictAt > now) return undefined;
    const verdict = this.#verdict;
    this.#verdict = undefined;
    this.#verdictAt = Infinity;
    return verdict;
  }
}
