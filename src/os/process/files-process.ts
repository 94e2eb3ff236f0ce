// Starts the process that serves files: this program again, in a session of its own. It reads from a pipe which folder it is to
// open, before it gives up its rights, and then what is asked of it. It ends when the pipe is closed, which is also the case when
// we have been killed. It tells on another pipe what it has opened, or why not.

import { closeSync, writeSync } from "node:fs";
import { check, closeFd, libc, Memory, O } from "../ffi/libc.ts";
import { scriptArgs } from "./detach.ts";
import { FILES_MARK, ownEnvironment } from "./inherited.ts";
import { type Ending, spawn } from "./spawn.ts";

/** The process's descriptors. */
export const FILES_FD = { answer: 1, request: 3, http: 4, smb: 5, names: 6 } as const;

/** What it serves. Undefined: not this one. */
interface FilesSockets {
  readonly http: number;
  readonly smb: number | undefined;
  readonly names: number | undefined;
}

/** The mark of a process that has its rights. The next one has the descriptor of the folder as its mark. */
export const FILES_BEGIN = "begin";

function folderLine(request: string): string {
  return JSON.stringify((JSON.parse(request) as { readonly directory: string }).directory);
}

export interface FilesProcess {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** The first line that it tells. Undefined: it has ended without one. */
  readonly answer: Promise<string | undefined>;
  /** The last line that it has told after that. */
  latest(): string | undefined;
  end(): void;
}

function pipe(): readonly [readEnd: number, writeEnd: number] {
  const ends = new Memory(8);
  check(libc.pipe2(ends.address, O.CLOEXEC), "pipe2");
  return [ends.view.getInt32(0, true), ends.view.getInt32(4, true)];
}

/** `request` is one line. `program` is for tests. Throws OsError. */
export function startFilesProcess(
  request: string,
  { http, smb, names }: FilesSockets,
  program: readonly string[] = [process.execPath, ...scriptArgs()],
): FilesProcess {
  const [requestEnd, toProcess] = pipe();
  const [fromProcess, answerEnd] = pipe();
  try {
    const [path = ""] = program;
    const stdio = [undefined, answerEnd, undefined, requestEnd, http, smb, names];
    const env = { ...ownEnvironment(), [FILES_MARK]: FILES_BEGIN };
    const options = { argv: program, env, stdio, ownSession: true, directory: "/" };
    const { pid, ended } = spawn(path, options);
    writeSync(toProcess, `${folderLine(request)}\n${request}\n`);
    let isOpen = true;
    const end = (): void => {
      if (isOpen) closeSync(toProcess);
      isOpen = false;
    };
    return { pid, ended, ...readLines(fromProcess), end };
  } catch (error) {
    for (const fd of [toProcess, fromProcess]) closeFd(fd);
    throw error;
  } finally {
    for (const fd of [requestEnd, answerEnd]) closeFd(fd);
  }
}

/** A process of ours writes shorter lines. What is longer is no line of it. */
const MOST_LINE = 8192;

/** Reads to the end, and closes the descriptor. */
function readLines(fd: number): Pick<FilesProcess, "answer" | "latest"> {
  const { promise: answer, resolve } = Promise.withResolvers<string | undefined>();
  let hasAnswered = false;
  let latest: string | undefined;
  const take = (line: string): void => {
    if (hasAnswered) latest = line;
    else if (line.trim() !== "") {
      hasAnswered = true;
      resolve(line);
    }
  };
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let text = "";
    // A stream of node:fs would keep a thread waiting.
    for await (const chunk of Bun.file(fd).stream()) {
      const lines = `${text}${decoder.decode(chunk, { stream: true })}`.split("\n");
      text = (lines.pop() ?? "").slice(-MOST_LINE);
      for (const line of lines) take(line);
    }
    take(text);
  };
  void read()
    .catch(() => {})
    .finally(() => {
      // The stream has closed its own copy.
      closeFd(fd);
      latest = undefined;
      resolve(undefined);
    });
  return { answer, latest: () => latest };
}
