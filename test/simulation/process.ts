// A simulated process: its descriptors, its one thread and its timers. While it is in poll(2), its timers, children and
// signals wait, as those of the real program do. It can be stopped, and killed without warning.

import type { Clock, Descriptors, Memory, PollSet } from "../../src/run/machine.ts";
import { Poll } from "../../src/run/machine.ts";
import { errnoOf, textOfErrno } from "./errors.ts";
import type { Appointment, Time } from "./time.ts";

/** So many polls at one moment are a program that spins. */
const MOST_POLLS = 5000;
/** How long a poll takes that does not wait, and how many of them in a row are a program that spins. */
const HASTY_MS = 0.01;
const MOST_HASTY_POLLS = 500;

/** What a descriptor leads to. */
export abstract class Channel {
  /** Called when {@link events} may say something else. */
  changed: () => void = ignore;

  /** Bits of {@link Poll}. */
  abstract events(): number;
  /** Octets, 0 at the end, or minus the error number. */
  read(_into: Uint8Array, _length: number): number {
    return -errnoOf("EBADF");
  }
  write(_bytes: Uint8Array): number {
    return -errnoOf("EBADF");
  }
  abstract close(): void;
}

function ignore(): void {}

/** Readable while signals or children of the process wait to be looked after. */
class RuntimeEvents extends Channel {
  isReadable = false;
  events(): number {
    return this.isReadable ? Poll.IN : 0;
  }
  close(): void {}
}

class SimulatedPollSet implements PollSet {
  readonly fds: number[];
  readonly wanted: number[];
  readonly found: number[];
  ready = 0;

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
    return this.ready > 0 ? this.found[index]! : 0;
  }
}

/** Where the process is in poll(2). */
interface Waiting {
  readonly set: SimulatedPollSet;
  readonly deadline: number;
  readonly resolve: (ready: number) => void;
  timer: Appointment | undefined;
}

const RUNTIME_FD = 3;

export class Process {
  isAlive = true;
  isStopped = false;
  /** Why the process counts as failed; undefined: it does not. */
  trouble: string | undefined;
  readonly pid: number;
  readonly #time: Time;
  readonly #wallOffset: () => number;
  readonly #channels = new Map<number, Channel>();
  readonly #runtime = new RuntimeEvents();
  readonly #timers = new Set<Appointment>();
  /** What the runtime does at its next turn. */
  #work: (() => void)[] = [];
  #waiting: Waiting | undefined;
  /** What goes on when the process does: turns of the runtime, and polls of its other tasks. */
  #blocked: (() => void)[] = [];
  #polls = 0;
  #polledAt = -1;
  #hastyPolls = 0;

  /** `wallOffset` is what the clock on the wall is ahead of simulated time. */
  constructor(pid: number, time: Time, wallOffset: () => number) {
    this.pid = pid;
    this.#time = time;
    this.#wallOffset = wallOffset;
    this.#attach(RUNTIME_FD, this.#runtime);
  }

  // ── descriptors ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Returns the descriptor. */
  open(channel: Channel): number {
    let fd = RUNTIME_FD + 1;
    while (this.#channels.has(fd)) fd++;
    this.#attach(fd, channel);
    return fd;
  }

  #attach(fd: number, channel: Channel): void {
    channel.changed = () => this.#look();
    this.#channels.set(fd, channel);
  }

  channel(fd: number): Channel | undefined {
    return this.#channels.get(fd);
  }

  close(fd: number): void {
    const channel = this.#channels.get(fd);
    if (channel === undefined) {
      this.trouble ??= `closes descriptor ${fd}, which is not open`;
      return;
    }
    this.#channels.delete(fd);
    channel.changed = ignore;
    channel.close();
  }

  /** Those of the runtime do not count. */
  get descriptorCount(): number {
    return this.#channels.size - 1;
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  get workCount(): number {
    return this.#work.length;
  }

  readonly descriptors: Descriptors = {
    memory: (size) => {
      const bytes = new Uint8Array(size);
      return { bytes, view: new DataView(bytes.buffer) };
    },
    pollSet: (fds) => new SimulatedPollSet(fds),
    poll: (set, timeoutMs) => this.#poll(set as SimulatedPollSet, timeoutMs),
    takesWrite: (fd) => ((this.#channels.get(fd)?.events() ?? Poll.OUT) & Poll.OUT) !== 0,
    read: (fd, { bytes }: Memory, at, length) =>
      this.#channels.get(fd)?.read(bytes.subarray(at, at + length), length) ?? -errnoOf("EBADF"),
    write: (fd, { bytes }: Memory, at, length) =>
      this.#channels.get(fd)?.write(bytes.subarray(at, at + length)) ?? -errnoOf("EBADF"),
    writeAll: (fd, bytes) => void this.#channels.get(fd)?.write(bytes),
    close: (fd) => this.close(fd),
    runtimeEvents: () => [RUNTIME_FD],
    errorText: textOfErrno,
  };

  // ── the one thread ───────────────────────────────────────────────────────────────────────────────────────────────

  #poll(set: SimulatedPollSet, timeoutMs: number): number | Promise<number> {
    if (!this.isAlive) return new Promise(ignore);
    // Another task is in poll(2), which blocks them all: this one comes after it.
    if (this.#waiting !== undefined)
      return new Promise((resolve) => void this.#blocked.push(() => void this.#retry(set, timeoutMs, resolve)));
    const { now } = this.#time;
    this.#polls = this.#polledAt === now ? this.#polls + 1 : 0;
    this.#polledAt = now;
    if (this.#polls > MOST_POLLS) {
      this.trouble ??= "spins: its polls never wait";
      this.kill();
      return new Promise(ignore);
    }
    const ready = this.#readyOf(set);
    if (ready > 0) return (set.ready = ready);
    this.#hastyPolls = timeoutMs <= 0 ? this.#hastyPolls + 1 : 0;
    if (this.#hastyPolls > MOST_HASTY_POLLS) this.trouble ??= "spins: it polls for nothing";
    // poll(2) knows whole milliseconds only. Where it does not wait, time goes on all the same.
    const wait = timeoutMs === Infinity ? Infinity : timeoutMs <= 0 ? HASTY_MS : Math.ceil(timeoutMs);
    return new Promise((resolve) => {
      const waiting: Waiting = { set, deadline: now + wait, resolve, timer: undefined };
      if (wait < Infinity) waiting.timer = this.#time.after(wait, () => this.#look());
      this.#waiting = waiting;
    });
  }

  async #retry(set: SimulatedPollSet, timeoutMs: number, resolve: (ready: number) => void): Promise<void> {
    resolve(await this.#poll(set, timeoutMs));
  }

  #readyOf(set: SimulatedPollSet): number {
    let ready = 0;
    for (let at = 0; at < set.fds.length; at++) {
      const fd = set.fds[at]!;
      let found = 0;
      if (fd >= 0) {
        const channel = this.#channels.get(fd);
        if (channel === undefined) this.trouble ??= `polls descriptor ${fd}, which is not open`;
        else found = channel.events() & (set.wanted[at]! | Poll.ERR | Poll.HUP);
      }
      set.found[at] = found;
      if (found !== 0) ready++;
    }
    return ready;
  }

  /** Something may have become ready, or the time is over. */
  #look(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.isStopped) return;
    const ready = this.#readyOf(waiting.set);
    if (ready > 0 || waiting.deadline <= this.#time.now) this.#endPoll(ready);
  }

  #endPoll(ready: number): void {
    const waiting = this.#waiting!;
    this.#waiting = undefined;
    this.#time.cancel(waiting.timer);
    waiting.set.ready = ready;
    waiting.resolve(ready);
    if (this.#work.length > 0) this.#time.after(0, () => this.#doWork());
    this.#unblock();
  }

  /** What could not go on because of a poll goes on. */
  #unblock(): void {
    const blocked = this.#blocked;
    if (blocked.length === 0) return;
    this.#blocked = [];
    for (const go of blocked) this.#time.after(0, go);
  }

  /** The runtime calls this: now, or when poll(2) is over. `wakes`: it ends the poll, as a "signal" or by its descriptor. */
  post(call: () => void, wakes?: "signal" | "child"): void {
    if (!this.isAlive) return;
    this.#work.push(call);
    if (wakes !== undefined) this.#runtime.isReadable = true;
    if (this.isStopped) return;
    if (this.#waiting === undefined) this.#doWork();
    else if (wakes === "signal") this.#endPoll(-1);
    else if (wakes === "child") this.#look();
  }

  #doWork(): void {
    if (this.isStopped || this.#waiting !== undefined || !this.isAlive) return;
    const work = this.#work;
    this.#work = [];
    this.#runtime.isReadable = false;
    for (const call of work) call();
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      const take = (): void => {
        if (!this.isAlive) return;
        if (this.isStopped || this.#waiting !== undefined) this.#blocked.push(take);
        else {
          this.#doWork();
          resolve();
        }
      };
      this.#time.after(0, take);
    });
  }

  readonly clock: Clock = {
    now: () => this.#time.now,
    wall: () => this.#time.now + this.#wallOffset(),
    text: (wallMs) => new Date(wallMs).toISOString().slice(5, 19),
    after: (ms, call) => {
      if (!this.isAlive) return ignore;
      const timer = this.#time.after(ms, () => {
        this.#timers.delete(timer);
        this.post(call);
      });
      this.#timers.add(timer);
      return () => {
        this.#time.cancel(timer);
        this.#timers.delete(timer);
      };
    },
    every: (ms, call) => {
      let cancel = ignore;
      const again = (): void => {
        cancel = this.clock.after(ms, again);
        call();
      };
      cancel = this.clock.after(ms, again);
      return () => cancel();
    },
    turn: () => this.#turn(),
  };

  // ── what others do to it ─────────────────────────────────────────────────────────────────────────────────────────

  /** SIGSTOP. */
  stop(): void {
    this.isStopped = true;
  }

  /** SIGCONT. */
  continue(): void {
    if (!this.isStopped) return;
    this.isStopped = false;
    this.#unblock();
    if (this.#waiting !== undefined && this.#work.length > 0) this.#endPoll(-1);
    else if (this.#waiting !== undefined) this.#look();
    else this.#time.after(0, () => this.#doWork());
  }

  /** SIGKILL, or its end: nothing of it runs any more, and the kernel closes its descriptors. */
  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const timer of this.#timers) this.#time.cancel(timer);
    this.#timers.clear();
    this.#time.cancel(this.#waiting?.timer);
    this.#waiting = undefined;
    this.#work = [];
    for (const [fd] of this.#channels) this.close(fd);
  }
}
