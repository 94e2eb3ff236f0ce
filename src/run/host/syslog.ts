// The system's log, for programs that a session plays itself (chat), and the queue of lines that its readers have not taken.

export interface Syslog {
  /** A writer of lines under another name than ours. */
  writer(ident: string): SyslogWriter;
  /** While lines wait for a slow reader, the runtime must have its turn this often. Infinity: none wait. */
  turnMs(): number;
}

export interface SyslogWriter {
  write(level: "err" | "warning" | "info", text: string): void;
}
