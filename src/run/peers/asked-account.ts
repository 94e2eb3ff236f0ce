// Our name and secret from a plugin, which may have to ask a person for them. It is asked once for each link.

import type { Account } from "../../link/authentication.ts";

export class AskedAccount {
  readonly #ask: () => Promise<Account>;
  #state: "unasked" | "asking" | "settled" | "known" = "unasked";
  #account: Account | undefined;
  #question: object | undefined;

  constructor(ask: () => Promise<Account>) {
    this.#ask = ask;
  }

  get isBusy(): boolean {
    return this.#state === "asking";
  }

  /** True when there is an answer that nobody has taken. */
  get isSettled(): boolean {
    return this.#state === "settled";
  }

  /** The answer. Undefined: there is none yet. The first call asks. */
  take(): Account | undefined {
    if (this.#state === "unasked") void this.#start();
    if (this.#state === "settled") this.#state = "known";
    return this.#account;
  }

  /** The link has ended. An answer that comes later is not wanted. */
  forget(): void {
    this.#state = "unasked";
    this.#account = this.#question = undefined;
  }

  async #start(): Promise<void> {
    const question = (this.#question = {});
    this.#state = "asking";
    const account = await this.#ask();
    if (this.#question !== question) return;
    this.#account = account;
    this.#state = "settled";
  }
}
