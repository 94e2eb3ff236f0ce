// Our own password, where options and secrets files do not have it: from a descriptor (passwordfd.so), or from a program
// that asks the user for it (passprompt.so).

import { decoded, textOf } from "../../bytes/text.ts";
import type { Config } from "../../options/config.ts";
import type { Child } from "../host/processes.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";

/** The longest password that pppd takes, in octets. */
const LONGEST = 255;
/** The exit code of a program whose user does not want to be asked again. */
const CANCELLED = 128;
const SIGTERM = 15;

type PasswordMachine = Pick<Machine, "descriptors" | "files" | "processes">;

export class Passwords {
  readonly prompt: PasswordPrompt | undefined;
  readonly #fd: number;
  readonly #machine: PasswordMachine;
  readonly #log: Log;
  #fromFd: string | undefined;
  #isReading = false;

  constructor({ plugins, passwordfd, promptprog }: Config, machine: PasswordMachine, log: Log) {
    this.#machine = machine;
    this.#log = log;
    this.#fd = plugins.includes("passwordfd.so") ? passwordfd : -1;
    // Each of the two gives our PAP password: the one that is loaded last counts.
    const [last] = plugins.filter((name) => name === "passwordfd.so" || name === "passprompt.so").slice(-1);
    if (last === "passprompt.so" && promptprog !== undefined)
      this.prompt = new PasswordPrompt(promptprog, machine, log);
  }

  /** The password from the descriptor, a byte string. Undefined: there is none. */
  get fromFd(): string | undefined {
    return this.#fromFd;
  }

  /** Reads the descriptor to its end. Undefined: it has been read, or there is none. */
  ready(): Promise<void> | undefined {
    if (this.#fd < 0 || this.#isReading) return undefined;
    this.#isReading = true;
    return this.#read();
  }

  async #read(): Promise<void> {
    const octets = await readToEnd(this.#machine, this.#fd);
    if (typeof octets === "string") this.#log.write("error", "Can't read secret from fd");
    else this.#fromFd = textOf(octets, 0);
  }
}

/** Reads to the end and closes; a text says why that failed. */
async function readToEnd({ descriptors, files }: PasswordMachine, fd: number): Promise<Uint8Array | string> {
  const octets = new Uint8Array(LONGEST);
  let length = 0;
  try {
    while (length < LONGEST) {
      const piece = await files.readSome(fd, LONGEST - length);
      if (piece.length === 0) break;
      octets.set(piece, length);
      length += piece.length;
    }
    descriptors.close(fd);
  } catch (error) {
    return reasonOf(error);
  }
  return octets.subarray(0, length);
}

class PasswordPrompt {
  readonly #program: string;
  readonly #machine: PasswordMachine;
  readonly #log: Log;
  #isRefused = false;
  #child: Child | undefined;
  /** null: the program has no answer. */
  #answer: string | null | undefined;

  constructor(program: string, machine: PasswordMachine, log: Log) {
    this.#program = program;
    this.#machine = machine;
    this.#log = log;
  }

  get isPossible(): boolean {
    return !this.#isRefused && this.#machine.files.isExecutable(this.#program);
  }

  /** The program has been asked. */
  get isBusy(): boolean {
    return this.#child !== undefined;
  }

  /** take() has an answer. */
  get isSettled(): boolean {
    return this.#answer !== undefined;
  }

  /** The answer, once: a byte string; null: there is none. Undefined: not yet; starts the program unless it runs. */
  take(user: string, server: string): string | null | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer === undefined && this.#child === undefined) this.#start(user, server);
    return answer;
  }

  /** The answer is not needed any more. */
  cancel(): void {
    this.#child?.kill(SIGTERM);
    this.#child = this.#answer = undefined;
  }

  #start(user: string, server: string): void {
    try {
      const argv: [string, ...string[]] = [this.#program, decoded(user), decoded(server), "3"];
      const { child, answer } = this.#machine.processes.runAsking(argv);
      this.#child = child;
      void this.#finish(child, answer);
    } catch (error) {
      this.#log.write("warn", `Can't execute ${this.#program}: ${reasonOf(error)}`);
      this.#answer = null;
    }
  }

  async #finish(child: Child, readEnd: number): Promise<void> {
    const octets = await readToEnd(this.#machine, readEnd);
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
