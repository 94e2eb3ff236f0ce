// Whether a session tries again, and after how long: `persist`, `maxfail`, `holdoff`.

import { Exit } from "../exit.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";

const SECOND = 1000;
/** A port that cannot be opened, and a program or connection that never came up, is tried again after this long. */
const REOPEN_MS = 1000;

export class Retries {
  readonly #options: OptionsInForce;
  /** Attempts since the last link that came up, the present one included. */
  #failures = 0;
  #needsHoldoff = true;
  #isInterrupted = false;

  constructor(options: OptionsInForce) {
    this.#options = options;
  }

  /** An attempt begins. */
  begin(): void {
    this.#failures++;
    this.#needsHoldoff = true;
    this.#isInterrupted = false;
  }

  /** The line was lent to another program. The attempt goes on as a new one. */
  interrupted(): void {
    this.#failures--;
    this.#needsHoldoff = false;
    this.#isInterrupted = true;
  }

  /** There is to be another attempt at once, whatever came before. */
  redial(): void {
    this.#failures = 0;
    this.#needsHoldoff = false;
    this.#isInterrupted = true;
  }

  /** The link came up. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** The next attempt need not wait for `holdoff`. */
  skipHoldoff(): void {
    this.#needsHoldoff = false;
  }

  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  /** No attempt of a row of failures has come before this one. */
  get isFirstFailure(): boolean {
    return this.#failures === 1;
  }

  /** There is to be another attempt. */
  get goesOn(): boolean {
    const { persist, maxfail } = this.#options.config;
    if (this.#isInterrupted) return true;
    return persist && (maxfail <= 0 || this.#failures < maxfail);
  }

  /** Milliseconds to wait before the next attempt. The last one took `tookMs` and left the exit code `status`. */
  waitMs(status: Exit, tookMs: number): number {
    const { holdoff, device } = this.#options.config;
    const wait = this.#needsHoldoff ? holdoff * SECOND : 0;
    // A program or a connection may end as soon as it is started.
    const hasVanished = device === undefined && this.hasFailed;
    // pppd tries again without a pause when the port cannot even be opened.
    const isShut = status === Exit.OPEN || status === Exit.LOCK || status === Exit.PTY;
    return isShut || hasVanished ? Math.max(wait, REOPEN_MS - tookMs) : wait;
  }
}
