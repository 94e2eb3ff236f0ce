// The interfaces of option negotiation: the layer below, the rules of one protocol, and the way single verdicts become
// an answer (RFC 1661 §5.2–§5.4).

import { Code, type ConfOption, type Control, type OptionList, type Verdict } from "../wire/control.ts";
import type { State } from "./automaton.ts";

export type Level = "debug" | "info" | "notice" | "warn" | "error";

/** The layer below a protocol: the link, or a test. */
export interface Lower {
  /** Sends one packet of `protocol`. `write` writes its octets at (buf, at) and returns their end. */
  send(protocol: number, write: (buf: Uint8Array, at: number) => number): void;
  /** A request that was sent once was answered after this time. So the line is at least that fast. */
  roundTrip(milliseconds: number): void;
  log(level: Level, text: string): void;
  /** True when text, or our own requests, come from the line: a login prompt or a modem, which takes what we send for input. */
  isTextHeard?(): boolean;
  /** Asks for a timeout() at `at` milliseconds; Infinity asks for none. There is one deadline at a time. */
  wakeAt(at: number): void;
}

/** The answer to a Configure-Request: an Ack repeats all options, a Nak or Reject names those in dispute. */
export interface Answer {
  code: typeof Code.ConfAck | typeof Code.ConfNak | typeof Code.ConfRej;
  options: ConfOption[];
}

/**
 * The rules of one protocol, which the automaton does not know: the options to ask for, and the answers to the peer's.
 */
export interface Dialect {
  /** "LCP", as log lines name it. */
  readonly name: string;
  readonly protocol: number;
  /** Forgets the agreement: negotiation starts again. */
  reset(): void;
  /** The options of our next Configure-Request. */
  request(): ConfOption[];
  /** Judges the peer's request. With `rejectOnly`, the limit of Naks is reached. */
  judge(list: OptionList, rejectOnly: boolean): Answer;
  /** True when every option of a Nak has a value that its type can have. Otherwise the Nak changes nothing. */
  understands?(options: readonly ConfOption[]): boolean;
  /** Handles a Nak that was understood. With `asReject`, the peer has sent too many of them. */
  naked(options: ConfOption[], asReject: boolean): void;
  /** Handles a Reject of some of the options asked for. */
  rejected(options: ConfOption[]): void;
  /** Our Configure-Request was sent. An earlier agreement on it no longer holds. */
  requested?(): void;
  /** Our answer to the peer's request was sent. */
  answered?(code: Answer["code"], now: number): void;
  /** True when an Ack with these options agrees to our request. By default the two lists must be the same. */
  acknowledges?(options: readonly ConfOption[], requested: readonly ConfOption[]): boolean;
  /** A valid Ack came. */
  acknowledged?(): void;
  /** A Nak or Reject was handled, and the packets that follow from it were sent. */
  refusalTaken?(now: number): void;
  /** Handles a packet with a code above Code-Reject. False when the code is unknown. */
  receive?(control: Control, packet: Uint8Array, now: number): boolean;
  /** The peer rejected a code. True: that was to be expected, and is not worth a line of the log. */
  codeRejected?(code: number): boolean;
  /** The peer agreed to none of our requests, and no more are sent. */
  gaveUp?(): void;
  /** An event was handled. The automaton is in `state`, which may be the one before. */
  settled?(state: State): void;
  up(now: number): void;
  down(now: number): void;
  finished(now: number): void;
}

/**
 * Combines the verdicts on single options (RFC 1661 §5.2–§5.4): a Reject outweighs a Nak, a Nak outweighs an Ack. With
 * `rejectOnly`, a Nak becomes a Reject, except for options of type `insist`.
 */
export function weigh(
  list: OptionList,
  rejectOnly: boolean,
  verdictOf: (option: ConfOption) => Verdict,
  insist = -1,
): Answer {
  const rejects: ConfOption[] = [];
  const naks: ConfOption[] = [];
  for (const option of list.options) {
    const verdict = verdictOf(option);
    if (verdict === "ack") continue;
    if (verdict === "reject" || (rejectOnly && option.type !== insist)) rejects.push(option);
    else naks.push(verdict);
  }
  // The octets from an option whose length lies go back as one option with a correct length.
  if (list.rest.length > 0) rejects.push({ type: list.rest[0]!, value: list.rest.slice(2) });
  if (rejects.length > 0) return { code: Code.ConfRej, options: rejects };
  if (naks.length > 0) return { code: Code.ConfNak, options: naks };
  return { code: Code.ConfAck, options: list.options };
}

/** The timer and counters of RFC 1661 §4.6. */
export interface Limits {
  /** The restart timer: the longest time between two requests. */
  restartMs: number;
  maxConfigure: number;
  /** 0: send one Terminate-Request and do not wait for its Ack. */
  maxTerminate: number;
  maxFailure: number;
  /** A request is first repeated after this time, which is longer than a round trip. Each later time is twice as long. */
  firstMs: number;
  /** The same after our Ack: a peer that is listening would have answered within this time. */
  patienceMs: number;
  /** When the peer is first heard, a request that is older was lost. By default `firstMs`. */
  unheardMs?: number;
  /** A younger one is repeated after this time. By default `patienceMs`. */
  hurryMs?: number;
  /** While nothing is heard from a peer that may be about to start, a request is repeated after this time at the latest. */
  eagerMs?: number;
  /** How many identifiers are tried to have the peer repeat a request that was lost. */
  nudges?: number;
}
