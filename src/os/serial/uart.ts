// What the driver says about the chip of a port: the type and FIFO of a UART (TIOCGSERIAL), and the latency timer of an
// adapter by FTDI.

import { realpathSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { libc, Memory } from "../ffi/libc.ts";
import { attribute } from "../process/sysfs.ts";

export interface Uart {
  /** "16550A". Undefined for a port of another kind than the PC's. */
  readonly type: string | undefined;
  /** Octets that the chip can hold before it sends them. 0: the driver does not say. */
  readonly fifo: number;
  /** The fastest speed of the chip. 0: the driver does not say. */
  readonly base: number;
}

const TIOCGSERIAL = 0x541e;
const serial = new Memory(72);

/** The first numbers of PORT_* (include/uapi/linux/serial_core.h). 0 is any port of a driver without types, as for USB. */
const TYPES = [undefined, "8250", "16450", "16550", "16550A", "Cirrus", "16650", "16650V2", "16750"];

/** UART types whose speed is their base divided by a whole number: 8250, 16450, 16550 and 16550A. */
const PLAIN_UARTS: readonly string[] = ["8250", "16450", "16550", "16550A"];
/** UARTs with a faster clock have drivers of their own, which make their speeds in other ways. */
const FASTEST_PLAIN_BASE = 1_500_000;

/** Undefined when the driver does not answer, as with a pty. */
export function uartOf(fd: number): Uart | undefined {
  if (libc.ioctl(fd, TIOCGSERIAL, serial.address) < 0) return undefined;
  // struct serial_struct: type, line, port, irq, flags, xmit_fifo_size, custom_divisor, baud_base.
  const { view } = serial;
  return { type: TYPES[view.getInt32(0, true)], fifo: view.getInt32(20, true), base: view.getInt32(28, true) };
}

/**
 * The fastest speed of a plain UART. It can do 1/1, 1/2, 1/3 and so on of that speed; the 8250 driver silently sets the
 * nearest one. Undefined for other kinds of port.
 */
export function uartBase(fd: number): number | undefined {
  const { type = "", base = 0 } = uartOf(fd) ?? {};
  return PLAIN_UARTS.includes(type) && base > 0 && base <= FASTEST_PLAIN_BASE ? base : undefined;
}

/** Milliseconds for which an adapter by FTDI keeps octets that do not fill a packet. Undefined for other ports. */
export function latencyOf(path: string, sysfs = "/sys"): number | undefined {
  const text = attribute(latencyFile(path, sysfs));
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** False when it is denied. */
export function setLatency(path: string, milliseconds: number, sysfs = "/sys"): boolean {
  try {
    writeFileSync(latencyFile(path, sysfs), `${milliseconds}\n`, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}

/** `path` may be a link such as those in /dev/serial/by-id. */
function latencyFile(path: string, sysfs: string): string {
  return `${sysfs}/class/tty/${basename(real(path))}/device/latency_timer`;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
