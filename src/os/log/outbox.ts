// A queue of lines for a reader that may be slow: a log daemon, the journal or a terminal. The program waits for the
// queue only at its end.

import { Memory } from "../ffi/libc.ts";

/** The most octets that wait for one reader. Later lines are dropped and counted. */
const MOST = 1 << 18;
/** How often a reader is tried while lines wait. */
const TURN_MS = 20;
/** At the end of the program, we stop when no reader has taken anything for this long, */
const PATIENCE_MS = 5000;
/** or when this much time has passed in all. */
const LONGEST_MS = 60_000;

/**
 * The result of `take` for a line that cannot be delivered. Other results: the octets taken, or 0 for "no room now".
 */
export const UNDELIVERABLE = -1;
/** The reader does not exist. The lines wait for it, but it is tried again only with the next line. */
export const ABSENT = -2;

export interface Reader {
  /** Hands over line[at, …) without waiting. */
  take(line: Memory, at: number): number;
  /** The line that reports how many messages were lost. */
  lossLine(count: number): Memory;
}

interface Waiting {
  readonly line: Memory;
  /** How many messages are lost if this line is lost. A line that reports a loss stands for all messages it counts. */
  readonly count: number;
}

/** Outboxes whose reader exists and is slow. */
const waiting = new Set<Outbox>();
/** Outboxes whose reader does not exist. */
const absent = new Set<Outbox>();
let timer: Timer | undefined;

export class Outbox {
  readonly #reader: Reader;
  #lines: Waiting[] = [];
  /** Octets in all waiting lines. */
  #size = 0;
  /** Octets of the first line that have been taken. */
  #taken = 0;
  #lost = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  push(line: Memory): void {
    this.flush();
    if (this.#size + line.bytes.length > MOST && this.#lines.length > 0) this.#lost++;
    else {
      this.#reportLoss();
      this.#add(line, 1);
      this.flush();
    }
  }

  /** Hands over what the reader takes now. True when it took anything. */
  flush(): boolean {
    let moved = false;
    let state = 0;
    for (let first; (first = this.#lines[0]) !== undefined;) {
      state = this.#reader.take(first.line, this.#taken);
      if (state === 0 || state === ABSENT) break;
      moved = true;
      if (state === UNDELIVERABLE) this.#lost += first.count;
      else if ((this.#taken += state) < first.line.bytes.length) continue;
      this.#remove();
      // A reader that takes no lines at all gets no report of a loss either.
      if (this.#lines.length === 0 && state !== UNDELIVERABLE) this.#reportLoss();
    }
    this.#waitFor(state);
    return moved;
  }

  #waitFor(state: number): void {
    absent.delete(this);
    waiting.delete(this);
    if (this.#lines.length === 0) return;
    (state === ABSENT ? absent : waiting).add(this);
    if (state !== ABSENT) startTimer();
  }

  #reportLoss(): void {
    const count = this.#lost;
    this.#lost = 0;
    if (count > 0) this.#add(this.#reader.lossLine(count), count);
  }

  #add(line: Memory, count: number): void {
    this.#lines.push({ line, count });
    this.#size += line.bytes.length;
  }

  #remove(): void {
    this.#size -= this.#lines.shift()!.line.bytes.length;
    this.#taken = 0;
  }
}

export function lossText(count: number): string {
  return `${count} message${count === 1 ? "" : "s"} lost`;
}

/** A line of text with its terminator. */
export function lineOf(text: string | Uint8Array): Memory {
  const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  const memory = new Memory(bytes.length);
  memory.bytes.set(bytes);
  return memory;
}

/** How often a blocking loop must give Bun a turn, so that waiting lines are handed over. Infinity: no lines wait. */
export function outboxTurnMs(): number {
  return waiting.size > 0 ? TURN_MS : Infinity;
}

function startTimer(): void {
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    for (const outbox of [...waiting]) outbox.flush();
  }, TURN_MS);
  timer.unref();
}

/** Waits until all lines are handed over or the time limits have passed. */
export function drainOutboxes(patience = PATIENCE_MS): void {
  const startedAt = performance.now();
  for (const outbox of [...absent]) outbox.flush();
  for (let movedAt = startedAt; waiting.size > 0; Bun.sleepSync(2)) {
    let moved = false;
    for (const outbox of [...waiting]) moved = outbox.flush() || moved;
    const now = performance.now();
    if (moved) movedAt = now;
    if (now - movedAt >= patience || now - startedAt >= LONGEST_MS) return;
  }
}

process.on("exit", () => drainOutboxes());
