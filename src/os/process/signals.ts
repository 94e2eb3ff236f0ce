// The signals that pppd handles.
//
// A signal interrupts a blocking poll (EINTR) and makes Bun's own epoll descriptor readable. The handler runs in the
// next turn of the event loop. Bun ignores SIGPIPE from the start. A handler for it would end that, so it must not get
// one.

import { constants } from "node:os";

export type SignalName = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1" | "SIGUSR2";

const NAMES: readonly SignalName[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"];

/**
 * Other signals that would kill us and that we can answer with a clean end (`Fatal signal N`, exit code 127). The
 * faults (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS) are left to Bun, because no JavaScript can run
 * after one. SIGPWR belongs to the garbage collector.
 */
const FATAL = ["SIGQUIT", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGIO"] as const;

export type SignalEvent =
  | { readonly type: "signal"; readonly name: SignalName; readonly number: number }
  | { readonly type: "fatal"; readonly number: number };

export class Signals {
  readonly #handlers = new Map<NodeJS.Signals, () => void>();

  /** Takes over the signals, SIGHUP also under nohup. `onSignal` is called from the event loop, never in between. */
  constructor(onSignal: (event: SignalEvent) => void) {
    for (const name of NAMES)
      this.#watch(name, () => onSignal({ type: "signal", name, number: constants.signals[name] }));
    for (const name of FATAL) this.#watch(name, () => onSignal({ type: "fatal", number: constants.signals[name] }));
  }

  /** Restores the default handling. */
  close(): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
    this.#handlers.clear();
  }

  #watch(name: NodeJS.Signals, handler: () => void): void {
    this.#handlers.set(name, handler);
    process.on(name, handler);
  }
}
