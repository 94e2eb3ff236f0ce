// The common speeds that a port can do.

import { speedTrouble } from "../diagnose/line-trouble.ts";
import type { Finding } from "../diagnose/finding.ts";
import type { ExaminedPort } from "./examined-port.ts";

export const COMMON_SPEEDS = [300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600];

/** Sets a speed. Returns what is wrong with it. */
export function trySpeed(port: ExaminedPort, speed: number): Finding[] {
  return speedTrouble(port.path, speed, port.setSpeed(speed), port.base);
}

/** Leaves the port at one of them. */
export function ableSpeeds(port: ExaminedPort): number[] {
  return COMMON_SPEEDS.filter((speed) => trySpeed(port, speed).length === 0);
}
