// What is wrong with the chip of a port, by the driver's answers.

import type { Uart } from "../host/serial.ts";
import type { Finding } from "./finding.ts";

/** Chips that hold one octet, or whose FIFO does not work. */
const WITHOUT_FIFO = ["8250", "16450", "16550"];

/** Checks the UART. `uart` is undefined when the driver says nothing about it. */
export function uartTrouble(path: string, uart: Uart | undefined): Finding[] {
  const { type = "" } = uart ?? {};
  if (!WITHOUT_FIFO.includes(type)) return [];
  const text = `The chip of ${path} is a ${type} without a FIFO, which loses octets at high speeds`;
  return [{ code: "no-fifo", text, remedy: "use 38400 bit/s or less, and crtscts", severity: "warning" }];
}

/** The latency timer that pppd sets. */
export const LATENCY_MS = 1;

/**
 * Checks the latency timer of an adapter by FTDI: milliseconds, or undefined for other ports. `isOurs`: pppd can set it
 * while it runs.
 */
export function latencyTrouble(path: string, latency: number | undefined, isOurs: boolean): Finding[] {
  if (latency === undefined || latency <= LATENCY_MS || isOurs) return [];
  const file = `/sys/class/tty/${path.slice(path.lastIndexOf("/") + 1)}/device/latency_timer`;
  return [
    {
      code: "latency-timer",
      text: `The USB adapter of ${path} keeps what it receives for up to ${latency} ms, and pppd may not change that`,
      remedy: `as root: echo ${LATENCY_MS} >${file}`,
      severity: "warning",
    },
  ];
}

/** The driver refuses all settings of such a port. */
export function noUart(path: string): Finding {
  const text = `${path} has no chip: the driver has only its name`;
  return { code: "no-uart", text, remedy: "use another port", severity: "error" };
}
