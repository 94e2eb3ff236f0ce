// The log of a session.

export type LogLevel = "debug" | "info" | "notice" | "warn" | "error";

export interface Log {
  /** True when debug lines are written. */
  debug: boolean;
  /** The stderr of scripts. Undefined: none. */
  readonly fd: number | undefined;
  write(level: LogLevel, text: string): void;
  /** Writes only to syslog or the journal. */
  note(level: LogLevel, text: string): void;
  /** Writes the output of a script that this program plays itself, only to the descriptor. */
  pass(bytes: Uint8Array): void;
}
