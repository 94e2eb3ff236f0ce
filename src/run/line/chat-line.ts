// The line of a chat: its terminal settings, and the loop that plays an engine on its descriptors.

import { decoded, textOf, withoutByteOrderMark } from "../../bytes/text.ts";
import { FILE_MAX, type ChatEngine, type ChatEvent } from "../../chat/engine.ts";
import type { ChatTerminal } from "../host/serial.ts";
import { Errno, type HostError, isHostError, type Machine, type Memory, Poll, sleep } from "../machine.ts";

/** The longest poll. A signal that comes between the runtime's turn and the poll does not interrupt the poll. */
const SIGNAL_LATENCY_MS = 250;
const BREAK_PATIENCE_MS = 2000;
const BREAK_POLL_MS = 10;

/** The events that the loop passes to its owner. The loop itself handles breaks and files. */
export type ToldEvent = Exclude<ChatEvent, { type: "break" } | { type: "read" }>;

export type ChatMachine = Pick<Machine, "clock" | "descriptors" | "files" | "serial" | "syslog">;

export class ChatLine {
  readonly #machine: ChatMachine;
  readonly #input: number;
  readonly #output: number;
  readonly #wakers: readonly number[];
  readonly #byte: Memory;
  #terminal: ChatTerminal | undefined;
  /** The `@file` being read. */
  #file: { fd: number; path: string; text: string } | undefined;

  /** The descriptors may be blocking or not. A readable descriptor of `wakers` only wakes the loop. */
  constructor(machine: ChatMachine, input: number, output: number, wakers: readonly number[] = []) {
    this.#machine = machine;
    this.#input = input;
    this.#output = output;
    this.#wakers = wakers;
    this.#byte = machine.descriptors.memory(1);
  }

  /**
   * Makes the terminal raw. Returns the message when the terminal cannot be used. A pipe or a socket stays as it is.
   */
  prepare(): string | undefined {
    try {
      this.#terminal = this.#machine.serial.chatTerminal(this.#input);
      return undefined;
    } catch (error) {
      const { call, reason } = hostError(error);
      const doing = call === "TCGETS2" ? "get" : "set";
      return this.#machine.files.isPipe(this.#input) ? undefined : `Can't ${doing} terminal parameters: ${reason}`;
    }
  }

  /** Restores the terminal settings. Returns the message when that fails. */
  restore(): string | undefined {
    const terminal = this.#terminal;
    this.#terminal = undefined;
    try {
      terminal?.restore();
      return undefined;
    } catch (error) {
      return `Can't restore terminal parameters: ${hostError(error).reason}`;
    }
  }

  /** Plays the engine to its end and returns the exit code. */
  async play(engine: ChatEngine, tell: (event: ToldEvent) => void): Promise<number> {
    const { clock, descriptors } = this.#machine;
    try {
      for (;;) {
        const now = clock.now();
        engine.handleTimeout(now);
        engine.transmit((byte) => this.#write(byte), now);
        for (let event; (event = engine.takeEvent());) {
          if (event.type === "break") await this.#break();
          else if (event.type === "read") this.#openFile(event.path, engine);
          else tell(event);
        }
        if (engine.result !== undefined) return engine.result;
        await this.#wait(engine);
        // Signal handlers and the rest of the process run here.
        await clock.turn();
      }
    } finally {
      if (this.#file) descriptors.close(this.#file.fd);
    }
  }

  /** Waits for the next input, output or deadline of the engine and hands it over. */
  async #wait(engine: ChatEngine): Promise<void> {
    const { clock, descriptors, syslog } = this.#machine;
    const fds: [fd: number, events: number, ready: () => void][] = this.#wakers.map((fd) => [fd, Poll.IN, () => {}]);
    if (engine.listening) fds.push([this.#input, Poll.IN, () => this.#read(engine)]);
    // The byte that found no room is written again in the next turn.
    if (engine.blocked) fds.push([this.#output, Poll.OUT, () => {}]);
    if (this.#file) fds.push([this.#file.fd, Poll.IN, () => this.#readFile(engine)]);
    const set = descriptors.pollSet(fds.map(([fd]) => fd));
    for (const [at, [, events]] of fds.entries()) set.want(at, events);
    const left = Math.min(engine.nextTimeout() - clock.now(), SIGNAL_LATENCY_MS, syslog.turnMs());
    await descriptors.poll(set, left);
    for (const [at, [, , ready]] of fds.entries()) if (set.got(at) !== 0) ready();
  }

  #read(engine: ChatEngine): void {
    const count = this.#machine.descriptors.read(this.#input, this.#byte, 0, 1);
    const now = this.#machine.clock.now();
    if (count === 1) engine.receive(this.#byte.bytes[0]!, now);
    else if (count === 0) engine.handleEnd("eof", now);
    else if (!isTransient(count)) engine.handleEnd("error", now);
  }

  #write(byte: number): "sent" | "full" | { error: string } {
    const { descriptors } = this.#machine;
    // The descriptor may be blocking, so a write is tried only when it cannot wait.
    if (!descriptors.takesWrite(this.#output)) return "full";
    this.#byte.bytes[0] = byte;
    const count = descriptors.write(this.#output, this.#byte, 0, 1);
    if (count === 1) return "sent";
    return isTransient(count) ? "full" : { error: descriptors.errorText(-count) };
  }

  async #break(): Promise<void> {
    const { clock, serial } = this.#machine;
    // The kernel sends a break only after the queued output. With CTS low it would wait without end.
    for (let left = BREAK_PATIENCE_MS; serial.outputQueued(this.#output) > 0 && left > 0; left -= BREAK_POLL_MS)
      await sleep(clock, BREAK_POLL_MS);
    try {
      if (serial.outputQueued(this.#output) > 0) this.#terminal?.flushOutput(this.#output);
      this.#terminal?.sendBreak();
    } catch (error) {
      // A signal interrupted the call, or the line is gone. The next byte reports the latter.
      hostError(error);
    }
  }

  /** The file may be a FIFO, so the loop waits for it as for the other descriptors. */
  #openFile(path: string, engine: ChatEngine): void {
    try {
      this.#file = { fd: this.#machine.files.openForCaller(decoded(path), "read"), path, text: "" };
    } catch (error) {
      engine.provide({ error: openFailed(path, error) }, this.#machine.clock.now());
    }
  }

  #readFile(engine: ChatEngine): void {
    const { clock, descriptors } = this.#machine;
    const file = this.#file;
    if (!file) return;
    const piece = descriptors.memory(FILE_MAX - file.text.length);
    const count = descriptors.read(file.fd, piece, 0, piece.bytes.length);
    if (isTransient(count)) return;
    file.text += textOf(piece.bytes, 0, Math.max(count, 0));
    if (count > 0 && file.text.length < FILE_MAX) return;
    descriptors.close(file.fd);
    this.#file = undefined;
    engine.provide(
      count < 0 ? { error: `${file.path} -- read error` } : { text: withoutByteOrderMark(file.text) },
      clock.now(),
    );
  }
}

function isTransient(count: number): boolean {
  return count === -Errno.EAGAIN || count === -Errno.EINTR;
}

/** Returns a host error as it is, and throws every other error. */
function hostError(error: unknown): HostError {
  if (!isHostError(error)) throw error;
  return error;
}

export function openFailed(path: string, error: unknown): string {
  return `${path} -- open failed: ${hostError(error).reason}`;
}
