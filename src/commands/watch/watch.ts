// nullmodem status --watch: the screen on this terminal, or lines where the terminal can show no screen.

import { inert } from "../../bytes/text.ts";
import { print } from "../../os/log/print.ts";
import { ScreenTerminal } from "../../os/log/screen-terminal.ts";
import type { Status } from "../../run/live/published-status.ts";
import { linkCommands } from "./link-commands.ts";
import { terminalKind } from "./terminal-kind.ts";
import { Watcher } from "./watcher.ts";
import { watchLines } from "./watch-lines.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Watches until a key or a signal ends it. Returns the exit code. */
export async function watch(links: () => readonly Status[]): Promise<number> {
  const kind = terminalKind(process.env, ScreenTerminal.isThere);
  const { promise: isSignalled, resolve: signalled } = Promise.withResolvers<void>();
  for (const name of SIGNALS) process.on(name, signalled);
  try {
    if (kind.isDumb) await watchLines(links, { why: whyNoScreen(), isSignalled, print });
    else await watchScreen(links, kind, isSignalled);
    return 0;
  } finally {
    for (const name of SIGNALS) process.off(name, signalled);
  }
}

function whyNoScreen(): string {
  if (!ScreenTerminal.isThere) return "This is no terminal";
  return `The terminal ${inert(process.env["TERM"] || "without a name")} can show no screen`;
}

async function watchScreen(
  links: () => readonly Status[],
  kind: ReturnType<typeof terminalKind>,
  isSignalled: Promise<void>,
): Promise<void> {
  const terminal = new ScreenTerminal();
  const watcher = new Watcher(
    {
      get size() {
        return terminal.size;
      },
      get queued() {
        return terminal.queued;
      },
      write: (octets) => terminal.write(octets),
      links,
      now: () => performance.now(),
      after(milliseconds, call) {
        const timer = setTimeout(call, milliseconds);
        return () => clearTimeout(timer);
      },
      commands: linkCommands(),
    },
    kind,
  );
  const restore = (): void => {
    watcher.end();
    terminal.close();
  };
  const resized = (): void => watcher.redraw();
  const gone = (): void => watcher.end();
  const keys = new TextDecoder();
  process.once("exit", restore);
  process.on("SIGWINCH", resized).on("SIGCONT", resized);
  process.stdin
    .on("data", (octets: Buffer) => watcher.take(keys.decode(octets, { stream: true })))
    .on("end", gone)
    .on("error", gone);
  try {
    watcher.start();
    await Promise.race([watcher.ended, isSignalled]);
  } finally {
    process.off("SIGWINCH", resized).off("SIGCONT", resized).off("exit", restore);
    restore();
    process.stdin.destroy();
  }
}
