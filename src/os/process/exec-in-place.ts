// Runs another program in place of this one. Bun has no exec(2), so it runs as a child that we outlive.

import { constants } from "node:os";

const HANDED_ON = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Starts a child and forwards signals to it until it ends. Returns its exit code as a shell reports it. The handlers
 * are set before the child starts: a signal in between would end only this program.
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
