// Our own password from elsewhere than options and secrets files: from a descriptor (passwordfd.so), or from a program that
// asks the user for it (passprompt.so).

import { accessSync, constants as access, read } from "node:fs";
import { decoded, textOf } from "../../bytes/text.ts";
import type { Config } from "../../options/config.ts";
import { type Child, runProgram } from "../../os/process/exec.ts";
import { check, closeFd, libc, Memory, O, reasonOf } from "../../os/ffi/libc.ts";
import type { Log } from "../log.ts";

/** As many octets as pppd takes. */
const LONGEST = 255;
/** The program's way of saying that the user does not want to be asked again. */
const CANCELLED = 128;
const SIGTERM = 15;

export class Passwords {
  readonly prompt: PasswordPrompt | undefined;
  readonly #fd: number;
  readonly #log: Log;
  #fromFd: string | undefined;
  #isReading = false;

  constructor({ plugins, passwordfd, promptprog }: Config, log: Log) {
    this.#log = log;
    this.#fd = plugins.includes("passwordfd.so") ? passwordfd : -1;
    // Both say what our PAP password is: the one loaded last does.
    const [last] = plugins.filter((name) => name === "passwordfd.so" || name === "passprompt.so").slice(-1);
    if (last === "passprompt.so" && promptprog !== undefined) this.prompt = new PasswordPrompt(promptprog, log);
  }

  /** The password from the descriptor, a byte string. Undefined: there is none. */
  get fromFd(): string | undefined {
    return this.#fromFd;
  }

  /** Reads the descriptor to its end. Undefined: that has been done, or there is nothing to read. */
  ready(): Promise<void> | undefined {
    if (this.#fd < 0 || this.#isReading) return undefined;
    this.#isReading = true;
    return this.#read();
  }

  async #read(): Promise<void> {
    const octets = await readToEnd(this.#fd);
    if (typeof octets === "string") this.#log.write("error", "Can't read secret from fd");
    else this.#fromFd = textOf(octets, 0);
  }
}

/** Reads and closes; what is wrong with it otherwise. */
async function readToEnd(fd: number): Promise<Uint8Array | string> {
  const octets = new Uint8Array(LONGEST);
  let length = 0;
  try {
    while (length < LONGEST) {
      const count = await new Promise<number>((resolve, reject) => {
        read(fd, octets, length, LONGEST - length, null, (error, bytes) => (error ? reject(error) : resolve(bytes)));
      });
      if (count === 0) break;
      length += count;
    }
    closeFd(fd);
  } catch (error) {
    return reasonOf(error);
  }
  return octets.subarray(0, length);
}

class PasswordPrompt {
  readonly #program: string;
  readonly #log: Log;
  #isRefused = false;
  #child: Child | undefined;
  /** null: the program has no answer. */
  #answer: string | null | undefined;

  constructor(program: string, log: Log) {
    this.#program = program;
    this.#log = log;
  }

  get isPossible(): boolean {
    if (this.#isRefused) return false;
    try {
      accessSync(this.#program, access.X_OK);
      return true;
    } catch {
      return false;
    }
  }

  /** The program has been asked. */
  get isBusy(): boolean {
    return this.#child !== undefined;
  }

  /** take() has something to say. */
  get isSettled(): boolean {
    return this.#answer !== undefined;
  }

  /** The answer, once: a byte string; null: there is none. Undefined: not yet; the program is started if need be. */
  take(user: string, server: string): string | null | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer === undefined && this.#child === undefined) this.#start(user, server);
    return answer;
  }

  /** Nobody wants to know any more. */
  cancel(): void {
    this.#child?.kill(SIGTERM);
    this.#child = this.#answer = undefined;
  }

  #start(user: string, server: string): void {
    const pipe = new Memory(8);
    check(libc.pipe2(pipe.address, O.CLOEXEC), "pipe2");
    const readEnd = pipe.view.getInt32(0, true);
    const writeEnd = pipe.view.getInt32(4, true);
    try {
      const child = runProgram([this.#program, decoded(user), decoded(server), "3"], [0, 1, 2, writeEnd]);
      this.#child = child;
      void this.#finish(child, readEnd);
    } catch (error) {
      this.#log.write("warn", `Can't execute ${this.#program}: ${reasonOf(error)}`);
      closeFd(readEnd);
      this.#answer = null;
    } finally {
      closeFd(writeEnd);
    }
  }

  async #finish(child: Child, readEnd: number): Promise<void> {
    const octets = await readToEnd(readEnd);
    const { exitCode, signal } = await child.ended;
    if (this.#child !== child) return;
    this.#child = undefined;
    if (signal !== 0) this.#log.write("warn", `${this.#program} terminated abnormally`);
    else if (exitCode !== 0) this.#log.write("warn", `${this.#program} exited with code ${exitCode}`);
    if (exitCode === CANCELLED) this.#isRefused = true;
    if (typeof octets === "string") this.#log.write("error", `Can't read secret from ${this.#program}: ${octets}`);
    this.#answer = typeof octets === "string" || signal !== 0 || exitCode !== 0 ? null : textOf(octets, 0);
  }
}
