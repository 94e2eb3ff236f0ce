// PAP (RFC 1334 §2): the configuration of both roles, and the layer below.

export interface PapConfig {
  /** As client: time between requests, and how many to send. */
  restartMs: number;
  maxAuthreq: number;
  /** As server: how long to wait for a request. 0: without limit. */
  timeoutMs: number;
}

/** The services that PAP uses. */
export interface PapLower {
  send(protocol: number, write: (buf: Uint8Array, at: number) => number): void;
  log(level: "info" | "notice" | "warn" | "error", text: string): void;
  wakeAt(at: number): void;
}
