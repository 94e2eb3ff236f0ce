// The lab: the real pppd and chat in a User-Mode Linux guest, driven from a test. It lies beside the repository
// (../shared/peerlab) or where NULLMODEM_SHARED says.

import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program, type Line } from "./program.ts";

/** The folder beside the repository that a clone of it does not have. */
export const SHARED = process.env["NULLMODEM_SHARED"] ?? join(import.meta.dir, "../../../shared");
const PEERLAB = join(SHARED, "peerlab/peerlab");

export interface LabOptions {
  /** A folder for the guest's /etc/ppp; hosts, passwd, shadow, group and pam.d in it go to /etc. */
  readonly etc?: string;
  /** System users, NAME:PASSWORD. */
  readonly users?: readonly string[];
  /** What the guest runs, its output in the log as "[cmd] …"; left out: nothing until {@link Lab.start}. */
  readonly command?: string;
  /** The guest's name of the line: ttyS1 unless said. */
  readonly tty?: string;
  /** An existing terminal to be the line's end instead of a new pty. */
  readonly attach?: string;
  readonly baud?: number;
  readonly ber?: number;
  readonly drop?: number;
  readonly seed?: number;
  /** The guest ends by itself after that many seconds (120). */
  readonly timeout?: number;
}

export interface LabResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

let reason: string | undefined | null = null;

/** Why there is no lab, in plain words, or undefined. The first call makes the lab's cache when there is none. */
export function missing(): string | undefined {
  if (reason === null) reason = findReason();
  return reason;
}

function findReason(): string | undefined {
  if (!existsSync(PEERLAB)) return "the lab is not here (../shared/peerlab, or NULLMODEM_SHARED)";
  if (Bun.which("python3") === null) return "the lab needs python3";
  const setup = Bun.spawnSync([PEERLAB, "setup"], { stdio: ["ignore", "pipe", "pipe"] });
  if (setup.exitCode === 0) return undefined;
  return `the lab's setup failed: ${setup.stderr.toString().trim().split("\n").at(-1)}`;
}

let count = 0;

/** A guest that runs. */
export class Lab {
  readonly name: string;
  /** The terminal to open: the other end of the guest's line. */
  readonly line: string;
  readonly #folder: string;
  readonly #guest: Program;

  private constructor(name: string, line: string, folder: string, guest: Program) {
    this.name = name;
    this.line = line;
    this.#folder = folder;
    this.#guest = guest;
  }

  /** Boots a guest (about a second) and returns when it is up. */
  static async run(options: LabOptions = {}): Promise<Lab> {
    const name = `nm${process.pid}-${count++}`;
    const folder = mkdtempSync(join(tmpdir(), "nullmodem-lab-"));
    const link = join(folder, "line");
    const { etc, users = [], command, tty = "ttyS1", attach, timeout = 120 } = options;
    const { baud, ber, drop, seed } = options;
    const flags = Object.entries({ etc, cmd: command, attach, baud, ber, drop, seed, timeout, tty }).flatMap(
      ([flag, value]) => (value === undefined ? [] : [`--${flag}`, String(value)]),
    );
    if (attach === undefined) flags.push("--line", link);
    const guest = new Program([
      PEERLAB,
      "run",
      ...["-n", name],
      ...flags,
      ...users.flatMap((user) => ["--user", user]),
    ]);
    const ready = Bun.spawn([PEERLAB, "ready", "-n", name], { stdio: ["ignore", "ignore", "pipe"] });
    const first = await Promise.race([ready.exited, guest.ended.then(() => -1)]);
    if (first !== 0) {
      ready.kill();
      await guest.stop();
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`the guest did not come up (status ${guest.status}):\n${guest.text}`);
    }
    return new Lab(name, attach ?? realpathSync(link), folder, guest);
  }

  /** Runs a shell command in the guest to its end. */
  async exec(command: string): Promise<LabResult> {
    return this.#do("exec", command);
  }

  /** Starts the main command; its output goes to the log as "[cmd] …". */
  async start(command: string): Promise<void> {
    await this.#must("start", command);
  }

  /** Waits for the main command and returns its exit status. */
  async wait(): Promise<number> {
    return (await this.#do("wait")).status;
  }

  /** The guest's log: lines "[seconds] text" of its console, its syslog and the main command. */
  get log(): string {
    return this.#guest.text;
  }

  /** The first log line that matches, within the time (10 s). */
  async waitFor(pattern: RegExp | string, limits: { within?: number; after?: Line } = {}): Promise<Line> {
    return this.#guest.waitFor(pattern, limits);
  }

  /** The text of a file in the guest. */
  async read(file: string): Promise<string> {
    const copy = join(this.#folder, `get-${count++}`);
    await this.#must("get", file, copy);
    return readFileSync(copy, "utf8");
  }

  async get(guestFile: string, file: string): Promise<void> {
    await this.#must("get", guestFile, file);
  }

  async put(file: string, guestFile: string): Promise<void> {
    await this.#must("put", file, guestFile);
  }

  async cut(): Promise<void> {
    await this.#must("cut");
  }

  async mend(): Promise<void> {
    await this.#must("mend");
  }

  /** Hangs the guest's terminal up, for good. */
  async hangUp(): Promise<void> {
    await this.#must("hangup");
  }

  /** Counters of the line, as the lab words them. */
  async stats(): Promise<string> {
    return (await this.#must("stats")).stdout;
  }

  /** Powers the guest off and removes what it left. The log can still be read. */
  async stop(): Promise<void> {
    if (this.#guest.status === undefined) await this.#do("stop");
    await this.#guest.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #must(...words: readonly string[]): Promise<LabResult> {
    const result = await this.#do(...words);
    if (result.status !== 0)
      throw new Error(`lab ${words.join(" ")}: status ${result.status}: ${result.stderr.trim()}`);
    return result;
  }

  async #do(verb = "", ...words: readonly string[]): Promise<LabResult> {
    const child = Bun.spawn([PEERLAB, verb, "-n", this.name, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { status, stdout, stderr };
  }
}
