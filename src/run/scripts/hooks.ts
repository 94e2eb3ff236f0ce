// Runs the scripts of /etc/ppp with their arguments and environment. An ip-down never overtakes its ip-up.

import type { Config } from "../../options/config.ts";
import type { Child } from "../host/processes.ts";
import type { LogLevel } from "../log.ts";
import type { Clock, Machine } from "../machine.ts";

const TURN_MS = 20;

export class Hooks {
  /** The environment of the scripts: IPLOCAL, PEERNAME and so on, and nothing of our own environment. */
  readonly env = new Map<string, string>();
  readonly #machine: Pick<Machine, "clock" | "processes">;
  readonly #log: (level: LogLevel, text: string) => void;
  readonly #changes: () => Config["environment"];
  readonly #running = new Map<Child, string>();
  /** Work that must end before the program ends. */
  readonly #waits = new Set<Promise<unknown>>();
  readonly #pairs = new Map<string, UpDown>();

  /** `changes` are those of `set` and `unset`. They override the rest of the environment. */
  constructor(
    machine: Pick<Machine, "clock" | "processes">,
    log: (level: LogLevel, text: string) => void,
    changes: () => Config["environment"] = () => [],
  ) {
    this.#machine = machine;
    this.#log = log;
    this.#changes = changes;
  }

  /** Starts a script if it exists and is safe to run. The promise resolves when the script has ended. */
  start(path: string, args: readonly string[]): Promise<void> | undefined {
    const { processes } = this.#machine;
    const refusal = processes.hookRefusal(path);
    if (refusal !== undefined) {
      if (refusal !== "absent") this.#log("warn", `Can't execute ${path}: ${refusal}`);
      return undefined;
    }
    let child: Child;
    try {
      child = processes.runHook(path, args, changed(Object.fromEntries(this.env), this.#changes()));
    } catch (error) {
      this.#log("error", `Can't execute ${path}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
    this.#log("debug", `Script ${path} started (pid ${child.pid})`);
    return this.watch(child, path);
  }

  /** Waits for the end of a child and logs it. The program does not end before the child. */
  async watch(child: Child, name: string): Promise<void> {
    this.#running.set(child, name);
    const { signal, status } = await child.ended;
    this.#running.delete(child);
    if (signal !== 0) this.#log("warn", `Child process ${name} (pid ${child.pid}) terminated with signal ${signal}`);
    else this.#log("debug", `Script ${name} finished (pid ${child.pid}), status = 0x${waitStatus(status)}`);
  }

  /** Makes the end of the program wait for this promise, which must settle without help. */
  wait(done: Promise<unknown>): void {
    this.#waits.add(done);
    void done.finally(() => this.#waits.delete(done));
  }

  /** How often the runtime must run, in milliseconds, while work continues that no descriptor reports. */
  turnMs(): number {
    return this.#waits.size > 0 ? TURN_MS : Infinity;
  }

  /** Waits for all scripts, at most this number of seconds (0: without limit), and then ends them. */
  async finish(childTimeout: number): Promise<void> {
    await this.#finishScripts(childTimeout);
    while (this.#waits.size > 0) await Promise.all(this.#waits);
  }

  async #finishScripts(childTimeout: number): Promise<void> {
    if (this.#running.size === 0) return;
    this.#log("debug", `Waiting for ${this.#running.size} child processes...`);
    for (const [child, name] of this.#running) this.#log("debug", `  script ${name}, pid ${child.pid}`);
    const all = this.#allEnded();
    if (childTimeout === 0) await all;
    else if (await outlasts(this.#machine.clock, all, childTimeout * 1000)) {
      this.#log("warn", `  timeout, still ${this.#running.size} child processes running`);
      for (const child of this.#running.keys()) child.kill(15);
      await outlasts(this.#machine.clock, all, 1000);
    }
  }

  /** The end of one script may start another: an ip-down that waited for its ip-up. */
  async #allEnded(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all([...this.#running.keys()].map((child) => child.ended));
      await this.#machine.clock.turn();
    }
  }

  /**
   * Every link of a session gets the same pair: with `persist`, the scripts of the last link may still run when the
   * next is up.
   */
  pair(up: string, down: string): UpDown {
    const key = `${up}\0${down}`;
    const pair = this.#pairs.get(key) ?? new UpDown(this, up, down);
    this.#pairs.set(key, pair);
    return pair;
  }
}

/** Applies the changes of `set` and `unset` to an environment. */
export function changed(env: Record<string, string>, changes: Config["environment"]): Record<string, string> {
  const result = { ...env };
  for (const { name, value } of changes) {
    if (value === undefined) delete result[name];
    else result[name] = value;
  }
  return result;
}

/** pppd prints the wait status, which has the exit code in its second byte. */
function waitStatus(status: number): string {
  return (status >= 0x100 ? status >>> 8 : status).toString(16);
}

async function outlasts(clock: Clock, promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let cancel = (): void => {};
  const late = new Promise<boolean>((resolve) => (cancel = clock.after(milliseconds, () => resolve(true))));
  const result = await Promise.race([promise.then(() => false), late]);
  cancel();
  return result;
}

/** Two scripts that must not run at the same time: ip-up and ip-down of one interface. */
export class UpDown {
  readonly #hooks: Hooks;
  readonly #up: string;
  readonly #down: string;
  #args: readonly string[] = [];
  #wanted: "up" | "down" = "down";
  #done: "up" | "down" = "down";
  #busy = false;
  #held = 0;
  #upEnded = (): void => {};

  constructor(hooks: Hooks, up: string, down: string) {
    this.#hooks = hooks;
    this.#up = up;
    this.#down = down;
  }

  /**
   * `ended` is called when the script has ended, or does not exist, if the interface is still up. The script starts when `first`
   * has settled, and not at all if the interface is down by then.
   */
  up(args: readonly string[], ended = (): void => {}, first?: Promise<unknown>): void {
    this.#wanted = "up";
    this.#args = args;
    this.#upEnded = ended;
    if (first === undefined) this.#next();
    else void this.#hold(first);
  }

  async #hold(first: Promise<unknown>): Promise<void> {
    this.#held++;
    await first;
    this.#held--;
    this.#next();
  }

  /** `args` are the script's arguments. By default they are those of the first script. */
  down(args = this.#args): void {
    this.#wanted = "down";
    this.#args = args;
    this.#next();
  }

  #next(): void {
    if (this.#busy || this.#held > 0 || this.#wanted === this.#done) return;
    this.#done = this.#wanted;
    const ended = this.#hooks.start(this.#done === "up" ? this.#up : this.#down, this.#args);
    if (ended === undefined) {
      this.#ended();
      return;
    }
    this.#busy = true;
    void ended.then(() => {
      this.#busy = false;
      this.#ended();
    });
  }

  #ended(): void {
    if (this.#done === "up" && this.#wanted === "up") this.#upEnded();
    this.#next();
  }
}
