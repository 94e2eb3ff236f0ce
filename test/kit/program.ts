// A program under test, started in a machine or here. Its output is lines with times, and a test waits for events in
// it.

import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Machine } from "./machine.ts";
import { PATIENCE_MS } from "./patience.ts";

export interface Line {
  /** Milliseconds since the program was started. */
  readonly at: number;
  readonly stream: "out" | "err";
  readonly text: string;
}

export interface ProgramOptions {
  /** The machine where it runs. Left out: this machine. */
  readonly machine?: Machine;
  readonly cwd?: string;
  /** Added to the environment. Undefined removes a name. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Called for each line. */
  readonly onLine?: (line: Line) => void;
}

export class Program {
  readonly lines: Line[] = [];
  /** The exit status, or 128 plus the signal that ended it. Settles when all output has been read. */
  readonly ended: Promise<number>;
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #startedAt = performance.now();
  #status: number | undefined;
  #wake: () => void = () => {};
  #changed: Promise<void>;

  constructor(argv: readonly string[], options: ProgramOptions = {}) {
    const { machine, cwd, onLine } = options;
    this.#child = Bun.spawn(machine === undefined ? [...argv] : machine.argv(argv, cwd), {
      stdio: ["pipe", "pipe", "pipe"],
      ...(cwd !== undefined && machine === undefined ? { cwd } : {}),
      env: { ...process.env, ...options.env },
    });
    this.#changed = new Promise((resolve) => (this.#wake = resolve));
    const output = [this.#read(this.#child.stdout, "out", onLine), this.#read(this.#child.stderr, "err", onLine)];
    this.ended = this.#end(output);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Undefined while it runs. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Its output so far, by line. */
  get text(): string {
    return this.lines.map(({ text }) => `${text}\n`).join("");
  }

  /** The first matching line, past or within the time. With `after`, only later lines count. */
  async waitFor(pattern: RegExp | string, limits: { within?: number; after?: Line } = {}): Promise<Line> {
    const { within = PATIENCE_MS, after } = limits;
    const matches = ({ text }: Line): boolean =>
      typeof pattern === "string" ? text.includes(pattern) : pattern.test(text);
    let from = after === undefined ? 0 : this.lines.indexOf(after) + 1;
    const deadline = performance.now() + within;
    for (;;) {
      for (; from < this.lines.length; from++) if (matches(this.lines[from]!)) return this.lines[from]!;
      const why = this.#status !== undefined ? `it ended with status ${this.#status}` : `not within ${within} ms`;
      const left = deadline - performance.now();
      if (this.#status !== undefined || left <= 0) {
        throw new Error(`no line ${pattern} from ${this.#child.pid}: ${why}; it said:\n${this.text}`);
      }
      await this.#change(left);
    }
  }

  /** The exit status. Throws when it still runs after this time. */
  async exit(within = PATIENCE_MS): Promise<number> {
    const deadline = performance.now() + within;
    while (this.#status === undefined) {
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(
          `${this.#child.pid} still runs after ${within} ms: ${waitsOf(this.#child.pid)}; it said:\n${this.text}`,
        );
      await this.#change(left);
    }
    return this.#status;
  }

  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#child.kill(signal);
  }

  /** Sends SIGTERM, and SIGKILL when that is not enough. For the end of a test. */
  async stop(within = PATIENCE_MS): Promise<number> {
    if (this.#status === undefined) this.kill();
    return this.exit(within).catch(() => {
      this.kill("SIGKILL");
      return this.exit(within);
    });
  }

  /** Writes to its standard input. */
  async write(text: string | Uint8Array): Promise<void> {
    this.#child.stdin.write(text);
    await this.#child.stdin.flush();
  }

  /** Resolves at the next line or end, or after this many milliseconds. */
  async #change(within: number): Promise<void> {
    let timer: Timer | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, within)));
    await Promise.race([this.#changed, timeout]);
    clearTimeout(timer);
  }

  #tell(): void {
    const wake = this.#wake;
    this.#changed = new Promise((resolve) => (this.#wake = resolve));
    wake();
  }

  async #read(stream: ReadableStream<Uint8Array>, name: "out" | "err", onLine?: (line: Line) => void): Promise<void> {
    const say = (text: string): void => {
      const line = { at: performance.now() - this.#startedAt, stream: name, text };
      this.lines.push(line);
      onLine?.(line);
      this.#tell();
    };
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const pieces = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = pieces.pop()!;
      pieces.forEach(say);
    }
    if (rest !== "") say(rest);
  }

  async #end(output: readonly Promise<void>[]): Promise<number> {
    await this.#child.exited;
    // A remaining child may hold the output open. The output until now is enough. Turns of the event loop are counted
    // instead of time, because time also passes while a busy machine does not let us read.
    let isRead = false;
    const read = Promise.all(output).then(() => (isRead = true));
    for (let turns = 0; turns < 20 && !isRead; turns++) await Promise.race([read, Bun.sleep(5)]);
    const { exitCode, signalCode } = this.#child;
    this.#status = exitCode ?? 128 + (SIGNALS[signalCode ?? ""] ?? 0);
    this.#tell();
    return this.#status;
  }
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

const ROOT = join(import.meta.dir, "../..");

/** A process, its children and theirs: what each thread waits for in the kernel. */
function waitsOf(pid: number): string {
  try {
    const task = `/proc/${pid}/task`;
    const waits = readdirSync(task).map((id) => readFileSync(`${task}/${id}/wchan`, "utf8"));
    const children = readFileSync(`${task}/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    return [`${name} (${pid}) in ${waits.join(" ")}`, ...children.map(waitsOf)].join(", ");
  } catch {
    return `${pid} is gone`;
  }
}

/** True when dist/nullmodem exists and is newer than its sources. */
export function isBuilt(): boolean {
  const target = join(ROOT, "dist/nullmodem");
  const sources = [
    join(ROOT, "src"),
    ...["package-lock.json", "scripts/build.ts", "scripts/read-ahead.ts", "scripts/start-pages"].map((path) =>
      join(ROOT, path),
    ),
  ];
  return existsSync(target) && statSync(target).mtimeMs > newest(sources);
}

/** The path of dist/`name` (nullmodem, pppd, chat …). It is built first if necessary. */
export function built(name = "nullmodem"): string {
  if (!isBuilt()) {
    const build = Bun.spawnSync([process.execPath, join(ROOT, "scripts/build.ts")], { cwd: ROOT, stderr: "pipe" });
    if (build.exitCode !== 0)
      throw new Error(`the build failed:\n${build.stdout.toString()}${build.stderr.toString()}`);
  }
  return join(ROOT, "dist", name);
}

/** The place of our programs in a machine. */
export const BIN = "/run/bin";

/** The same where every user of the machine may run it: a clone in /root is closed to all users but root. */
export function builtFor(machine: Machine, name = "nullmodem"): string {
  const [from, to] = [dirname(built()), machine.path(BIN)];
  if (!existsSync(to) && Bun.spawnSync(["cp", "-al", from, to], { stderr: "ignore" }).exitCode !== 0) {
    // The folder is on another file system.
    rmSync(to, { recursive: true, force: true });
    Bun.spawnSync(["cp", "-a", from, to], { stderr: "inherit" });
  }
  return join(BIN, name);
}

function newest(paths: readonly string[]): number {
  let latest = 0;
  for (const path of paths) {
    const status = statSync(path);
    const inside = status.isDirectory() ? newest(readdirSync(path).map((entry) => join(path, entry))) : status.mtimeMs;
    latest = Math.max(latest, inside);
  }
  return latest;
}
