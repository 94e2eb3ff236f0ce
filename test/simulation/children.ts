// The programs that a session starts on a simulated computer: hooks and shell commands. Each does what its path or its
// command says it does: take a while, fail, or hang.

import type {
  Child,
  Ending,
  FilesOpened,
  FileTransfer,
  FilesRequest,
  Processes,
  Share,
  ToolResult,
} from "../../src/run/host/processes.ts";
import { SimulatedError } from "./errors.ts";
import type { FileTree } from "./files.ts";
import type { Process } from "./process.ts";
import type { Time } from "./time.ts";

export interface Behaviour {
  /** Infinity: it hangs until it is ended. */
  readonly ms: number;
  readonly exitCode: number;
}

/** "sleep 0.5; exit 3", as a shell would do it. */
export function behaviourOf(command: string): Behaviour {
  const seconds = /sleep ([\d.]+|infinity)/.exec(command)?.[1];
  const ms = seconds === undefined ? 5 : seconds === "infinity" ? Infinity : Number(seconds) * 1000;
  return { ms, exitCode: Number(/exit (\d+)/.exec(command)?.[1] ?? 0) };
}

/** What sessions of one computer share (flock). */
interface SharedChange {
  record: string;
  readonly users: Set<Process>;
}

/** All processes of a computer and what they have made together. */
export class ProcessTable {
  /** By process id, while they run. */
  readonly running = new Set<number>();
  readonly shares = new Map<string, SharedChange>();
  readonly publications = new Map<string, { readonly owner: Process; readonly text: () => string }>();
  /** Hooks take this long and end with this code instead of what their files say. */
  hookTrouble: Behaviour | undefined;
  /** The environment with which each hook was started. */
  readonly hookEnvironments = new Map<string, Readonly<Record<string, string>>>();
  /** The system's tools by their paths. */
  readonly tools = new Map<string, (argv: readonly string[], input: string) => ToolResult | Promise<ToolResult>>();
  /** The processes of `files`. */
  readonly fileServers: { readonly request: FilesRequest; isRunning: boolean }[] = [];
  /** What a process of `files` finds, if not what was asked for. */
  filesOpened: FilesOpened | undefined;
  /** A process of `files` waits for its disk. */
  isFolderSlow = false;
  /** What the processes of `files` tell of files on their way. */
  transfers: readonly FileTransfer[] = [];
  readonly #hanging = new Set<() => void>();
  #pids = 100;

  readonly time: Time;
  readonly files: FileTree;

  constructor(time: Time, files: FileTree) {
    this.time = time;
    this.files = files;
  }

  nextPid(): number {
    return this.#pids++;
  }

  /** Starts a program. */
  start(parent: Process, { ms, exitCode }: Behaviour): Child {
    const { time, running } = this;
    const pid = this.nextPid();
    running.add(pid);
    const { promise, resolve } = Promise.withResolvers<Ending>();
    let ending: Ending | undefined;
    const end = (signal: number): void => {
      if (!running.delete(pid)) return;
      time.cancel(timer);
      const code = signal === 0 ? exitCode : 0;
      const found = { status: signal === 0 ? code << 8 : signal, exitCode: code, signal };
      parent.post(() => {
        ending = found;
        resolve(found);
      }, "child");
    };
    const timer = ms === Infinity ? undefined : time.after(ms, () => end(0));
    if (ms === Infinity) this.#hanging.add(() => end(0));
    return {
      pid,
      get ending() {
        return ending;
      },
      ended: promise,
      kill: (signal) => void time.after(1, () => end(signal)),
    };
  }

  runTool(argv: readonly [string, ...string[]], input: string): ToolResult | Promise<ToolResult> {
    return this.tools.get(argv[0])?.(argv, input) ?? { exitCode: 127, output: "", complaint: "" };
  }

  /** What hangs ends by itself. */
  endHanging(): void {
    for (const end of this.#hanging) end();
    this.#hanging.clear();
  }

  share(owner: Process, name: string, record: () => string): Share {
    if (this.files.isFull && !this.shares.has(name))
      return { isFirst: true, record: record(), release: (undo) => undo() };
    const change = this.shares.get(name) ?? { record: "", users: new Set<Process>() };
    this.shares.set(name, change);
    const isFirst = living(change) === 0;
    if (isFirst && change.record === "") change.record = record();
    change.users.add(owner);
    return {
      isFirst,
      record: change.record,
      release: (undo) => {
        change.users.delete(owner);
        if (living(change) > 0) return;
        undo();
        this.shares.delete(name);
      },
    };
  }

  undoAbandoned(undo: (record: string) => void): void {
    for (const [name, change] of this.shares) {
      if (living(change) > 0) continue;
      this.shares.delete(name);
      if (change.record !== "") undo(change.record);
    }
  }
}

function living({ users }: SharedChange): number {
  for (const user of users) if (!user.isAlive) users.delete(user);
  return users.size;
}

/** Processes as one of them sees them. */
export function processesOf(table: ProcessTable, process: Process): Processes {
  const { files } = table;
  return {
    pid: process.pid,
    identity: (pid) => (table.running.has(pid) ? `process ${pid}` : undefined),
    environment: () => ({ PATH: "/bin" }),
    hookRefusal: (path) => (files.files.has(path) ? undefined : "absent"),
    runHook: (path, _, env) => {
      table.hookEnvironments.set(path, env);
      return table.start(process, table.hookTrouble ?? behaviourOf(files.text(path) ?? ""));
    },
    runShell: (command) => table.start(process, behaviourOf(command)),
    runOnTerminal: (command) => table.start(process, behaviourOf(command)),
    runAsking: ([program]) => {
      throw new SimulatedError("execve", program, "ENOENT");
    },
    serveFiles: (request) => {
      const served = { request, isRunning: true };
      table.fileServers.push(served);
      return {
        pid: 99,
        ended: new Promise(() => {}),
        opened: table.isFolderSlow
          ? new Promise(() => {})
          : Promise.resolve(table.filesOpened ?? { isWritable: request.isWritable }),
        transfers: () => table.transfers,
        end: () => void (served.isRunning = false),
      };
    },
    runHelper: () => ({ answer: async () => "", end: () => {} }),
    runTool: async (argv, input) => table.runTool(argv, input),
    isRunning: (pid) => table.running.has(pid),
    share: (_directory, name, record) => table.share(process, name, record),
    undoAbandoned: (_directory, undo) => table.undoAbandoned(undo),
    publish(path, text) {
      if (files.isFull) throw new SimulatedError("bind", path, "ENOSPC");
      let at = path;
      const publication = { owner: process, text };
      const { publications } = table;
      publications.set(at, publication);
      return {
        move(to) {
          publications.delete(at);
          publications.set((at = to), publication);
        },
        close: () => {
          if (publications.get(at) === publication) publications.delete(at);
        },
      };
    },
    catchSignals: () => () => {},
  };
}
