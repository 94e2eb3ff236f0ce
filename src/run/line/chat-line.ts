// The line of a chat: its terminal settings, and the loop that plays an engine on its descriptors.

import { fstatSync } from "node:fs";
import { decoded, textOf, withoutByteOrderMark } from "../../bytes/text.ts";
import { FILE_MAX, type ChatEngine, type ChatEvent } from "../../chat/engine.ts";
import {
  closeFd,
  EAGAIN,
  EINTR,
  errno,
  libc,
  Memory,
  O,
  openFd,
  OsError,
  POLLIN,
  POLLOUT,
  strerror,
} from "../../os/ffi/libc.ts";
import { PollSet } from "../../os/ffi/poll-set.ts";
import { outboxTurnMs } from "../../os/log/outbox.ts";
import { outputQueued } from "../../os/serial/modem-lines.ts";
import { CC, flushTty, IFLAG, readTermios, sendBreak, writeTermios, type Termios } from "../../os/serial/termios.ts";

/** A signal that comes between the event loop's turn and the poll does not interrupt the poll: look in on it. */
const SIGNAL_LATENCY_MS = 250;
const BREAK_PATIENCE_MS = 2000;
const BREAK_POLL_MS = 10;

/** What the loop leaves to its owner; breaks and files are its own. */
export type ToldEvent = Exclude<ChatEvent, { type: "break" } | { type: "read" }>;

export class ChatLine {
  readonly #input: number;
  readonly #output: number;
  readonly #wakers: readonly number[];
  readonly #byte = new Memory(1);
  #saved: Termios | undefined;
  /** The `@file` being read. */
  #file: { fd: number; path: string; text: string } | undefined;

  /** Blocking or not makes no difference. `wakers` are descriptors that only have to wake the event loop. */
  constructor(input: number, output: number, wakers: readonly number[] = []) {
    this.#input = input;
    this.#output = output;
    this.#wakers = wakers;
  }

  /** Makes the terminal raw; the message when it cannot be used. A pipe or a socket needs nothing done to it. */
  prepare(): string | undefined {
    let doing = "get";
    try {
      const saved = readTermios(this.#input);
      const cc = saved.cc.slice();
      cc[CC.VERASE] = cc[CC.VKILL] = cc[CC.VTIME] = 0;
      cc[CC.VMIN] = 1;
      // The real one sets ISTRIP as well, which spoils what follows the last match: the peer's first frame. The engine
      // looks at seven bits anyway.
      const iflag = saved.iflag | IFLAG.IGNBRK | IFLAG.IGNPAR;
      doing = "set";
      writeTermios(this.#input, { ...saved, iflag, oflag: 0, lflag: 0, cc }, "now");
      this.#saved = saved;
      return undefined;
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      return isPipe(this.#input) ? undefined : `Can't ${doing} terminal parameters: ${strerror(error.errno)}`;
    }
  }

  /** Puts the terminal back as it was; the message when that fails. */
  restore(): string | undefined {
    const saved = this.#saved;
    this.#saved = undefined;
    try {
      if (saved) writeTermios(this.#input, saved, "now");
      return undefined;
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      return `Can't restore terminal parameters: ${strerror(error.errno)}`;
    }
  }

  /** Plays the engine to its end; the exit code. */
  async play(engine: ChatEngine, tell: (event: ToldEvent) => void): Promise<number> {
    try {
      for (;;) {
        const now = performance.now();
        engine.handleTimeout(now);
        engine.transmit((byte) => this.#write(byte), now);
        for (let event; (event = engine.takeEvent());) {
          if (event.type === "break") await this.#break();
          else if (event.type === "read") this.#openFile(event.path, engine);
          else tell(event);
        }
        if (engine.result !== undefined) return engine.result;
        this.#wait(engine);
        // Signal handlers and whatever else the process is doing run here.
        await new Promise(setImmediate);
      }
    } finally {
      if (this.#file) closeFd(this.#file.fd);
    }
  }

  /** Waits for the next thing the engine can use, and hands it over. */
  #wait(engine: ChatEngine): void {
    const fds: [fd: number, events: number, ready: () => void][] = this.#wakers.map((fd) => [fd, POLLIN, () => {}]);
    if (engine.listening) fds.push([this.#input, POLLIN, () => this.#read(engine)]);
    // The byte that found no room is tried again at the next turn.
    if (engine.blocked) fds.push([this.#output, POLLOUT, () => {}]);
    if (this.#file) fds.push([this.#file.fd, POLLIN, () => this.#readFile(engine)]);
    const left = Math.min(engine.nextTimeout() - performance.now(), SIGNAL_LATENCY_MS, outboxTurnMs());
    for (const at of poll(fds, left)) fds[at]?.[2]();
  }

  #read(engine: ChatEngine): void {
    const count = libc.read(this.#input, this.#byte.address, 1);
    const error = count < 0 ? errno() : 0;
    const now = performance.now();
    if (count === 1) engine.receive(this.#byte.bytes[0]!, now);
    else if (count === 0) engine.handleEnd("eof", now);
    else if (error !== EAGAIN && error !== EINTR) engine.handleEnd("error", now);
  }

  #write(byte: number): "sent" | "full" | { error: string } {
    // The descriptor may be a blocking one: only a write that poll promises is tried.
    if (poll([[this.#output, POLLOUT]], 0).length === 0) return "full";
    this.#byte.bytes[0] = byte;
    if (libc.write(this.#output, this.#byte.address, 1) === 1) return "sent";
    const error = errno();
    return error === EAGAIN || error === EINTR ? "full" : { error: strerror(error) };
  }

  async #break(): Promise<void> {
    // The kernel waits for the output before it sends a break, and for ever when CTS is low.
    for (let left = BREAK_PATIENCE_MS; outputQueued(this.#output) > 0 && left > 0; left -= BREAK_POLL_MS)
      await Bun.sleep(BREAK_POLL_MS);
    try {
      if (this.#saved && outputQueued(this.#output) > 0) flushTty(this.#output, "output");
      if (this.#saved) sendBreak(this.#input);
    } catch (error) {
      // A signal cut it short, or the line is gone, which the next byte will tell.
      if (!(error instanceof OsError)) throw error;
    }
  }

  /** It may be a FIFO: the loop waits for it as for everything else. */
  #openFile(path: string, engine: ChatEngine): void {
    try {
      this.#file = { fd: openFd(decoded(path), O.RDONLY | O.NONBLOCK), path, text: "" };
    } catch (error) {
      engine.provide({ error: openFailed(path, error) }, performance.now());
    }
  }

  #readFile(engine: ChatEngine): void {
    const file = this.#file;
    if (!file) return;
    const piece = new Memory(FILE_MAX - file.text.length);
    const count = libc.read(file.fd, piece.address, piece.bytes.length);
    const error = count < 0 ? errno() : 0;
    if (error === EAGAIN || error === EINTR) return;
    file.text += textOf(piece.bytes, 0, Math.max(count, 0));
    if (count > 0 && file.text.length < FILE_MAX) return;
    closeFd(file.fd);
    this.#file = undefined;
    engine.provide(
      count < 0 ? { error: `${file.path} -- read error` } : { text: withoutByteOrderMark(file.text) },
      performance.now(),
    );
  }
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

export function openFailed(path: string, error: unknown): string {
  if (!(error instanceof OsError)) throw error;
  return `${path} -- open failed: ${strerror(error.errno)}`;
}

/** The indexes of the descriptors that are ready within `ms`. */
function poll(fds: readonly (readonly [fd: number, events: number, ...unknown[]])[], ms: number): number[] {
  const set = new PollSet(fds.map(([fd]) => fd));
  for (const [at, [, events]] of fds.entries()) set.want(at, events);
  set.wait(ms);
  return [...fds.keys()].filter((at) => set.got(at) !== 0);
}

/** Writes all of it, waiting for room; what fails is lost. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  const memory = new Memory(Math.max(bytes.length, 1));
  memory.bytes.set(bytes);
  for (let at = 0; at < bytes.length;) {
    const count = libc.write(fd, memory.at(at), bytes.length - at);
    if (count >= 0) at += count;
    else if (errno() === EAGAIN) poll([[fd, POLLOUT]], Infinity);
    else if (errno() !== EINTR) return;
  }
}
