// The log of a session, as its rooms see it.

export type LogLevel = "debug" | "info" | "notice" | "warn" | "error";

export interface Log {
  /** Debug lines are written. */
  debug: boolean;
  /** The descriptor that scripts get as their stderr; undefined: none. */
  readonly fd: number | undefined;
  write(level: LogLevel, text: string): void;
  /** For syslog or the journal alone. */
  note(level: LogLevel, text: string): void;
  /** What a script that we play ourselves says: for the descriptor alone. */
  pass(bytes: Uint8Array): void;
}
