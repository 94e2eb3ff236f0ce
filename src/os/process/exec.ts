// Runs other programs: the hooks of <confdir> (ip-up and the others) and the shell commands of connect, init,
// disconnect, welcome and pty.

import { type Stats, accessSync, constants as access, readFileSync, statSync } from "node:fs";
import { constants } from "node:os";
import { ownEnvironment } from "./inherited.ts";
import { hasCode, libc, OsError, reasonOf, setNonblocking } from "../ffi/libc.ts";
import { spawn, type Spawned } from "./spawn.ts";
import { namesIn } from "./sysfs.ts";
import { TOOL_PATH } from "./tool-path.ts";

export interface Child extends Spawned {
  /** Sends a signal to the program and its descendants. Does nothing when it has ended. */
  kill(signal: number): void;
}

/** "absent", or the reason why the hook must not run, or undefined when it may run. */
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

/** Runs a hook in its own session with only this environment, directory / and /dev/null on 0-2. Throws OsError. */
export function runHook(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Child {
  const stdio = [undefined, undefined, undefined];
  const hook = spawn(path, { argv: [path, ...args], env, stdio, ownSession: true, directory: "/", umask: HOOK_UMASK });
  // A session leader also leads a process group, so a signal can go to the whole group.
  return withKill(hook, (pid) => [-pid]);
}

/** Runs a program in our session, with our environment, these descriptors and the rights of the user who started us. Throws OsError. */
export function runProgram(argv: readonly [string, ...string[]], stdio: readonly number[]): Child {
  return withKill(spawn(argv[0], { argv, env: ownEnvironment(), stdio, asCaller: true }), stopFamily);
}

export interface ShellOptions {
  /** stdin and stdout. It is made blocking, as programs expect. Call `Tty.configure` before reading from it again. */
  readonly line: number;
  /** stdout, if it differs from `line`. It is made blocking as well. */
  readonly output?: number;
  /** stderr. Undefined: none. */
  readonly stderr: number | undefined;
  /** The environment: ours with the changes of `set` and `unset`. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Runs `/bin/sh -c command` in our session, so that it can ask questions at the terminal, with the rights of the user who started
 * us. Throws OsError.
 */
export function runShell(command: string, { line, output = line, stderr, env }: ShellOptions): Child {
  setNonblocking(line, false);
  if (output !== line) setNonblocking(output, false);
  const stdio = [line, output, stderr];
  return withKill(spawn("/bin/sh", { argv: ["sh", "-c", command], env, stdio, asCaller: true }), stopFamily);
}

/**
 * Runs `/bin/sh -c command` in a session of its own, with the rights of the user who started us. Its terminal is this device. The first terminal that the leader of a
 * session opens becomes the session's. Throws OsError.
 */
export function runOnTerminal(command: string, path: string, env: Readonly<Record<string, string>>): Child {
  const argv = ["sh", "-c", `exec <>"$0" >&0 2>&1; ${command}`, path];
  const stdio = [undefined, undefined, undefined];
  return withKill(spawn("/bin/sh", { argv, env, stdio, ownSession: true, directory: "/", asCaller: true }), stopFamily);
}

/** How long we wait for a system tool. */
const TOOL_PATIENCE_MS = 60_000;

/**
 * Runs a system tool to its end with this standard input and returns what it says on stdout and stderr. It has a session of its
 * own, so that a hang-up of our terminal or a signal to our process group does not end it half-way. Throws OsError.
 */
export async function runTool(argv: readonly [string, ...string[]], input: string): Promise<ToolRun> {
  const first = await runOnce(argv, input);
  // Whoever ends all processes of a service or of a tree means us, and what the tool does must still be done.
  return BY_SIGNAL.includes(first.exitCode) ? runOnce(argv, input) : first;
}

interface ToolRun {
  readonly exitCode: number;
  readonly output: string;
  readonly complaint: string;
}

/** The exit codes of a program that SIGHUP, SIGINT or SIGTERM has ended. */
const BY_SIGNAL = [129, 130, 143];

async function runOnce([path, ...args]: readonly [string, ...string[]], input: string): Promise<ToolRun> {
  try {
    const child = Bun.spawn([path, ...args], {
      env: { PATH: TOOL_PATH },
      cwd: "/",
      stdio: [new Blob([input]), "pipe", "pipe"],
      timeout: TOOL_PATIENCE_MS,
      killSignal: "SIGKILL",
      detached: true,
    });
    const [output, complaint] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { exitCode: await child.exited, output, complaint };
  } catch (error) {
    throw new OsError("execve", path, Math.abs(Number((error as { errno?: number }).errno ?? 0)));
  }
}

const { SIGSTOP, SIGCONT } = constants.signals;

/** `targets` gives the ids to signal, as kill(2) takes them (negative: a process group). */
function withKill(child: Spawned, targets: (pid: number) => readonly number[]): Child {
  return Object.assign(child, {
    kill(signal: number): void {
      if (child.ending !== undefined) return;
      const whom = targets(child.pid);
      for (const each of [signal, SIGCONT]) for (const target of whom) libc.kill(target, each);
    },
  });
}

/**
 * How often we look at the processes. A process that forks while it is being stopped has stopped long before this
 * limit.
 */
const MOST_LOOKS = 200;

/**
 * A process and all its descendants, the youngest first, because a shell does not pass signals to its commands. Stops
 * each one and waits until it has stopped, so that none can start another process unseen.
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
    // Iterating over a Set includes the elements added meanwhile.
    for (const ancestorPid of family) for (const [pid, { parent }] of all) if (parent === ancestorPid) family.add(pid);
    if (family.size === known && !isRunning) break;
  }
  return [...family].reverse();
}

/** All processes of the system. */
function processes(): Map<number, { readonly state: string; readonly parent: number }> {
  const found = new Map<number, { state: string; parent: number }>();
  for (const name of namesIn("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 2);
      found.set(Number(name), { state, parent: Number(parent) });
    } catch {
      // The process ended meanwhile.
    }
  }
  return found;
}
