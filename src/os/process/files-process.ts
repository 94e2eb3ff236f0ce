// Starts the process that serves files: this program again, in a session of its own. It reads its request from a pipe, and ends
// when that is closed, which is also the case when we have been killed. It tells on another pipe what it has opened, or why not.

import { closeSync, createReadStream, writeSync } from "node:fs";
import { check, closeFd, libc, Memory, O } from "../ffi/libc.ts";
import { scriptArgs } from "./detach.ts";
import { FILES_MARK, ownEnvironment } from "./inherited.ts";
import { withoutAmbient } from "../users/lesser-rights.ts";
import { type Ending, spawn } from "./spawn.ts";

/** The process's descriptors. */
export const FILES_FD = { answer: 1, request: 3, listening: 4 } as const;

export interface FilesProcess {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** The text that it tells. Undefined: it has ended without one. */
  readonly answer: Promise<string | undefined>;
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
  listening: number,
  program: readonly string[] = [process.execPath, ...scriptArgs()],
): FilesProcess {
  const [requestEnd, toProcess] = pipe();
  const [fromProcess, answerEnd] = pipe();
  try {
    const [path = ""] = program;
    const stdio = [undefined, answerEnd, undefined, requestEnd, listening];
    const env = { ...ownEnvironment(), [FILES_MARK]: "1" };
    const options = { argv: program, env, stdio, ownSession: true, directory: "/" };
    const { pid, ended } = withoutAmbient(() => spawn(path, options));
    writeSync(toProcess, `${request}\n`);
    let isOpen = true;
    const end = (): void => {
      if (isOpen) closeSync(toProcess);
      isOpen = false;
    };
    return { pid, ended, answer: textOf(fromProcess), end };
  } catch (error) {
    for (const fd of [toProcess, fromProcess]) closeFd(fd);
    throw error;
  } finally {
    for (const fd of [requestEnd, answerEnd]) closeFd(fd);
  }
}

/** All that comes until the end. Closes the descriptor. */
function textOf(fd: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    createReadStream("", { fd, encoding: "utf8" })
      .on("data", (chunk) => (text += String(chunk)))
      .on("error", () => resolve(undefined))
      .on("close", () => resolve(text.trim() === "" ? undefined : text.trim()));
  });
}
