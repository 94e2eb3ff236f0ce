// Waits of a session outside its loop. A signal ends them.

import type { Clock } from "../machine.ts";

export class Waits {
  readonly #clock: Clock;
  readonly #wakes = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends all waits. */
  wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }

  /** Resolves after `ms`, or when {@link wake} is called. */
  readonly sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#wakes.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#wakes.add(done);
    });

  /** Waits for a script. False: {@link wake} ended the wait. */
  readonly outlast = async (script: Promise<void> | undefined): Promise<boolean> => {
    const { promise: woken, resolve } = Promise.withResolvers<false>();
    const wake = (): void => resolve(false);
    this.#wakes.add(wake);
    const ended = await Promise.race([script?.then(() => true) ?? true, woken]);
    this.#wakes.delete(wake);
    return ended;
  };
}
