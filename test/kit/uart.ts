// Models a UART bit by bit: ports with equal settings understand each other, and others receive what real ones would.
// Errors are counted as Linux's 8250 driver counts them for TIOCGICOUNT. The receiver's iflag decides whether octets
// with an error are passed on, as in that driver and the line discipline.

import { CFLAG, IFLAG, type Termios } from "../../src/os/serial/termios.ts";

/** The settings of a port for sending and receiving. */
export interface PortFormat {
  readonly baud: number;
  readonly dataBits: number;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
  /** IGNPAR, IGNBRK, INPCK and PARMRK decide what happens to a bad octet. */
  readonly iflag: number;
}

export interface UartStats {
  /** Characters without a stop bit, characters with a wrong parity, and breaks. */
  frame: number;
  parity: number;
  brk: number;
}

const DATA_BITS = new Map<number, number>([
  [CFLAG.CS5, 5],
  [CFLAG.CS6, 6],
  [CFLAG.CS7, 7],
  [CFLAG.CS8, 8],
]);

export function portFormat({ cflag, iflag, ospeed }: Termios): PortFormat {
  const parity = (cflag & CFLAG.PARENB) === 0 ? "none" : (cflag & CFLAG.PARODD) === 0 ? "even" : "odd";
  return {
    baud: ospeed,
    dataBits: DATA_BITS.get(cflag & CFLAG.CSIZE)!,
    parity,
    stopBits: (cflag & CFLAG.CSTOPB) === 0 ? 1 : 2,
    iflag,
  };
}

/** 8N1, as pppd sets it. */
export function pppFormat(baud: number): PortFormat {
  return { baud, dataBits: 8, parity: "none", stopBits: 1, iflag: IFLAG.IGNBRK | IFLAG.IGNPAR };
}

/** True when both put the same whole octets on the line. A second stop bit is only a pause. */
export function isAlike(one: PortFormat, other: PortFormat): boolean {
  const inParity = one.dataBits === other.dataBits && one.parity === other.parity;
  return one.dataBits === 8 && inParity && one.baud === other.baud;
}

/** The bits of one character, including start, parity and stop bits. */
export function bitsOf({ dataBits, parity, stopBits }: PortFormat): number {
  return 1 + dataBits + (parity === "none" ? 0 : 1) + stopBits;
}

function parityOf(octet: number, parity: "even" | "odd"): number {
  let ones = parity === "odd" ? 1 : 0;
  for (let rest = octet; rest > 0; rest >>>= 1) ones += rest & 1;
  return ones & 1;
}

/** The levels of one character in order: start bit, data from the lowest bit on, parity, stop bits. */
function levelsOf(octet: number, format: PortFormat): number[] {
  const { dataBits, parity, stopBits } = format;
  const data = octet & ((1 << dataBits) - 1);
  return [
    0,
    ...Array.from({ length: dataBits }, (_, bit) => (data >>> bit) & 1),
    ...(parity === "none" ? [] : [parityOf(data, parity)]),
    ...Array.from({ length: stopBits }, () => 1),
  ];
}

/** The receiver of a port. Times are in milliseconds and never run backwards. */
export class UartReceiver {
  readonly stats: UartStats = { frame: 0, parity: 0, brk: 0 };
  format: PortFormat;
  /** When the present bit is sampled. Infinity: no character is being received. */
  #sampleAt = Infinity;
  /** The samples of the present character. */
  #samples: number[] = [];
  /** After a break no character begins before the line is high again. */
  #inBreak = false;
  #heardUntil = 0;

  constructor(format: PortFormat) {
    this.format = format;
  }

  /** When the present character will be complete if the line stays high. Infinity: there is none. */
  get completeAt(): number {
    const { baud, stopBits } = this.format;
    const samples = bitsOf(this.format) - stopBits + 1;
    return this.#sampleAt + ((samples - 1 - this.#samples.length) * 1000) / baud;
  }

  /** An octet begins on the line at `at`, which was high until then. Received octets go to the end of `out`. */
  octet(octet: number, format: PortFormat, at: number, out: number[]): void {
    this.idle(at, out);
    const bitMs = 1000 / format.baud;
    levelsOf(octet, format).forEach((level, bit) => this.#level(level, at + bit * bitMs, at + (bit + 1) * bitMs, out));
  }

  /** The line stays high until this time. */
  idle(until: number, out: number[]): void {
    if (until > this.#heardUntil) this.#level(1, this.#heardUntil, until, out);
  }

  #level(level: number, from: number, until: number, out: number[]): void {
    this.#heardUntil = until;
    if (level === 1) this.#inBreak = false;
    const bitMs = 1000 / this.format.baud;
    for (let at = from; ;) {
      if (this.#sampleAt === Infinity) {
        if (level === 1 || this.#inBreak) return;
        this.#sampleAt = at + bitMs / 2;
      }
      if (this.#sampleAt >= until) return;
      at = this.#sampleAt;
      this.#sampleAt += bitMs;
      this.#sample(level, out);
    }
  }

  #sample(level: number, out: number[]): void {
    const { format } = this;
    const samples = this.#samples;
    samples.push(level);
    const isGlitch = samples.length === 1 && level === 1;
    if (!isGlitch && samples.length < bitsOf(format) - format.stopBits + 1) return;
    if (!isGlitch) this.#character(samples, out);
    if (level === 0 && !this.#inBreak) {
      // As in a 16550: if the stop bit is low, it is the start bit of the next character.
      this.#samples = [0];
      return;
    }
    this.#samples = [];
    this.#sampleAt = Infinity;
  }

  #character(samples: readonly number[], out: number[]): void {
    const { dataBits, parity, iflag } = this.format;
    let octet = 0;
    for (let bit = 0; bit < dataBits; bit++) octet |= samples[1 + bit]! << bit;
    const noStop = samples.at(-1) === 0;
    const wrongParity = parity !== "none" && samples[1 + dataBits] !== parityOf(octet, parity);
    if (samples.every((level) => level === 0)) {
      this.stats.brk++;
      this.#inBreak = true;
      // The signal of BRKINT is not modelled.
      if ((iflag & IFLAG.IGNBRK) === 0) out.push(...((iflag & IFLAG.PARMRK) === 0 ? [0] : [0xff, 0, 0]));
      return;
    }
    if (wrongParity) this.stats.parity++;
    else if (noStop) this.stats.frame++;
    else return void out.push(octet);
    if ((iflag & IFLAG.IGNPAR) !== 0) return;
    if ((iflag & IFLAG.INPCK) === 0) out.push(octet);
    else out.push(...((iflag & IFLAG.PARMRK) === 0 ? [0] : [0xff, 0, octet]));
  }
}

/** What a port with the settings `to` receives and counts when one with `from` sends these octets without a pause. */
export function received(
  octets: Uint8Array,
  from: PortFormat,
  to: PortFormat,
): { octets: Uint8Array; stats: UartStats } {
  const receiver = new UartReceiver(to);
  const out: number[] = [];
  const octetMs = (bitsOf(from) * 1000) / from.baud;
  octets.forEach((octet, nth) => receiver.octet(octet, from, nth * octetMs, out));
  receiver.idle(octets.length * octetMs + (bitsOf(to) * 1000) / to.baud, out);
  return { octets: Uint8Array.from(out), stats: receiver.stats };
}
