// pppd's exit codes, and the errors that end an attempt with one of them.

import type { Failure } from "../link/events.ts";
import type { Finding } from "./diagnose/finding.ts";
import type { LogLevel } from "./log.ts";

export const Exit = {
  OK: 0,
  FATAL: 1,
  OPTION: 2,
  NOT_ROOT: 3,
  /** No kernel support: for us, no TUN. */
  NO_KERNEL: 4,
  USER_REQUEST: 5,
  LOCK: 6,
  OPEN: 7,
  CONNECT: 8,
  PTY: 9,
  NEGOTIATION: 10,
  PEER_AUTH: 11,
  IDLE: 12,
  CONNECT_TIME: 13,
  CALLBACK: 14,
  PEER_DEAD: 15,
  HANGUP: 16,
  LOOPBACK: 17,
  INIT: 18,
  AUTH_TO_PEER: 19,
  TRAFFIC_LIMIT: 20,
  CALLING_NUMBER: 21,
  FATAL_SIGNAL: 127,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

/** The exit code for each failure of a link. */
export const FAILURES: Record<Failure, Exit> = {
  loopback: Exit.LOOPBACK,
  "peer-dead": Exit.PEER_DEAD,
  callback: Exit.CALLBACK,
  "not-in-bundle": Exit.NEGOTIATION,
  "peer-not-authenticated": Exit.PEER_AUTH,
  "we-not-authenticated": Exit.AUTH_TO_PEER,
  "ip-address-refused": Exit.NEGOTIATION,
  "no-network-protocol": Exit.NEGOTIATION,
};

/** Ends an attempt before its link begins, with this exit code. */
export class Failed extends Error {
  readonly exit: Exit;
  readonly level: LogLevel;
  /** Explanations. They are logged only for the first of several failures with the same exit code. */
  readonly findings: readonly Finding[];

  constructor(exit: Exit, message: string, level: LogLevel = "error", findings: readonly Finding[] = []) {
    super(message);
    this.exit = exit;
    this.level = level;
    this.findings = findings;
  }
}

/** This user may not open the device. */
export class Denied extends Failed {}

/** The device does not exist: an adapter that was pulled out. */
export class Gone extends Failed {}
