// The lab: the real pppd and chat in a User-Mode Linux guest that is made from Debian's packages, controlled by a test.

import { copyFileSync, writeFileSync } from "node:fs";
import { type Cable, openCable } from "./cable.ts";
import { Guest, type Kernel } from "./lab/guest.ts";
import { imageMissing, type Version } from "./lab/image.ts";
import { Journal } from "./lab/journal.ts";
import { overlay } from "./lab/overlay.ts";
import { uml } from "./lab/uml.ts";
import type { Line } from "./program.ts";

export interface LabOptions {
  /** The pppd in the guest. By default the one that is installed here. */
  readonly ppp?: Version;
  /** The virtual machine. By default User-Mode Linux with that pppd. */
  readonly kernel?: Kernel;
  /** A folder for the guest's /etc/ppp. hosts, passwd, shadow, group and pam.d in it go to /etc. */
  readonly etc?: string;
  /** System users, NAME:PASSWORD. */
  readonly users?: readonly string[];
  /**
   * The guest's main command, whose output is in the log as "[cmd] …". Left out: nothing runs until {@link Lab.start}.
   */
  readonly command?: string;
  /** The guest's name for the line. ttyS1 by default. */
  readonly tty?: string;
  /**
   * An existing terminal for the end of the line, in place of a new pty. The test does not set its speed and damage.
   */
  readonly attach?: string;
  readonly baud?: number;
  readonly ber?: number;
  readonly drop?: number;
  readonly seed?: number;
  /** The guest ends by itself after this number of seconds. Left out: with the process that started it. */
  readonly timeout?: number;
}

export interface LabResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const EXEC_MS = 60_000;

const reasons = new Map<Version, string | undefined>();

/** Why there is no lab with this pppd, as text, or undefined. */
export function missing(version: Version = "installed"): string | undefined {
  if (!reasons.has(version)) reasons.set(version, imageMissing(version));
  return reasons.get(version);
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

let count = 0;

/** A running guest. It ends with the process that started it, however that ends. */
export class Lab {
  /** Its host name. */
  readonly name: string;
  /** The terminal to open: the other end of the guest's line. */
  readonly line: string;
  readonly #tty: string;
  readonly #journal: Journal;
  readonly #guest: Guest;
  readonly #cable: Cable | undefined;
  readonly #timer: Timer | undefined;
  /** The status of the main command. Undefined when the guest ended before it. */
  #main: Promise<number | undefined> | undefined;
  #busy = false;

  private constructor(
    name: string,
    tty: string,
    seconds: number | undefined,
    line: string,
    guest: Guest,
    cable?: Cable,
  ) {
    this.name = name;
    this.line = line;
    this.#tty = tty;
    this.#journal = guest.journal;
    this.#guest = guest;
    this.#cable = cable;
    if (seconds === undefined) return;
    this.#timer = setTimeout(() => {
      this.#journal.say(`lab: timeout after ${seconds} s`);
      void this.stop();
    }, seconds * 1000);
    this.#timer.unref();
  }

  /** Boots a guest (a quarter of a second) and returns when it is up. */
  static async run(options: LabOptions = {}): Promise<Lab> {
    const { ppp = "installed", kernel = uml(ppp), etc, users = [], command, ...line } = options;
    const { tty = "ttyS1", attach, timeout, ...speedAndDamage } = line;
    const name = `nm${process.pid}-${count++}`;
    if (attach !== undefined && Object.keys(speedAndDamage).length > 0)
      throw new Error(`${attach} has its own speed and its own damage`);
    const cable = attach === undefined ? await openCable(speedAndDamage) : undefined;
    try {
      const terminal = attach ?? cable!.a;
      const files = overlay(name, etc, users);
      const guest = await Guest.boot({ kernel, overlay: files, tty, terminal, journal: new Journal() });
      const lab = new Lab(name, tty, timeout, cable?.b ?? terminal, guest, cable);
      if (command !== undefined) await lab.start(command);
      return lab;
    } catch (error) {
      await cable?.close();
      throw error;
    }
  }

  /** Runs a shell command in the guest to its end. After `within` ms it is killed, with status 124. */
  async exec(command: string, within = EXEC_MS): Promise<LabResult> {
    const { status, stdout, stderr } = await this.#guest.run(command, within);
    return { status, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Starts the main command. Its output goes to the log as "[cmd] …". One at a time. */
  async start(command: string): Promise<void> {
    if (this.#busy) throw new Error("a command is already running");
    this.#busy = true;
    this.#journal.say("lab: command started");
    this.#main = this.#guest.start(command).then((status) => {
      this.#busy = false;
      if (status !== undefined) this.#journal.say(`lab: command exited with status ${status}`);
      return status;
    });
  }

  /** Waits for the main command and returns its exit status. */
  async wait(): Promise<number> {
    const status = await this.#main;
    if (status === undefined) throw new Error(`no command ended:\n${this.log}`);
    return status;
  }

  /** The guest's log: lines "[seconds] text" of its console, its syslog and the main command. */
  get log(): string {
    return this.#journal.text;
  }

  /** The first matching log line, within the time (10 s). */
  async waitFor(pattern: RegExp | string, limits: { within?: number; after?: Line } = {}): Promise<Line> {
    return this.#journal.waitFor(pattern, limits);
  }

  /** The text of a file in the guest. */
  async read(file: string): Promise<string> {
    return (await this.#must(`cat ${quoted(file)}`)).stdout;
  }

  async get(guestFile: string, file: string): Promise<void> {
    const { here, there, remove } = this.#guest.shared();
    try {
      await this.#must(`cat ${quoted(guestFile)} >${there}`);
      copyFileSync(here, file);
    } finally {
      remove();
    }
  }

  /** Content that the guest can read at `there`, until it is removed. */
  share(content: Uint8Array): { there: string; remove(): void } {
    const { here, there, remove } = this.#guest.shared();
    writeFileSync(here, content);
    return { there, remove };
  }

  async put(file: string, guestFile: string): Promise<void> {
    const { here, there, remove } = this.#guest.shared();
    try {
      copyFileSync(file, here);
      await this.#must(`cat ${there} >${quoted(guestFile)}`);
    } finally {
      remove();
    }
  }

  async cut(): Promise<void> {
    await this.#ownCable().cut();
  }

  async mend(): Promise<void> {
    await this.#ownCable().mend();
  }

  /** Hangs up the guest's terminal for good. */
  async hangUp(): Promise<void> {
    // A session leader that ends hangs up its controlling terminal. -c takes the terminal from the session that has it.
    const device = `/dev/${this.#tty}`;
    await this.#must(`setsid -c true <>${device}; rm ${device}`);
  }

  /** Counters of the line as JSON: "ab" from the guest, "ba" to it. */
  async stats(): Promise<string> {
    return JSON.stringify(await this.#ownCable().stats());
  }

  /** Restarts the guest's kernel at once, as after a power cut. Its own file system is new. */
  async restart(): Promise<void> {
    await this.#guest.restart("reboot -f");
    this.#busy = false;
  }

  /** Ends the guest and removes its files. The log can still be read. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#guest.stop();
    await this.#cable?.close();
  }

  #ownCable(): Cable {
    if (this.#cable === undefined) throw new Error(`${this.line} is somebody else's, and so is its cable`);
    return this.#cable;
  }

  async #must(command: string): Promise<LabResult> {
    const result = await this.exec(command);
    if (result.status !== 0)
      throw new Error(`in the lab: ${command}: status ${result.status}: ${result.stderr.trim()}`);
    return result;
  }
}
