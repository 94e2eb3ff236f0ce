// Explains why a link did not come up, by the port's modem lines, counters and speed.

import type { Config } from "../../options/config.ts";
import type { LineErrors, ModemLines, Serial } from "../host/serial.ts";
import type { Finding } from "./finding.ts";
import { deadLinesTrouble } from "./modem-line-trouble.ts";

/** Checks the port of a link that did not come up. `before` is what the driver had counted when the attempt began. */
export function lineTrouble(
  serial: Serial,
  fd: number,
  flow: Config["crtscts"],
  before: LineErrors | undefined,
): Finding[] {
  return lineTroubleOf(flow, serial.modemLines(fd), before, serial.lineErrors(fd));
}

/** The same from the driver's answers. An answer is undefined when the driver has none. */
export function lineTroubleOf(
  flow: Config["crtscts"],
  lines: ModemLines | undefined,
  before: LineErrors | undefined,
  after: LineErrors | undefined,
): Finding[] {
  const found: Finding[] = [];
  const warn = (code: string, text: string): void => void found.push({ code, text, severity: "warning" });
  if (flow === "on" && lines?.cts === false)
    warn(
      "cts-low",
      "CTS is low, so that nothing is sent: the peer is not ready, or a cable without this wire needs nocrtscts",
    );
  else if (lines !== undefined) found.push(...deadLinesTrouble(lines));
  if (before === undefined || after === undefined) return found;
  const frame = after.frame - before.frame;
  const breaks = after.brk - before.brk;
  const overrun = after.overrun - before.overrun + after.bufOverrun - before.bufOverrun;
  // The terminal settings drop characters without a stop bit, so the counter shows more than the received octets.
  if (frame > 0)
    warn("framing-errors", `The port had ${frame} framing errors: the peer uses another speed or other data bits`);
  // The line was low for longer than one character. A slower sender's zero bits look like that.
  if (breaks > 0) warn("breaks", `The port had ${breaks} breaks: the peer uses a lower speed, or a wire is loose`);
  if (overrun > 0) warn("overruns", `The port lost octets ${overrun} times: a lower speed or crtscts may help`);
  return found;
}

/** The largest tolerable error in the speed of one end. */
const MOST_OFF = 0.02;
const COMMON_SPEEDS = [921600, 460800, 230400, 115200, 57600, 38400, 19200, 9600, 4800, 2400, 1200, 300];
const SPEEDS_NAMED = 6;

/**
 * Checks whether the port runs at the speed that was asked for. `set` is the speed that the driver reports, `base` the
 * fastest speed of a plain UART.
 */
export function speedTrouble(path: string, asked: number, set: number, base: number | undefined): Finding[] {
  if (asked === 0) return [];
  const trouble = (actual: string): Finding[] => {
    const text = `${path} cannot do ${asked} bit/s and ${actual}`;
    const remedy = base === undefined ? {} : { remedy: `it can do ${speedsOf(base, asked).join(", ")}` };
    return [{ code: "speed", text, ...remedy, severity: "warning" }];
  };
  // Some drivers report the exact speed: 923076 for 921600.
  if (Math.abs(set / asked - 1) > MOST_OFF) return trouble(`is set to ${set}`);
  if (base === undefined || asked > base) return [];
  const real = base / Math.round(base / asked);
  const off = Math.abs(real / asked - 1);
  if (off <= MOST_OFF) return [];
  return trouble(`runs at ${Math.round(real)}, ${Math.round(off * 100)} % off`);
}

/** The common speeds of a plain UART that are nearest to the one asked for. */
function speedsOf(base: number, asked: number): number[] {
  const able = COMMON_SPEEDS.filter((speed) => Math.abs(base / Math.round(base / speed) / speed - 1) <= MOST_OFF);
  const distance = (speed: number): number => Math.abs(Math.log(speed / asked));
  return able
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, SPEEDS_NAMED)
    .sort((a, b) => b - a);
}
