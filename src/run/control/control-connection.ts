// One program that is connected to the control socket. It gets its answers in the order of its requests. What it does not read is
// kept up to a limit; then it is dropped, so that nothing waits for it.

import { ControlError } from "./controlled-link.ts";
import { RequestLines } from "./control-request.ts";

/** The most octets that wait for a program. */
const MOST_BACKLOG = 256 * 1024;
/** A program may send so many requests at once without waiting for the answers. */
const MOST_AT_ONCE = 16;

/** A connection, as the host has it. */
export interface ControlWire {
  /** Who runs the program: "uid 0". */
  readonly user: string;
  /** Returns how many octets were taken. After fewer than all, {@link ControlConnection.drained} is called. */
  write(bytes: Uint8Array): number;
  /** Closes it. What was taken still arrives. */
  close(): void;
}

/** What a verb answers: the fields beside "ok". */
export type Answer = Readonly<Record<string, unknown>>;

/** Octets that follow an answer until one side closes. */
export interface ControlStream {
  /** Octets that the program has not read. */
  readonly backlog: number;
  /** How many more octets {@link send} takes. */
  readonly room: number;
  /** False: there is no room for all of it, so none of it was taken. Never waits. */
  send(bytes: Uint8Array): boolean;
  /** Closes the connection after all that was sent. A second call does nothing. */
  end(): void;
}

/** A verb answers by itself, at once or later. */
export interface Reply {
  answer(fields: Answer): void;
  fail(sentence: string): void;
  /** Answers with "stream":true, and sends octets from then on. `gone`: the program has left. It is not called after {@link ControlStream.end}. */
  stream(fields: Answer, gone: () => void): ControlStream;
  /** The program has left before the answer. After the answer it does nothing. */
  onGone(call: () => void): void;
}

/** Handles one request. It calls the reply once, now or later. */
export type Serve = (line: string, user: string, reply: Reply) => void;

export class ControlConnection {
  readonly #wire: ControlWire;
  readonly #serve: Serve;
  readonly #lines = new RequestLines();
  readonly #queue: Uint8Array[] = [];
  #backlog = 0;
  /** Requests whose answer is still to come, and those behind them. */
  #waiting: string[] = [];
  #isBusy = false;
  #isStreaming = false;
  #hasEnded = false;
  #isClosed = false;
  #gone = (): void => {};

  constructor(wire: ControlWire, serve: Serve) {
    this.#wire = wire;
    this.#serve = serve;
  }

  /** Nothing is owed to it, so that it may be closed for another. */
  get isIdle(): boolean {
    return !this.#isBusy && !this.#isStreaming && this.#queue.length === 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The program has sent this. */
  received(bytes: Uint8Array): void {
    // A program that gets a stream has nothing more to say.
    if (this.#isClosed || this.#isStreaming || this.#hasEnded) return;
    try {
      for (const line of this.#lines.push(bytes)) {
        if (line.trim() === "") continue;
        if (this.#waiting.length >= MOST_AT_ONCE) throw new ControlError("Too many requests at once");
        this.#waiting.push(line);
      }
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      this.#waiting = [];
      this.refuse(error.message);
      return;
    }
    this.#next();
  }

  /** Says why it gets nothing, and closes. */
  refuse(error: string): void {
    this.#say({ ok: false, error });
    this.finished();
  }

  /** The wire takes octets again. */
  drained(): void {
    while (this.#queue.length > 0) {
      const [first] = this.#queue as [Uint8Array];
      const taken = Math.max(0, this.#wire.write(first));
      this.#backlog -= taken;
      if (taken < first.length) {
        this.#queue[0] = first.subarray(taken);
        return;
      }
      this.#queue.shift();
    }
    this.#closeWhenDone();
  }

  /** The program sends nothing more. What it is owed still goes to it. */
  finished(): void {
    this.#hasEnded = true;
    this.#closeWhenDone();
  }

  /** The connection is gone, or is to be. A second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.length = this.#waiting.length = this.#backlog = 0;
    this.#wire.close();
    this.#gone();
  }

  /** Handles the requests that wait, as long as each is answered at once. */
  #next(): void {
    while (!this.#isBusy && !this.#isClosed && !this.#isStreaming) {
      const line = this.#waiting.shift();
      if (line === undefined) break;
      this.#isBusy = true;
      this.#serve(line, this.#wire.user, this.#reply());
    }
    this.#closeWhenDone();
  }

  #reply(): Reply {
    let isOpen = true;
    const once = (fields: Answer): void => {
      if (!isOpen || this.#isClosed) return;
      isOpen = this.#isBusy = false;
      this.#gone = (): void => {};
      this.#say(fields);
    };
    const last = (fields: Answer): void => {
      once(fields);
      this.#next();
    };
    return {
      answer: (fields) => last({ ok: true, ...fields }),
      fail: (error) => last({ ok: false, error }),
      stream: (fields, gone) => {
        once({ ok: true, stream: true, ...fields });
        this.#isStreaming = true;
        this.#gone = gone;
        return this.#stream();
      },
      onGone: (call) => {
        // After the answer another request may be handled already.
        if (isOpen) this.#gone = call;
      },
    };
  }

  #stream(): ControlStream {
    const backlog = (): number => this.#backlog;
    return {
      get backlog() {
        return backlog();
      },
      get room() {
        return MOST_BACKLOG - backlog();
      },
      send: (bytes) => this.#send(bytes),
      end: () => {
        if (!this.#isStreaming) return;
        this.#gone = (): void => {};
        this.#isStreaming = false;
        this.finished();
      },
    };
  }

  #say(fields: Answer): void {
    if (!this.#send(new TextEncoder().encode(`${JSON.stringify(fields)}\n`))) this.close();
  }

  #send(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#backlog + bytes.length > MOST_BACKLOG) return false;
    const taken = this.#queue.length > 0 ? 0 : Math.max(0, this.#wire.write(bytes));
    if (taken === bytes.length) return true;
    // The caller may use its memory again.
    this.#queue.push(bytes.slice(taken));
    this.#backlog += bytes.length - taken;
    return true;
  }

  #closeWhenDone(): void {
    if (this.#hasEnded && this.isIdle) this.close();
  }
}
