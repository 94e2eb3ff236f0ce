// connect, init, disconnect, welcome: a command with the line on its stdin and stdout. `chat …` with nothing around it
// is played by our own engine, so that it works where there is no chat and no shell; anything else goes to /bin/sh. And
// pty, which is the line.

import { writeSync } from "node:fs";
import { parseChatCommand } from "../../chat/command.ts";
import type { Config } from "../../options/config.ts";
import { type Child, runShell } from "../../os/process/exec.ts";
import { eventPollDescriptors } from "../../os/ffi/event-poll.ts";
import { ownEnvironment } from "../../os/process/inherited.ts";
import { closeFd, O, openFd } from "../../os/ffi/libc.ts";
import type { Log } from "../../os/log/log.ts";
import { chat } from "./inside-chat.ts";
import { shellCode } from "../../os/process/spawn.ts";
import { changed, type Hooks } from "../scripts/hooks.ts";

/** Where scripts complain while nobody looks at our own log: Debian's place, then the place of pppd 2.4. */
const CONNECT_ERRORS = ["/var/log/ppp-connect-errors", "/etc/ppp/connect-errors"];

export interface CommandHost {
  /** Its standard input, and standard output unless that is another. */
  readonly line: number;
  readonly output?: number;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly env: Readonly<Record<string, string>>;
}

export interface ScriptHost extends CommandHost {
  /** Told how to end the script before its time; called once, as it starts. */
  readonly started: (end: (signal: number) => void) => void;
}

/** Our environment, as changed by `set` and `unset`. */
export function commandEnvironment({ environment }: Config): Record<string, string> {
  return changed(ownEnvironment(), environment);
}

/** Runs a command to its end; its exit code, or 128 and more when a signal ended it. */
export async function runScript(command: string, host: ScriptHost): Promise<number> {
  const errors = host.log.fd ?? openErrors();
  try {
    const words = parseChatCommand(command);
    return words === undefined ? await shellScript(command, errors, host) : await ownChat(command, words, errors, host);
  } finally {
    if (errors !== undefined && errors !== host.log.fd) closeFd(errors);
  }
}

/** Starts a command that is not waited for. Throws OsError. */
export function startProgram(command: string, { line, log, hooks, env }: CommandHost): Child {
  const errors = log.fd ?? openErrors();
  try {
    const child = runShell(command, { line, stderr: errors, env });
    void hooks.watch(child, command);
    return child;
  } finally {
    if (errors !== undefined && errors !== log.fd) closeFd(errors);
  }
}

async function ownChat(
  command: string,
  words: readonly string[],
  errors: number | undefined,
  { line, output = line, log, env, started }: ScriptHost,
): Promise<number> {
  const controller = new AbortController();
  started(() => controller.abort());
  const code = await chat(words, {
    input: line,
    output,
    stderr: (bytes) => {
      if (errors === log.fd) log.pass(bytes);
      else if (errors !== undefined) tryWrite(errors, bytes);
    },
    environment: env,
    failed: (why) => log.write("info", `chat ${why}`),
    signal: controller.signal,
    wakers: eventPollDescriptors(),
  });
  log.write("debug", `Script ${command} finished (pid ${process.pid}), status = 0x${code.toString(16)}`);
  return code;
}

async function shellScript(
  command: string,
  stderr: number | undefined,
  { line, output = line, hooks, env, started }: ScriptHost,
): Promise<number> {
  const child: Child = runShell(command, { line, output, stderr, env });
  started((signal) => child.kill(signal));
  await hooks.watch(child, command);
  return shellCode(child.ending!);
}

function tryWrite(fd: number, bytes: Uint8Array): void {
  try {
    writeSync(fd, bytes);
  } catch {
    // What a script says is not worth the link.
  }
}

function openErrors(): number | undefined {
  for (const path of CONNECT_ERRORS)
    try {
      return openFd(path, O.WRONLY | O.APPEND | O.CREAT, 0o644);
    } catch {
      // Not on this system.
    }
  return undefined;
}
