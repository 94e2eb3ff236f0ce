// This process and those it starts.

export interface Ending {
  /** As wait(2) has it. */
  readonly status: number;
  readonly exitCode: number;
  /** 0 when it ended by itself. */
  readonly signal: number;
}

/** 128 and more when a signal ended it, as a shell has it. */
export function shellCode({ exitCode, signal }: Ending): number {
  return signal === 0 ? exitCode : 128 + signal;
}

export interface Child {
  readonly pid: number;
  /** Undefined while it runs. */
  readonly ending: Ending | undefined;
  readonly ended: Promise<Ending>;
  /** Sends a signal to it and to what it has started. Does nothing when it has ended. */
  kill(signal: number): void;
}

export interface ShellOptions {
  /** stdin and stdout, made blocking. */
  readonly line: number;
  /** stdout, where it is another. */
  readonly output?: number;
  /** A descriptor, or none. */
  readonly stderr: number | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** A helper that gets its whole input at the start and answers some time later. */
export interface Helper {
  /** What it says, until a text that `isComplete` accepts or its end. Called once. */
  answer(isComplete: (text: string) => boolean): Promise<string>;
  /** Ends it, with what it has started. Does nothing when it has ended. */
  end(): void;
}

/** A text that other programs of this machine can read. */
export interface Publication {
  /** To another path. Does nothing when that is denied. */
  move(path: string): void;
  /** A second call does nothing. */
  close(): void;
}

/** A change to the machine that several sessions have made together: the last of them takes it back. */
export interface Share {
  /** No other session uses it yet. */
  readonly isFirst: boolean;
  /** How to take it back, as the first session or one that was killed has recorded it. */
  readonly record: string;
  /** Leaves. Calls `undo` when no other session uses it. */
  release(undo: () => void): void;
}

/** What the process of `files` serves. */
export interface FilesRequest {
  readonly directory: string;
  readonly isWritable: boolean;
  /** Octets. Null: no limit but the disk's. */
  readonly quota: number | null;
  readonly hasShortNames: boolean;
  /** Names and passwords, one character an octet. Null: nobody is asked. */
  readonly users: readonly (readonly [name: string, password: string])[] | null;
  /** Null: Windows' network is not served. */
  readonly windows: WindowsRequest | null;
}

export interface WindowsRequest {
  /** By which the other machine reaches us. */
  readonly address: string;
  /** There is a socket for queries of names. */
  readonly hasNames: boolean;
}

/** The sockets that the process of `files` serves. Undefined: not this one. */
export interface FilesSockets {
  readonly http: number;
  /** Windows' network (SMB), and its names. */
  readonly smb: number | undefined;
  readonly names: number | undefined;
}

/** What the process of `files` found when it had opened the folder as the user that it serves as. */
export type FilesOpened =
  | {
      readonly isWritable: boolean;
      /** Why files may not be made in the folder itself, although that was asked for. Folders in it may be writable. */
      readonly whyNot?: string | undefined;
      /** What Windows types, where it is served. */
      readonly share?: string | undefined;
    }
  | { /** Why it does not serve. */ readonly trouble: string };

/** A file that goes over the link. */
export interface FileTransfer {
  readonly name: string;
  readonly to: "peer" | "us";
  /** Octets so far, and in all. Undefined: nobody knows. */
  readonly octets: number;
  readonly of?: number | undefined;
  /** Octets a second, lately. */
  readonly rate: number;
}

export interface FilesProcess {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  readonly opened: Promise<FilesOpened>;
  /** The files that are on their way. */
  transfers(): readonly FileTransfer[];
  end(): void;
}

export interface ToolResult {
  readonly exitCode: number;
  /** What it wrote to stdout. */
  readonly output: string;
  /** What it wrote to stderr. */
  readonly complaint: string;
}

export type SignalName = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1" | "SIGUSR2";

export type SignalEvent =
  | { readonly type: "signal"; readonly name: SignalName; readonly number: number }
  | { readonly type: "fatal"; readonly number: number };

/** Functions that start something throw HostError. */
export interface Processes {
  readonly pid: number;
  /** Gives back the memory of this program's code. What is needed again is read again. */
  dropCode?(): void;
  /** Our environment. */
  environment(): Record<string, string>;
  /** "absent", or why a hook must not be run, or undefined when it may. */
  hookRefusal(path: string): string | undefined;
  /** Runs a hook with this environment and no other, in its own session, with nothing on 0 to 2. */
  runHook(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Child;
  /** Runs `/bin/sh -c command` on a line. */
  runShell(command: string, options: ShellOptions): Child;
  /** Runs `/bin/sh -c command` in a session of its own, whose terminal is this device. */
  runOnTerminal(command: string, path: string, env: Readonly<Record<string, string>>): Child;
  /** Runs a program with our environment and our standard descriptors. What it writes to descriptor 3 can be read from `answer`. */
  runAsking(argv: readonly [string, ...string[]]): { readonly child: Child; readonly answer: number };
  /** Runs `/bin/sh -c command` with this on its standard input. */
  runHelper(command: string, input: string): Helper;
  /** Runs a system tool to its end, with this on its standard input. */
  runTool(argv: readonly [string, ...string[]], input: string): Promise<ToolResult>;
  /** Starts a process that serves files to the callers of sockets, without root's rights, until it is ended or we are. */
  serveFiles(request: FilesRequest, sockets: FilesSockets): FilesProcess;
  /** Tells a process from another one of the same id, also of another boot. Undefined: it has ended. Never throws. */
  identity(pid: number): string | undefined;
  /** A process of that id is there, whoever runs it. Never throws. */
  isRunning(pid: number): boolean;
  /**
   * Joins the sessions that use a change. `record` says how to take it back should all of them be killed. It is asked of the first
   * one, before another one joins. Never throws.
   */
  share(directory: string, name: string, record: () => string): Share;
  /** Calls `undo` with each record of sessions that were all killed. */
  undoAbandoned(directory: string, undo: (record: string) => void): void;
  /** Publishes at a path. `text` is called for each reader. */
  publish(path: string, text: () => string): Publication;
  /** Has these signals of the process come here. Returns what gives them back. */
  catchSignals<Name extends SignalName>(names: readonly Name[], caught: (name: Name) => void): () => void;
}
