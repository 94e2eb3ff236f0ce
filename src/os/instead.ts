// A program that runs in our place: what exec(2) would do, which Bun has not.

import { constants } from "node:os";

const HANDED_ON = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Hands on the signals that are meant for the child until it has ended; its exit code as a shell has it. */
export async function outlive(child: Bun.Subprocess): Promise<number> {
  const handlers = HANDED_ON.map((name) => [name, () => child.kill(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  try {
    await child.exited;
  } finally {
    for (const [name, handler] of handlers) process.off(name, handler);
  }
  const signal = child.signalCode;
  if (signal !== null) return 128 + (typeof signal === "string" ? constants.signals[signal] : signal);
  return child.exitCode ?? 1;
}
