// Lines on their way to somebody who may be slow to take them: a log daemon, the journal, a terminal. They wait here in
// order, and only the end of the program waits for them.

import { Memory } from "../ffi/libc.ts";

/** Octets that may wait for one reader. What comes on top of them is lost, and counted. */
const MOST = 1 << 18;
/** While lines wait, the reader is tried this often. */
const TURN_MS = 20;
/** At the end, a reader that has taken nothing for so long gets no more, */
const PATIENCE_MS = 5000;
/** and neither does one that has taken this long over all of them. */
const LONGEST_MS = 60_000;

/** What became of a line: octets of it that were taken, 0 for "no room now", or one of these. */
export const UNDELIVERABLE = -1;
/** The reader is not there. The lines wait for it, but nobody looks for it before the next line. */
export const ABSENT = -2;

export interface Reader {
  /** Hands over line[at, …), without waiting. */
  take(line: Memory, at: number): number;
  /** A line that says how many were lost. */
  lossLine(count: number): Memory;
}

interface Waiting {
  readonly line: Memory;
  /** Messages that are lost when it is: those that a line about a loss counts are lost still. */
  readonly count: number;
}

/** Whose reader is there and slow. */
const waiting = new Set<Outbox>();
/** Whose reader is not there. */
const absent = new Set<Outbox>();
let timer: Timer | undefined;

export class Outbox {
  readonly #reader: Reader;
  #lines: Waiting[] = [];
  /** Octets of all lines. */
  #size = 0;
  /** Octets of the first line that were taken. */
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

  /** Hands over what the reader takes now; true when that was anything. */
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
      // One that takes no line at all is not told of that.
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

/** A line of text, with what ends it. */
export function lineOf(text: string | Uint8Array): Memory {
  const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  const memory = new Memory(bytes.length);
  memory.bytes.set(bytes);
  return memory;
}

/** A loop that blocks gives Bun its turn this often, so that lines that wait are handed over. Infinity: none wait. */
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

/** Waits until all lines are handed over, or their readers take no more. */
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
