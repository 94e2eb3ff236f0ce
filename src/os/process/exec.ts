// Running other programs: the hooks of <confdir> (ip-up and its kin) and the shell commands of connect, init,
// disconnect, welcome and pty.

import { type Stats, accessSync, constants as access, readFileSync, statSync } from "node:fs";
import { constants } from "node:os";
import { ownEnvironment } from "./inherited.ts";
import { hasCode, libc, OsError, reasonOf, setNonblocking } from "../ffi/libc.ts";
import { spawn, type Spawned } from "./spawn.ts";
import { namesIn } from "./sysfs.ts";

export interface Child extends Spawned {
  /** Sends a signal to it and to what it has started. Does nothing when it has ended. */
  kill(signal: number): void;
}

/** "absent", or why it must not be run, or undefined when it may. */
export function hookRefusal(path: string): string | undefined {
  let stat: Stats;
  try {
    stat = statSync(path);
  } catch (error) {
    return hasCode(error, "ENOENT", "ENOTDIR") ? "absent" : reasonOf(error);
  }
  if (!stat.isFile()) return "not a regular file";
  if (stat.uid !== 0 && stat.uid !== libc.geteuid()) return "not owned by root";
  if ((stat.mode & 0o022) !== 0) return "group or other writable";
  try {
    accessSync(path, access.X_OK);
  } catch (error) {
    return reasonOf(error);
  }
  return undefined;
}

const HOOK_UMASK = 0o077;

/** Runs a hook with this environment and no other, in its own session, cwd /, nothing on 0-2. Throws OsError. */
export function runHook(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Child {
  const stdio = [undefined, undefined, undefined];
  const hook = spawn(path, { argv: [path, ...args], env, stdio, ownSession: true, directory: "/", umask: HOOK_UMASK });
  // Its session is a process group of its own.
  return withKill(hook, (pid) => [-pid]);
}

/** Runs a program in our session, with our environment and these descriptors. Throws OsError. */
export function runProgram(argv: readonly [string, ...string[]], stdio: readonly number[]): Child {
  return withKill(spawn(argv[0], { argv, env: ownEnvironment(), stdio }), stopFamily);
}

export interface ShellOptions {
  /** stdin and stdout. It is made blocking, as programs expect: `Tty.configure` before it is read by us again. */
  readonly line: number;
  /** stdout, where it is another: made blocking as well. */
  readonly output?: number;
  /** A descriptor, or none. */
  readonly stderr: number | undefined;
  /** Our environment, as changed by `set` and `unset`. */
  readonly env: Readonly<Record<string, string>>;
}

/** Runs `/bin/sh -c command`, in our session, so that it may ask at the terminal. Throws OsError. */
export function runShell(command: string, { line, output = line, stderr, env }: ShellOptions): Child {
  setNonblocking(line, false);
  if (output !== line) setNonblocking(output, false);
  return withKill(spawn("/bin/sh", { argv: ["sh", "-c", command], env, stdio: [line, output, stderr] }), stopFamily);
}

/** A program that answers has done so by then. */
const TOOL_PATIENCE_MS = 10_000;

/** Runs a program of the system's to its end, with this on its standard input; what it printed. Throws OsError. */
export async function runTool(
  [path, ...args]: readonly [string, ...string[]],
  input: string,
): Promise<{ exitCode: number; output: string }> {
  try {
    const child = Bun.spawn([path, ...args], {
      env: { PATH: TOOL_PATH },
      cwd: "/",
      stdio: [new Blob([input]), "pipe", "ignore"],
      timeout: TOOL_PATIENCE_MS,
    });
    const output = await new Response(child.stdout).text();
    return { exitCode: await child.exited, output };
  } catch (error) {
    throw new OsError("execve", path, Math.abs(Number((error as { errno?: number }).errno ?? 0)));
  }
}

const TOOL_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

const { SIGSTOP, SIGCONT } = constants.signals;

/** `targets`: whom a signal for the child goes to, as kill(2) has it. */
function withKill(child: Spawned, targets: (pid: number) => readonly number[]): Child {
  return Object.assign(child, {
    kill(signal: number): void {
      if (child.ending !== undefined) return;
      const whom = targets(child.pid);
      for (const each of [signal, SIGCONT]) for (const target of whom) libc.kill(target, each);
    },
  });
}

/** A process that forks while it is being stopped has stopped long before so many looks. */
const MOST_LOOKS = 200;

/**
 * A process and all that it has started, the last generation first: a shell does not pass a signal on to its commands.
 * They are stopped on the way, and each is looked at until it has stopped, lest one starts another that is missed.
 */
function stopFamily(ancestor: number): number[] {
  const family = new Set([ancestor]);
  const told = new Set<number>();
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    for (const pid of family) if (!told.has(pid)) libc.kill(pid, SIGSTOP);
    for (const pid of family) told.add(pid);
    const all = processes();
    const isRunning = [...family].some((pid) => !/^[TtZX]?$/.test(all.get(pid)?.state ?? ""));
    const known = family.size;
    // A set that grows is gone through to its new end.
    for (const ancestorPid of family) for (const [pid, { parent }] of all) if (parent === ancestorPid) family.add(pid);
    if (family.size === known && !isRunning) break;
  }
  return [...family].reverse();
}

/** Every process there is. */
function processes(): Map<number, { readonly state: string; readonly parent: number }> {
  const found = new Map<number, { state: string; parent: number }>();
  for (const name of namesIn("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 2);
      found.set(Number(name), { state, parent: Number(parent) });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}
