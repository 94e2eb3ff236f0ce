// One poll(2) for all sessions of a process. A session that is alone in its process waits in poll(2) itself; one of several
// would block the others there. So each of them gets a Machine whose poll is a promise. One task polls the descriptors of all
// of them, and gives a round to each session that has something to do.

import { type Clock, type Descriptors, type Machine, Poll, type PollSet } from "../machine.ts";

/** The bounded wait while a session waits for something that is neither a descriptor nor a timer of our clock. */
const RUNTIME_TURN_MS = 100;
/** A session that asks for a turn of the runtime may let another session's child end: no session learns of it later than this. */
const UNSEEN_MS = 20;
/** A descriptor that poll(2) passes over. The sessions get it in place of the runtime's, which this task looks after. */
const NO_FD = -1;

/** The descriptors that one session waits for. */
class Portion implements PollSet {
  readonly fds: number[];
  readonly wanted: number[];
  readonly found: number[];
  isReady = false;

  constructor(fds: readonly number[]) {
    this.fds = [...fds];
    this.wanted = fds.map(() => Poll.IN);
    this.found = fds.map(() => 0);
  }

  setFd(index: number, fd: number): void {
    this.fds[index] = fd;
  }

  want(index: number, events: number): void {
    this.wanted[index] = events;
  }

  got(index: number): number {
    return this.isReady ? this.found[index]! : 0;
  }
}

/** A session that is in its poll. */
interface Waiting {
  readonly portion: Portion;
  readonly deadline: number;
  readonly resolve: (ready: number) => void;
}

export class SharedPoll {
  /** The machine that the sessions use. */
  readonly machine: Machine;
  readonly #clock: Clock;
  readonly #descriptors: Descriptors;
  readonly #runtime: readonly number[];
  /** When each timer of the sessions is due. A timer does not end poll(2) by itself. */
  readonly #timers = new Set<{ at: number }>();
  #set: PollSet;
  #size: number;
  #isRunning = false;
  /** How many sessions there are. */
  #sessions = 0;
  /** Those that are in their poll, and those that wait for a turn of the runtime. */
  #waiting: Waiting[] = [];
  #turning: (() => void)[] = [];
  /** The runtime has something to do that may concern any session. */
  #isRuntimeDue = false;
  /** When all sessions get a round because the runtime may have done something that no descriptor told of. */
  #roundForAllAt = Infinity;

  constructor(machine: Machine) {
    const { clock, descriptors } = machine;
    this.#clock = clock;
    this.#descriptors = descriptors;
    this.#runtime = descriptors.runtimeEvents();
    this.#set = descriptors.pollSet(this.#runtime);
    this.#size = this.#runtime.length;
    this.machine = {
      ...machine,
      clock: this.#sharedClock(clock),
      descriptors: {
        ...descriptors,
        pollSet: (fds, replaced) => this.#portion(fds, replaced),
        poll: (set, timeoutMs) => this.#join(set as Portion, timeoutMs),
        runtimeEvents: () => [NO_FD],
      },
    };
  }

  /** Runs a session that uses {@link machine}. */
  async run<T>(session: () => Promise<T>): Promise<T> {
    this.#sessions++;
    try {
      return await session();
    } finally {
      this.#sessions--;
    }
  }

  #sharedClock(clock: Clock): Clock {
    const remember = (at: number): { readonly timer: { at: number }; readonly forget: () => void } => {
      const timer = { at };
      this.#timers.add(timer);
      return { timer, forget: () => void this.#timers.delete(timer) };
    };
    return {
      ...clock,
      after: (ms, call, keepsRunning) => {
        const { forget } = remember(clock.now() + ms);
        const run = (): void => {
          forget();
          call();
        };
        const cancel = clock.after(ms, run, keepsRunning);
        return () => {
          forget();
          cancel();
        };
      },
      every: (ms, call) => {
        const { timer, forget } = remember(clock.now() + ms);
        const run = (): void => {
          timer.at = clock.now() + ms;
          call();
        };
        const cancel = clock.every(ms, run);
        return () => {
          forget();
          cancel();
        };
      },
      turn: () =>
        new Promise((resolve) => {
          this.#turning.push(resolve);
          this.#start();
        }),
    };
  }

  /** A session that waits with the replaced set gets a round. */
  #portion(fds: readonly number[], replaced: PollSet | undefined): Portion {
    const left = this.#waiting.find(({ portion }) => portion === replaced);
    if (left !== undefined) this.#wake([left]);
    return new Portion(fds);
  }

  /** A session waits until one of its descriptors is ready or the time is over. */
  #join(portion: Portion, timeoutMs: number): Promise<number> {
    portion.isReady = false;
    return new Promise((resolve) => {
      this.#waiting.push({ portion, deadline: this.#clock.now() + timeoutMs, resolve });
      this.#start();
    });
  }

  #start(): void {
    if (!this.#isRunning) void this.#run();
  }

  /** Goes on as long as a session waits here. Without one, the runtime itself waits for timers and children. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    let present = 0;
    for (;;) {
      // Sessions that were given a round come back during this. One that does not has something to do in the runtime.
      await undefined;
      const isComplete = this.#waiting.length + this.#turning.length >= present;
      if (!isComplete || this.#turning.length > 0 || this.#isRuntimeDue) {
        present = await this.#takeTurn();
        continue;
      }
      if (this.#waiting.length === 0) break;
      present = this.#waiting.length;
      await this.#poll();
    }
    this.#isRunning = false;
  }

  /** The runtime has its turn. Returns how many sessions should be back after that. */
  async #takeTurn(): Promise<number> {
    const turning = this.#turning;
    const isForAll = this.#isRuntimeDue;
    this.#turning = [];
    this.#isRuntimeDue = false;
    await this.#clock.turn();
    for (const resolve of turning) resolve();
    const present = this.#waiting.length + this.#turning.length + turning.length;
    if (isForAll) this.#wake(this.#waiting);
    else this.#roundForAllAt = Math.min(this.#roundForAllAt, this.#clock.now() + UNSEEN_MS);
    return present;
  }

  /** Waits, and gives a round to each session that has something to do. */
  async #poll(): Promise<void> {
    const asked = [...this.#waiting];
    this.#fill(asked);
    const due = this.#runtimeDueAt(this.#clock.now());
    let at = due;
    for (const { deadline } of asked) if (deadline < at) at = deadline;
    const polled = this.#descriptors.poll(this.#set, Math.max(0, at - this.#clock.now()));
    const ready = typeof polled === "number" ? polled : await polled;
    const now = this.#clock.now();
    if (now >= this.#roundForAllAt) this.#roundForAllAt = Infinity;
    this.#isRuntimeDue = ready < 0 || now >= due || (ready > 0 && this.#runtimeIsReady());
    if (ready > 0) this.#take(asked);
    this.#wake(asked.filter(({ portion, deadline }) => portion.isReady || deadline <= now));
  }

  /** The runtime's descriptors come first, then those of each session. */
  #fill(asked: readonly Waiting[]): void {
    const first = this.#runtime.length;
    let size = first;
    for (const { portion } of asked) size += portion.fds.length;
    if (size > this.#size) {
      this.#size = 2 * size;
      const free = Array.from({ length: this.#size - first }, () => NO_FD);
      this.#set = this.#descriptors.pollSet([...this.#runtime, ...free]);
    }
    const set = this.#set;
    let to = first;
    for (const { portion } of asked)
      for (let at = 0; at < portion.fds.length; at++, to++) {
        set.setFd(to, portion.fds[at]!);
        set.want(to, portion.wanted[at]!);
      }
    for (; to < this.#size; to++) set.setFd(to, NO_FD);
  }

  /** When the runtime is to have its turn next. */
  #runtimeDueAt(now: number): number {
    let first = this.#roundForAllAt;
    for (const { at } of this.#timers) if (at < first) first = at;
    const isElsewhere = this.#waiting.length < this.#sessions || this.#runtime.length === 0;
    return isElsewhere ? Math.min(first, now + RUNTIME_TURN_MS) : first;
  }

  #runtimeIsReady(): boolean {
    for (let at = 0; at < this.#runtime.length; at++) if (this.#set.got(at) !== 0) return true;
    return false;
  }

  /** Hands out what the poll has found. */
  #take(asked: readonly Waiting[]): void {
    let from = this.#runtime.length;
    for (const { portion } of asked)
      for (let at = 0; at < portion.fds.length; at++, from++) {
        const got = this.#set.got(from);
        portion.found[at] = got;
        if (got !== 0) portion.isReady = true;
      }
  }

  #wake(woken: readonly Waiting[]): void {
    this.#waiting = this.#waiting.filter((one) => !woken.includes(one));
    for (const { portion, resolve } of woken) resolve(portion.isReady ? 1 : 0);
  }
}
