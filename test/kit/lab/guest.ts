// A kernel that runs as a process (User-Mode Linux), from its start to its end, and the conversation with the shell in
// it: scripts go in by a folder both can see (hostfs), what they said comes back there, and a line says that they ended.

import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE_MS } from "../patience.ts";
import { image, KERNEL, type Version } from "./image.ts";
import type { Journal } from "./journal.ts";

export interface GuestOptions {
  readonly version: Version;
  /** What is unpacked over the image, a cpio archive. */
  readonly overlay: Uint8Array;
  /** The guest's tty, "ttyS1", and the terminal of this machine behind it. */
  readonly tty: string;
  readonly terminal: string;
  readonly journal: Journal;
}

export interface Said {
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

const SUPERVISOR = join(import.meta.dir, "supervise.sh");
/** What is not touched costs nothing, but with less memory some boots fail. */
const MEMORY = "256M";
/** Benchmarks at boot and file systems that nobody needs here: two thirds of the time. */
const LEFT_OUT = ["raid6_select_algo", "init_btrfs_fs", "calibrate_xor_blocks", "init_zswap", "zswap_init"];
/** The channels of init.sh, out of the way of the ttys a test may use. */
const CONTROL = 62;
const SAID = 63;
const HOST = "/lab/host";
const BOOT_TRIES = 5;
const BOOT_MS = PATIENCE_MS;
/** What the shell in the guest starts an answer with. */
const MARK = "\x02";

let booted = process.pid;

/**
 * The processors in turn, one for each guest. A kernel and its processes take turns as well; on one processor the switch is
 * cheap, between two that are idle it doubles the time of everything.
 */
function nextCpu(): string {
  const [, list = "0"] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  const allowed = list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
  });
  return allowed[booted++ % allowed.length]!;
}

export class Guest {
  /** The folder that both see. */
  readonly #folder: string;
  readonly journal: Journal;
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #waiting = new Map<string, (answer: string | undefined) => void>();
  readonly ended: Promise<void>;
  #count = 0;
  #running = true;

  private constructor(folder: string, { version, tty, terminal, journal }: GuestOptions) {
    this.#folder = folder;
    this.journal = journal;
    const line = Number(tty.replace(/^ttyS/, ""));
    const kernel = [
      ...["taskset", "--cpu-list", nextCpu()],
      KERNEL,
      ...[
        `mem=${MEMORY}`,
        `initrd=${image(version)}`,
        "rdinit=/init",
        `share=${folder}`,
        "quiet",
        "loglevel=1",
        "lpj=40000000",
      ],
      ...[
        "pty.legacy_count=0",
        "cryptomgr.notests=1",
        "con=null",
        "con0=null,fd:2",
        "ssl=null",
        `ssl${line}=tty:${terminal}`,
      ],
      ...[`ssl${CONTROL}=fd:0,fd:3`, `ssl${SAID}=null,fd:1`],
      ...[`uml_dir=${folder}`, "umid=guest", `initcall_blacklist=${LEFT_OUT.join(",")}`],
    ];
    this.#child = Bun.spawn(["bash", SUPERVISOR, folder, ...kernel], {
      stdio: ["pipe", "pipe", "pipe"],
      // The guest's memory is a file that is there only for the kernel.
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

  /** Boots a guest, again when it dies on the way, and returns when its shell answers. */
  static async boot(options: GuestOptions): Promise<Guest> {
    const { overlay, journal } = options;
    for (let tries = 1; ; tries++) {
      const folder = mkdtempSync(join(tmpdir(), "nullmodem-lab-"));
      writeFileSync(join(folder, "overlay.cpio"), overlay);
      const guest = new Guest(folder, options);
      const ready = guest.#answer("ready");
      const timer = setTimeout(() => guest.#child.stdin.end(), BOOT_MS);
      const uptime = await ready;
      clearTimeout(timer);
      if (uptime !== undefined) {
        journal.say(`lab: ready (guest uptime ${uptime} s)`);
        void guest.ended.then(() => journal.end("the guest ended"));
        return guest;
      }
      await guest.ended;
      if (tries === BOOT_TRIES) throw new Error(`the guest did not come up, ${tries} times:\n${journal.text}`);
      journal.say("lab: the guest died while booting; starting it again");
    }
  }

  /** Runs a shell script to its end; after `within` milliseconds it is killed, with status 124. */
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

  /** Starts a shell script whose output goes to the journal, as "[cmd] …"; the status when it has ended. */
  async start(script: string): Promise<number | undefined> {
    const id = this.#write(script);
    const answer = this.#answer(id);
    this.#ask(`start ${id}`);
    const status = await answer;
    rmSync(join(this.#folder, `${id}.sh`), { force: true });
    return status === undefined ? undefined : Number(status);
  }

  /** A new file that both see: its path here and there. */
  shared(): { here: string; there: string; remove(): void } {
    const name = `${++this.#count}.file`;
    const here = join(this.#folder, name);
    return { here, there: `${HOST}/${name}`, remove: () => rmSync(here, { force: true }) };
  }

  /** Ends it at once, and waits for that. */
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

  /** Never the same name twice: the guest may remember what was in a file. */
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

  /** Lines, without the tty's own carriage return; an answer may come anywhere. */
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
