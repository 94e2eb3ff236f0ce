// The signals pppd lives by.
//
// A signal interrupts a blocking poll (EINTR) and makes Bun's own epoll descriptor readable; its handler runs when the
// event loop has its turn after that. SIGPIPE is ignored by Bun from the start, and must not be given a handler here:
// that would end it.

import { constants } from "node:os";

export type SignalName = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1" | "SIGUSR2";

const NAMES: readonly SignalName[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"];

/**
 * What else can kill us and can still be answered by a clean end (`Fatal signal N`, exit code 127). Faults (SIGSEGV,
 * SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS) stay Bun's: after one no JavaScript runs. SIGPWR is the collector's.
 */
const FATAL = ["SIGQUIT", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGIO"] as const;

export type SignalEvent =
  | { readonly type: "signal"; readonly name: SignalName; readonly number: number }
  | { readonly type: "fatal"; readonly number: number };

export class Signals {
  readonly #handlers = new Map<NodeJS.Signals, () => void>();

  /** From now on the signals are ours, SIGHUP also under nohup. `onSignal` is called from the event loop, never amidst. */
  constructor(onSignal: (event: SignalEvent) => void) {
    for (const name of NAMES)
      this.#watch(name, () => onSignal({ type: "signal", name, number: constants.signals[name] }));
    for (const name of FATAL) this.#watch(name, () => onSignal({ type: "fatal", number: constants.signals[name] }));
  }

  /** Gives the signals back. */
  close(): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
    this.#handlers.clear();
  }

  #watch(name: NodeJS.Signals, handler: () => void): void {
    this.#handlers.set(name, handler);
    process.on(name, handler);
  }
}
