// The serial line: opened, set up as pppd sets it up, looked after, and given back as it was found.
//
// The kernel's own waits for the output (TCSETSF and TCSBRK do that first, close(2) last) never end while CTS is low.
// So nothing here lets it wait: drain() looks and gives up, and what is left is thrown away.

import { check, closeFd, libc, O, openFd, OsError, setNonblocking } from "../ffi/libc.ts";
import { isHungUp, isPtySlave, outputQueued } from "./modem-lines.ts";
import { openSerial } from "./serialport.ts";
import {
  CC,
  CFLAG,
  changesOf,
  flushTty,
  IFLAG,
  LFLAG,
  readTermios,
  setSpeed,
  type Termios,
  writeTermios,
} from "./termios.ts";

/** pppd's options for the line. */
export interface TtySettings {
  /** Any number the hardware can make; 0 leaves the speed as it is. */
  readonly speed: number;
  /** true: HUPCL, and the carrier may be watched. false (`local`): CLOCAL, the modem lines are left alone. */
  readonly modem: boolean;
  /** As in pppd, `xonxoff` and `unchanged` leave CRTSCTS as it is. */
  readonly flow: "crtscts" | "nocrtscts" | "xonxoff" | "unchanged";
  readonly stopBits: 1 | 2;
}

/** Nobody told us the speed and the line has none. */
export class BaudRateError extends Error {
  constructor(path: string) {
    super(`Baud rate for ${path} is 0; need explicit baud rate`);
    this.name = "BaudRateError";
  }
}

const TIOCEXCL = 0x540c;
const TIOCNXCL = 0x540d;
const TIOCSBRK = 0x5427;
const TIOCCBRK = 0x5428;
const BREAK_MS = 300;
const DRAIN_POLL_MS = 10;

const F_GETFL = 3;

/** What close() does with the descriptor: one that was not ours (stdin) stays open. */
type AtEnd = "close" | "leave" | "leave blocking";

export class Tty {
  readonly fd: number;
  readonly path: string;
  readonly isPty: boolean;
  /** Its driver says how much it has not sent yet. */
  readonly countsOutput: boolean;
  readonly #settings: TtySettings;
  /** As we found it; what close() restores. */
  readonly #found: Termios;
  readonly #atEnd: AtEnd;
  /** As it was after configure(). */
  #made: Termios;
  #open = true;

  constructor(fd: number, path: string, settings: TtySettings, found: Termios, atEnd: AtEnd) {
    this.fd = fd;
    this.path = path;
    this.isPty = isPtySlave(fd);
    this.countsOutput = !this.isPty;
    this.#settings = settings;
    this.#found = found;
    this.#made = found;
    this.#atEnd = atEnd;
  }

  /**
   * Makes all the settings and the descriptor non-blocking (again: a connect script may have changed them). The carrier
   * is watched, CLOCAL clear, only if the caller wants it now and the line is a `modem` one: its loss is then a hang-up.
   * Nothing received is lost. A line that has hung up is left alone. Throws OsError.
   */
  configure(watchCarrier: boolean): void {
    setNonblocking(this.fd, true);
    if (isHungUp(this.fd)) return;
    const { speed, modem, flow, stopBits } = this.#settings;
    const termios = readTermios(this.fd);
    const { CSIZE, CSTOPB, PARENB, PARODD, CMSPAR, CLOCAL, HUPCL, CS8, CREAD, CRTSCTS } = CFLAG;
    termios.cflag &= ~(CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CLOCAL | HUPCL);
    termios.cflag |= CS8 | CREAD | (stopBits === 2 ? CSTOPB : 0);
    termios.cflag |= modem ? HUPCL : 0;
    termios.cflag |= modem && watchCarrier ? 0 : CLOCAL;
    if (flow === "crtscts") termios.cflag |= CRTSCTS;
    if (flow === "nocrtscts") termios.cflag &= ~CRTSCTS;
    termios.iflag = IFLAG.IGNBRK | IFLAG.IGNPAR;
    termios.oflag = termios.lflag = 0;
    termios.cc[CC.VMIN] = 1;
    termios.cc[CC.VTIME] = 0;
    if (flow === "xonxoff") {
      termios.iflag |= IFLAG.IXON | IFLAG.IXOFF;
      termios.cc[CC.VSTART] = 0x11;
      termios.cc[CC.VSTOP] = 0x13;
    }
    if (speed !== 0) setSpeed(termios, speed);
    writeTermios(this.fd, termios, "now");
    this.#made = readTermios(this.fd);
  }

  /**
   * Puts back the settings that another program has changed since configure() and that PPP cannot do without. Returns
   * what they were changed to, in stty's words. Flow control and modem lines are left alone. Never throws.
   */
  mend(): string[] {
    if (!this.#open || isHungUp(this.fd)) return [];
    try {
      const now = readTermios(this.fd);
      const changes = changesOf(this.#made, now);
      if (changes.length === 0) return changes;
      const { CRTSCTS, CLOCAL, HUPCL } = CFLAG;
      const theirs = CRTSCTS | CLOCAL | HUPCL;
      const cflag = ((this.#made.cflag & ~theirs) | (now.cflag & theirs)) >>> 0;
      writeTermios(this.fd, { ...this.#made, cflag }, "now");
      // What the driver makes of them counts from now on, or they would be put back for ever.
      this.#made = readTermios(this.fd);
      return changes;
    } catch {
      return []; // It has hung up in between.
    }
  }

  /** A tty is written to where it is read from. */
  get writeFd(): number {
    return this.fd;
  }

  /** The speed the driver has really set. */
  get speed(): number {
    return this.#made.ospeed;
  }

  /** Keeps others from opening the line (root excepted). */
  setExclusive(on: boolean): void {
    libc.ioctl(this.fd, on ? TIOCEXCL : TIOCNXCL, null);
  }

  /** Throws away what was received and not yet read, or what was written and not yet sent. */
  flush(queue: "input" | "output"): void {
    // On a pty it would be taken out of the hands of the far end, who has as good as received it.
    if (queue === "output" && this.isPty) return;
    if (this.#open && !isHungUp(this.fd)) flushTty(this.fd, queue);
  }

  /** Waits for what was written to be sent. False when it is not after `patienceMs`: flow control holds the line up. */
  async drain(patienceMs: number): Promise<boolean> {
    for (let left = patienceMs; outputQueued(this.fd) > 0; left -= DRAIN_POLL_MS) {
      if (left <= 0) return false;
      await Bun.sleep(DRAIN_POLL_MS);
    }
    return true;
  }

  /** Sends a break once the output is out; what is not out after `patienceMs` is thrown away. */
  async sendBreak(patienceMs = 2000): Promise<void> {
    if (!(await this.drain(patienceMs))) this.flush("output");
    if (libc.ioctl(this.fd, TIOCSBRK, null) < 0) return;
    await Bun.sleep(BREAK_MS);
    libc.ioctl(this.fd, TIOCCBRK, null);
  }

  /**
   * Gives the line back as it was found. Never waits, so what must still be sent is to be drained before. Never throws;
   * the second call does nothing.
   */
  close(): void {
    if (!this.#open) return;
    const { fd } = this;
    this.setExclusive(false);
    try {
      this.flush("output");
      writeTermios(fd, this.#found, "now");
    } catch {
      // The line has hung up: there is nothing to restore any more.
    }
    this.#open = false;
    if (this.#atEnd === "close") closeFd(fd);
    if (this.#atEnd === "leave blocking") setNonblocking(fd, false);
  }
}

/**
 * Opens the line without waiting for a carrier and makes the settings, the carrier not yet watched.
 * Throws OsError (call "open", or "tcgetattr" when it is no tty) or BaudRateError.
 */
export async function openTty(path: string, settings: TtySettings): Promise<Tty> {
  // A descriptor of our own first: for errno, and for the settings as they were before the addon touches them.
  const first = openFd(path, O.RDWR | O.NOCTTY | O.NONBLOCK);
  let found: Termios;
  try {
    found = findTermios(first, path, settings);
    stopEcho(first, found);
  } catch (error) {
    closeFd(first);
    throw error;
  }
  const { flow, speed, stopBits, modem } = settings;
  const second = await openSerial(path, {
    baudRate: speed === 0 ? found.ospeed : speed,
    dataBits: 8,
    stopBits,
    parity: "none",
    rtscts: flow === "crtscts" || (flow !== "nocrtscts" && (found.cflag & CFLAG.CRTSCTS) !== 0),
    xon: flow === "xonxoff",
    xoff: flow === "xonxoff",
    xany: false,
    hupcl: modem,
    vmin: 1,
    vtime: 0,
    lock: false,
  });
  if (second !== undefined) closeFd(first);
  // We are the only user of this line: with echo restored, the line and a modem would echo at each other for ever.
  found.lflag &= ~(LFLAG.ECHO | LFLAG.ECHONL);
  return prepare(new Tty(second ?? first, path, settings, found, "close"));
}

/**
 * Takes over a tty that is open already (stdin), made non-blocking. Its close() leaves the descriptor open and as it
 * was. Throws OsError (call "tcgetattr" when it is no tty) or BaudRateError.
 */
export function adoptTty(fd: number, path: string, settings: TtySettings): Tty {
  const found = findTermios(fd, path, settings);
  const blocking = (check(libc.fcntl(fd, F_GETFL, 0), "fcntl", path) & O.NONBLOCK) === 0;
  return prepare(new Tty(fd, path, settings, found, blocking ? "leave blocking" : "leave"));
}

/**
 * Makes the line raw and silent at once. Loading the addon takes up to 400 ms, and a line that still echoes would send a
 * peer's requests back to it meanwhile.
 */
function stopEcho(fd: number, found: Termios): void {
  writeTermios(fd, { ...found, iflag: IFLAG.IGNBRK | IFLAG.IGNPAR, oflag: 0, lflag: 0 }, "now");
}

function prepare(tty: Tty): Tty {
  try {
    tty.flush("input");
    tty.configure(false);
    return tty;
  } catch (error) {
    tty.close();
    throw error;
  }
}

function findTermios(fd: number, path: string, settings: TtySettings): Termios {
  let found: Termios;
  try {
    found = readTermios(fd);
  } catch (error) {
    throw error instanceof OsError ? new OsError("tcgetattr", path, error.errno) : error;
  }
  if (settings.speed === 0 && found.ospeed === 0) throw new BaudRateError(path);
  return found;
}
