// A guest kernel from start to end, and the dialogue with its shell: scripts and their output are files in a shared
// folder, and a line reports the end of a script.

import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Journal } from "./journal.ts";

export interface GuestOptions {
  /** A cpio archive that is unpacked over the image. */
  readonly overlay: Uint8Array;
  readonly kernel: Kernel;
  /** The guest's tty, "ttyS1", and the terminal of this machine behind it. */
  readonly tty: string;
  readonly terminal: string;
  readonly journal: Journal;
}

/** The virtual machine for a guest's kernel. */
export interface Kernel {
  /** The program and its arguments, for a guest with this shared folder and this terminal behind its tty. */
  command(folder: string, tty: string, terminal: string): readonly string[];
  /** How long it may take to boot, and how often it is started again when it dies during boot. */
  readonly bootMs: number;
  readonly tries: number;
}

export interface Said {
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

const SUPERVISOR = join(import.meta.dir, "supervise.sh");
const HOST = "/lab/host";
/** The beginning of an answer from the guest's shell. */
const MARK = "\x02";

export class Guest {
  /** The folder that both can see. */
  readonly #folder: string;
  readonly journal: Journal;
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #waiting = new Map<string, (answer: string | undefined) => void>();
  readonly ended: Promise<void>;
  #count = 0;
  #running = true;

  private constructor(folder: string, { kernel, tty, terminal, journal }: GuestOptions) {
    this.#folder = folder;
    this.journal = journal;
    this.#child = Bun.spawn(["bash", SUPERVISOR, folder, ...kernel.command(folder, tty, terminal)], {
      stdio: ["pipe", "pipe", "pipe"],
      // The guest's memory is a file for the kernel alone.
      env: { ...process.env, HOME: folder, TMPDIR: existsSync("/dev/shm") ? "/dev/shm" : tmpdir() },
    });
    const read = [
      this.#read(this.#child.stdout, (text) => journal.say(`[cmd] ${text}`, "out")),
      this.#read(this.#child.stderr, (text) => journal.say(text)),
    ];
    this.ended = Promise.all(read).then(async () => {
      this.#running = false;
      for (const answer of this.#waiting.values()) answer(undefined);
      this.#child.stdin.end();
      await this.#child.exited;
    });
  }

  /** Boots a guest, and again when it dies during boot. Returns when its shell answers. */
  static async boot(options: GuestOptions): Promise<Guest> {
    const { overlay, journal, kernel } = options;
    for (let tries = 1; ; tries++) {
      const folder = mkdtempSync(join(tmpdir(), "nullmodem-lab-"));
      writeFileSync(join(folder, "overlay.cpio"), overlay);
      const guest = new Guest(folder, options);
      const ready = guest.#answer("ready");
      const timer = setTimeout(() => guest.#child.stdin.end(), kernel.bootMs);
      const uptime = await ready;
      clearTimeout(timer);
      if (uptime !== undefined) {
        journal.say(`lab: ready (guest uptime ${uptime} s)`);
        void guest.ended.then(() => journal.end("the guest ended"));
        return guest;
      }
      await guest.ended;
      if (tries === kernel.tries) throw new Error(`the guest did not come up, ${tries} times:\n${journal.text}`);
      journal.say("lab: the guest died while booting; starting it again");
    }
  }

  /** Runs a shell script to its end. After `within` milliseconds it is killed, with status 124. */
  async run(script: string, within: number): Promise<Said> {
    const id = this.#write(script);
    const answer = this.#answer(id);
    this.#ask(`run ${id}`);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#ask(`kill ${id}`);
    }, within);
    const status = await answer;
    clearTimeout(timer);
    if (status === undefined) throw new Error(`the guest ended during ${script}:\n${this.journal.text}`);
    const said = {
      status: late ? 124 : Number(status),
      stdout: this.#take(`${id}.out`),
      stderr: this.#take(`${id}.err`),
    };
    rmSync(join(this.#folder, `${id}.sh`), { force: true });
    return said;
  }

  /** Starts a shell script whose output goes to the journal as "[cmd] …". Resolves to its status. */
  async start(script: string): Promise<number | undefined> {
    const id = this.#write(script);
    const answer = this.#answer(id);
    this.#ask(`start ${id}`);
    const status = await answer;
    rmSync(join(this.#folder, `${id}.sh`), { force: true });
    return status === undefined ? undefined : Number(status);
  }

  /** A new file that both can see: its path here and in the guest. */
  shared(): { here: string; there: string; remove(): void } {
    const name = `${++this.#count}.file`;
    const here = join(this.#folder, name);
    return { here, there: `${HOST}/${name}`, remove: () => rmSync(here, { force: true }) };
  }

  /**
   * Runs a script that restarts the kernel, and returns when its shell answers. Programs in it never report their end.
   */
  async restart(script: string): Promise<void> {
    const ready = this.#answer("ready");
    this.#ask(`run ${this.#write(script)}`);
    if ((await ready) === undefined) throw new Error(`the guest ended during ${script}:\n${this.journal.text}`);
  }

  /** Ends the guest at once and waits for its end. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.ended;
  }

  #ask(line: string): void {
    if (!this.#running) return;
    this.#child.stdin.write(`${line}\n`);
    void this.#child.stdin.flush();
  }

  #answer(id: string): Promise<string | undefined> {
    if (!this.#running) return Promise.resolve(undefined);
    return new Promise((resolve) =>
      this.#waiting.set(id, (answer) => {
        this.#waiting.delete(id);
        resolve(answer);
      }),
    );
  }

  /** A name is never used twice, because the guest may cache the content of a file. */
  #write(script: string): string {
    const id = String(++this.#count);
    const path = join(this.#folder, `${id}.sh`);
    writeFileSync(`${path}.new`, script);
    renameSync(`${path}.new`, path);
    return id;
  }

  #take(name: string): Uint8Array {
    const path = join(this.#folder, name);
    if (!existsSync(path)) return new Uint8Array();
    const bytes = readFileSync(path);
    rmSync(path);
    return bytes;
  }

  /** Splits lines and removes the tty's carriage return. An answer may begin anywhere. */
  async #read(stream: ReadableStream<Uint8Array>, say: (text: string) => void): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const [text, answer] = line.replace(/\r$/, "").split(MARK);
        if (answer === undefined || text !== "") say(text!);
        if (answer === undefined) continue;
        const [id = "", word] = answer.split(" ");
        this.#waiting.get(id)?.(word);
      }
    }
    if (rest !== "") say(rest);
  }
}
