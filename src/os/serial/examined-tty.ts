// A port under the doctor's examination: raw, without flow control, and as it was at the end.

import { closeFd, EIO, libc, Memory, O, openFd, OsError, POLLHUP } from "../ffi/libc.ts";
import { PollSet } from "../ffi/poll-set.ts";
import {
  isPtySlave,
  type LineErrors,
  lineErrors,
  type ModemLines,
  modemLines,
  outputQueued,
  setDtr,
  setRts,
} from "./modem-lines.ts";
import { CC, CFLAG, flushTty, IFLAG, readTermios, setSpeed, type Termios, writeTermios } from "./termios.ts";
import { type Uart, uartBase, uartOf } from "./uart.ts";

const ROOM = 65536;
/** Signals are noticed after this time at the latest. */
const LONGEST_WAIT_MS = 20;

/** The user has ended the examination. */
export class Interrupted extends Error {
  constructor() {
    super("the examination was ended");
    this.name = "Interrupted";
  }
}

export class ExaminedTty {
  readonly path: string;
  readonly isPty: boolean;
  readonly base: number | undefined;
  readonly uart: Uart | undefined;
  readonly #fd: number;
  readonly #found: Termios;
  readonly #linesFound: ModemLines | undefined;
  readonly #poll: PollSet;
  readonly #memory = new Memory(ROOM);
  /** A signal has come. */
  readonly #isEnded: () => boolean;
  #isOpen = true;

  /** Opens the port without waiting for a carrier. Throws OsError: "open", or "tcgetattr" when it is no terminal. */
  constructor(path: string, isEnded: () => boolean) {
    this.path = path;
    this.#isEnded = isEnded;
    this.#fd = openFd(path, O.RDWR | O.NOCTTY | O.NONBLOCK);
    try {
      this.#found = readTermios(this.#fd);
    } catch (error) {
      closeFd(this.#fd);
      throw error instanceof OsError ? new OsError("tcgetattr", path, error.errno) : error;
    }
    this.isPty = isPtySlave(this.#fd);
    this.base = uartBase(this.#fd);
    this.uart = uartOf(this.#fd);
    this.#linesFound = modemLines(this.#fd);
    this.#poll = new PollSet([this.#fd]);
  }

  /** The speed that the port had. */
  get speedFound(): number {
    return this.#found.ospeed;
  }

  now(): number {
    return performance.now();
  }

  /**
   * Resolves when octets have come, or after so many milliseconds. Rejects with Interrupted, or with OsError ("poll")
   * when the port is gone.
   */
  async wait(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    for (;;) {
      // Signal handlers run here.
      await new Promise((resolve) => void setImmediate(resolve));
      if (this.#isEnded()) throw new Interrupted();
      const left = until - performance.now();
      const found = this.#poll.wait(Math.max(0, Math.min(left, LONGEST_WAIT_MS)));
      if (found > 0 && (this.#poll.got(0) & POLLHUP) !== 0) throw new OsError("poll", this.path, EIO);
      if (found > 0 || left <= 0) return;
    }
  }

  read(): Uint8Array {
    const count = libc.read(this.#fd, this.#memory.address, ROOM);
    return this.#memory.bytes.slice(0, Math.max(0, count));
  }

  write(octets: Uint8Array): number {
    const length = Math.min(octets.length, ROOM);
    this.#memory.bytes.set(octets.subarray(0, length));
    return Math.max(0, libc.write(this.#fd, this.#memory.address, length));
  }

  unsent(): number {
    return outputQueued(this.#fd);
  }

  discard(): void {
    // On a pty, flushing the output would remove octets that the far end has as good as received.
    this.#quietly(() => flushTty(this.#fd, this.isPty ? "input" : "both"));
  }

  /** Sets 8 data bits without parity and flow control. Returns the speed that the driver has set. */
  setSpeed(speed: number): number {
    const termios: Termios = { ...this.#found, cc: this.#found.cc.slice() };
    const { CSIZE, CSTOPB, PARENB, PARODD, CMSPAR, CRTSCTS, CS8, CREAD, CLOCAL } = CFLAG;
    termios.cflag = (termios.cflag & ~(CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CRTSCTS)) | CS8 | CREAD | CLOCAL;
    termios.iflag = IFLAG.IGNBRK | IFLAG.IGNPAR;
    termios.oflag = termios.lflag = 0;
    termios.cc[CC.VMIN] = 1;
    termios.cc[CC.VTIME] = 0;
    setSpeed(termios, speed);
    let set = 0;
    this.#quietly(() => {
      writeTermios(this.#fd, termios, "now");
      set = readTermios(this.#fd).ospeed;
    });
    return set;
  }

  modemLines(): ModemLines | undefined {
    return modemLines(this.#fd);
  }

  drive({ dtr, rts }: { readonly dtr: boolean; readonly rts: boolean }): void {
    setDtr(this.#fd, dtr);
    setRts(this.#fd, rts);
  }

  lineErrors(): LineErrors | undefined {
    return lineErrors(this.#fd);
  }

  /** Puts back the settings and the modem lines, and closes the port. Never throws; a second call does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.discard();
    if (this.#linesFound !== undefined) this.drive(this.#linesFound);
    this.#quietly(() => writeTermios(this.#fd, this.#found, "now"));
    closeFd(this.#fd);
  }

  /** The port may have hung up: an adapter was pulled out, or the far end of a pty was closed. */
  #quietly(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
    }
  }
}
