// What the port's own lines and counters say about a link that did not come up.

import type { Config } from "../options/config.ts";
import { type LineErrors, lineErrors, type ModemLines, modemLines } from "../os/line.ts";

/** Lines for the log; `before` is what the driver had counted when the attempt began. */
export function lineTrouble(fd: number, flow: Config["crtscts"], before: LineErrors | undefined): string[] {
  return lineTroubleOf(flow, modemLines(fd), before, lineErrors(fd));
}

/** The same, of what the driver said; undefined where it has no such thing. */
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
  const overrun = after.overrun - before.overrun + after.bufOverrun - before.bufOverrun;
  // The line is set to pass over what has no stop bit, so that it may look quieter than it is.
  if (frame > 0) trouble.push(`The port had ${frame} framing errors: the peer uses another speed or other data bits`);
  if (overrun > 0) trouble.push(`The port lost octets ${overrun} times: a lower speed or crtscts may help`);
  return trouble;
}
