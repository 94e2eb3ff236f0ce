// The most octets a second on a line: the option `datarate`, and the verb of `nullmodem ctl`.

import type { Config } from "../../options/config.ts";
import { isShunted } from "../line/device.ts";
import type { LinePort } from "../loop/line-port.ts";
import { RateLimit } from "../loop/rate-limit.ts";

/** 0 means no limit. A UART would lose what is not read in time, so that on a tty only what is sent has a limit. */
export function limitPort(port: LinePort, config: Config, octetsPerSecond: number): void {
  if (octetsPerSecond <= 0) {
    port.limitTo(undefined, Infinity);
    return;
  }
  const receiving = isShunted(config) ? new RateLimit(octetsPerSecond) : undefined;
  port.limitTo({ sending: new RateLimit(octetsPerSecond), receiving }, octetsPerSecond);
}
