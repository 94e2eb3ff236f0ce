// Our own password when no option and no secrets file has it. passwordfd.so reads it from a descriptor, passprompt.so
// gets it from a program that asks the user, and nm-pppd-plugin.so asks NetworkManager.

import { decoded, textOf } from "../../bytes/text.ts";
import type { Config } from "../../options/config.ts";
import type { Child } from "../host/processes.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";
import type { SessionPlugin } from "../session/session-plugin.ts";
import { AskedAccount } from "./asked-account.ts";

/** The longest password that pppd takes, in octets. */
const LONGEST = 255;
/** The exit code of the program when the user does not want to be asked again. */
const CANCELLED = 128;
const SIGTERM = 15;

type PasswordMachine = Pick<Machine, "descriptors" | "files" | "processes">;

export class Passwords {
  readonly prompt: PasswordPrompt | undefined;
  /** Our name and secret from a plugin. */
  readonly account: AskedAccount | undefined;
  readonly #fd: number;
  readonly #machine: PasswordMachine;
  readonly #log: Log;
  #fromFd: string | undefined;
  #isReading = false;

  constructor(
    { plugins, passwordfd, promptprog }: Config,
    machine: PasswordMachine,
    log: Log,
    plugin?: Pick<SessionPlugin, "account">,
  ) {
    if (plugin !== undefined) this.account = new AskedAccount(() => plugin.account());
    this.#machine = machine;
    this.#log = log;
    this.#fd = plugins.includes("passwordfd.so") ? passwordfd : -1;
    // Each of the two plugins gives our PAP password. The one that is loaded last counts.
    const [last] = plugins.filter((name) => name === "passwordfd.so" || name === "passprompt.so").slice(-1);
    if (last === "passprompt.so" && promptprog !== undefined)
      this.prompt = new PasswordPrompt(promptprog, machine, log);
  }

  /** The password from the descriptor, as a byte string. Undefined when there is none. */
  get fromFd(): string | undefined {
    return this.#fromFd;
  }

  /** Reads the descriptor to its end. Undefined when it has been read already, or when there is no descriptor. */
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

/** Reads the descriptor to its end and closes it. Returns the reason as text when that fails. */
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
  /** Null when the program gave no password. */
  #answer: string | null | undefined;

  constructor(program: string, machine: PasswordMachine, log: Log) {
    this.#program = program;
    this.#machine = machine;
    this.#log = log;
  }

  get isPossible(): boolean {
    return !this.#isRefused && this.#machine.files.isExecutable(this.#program);
  }

  /** True while the program runs. */
  get isBusy(): boolean {
    return this.#child !== undefined;
  }

  /** True when take() has an answer. */
  get isSettled(): boolean {
    return this.#answer !== undefined;
  }

  /**
   * Returns the password as a byte string, or null when there is none. Each answer is returned once. Undefined means
   * that there is no answer yet; then the program is started unless it runs already.
   */
  take(user: string, server: string): string | null | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer === undefined && this.#child === undefined) this.#start(user, server);
    return answer;
  }

  /** Ends the program: its answer is no longer needed. */
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
