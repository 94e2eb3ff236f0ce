// Runs connect, init, disconnect and welcome, commands whose stdin and stdout are the line, and starts pty, a program
// that is the line. Our own engine plays a plain `chat …`, so that works without chat and without a shell. /bin/sh runs
// everything else.

import { parseChatCommand } from "../../chat/command.ts";
import type { Config } from "../../options/config.ts";
import { type Child, shellCode } from "../host/processes.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import { chat } from "./inside-chat.ts";
import { changed, type Hooks } from "../scripts/hooks.ts";

/** The stderr of scripts when our log has no descriptor: Debian's file, or else that of pppd 2.4. */
const CONNECT_ERRORS = ["/var/log/ppp-connect-errors", "/etc/ppp/connect-errors"];

export interface CommandHost {
  readonly machine: Machine;
  /** The descriptor of its standard input, and of its standard output unless that is another. */
  readonly line: number;
  readonly output?: number;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly env: Readonly<Record<string, string>>;
}

export interface ScriptHost extends CommandHost {
  /** Called once when the script starts, with a function that ends it early. */
  readonly started: (end: (signal: number) => void) => void;
}

/** Our environment with the changes of `set` and `unset`. */
export function commandEnvironment({ processes }: Machine, { environment }: Config): Record<string, string> {
  return changed(processes.environment(), environment);
}

/** Runs a command to its end. Returns its exit code, or 128 plus the number of the signal that ended it. */
export async function runScript(command: string, host: ScriptHost): Promise<number> {
  const errors = host.log.fd ?? openErrors(host.machine);
  try {
    const words = parseChatCommand(command);
    return words === undefined ? await shellScript(command, errors, host) : await ownChat(command, words, errors, host);
  } finally {
    if (errors !== undefined && errors !== host.log.fd) host.machine.descriptors.close(errors);
  }
}

/** Starts a command and does not wait for it. Throws HostError. */
export function startProgram(command: string, { machine, line, log, hooks, env }: CommandHost): Child {
  const errors = log.fd ?? openErrors(machine);
  try {
    const child = machine.processes.runShell(command, { line, stderr: errors, env });
    void hooks.watch(child, command);
    return child;
  } finally {
    if (errors !== undefined && errors !== log.fd) machine.descriptors.close(errors);
  }
}

async function ownChat(
  command: string,
  words: readonly string[],
  errors: number | undefined,
  { machine, line, output = line, log, env, started }: ScriptHost,
): Promise<number> {
  const controller = new AbortController();
  started(() => controller.abort());
  const code = await chat(words, {
    machine,
    input: line,
    output,
    stderr: (bytes) => {
      if (errors === log.fd) log.pass(bytes);
      else if (errors !== undefined) tryWrite(machine, errors, bytes);
    },
    environment: env,
    failed: (why) => log.write("info", `chat ${why}`),
    signal: controller.signal,
    wakers: machine.descriptors.runtimeEvents(),
  });
  log.write("debug", `Script ${command} finished (pid ${machine.processes.pid}), status = 0x${code.toString(16)}`);
  return code;
}

async function shellScript(
  command: string,
  stderr: number | undefined,
  { machine, line, output = line, hooks, env, started }: ScriptHost,
): Promise<number> {
  const child = machine.processes.runShell(command, { line, output, stderr, env });
  started((signal) => child.kill(signal));
  await hooks.watch(child, command);
  return shellCode(child.ending!);
}

function tryWrite({ files }: Machine, fd: number, bytes: Uint8Array): void {
  try {
    files.write(fd, bytes);
  } catch {
    // A lost message of a script does not end the link.
  }
}

function openErrors({ files }: Machine): number | undefined {
  for (const path of CONNECT_ERRORS)
    try {
      return files.open(path, "append");
    } catch {
      // This system does not have that folder.
    }
  return undefined;
}
