// A login in a process of its own. PAM's session modules act on the process that opens the session (limits, cgroup, login uid,
// key ring), so the sessions of several ports must not be opened by one process. And a module that thinks for long must not
// stop the other ports.
//
// The process is this program, started again. It reads the request from one pipe, writes the result to another, and closes the
// session when the first one is closed, which is also the case when we have been killed.

import { closeSync, read, readFileSync, writeSync } from "node:fs";
import { check, closeFd, libc, Memory, O } from "../ffi/libc.ts";
import type { LogLevel } from "../log/log-writer.ts";
import { scriptArgs } from "../process/detach.ts";
import { LOGIN_MARK, ownEnvironment } from "../process/inherited.ts";
import { spawn } from "../process/spawn.ts";
import { type LoginRequest, type LoginResult, systemLogin } from "./login.ts";

/** The child's descriptors. */
const REQUEST_FD = 3;
const ANSWER_FD = 4;
/** The child writes its answer at once, and a pipe takes this much. */
const ANSWER_SIZE = 4096;
const MOST_LINES = 20;
const LINE_END = 0x0a;

type Asked = Pick<LoginRequest, "user" | "tty" | "ifname"> & { readonly password: string | undefined };

interface Answer {
  readonly ok: boolean;
  readonly message: string;
  readonly delayMs: number;
  readonly log: readonly (readonly [LogLevel, string])[];
}

/** The same as systemLogin, in another process. `program` is for tests. Never rejects. */
export async function loginInProcess(
  { log, ...asked }: Asked & Pick<LoginRequest, "log">,
  program: readonly string[] = [process.execPath, ...scriptArgs()],
): Promise<LoginResult> {
  const [requestEnd, request] = pipe();
  const [answer, answerEnd] = pipe();
  try {
    const [path = ""] = program;
    const stdio = [undefined, undefined, undefined, requestEnd, answerEnd];
    spawn(path, { argv: program, env: { ...ownEnvironment(), [LOGIN_MARK]: "1" }, stdio, ownSession: true });
  } catch (error) {
    for (const fd of [request, answer]) closeFd(fd);
    log("error", `Can't start a process for the login: ${error instanceof Error ? error.message : String(error)}`);
    return { ok: false, message: "Login incorrect", delayMs: 0 };
  } finally {
    for (const fd of [requestEnd, answerEnd]) closeFd(fd);
  }
  tell(request, `${JSON.stringify(asked)}\n`);
  const result = await answerOf(answer);
  for (const [level, text] of result?.log ?? []) log(level, text);
  if (result?.ok !== true) {
    closeSync(request);
    return { ok: false, message: result?.message ?? "Login incorrect", delayMs: result?.delayMs ?? 0 };
  }
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(request);
    isOpen = false;
  };
  return { ok: true, message: result.message, session: { close } };
}

/** A process that has ended reads nothing, and gives no answer either. */
function tell(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // EPIPE
  }
}

/** Undefined when the process has ended in the middle of it. */
function readAnswer(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

/** Undefined when the process has ended without one. */
function answerOf(fd: number): Promise<Answer | undefined> {
  const bytes = Buffer.alloc(ANSWER_SIZE);
  return new Promise((resolve) => {
    read(fd, bytes, 0, bytes.length, null, (error, length) => {
      closeSync(fd);
      resolve(error !== null || length === 0 ? undefined : readAnswer(bytes.toString("utf8", 0, length)));
    });
  });
}

function pipe(): readonly [readEnd: number, writeEnd: number] {
  const ends = new Memory(8);
  check(libc.pipe2(ends.address, O.CLOEXEC), "pipe2");
  return [ends.view.getInt32(0, true), ends.view.getInt32(4, true)];
}

/** What that process does. Returns its exit code. */
export function runLoginProcess(): number {
  delete process.env[LOGIN_MARK];
  const line = readLine();
  if (line === undefined) return 1;
  const log: [LogLevel, string][] = [];
  const asked = JSON.parse(line) as Asked;
  const result = systemLogin({
    ...asked,
    log: (level, text) => void (log.length < MOST_LINES && log.push([level, text])),
  });
  const { ok, message } = result;
  const answer: Answer = { ok, message, delayMs: result.ok ? 0 : result.delayMs, log };
  const text = JSON.stringify(answer);
  writeSync(
    ANSWER_FD,
    Buffer.byteLength(text) <= ANSWER_SIZE ? text : JSON.stringify({ ...answer, message: "", log: [] }),
  );
  closeSync(ANSWER_FD);
  if (!result.ok) return 0;
  // Until the link is down.
  readFileSync(REQUEST_FD);
  result.session.close();
  return 0;
}

/** The request. It ends with a line break, because the pipe stays open. */
function readLine(): string | undefined {
  const memory = new Memory(ANSWER_SIZE);
  let length = 0;
  for (;;) {
    const got = libc.read(REQUEST_FD, memory.at(length), memory.bytes.length - length);
    if (got <= 0) return undefined;
    length += got;
    if (memory.bytes[length - 1] === LINE_END) return Buffer.from(memory.bytes.subarray(0, length)).toString();
  }
}
