// A serial line: opens it, sets it up as pppd does, and restores it at the end.
//
// The kernel never stops waiting for output to drain while CTS is low. TCSETSF and TCSBRK wait first, close(2) waits
// last. So nothing here uses those waits: drain() polls with a time limit, and discards the rest.

import { check, closeFd, libc, O, openFd, OsError, setNonblocking } from "../ffi/libc.ts";
import { isHungUp, isPtySlave, modemLines, outputQueued } from "./modem-lines.ts";
import { openSerial } from "./serialport.ts";
import {
  CC,
  CFLAG,
  changesOf,
  flushTty,
  IFLAG,
  LFLAG,
  OFLAG,
  readTermios,
  setSpeed,
  type Termios,
  writeTermios,
} from "./termios.ts";

/** The keys of a terminal: ^C ^\ Delete ^U ^D ^Q ^S. */
const KEYS = { VINTR: 3, VQUIT: 28, VERASE: 127, VKILL: 21, VEOF: 4, VSTART: 17, VSTOP: 19 } as const;

/** pppd's options for the line. */
export interface TtySettings {
  /** Any number the hardware can make. 0 leaves the speed unchanged. */
  readonly speed: number;
  /**
   * true: set HUPCL; the carrier may be watched. false (`local`): set CLOCAL and leave the modem lines alone. "if
   * carrier": the one or the other, as the line has a carrier at configure().
   */
  readonly modem: boolean | "if carrier";
  /** As in pppd, `xonxoff` and `unchanged` leave CRTSCTS as it is. */
  readonly flow: "crtscts" | "nocrtscts" | "xonxoff" | "unchanged";
  readonly stopBits: 1 | 2;
}

/** No speed was given and the line has none. */
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
/** Two UARTs understand each other when their speeds differ by no more than this share. */
const WORST_DEVIATION = 0.025;
const BREAK_MS = 300;
const DRAIN_POLL_MS = 10;

const F_GETFL = 3;

/** What close() does with the descriptor. A descriptor that is not ours (stdin) stays open. */
type AtEnd = "close" | "leave" | "leave blocking";

export class Tty {
  readonly fd: number;
  readonly path: string;
  readonly isPty: boolean;
  /** True when the driver reports how much output is unsent. */
  readonly countsOutput: boolean;
  readonly #settings: TtySettings;
  /** The settings at open, which close() restores. */
  readonly #found: Termios;
  readonly #atEnd: AtEnd;
  /** The settings after configure(). */
  #made: Termios;
  /** 0: the speed is left as it is. */
  #speed: number;
  #hearsDamage = false;
  #open = true;

  constructor(fd: number, path: string, settings: TtySettings, found: Termios, atEnd: AtEnd) {
    this.fd = fd;
    this.path = path;
    this.isPty = isPtySlave(fd);
    this.countsOutput = !this.isPty;
    this.#settings = settings;
    this.#speed = settings.speed;
    this.#found = found;
    this.#made = found;
    this.#atEnd = atEnd;
  }

  /**
   * Applies all settings and makes the descriptor non-blocking, again if a connect script has changed it. The carrier
   * is watched (CLOCAL off) only when the caller asks for it and the line has `modem`; then losing it is a hang-up.
   * Received data is kept. A line that has hung up is left alone. Throws OsError.
   */
  configure(watchCarrier: boolean): void {
    setNonblocking(this.fd, true);
    if (isHungUp(this.fd)) return;
    const { flow, stopBits } = this.#settings;
    const modem = this.#settings.modem === "if carrier" ? modemLines(this.fd)?.cd === true : this.#settings.modem;
    const termios = readTermios(this.fd);
    const { CSIZE, CSTOPB, PARENB, PARODD, CMSPAR, CLOCAL, HUPCL, CS8, CREAD, CRTSCTS } = CFLAG;
    termios.cflag &= ~(CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CLOCAL | HUPCL);
    termios.cflag |= CS8 | CREAD | (stopBits === 2 ? CSTOPB : 0);
    termios.cflag |= modem ? HUPCL : 0;
    termios.cflag |= modem && watchCarrier ? 0 : CLOCAL;
    if (flow === "crtscts") termios.cflag |= CRTSCTS;
    if (flow === "nocrtscts") termios.cflag &= ~CRTSCTS;
    termios.iflag = this.#hearsDamage ? 0 : IFLAG.IGNBRK | IFLAG.IGNPAR;
    termios.oflag = termios.lflag = 0;
    termios.cc[CC.VMIN] = 1;
    termios.cc[CC.VTIME] = 0;
    if (flow === "xonxoff") {
      termios.iflag |= IFLAG.IXON | IFLAG.IXOFF;
      termios.cc[CC.VSTART] = 0x11;
      termios.cc[CC.VSTOP] = 0x13;
    }
    if (this.#speed !== 0) setSpeed(termios, this.#speed);
    writeTermios(this.fd, termios, "now");
    this.#made = readTermios(this.fd);
  }

  /** Changes the speed for good, and discards what is unread or unsent. False: the hardware cannot have this speed. */
  setSpeed(speed: number): boolean {
    if (!this.#open || isHungUp(this.fd)) return false;
    try {
      this.flush("output");
      const termios = readTermios(this.fd);
      setSpeed(termios, speed);
      writeTermios(this.fd, termios, "now");
      this.#made = readTermios(this.fd);
      if (Math.abs(this.#made.ospeed - speed) > WORST_DEVIATION * speed) return false;
      this.#speed = speed;
      this.flush("input");
      return true;
    } catch {
      return false; // The line has hung up since the check, or the driver refuses the speed.
    }
  }

  /**
   * Without IGNPAR the UART's driver passes on characters whose stop bit is missing, and without IGNBRK a break as a
   * zero.
   */
  hearDamage(on: boolean): void {
    if (this.#hearsDamage === on || !this.#open || isHungUp(this.fd)) return;
    this.#hearsDamage = on;
    try {
      const termios = readTermios(this.fd);
      const dropped = IFLAG.IGNBRK | IFLAG.IGNPAR;
      termios.iflag = on ? termios.iflag & ~dropped : termios.iflag | dropped;
      writeTermios(this.fd, termios, "now");
      this.#made = readTermios(this.fd);
    } catch {
      // The line has hung up since the check.
    }
  }

  /** Sets the line for a person at the other end, as `stty sane` does. A carrier that is lost hangs up with `modem`. */
  makeTerminal(): void {
    this.configure(true);
    if (isHungUp(this.fd)) return;
    const termios = readTermios(this.fd);
    const { BRKINT, ICRNL } = IFLAG;
    const { ISIG, ICANON, IEXTEN, ECHO, ECHOE, ECHOK } = LFLAG;
    termios.iflag = (termios.iflag & ~(IFLAG.IGNBRK | IFLAG.IGNPAR)) | BRKINT | ICRNL;
    termios.oflag = OFLAG.OPOST | OFLAG.ONLCR;
    termios.lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK;
    for (const [name, code] of Object.entries(KEYS)) termios.cc[CC[name as keyof typeof KEYS]] = code;
    writeTermios(this.fd, termios, "now");
  }

  /**
   * Restores settings that PPP needs and that another program has changed since configure(). Returns the foreign
   * settings in stty's words. Leaves flow control and modem lines alone. Never throws.
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
      // Compare with the driver's result from now on. A setting the driver refuses would otherwise be restored for
      // ever.
      this.#made = readTermios(this.fd);
      return changes;
    } catch {
      return []; // The line has hung up since the check.
    }
  }

  /** The descriptor to write to: the same as to read from. */
  get writeFd(): number {
    return this.fd;
  }

  /** The speed that the driver has set. */
  get speed(): number {
    return this.#made.ospeed;
  }

  /** Keeps other processes, except root's, from opening the line. */
  setExclusive(on: boolean): void {
    libc.ioctl(this.fd, on ? TIOCEXCL : TIOCNXCL, null);
  }

  /** Discards data that is received and unread, or written and unsent. */
  flush(queue: "input" | "output"): void {
    // On a pty this would remove data that the far end has as good as received.
    if (queue === "output" && this.isPty) return;
    if (this.#open && !isHungUp(this.fd)) flushTty(this.fd, queue);
  }

  /** Waits until the output is sent. False when it is not sent after `patienceMs`: flow control holds it up. */
  async drain(patienceMs: number): Promise<boolean> {
    for (let left = patienceMs; outputQueued(this.fd) > 0; left -= DRAIN_POLL_MS) {
      if (left <= 0) return false;
      await Bun.sleep(DRAIN_POLL_MS);
    }
    return true;
  }

  /** Sends a break after the output. Discards output that is unsent after `patienceMs`. */
  async sendBreak(patienceMs = 2000): Promise<void> {
    if (!(await this.drain(patienceMs))) this.flush("output");
    if (libc.ioctl(this.fd, TIOCSBRK, null) < 0) return;
    await Bun.sleep(BREAK_MS);
    libc.ioctl(this.fd, TIOCCBRK, null);
  }

  /**
   * Restores the line's settings and closes it. Never waits, so the caller drains the output first. Never throws; a
   * second call does nothing.
   */
  close(): void {
    if (!this.#open) return;
    const { fd } = this;
    this.setExclusive(false);
    try {
      this.flush("output");
      writeTermios(fd, this.#found, "now");
    } catch {
      // The line has hung up, so there are no settings to restore.
    }
    this.#open = false;
    if (this.#atEnd === "close") closeFd(fd);
    if (this.#atEnd === "leave blocking") setNonblocking(fd, false);
  }
}

/**
 * Opens the line without waiting for a carrier and applies the settings. The carrier is not watched yet. Throws OsError
 * (call "open", or "tcgetattr" when it is no tty) or BaudRateError.
 */
export async function openTty(path: string, settings: TtySettings): Promise<Tty> {
  // Open a descriptor of our own first: it gives us errno, and the settings before the addon changes them.
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
    hupcl: modem === true,
    vmin: 1,
    vtime: 0,
    lock: false,
  });
  if (second !== undefined) closeFd(first);
  // We are the line's only user. If we restored echo, the line and a modem would echo each other without end.
  found.lflag &= ~(LFLAG.ECHO | LFLAG.ECHONL);
  return prepare(new Tty(second ?? first, path, settings, found, "close"));
}

/**
 * Takes over a tty that is open already (stdin) and makes it non-blocking. Its close() leaves the descriptor open, in
 * the mode it had. Throws OsError (call "tcgetattr" when it is no tty) or BaudRateError.
 */
export function adoptTty(fd: number, path: string, settings: TtySettings): Tty {
  const found = findTermios(fd, path, settings);
  const blocking = (check(libc.fcntl(fd, F_GETFL, 0), "fcntl", path) & O.NONBLOCK) === 0;
  return prepare(new Tty(fd, path, settings, found, blocking ? "leave blocking" : "leave"));
}

/**
 * Makes the line raw and stops its echo at once. Loading the addon takes up to 400 ms. Until then, an echoing line
 * would send the peer's requests back to it.
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
