// What the verbs of `nullmodem ctl` act on. A session is one, with a part for each of its lines.

import type { CaptureSource } from "../live/capture-wish.ts";

/** A verb that cannot be carried out. The message is one plain sentence, and the program that asked gets it. */
export class ControlError extends Error {}

/** A protocol that can be negotiated again while the link is up. */
export const RENEGOTIABLE = ["lcp", "ccp", "ipcp", "ipv6cp"] as const;
export type Renegotiable = (typeof RENEGOTIABLE)[number];

/** "up": packets pass. "down": the link has ended, and the next attempt has not begun. */
export type LinkState = "up" | "down";

/** Each function throws ControlError when the link is in no state for it. */
export interface Steered {
  /** Ends the link as SIGHUP does. */
  hangup(): void;
  /** Ends the link, or what comes before it, and begins the next attempt at once, also without `persist`. */
  redial(): void;
  /** With "lcp", all above it comes up again too. */
  renegotiate(protocol: Renegotiable): void;
  /** The most octets a second, until the link ends. 0: no limit. */
  limitRate(octetsPerSecond: number): void;
}

export interface ControlledLine extends Steered {
  /** "/dev/ttyS0", "/dev/stdin", or the address of a connection. */
  readonly device: string;
  /** The word by which the options name it. */
  readonly place: string;
  /** A phase of the link, or what comes before it. */
  readonly state: string;
}

export interface ControlledLink extends Steered {
  /** Undefined while there is no interface. */
  readonly interface: string | undefined;
  /** The interface that it had last, or the one that its options ask for. */
  readonly usualInterface?: string | undefined;
  readonly linkname: string | undefined;
  /** Ends the session as SIGTERM does. */
  quit(): void;
  /** Calls `done` once when the link is in this state; false: the session has ended before. Returns what cancels that. */
  awaitState(state: LinkState, done: (isReached: boolean) => void): () => void;
  /** Packets go to the log, or not, until the link ends. */
  debug(isOn: boolean): void;
  /** Names a program and the user who runs it in the log. */
  asked(verb: string, by: string): void;
  /** What `nullmodem capture` shows. */
  readonly captured: CaptureSource;
  /** One, or those of a bundle. */
  readonly lines: readonly ControlledLine[];
}

export function notOpen(protocol: Renegotiable): ControlError {
  const why = protocol === "lcp" ? ", or the line is changing its speed" : "";
  return new ControlError(`${protocol.toUpperCase()} is not up${why}`);
}
