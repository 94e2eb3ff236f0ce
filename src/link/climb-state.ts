// What an end does to agree on a faster line, and what it needs for that.

import type { Level } from "../control/dialect.ts";
import type { ClimbPacket } from "../wire/climb-packet.ts";
import type { ClimbTrial } from "./climb-trial.ts";
import type { Counts } from "./climb-watch.ts";
import type { LineSpeed } from "./line-speed.ts";
import type { TrialNoise } from "./trial-noise.ts";

/** How the log says that the line has another speed. */
export const SPEED_CHANGED = /^The line has \d+ bits per second from now on, as agreed/;

export interface ClimbHost {
  readonly line: LineSpeed;
  /** Sends a packet, past those that wait. `pattern`: how many octets of test pattern follow it. */
  send(packet: ClimbPacket, pattern: number, now: number): void;
  /** All other packets wait. */
  hold(on: boolean): void;
  counts(): Counts;
  readonly noise: TrialNoise;
  /** The longest packet that the other end takes. */
  mru(): number;
  /** A network protocol is up. */
  isUp(): boolean;
  random32(): number;
  wakeAt(at: number): void;
  log(level: Level, text: string): void;
}

/** `at` is when something is to be done. */
export type ClimbState =
  /** LCP is down, the other end knows no such packets, or the speed of the line must stay. */
  | { readonly is: "off" }
  /** No network protocol is up. */
  | { readonly is: "opening"; at: number }
  | { readonly is: "idle" }
  /** Try was sent. */
  | { readonly is: "asking"; readonly trial: number; readonly speed: number; tries: number; at: number }
  /** Ready was sent. */
  | { readonly is: "promised"; readonly trial: number; readonly speed: number; readonly at: number }
  /** The line is about to have another speed. `trial`: for that trial. */
  | { readonly is: "switching"; readonly trial: number | undefined; readonly speed: number }
  | { readonly is: "trying"; readonly trial: ClimbTrial }
  /** At an earlier speed again. The other end was not heard yet. */
  | { readonly is: "returning"; readonly trial: number; readonly until: number; at: number; backs: number };

/** The two ends may have different speeds, so that the other end does not hear everything. */
export function isBetweenSpeeds({ is }: ClimbState): boolean {
  return is === "promised" || is === "switching" || is === "trying" || is === "returning";
}

/** The time of an answer, besides that of the packets on the way. */
const ANSWER_MS = 200;
const PACKETS_ON_THE_WAY = 2;
const LONGEST_PACKET = 1500;
const OCTET_BITS = 10;

/** How long an answer takes at most: both ends may have packets on their way. */
export function answerMs(speed: number): number {
  return ANSWER_MS + (PACKETS_ON_THE_WAY * LONGEST_PACKET * OCTET_BITS * 1000) / speed;
}
