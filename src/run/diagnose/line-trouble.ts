// What the port's modem lines, counters and speed say about a link that did not come up.

import type { Config } from "../../options/config.ts";
import type { LineErrors, ModemLines, Serial } from "../host/serial.ts";

/** Lines for the log; `before` is what the driver had counted when the attempt began. */
export function lineTrouble(
  serial: Serial,
  fd: number,
  flow: Config["crtscts"],
  before: LineErrors | undefined,
): string[] {
  return lineTroubleOf(flow, serial.modemLines(fd), before, serial.lineErrors(fd));
}

/** The same, from the driver's answers; undefined: the driver has none. */
export function lineTroubleOf(
  flow: Config["crtscts"],
  lines: ModemLines | undefined,
  before: LineErrors | undefined,
  after: LineErrors | undefined,
): string[] {
  const trouble: string[] = [];
  if (flow === "on" && lines?.cts === false)
    trouble.push(
      "CTS is low, so that nothing is sent: the peer is not ready, or a cable without this wire needs nocrtscts",
    );
  if (before === undefined || after === undefined) return trouble;
  const frame = after.frame - before.frame;
  const breaks = after.brk - before.brk;
  const overrun = after.overrun - before.overrun + after.bufOverrun - before.bufOverrun;
  // The terminal settings drop characters without a stop bit, so the counter tells more than what was received.
  if (frame > 0) trouble.push(`The port had ${frame} framing errors: the peer uses another speed or other data bits`);
  // The line was low for longer than a character: the zeros of a slower sender.
  if (breaks > 0) trouble.push(`The port had ${breaks} breaks: the peer uses a lower speed, or a wire is loose`);
  if (overrun > 0) trouble.push(`The port lost octets ${overrun} times: a lower speed or crtscts may help`);
  return trouble;
}

/** How far the speed of one end may be off. */
const MOST_OFF = 0.02;
const COMMON_SPEEDS = [921600, 460800, 230400, 115200, 57600, 38400, 19200, 9600, 4800, 2400, 1200, 300];
const SPEEDS_NAMED = 6;

/**
 * A line for the log when the port does not run at the speed that was asked for. `set` is what the driver says it is,
 * `base` a plain UART's fastest.
 */
export function speedTrouble(path: string, asked: number, set: number, base: number | undefined): string | undefined {
  if (asked === 0) return undefined;
  const able = base === undefined ? "" : `; it can do ${speedsOf(base, asked).join(", ")}`;
  // Some drivers report the exact speed: 923076 for 921600.
  if (Math.abs(set / asked - 1) > MOST_OFF) return `${path} cannot do ${asked} bit/s and is set to ${set}${able}`;
  if (base === undefined || asked > base) return undefined;
  const real = base / Math.round(base / asked);
  const off = Math.abs(real / asked - 1);
  if (off <= MOST_OFF) return undefined;
  return `${path} cannot do ${asked} bit/s and runs at ${Math.round(real)}, ${Math.round(off * 100)} % off${able}`;
}

/** The common speeds that a plain UART can do, those nearest to the one asked for. */
function speedsOf(base: number, asked: number): number[] {
  const able = COMMON_SPEEDS.filter((speed) => Math.abs(base / Math.round(base / speed) / speed - 1) <= MOST_OFF);
  const distance = (speed: number): number => Math.abs(Math.log(speed / asked));
  return able
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, SPEEDS_NAMED)
    .sort((a, b) => b - a);
}
