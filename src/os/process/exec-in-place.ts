// A program that runs in our place: what exec(2) would do, which Bun has not.

import { constants } from "node:os";

const HANDED_ON = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Starts a child and hands on the signals that are meant for it until it has ended; its exit code as a shell has it. The
 * handlers come before the child: a signal between the two would end this program alone.
 */
export async function outlive(start: () => Bun.Subprocess): Promise<number> {
  let child: Bun.Subprocess | undefined;
  const handlers = HANDED_ON.map((name) => [name, () => child?.kill(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  try {
    child = start();
    await child.exited;
  } finally {
    for (const [name, handler] of handlers) process.off(name, handler);
  }
  const signal = child.signalCode;
  if (signal !== null) return 128 + (typeof signal === "string" ? constants.signals[signal] : signal);
  return child.exitCode ?? 1;
}
