// The users of the system.

import type { LogLevel } from "../log.ts";

export interface LoginRequest {
  /** As the peer sent it, one char a byte. */
  readonly user: string;
  /** Undefined: the peer is authenticated by other means, and only the account and the session are the system's. */
  readonly password: string | undefined;
  readonly tty: string;
  readonly ifname: string;
  readonly log: (level: LogLevel, text: string) => void;
}

export interface LoginSession {
  /** Ends it. A second call does nothing. */
  close(): void;
}

/** `message` goes to the peer, after `delayMs`. */
export type LoginResult =
  | { readonly ok: true; readonly message: string; readonly session: LoginSession }
  | { readonly ok: false; readonly message: string; readonly delayMs: number };

export interface Users {
  /** The name of the user who runs us; undefined: it has none. */
  ownName(): string | undefined;
  /** True when this process runs with the rights of root, or of the root of its user namespace. */
  isRoot(): boolean;
  /** True when this process may make network interfaces (CAP_NET_ADMIN). */
  mayMakeInterfaces(): boolean;
  /** True when this process may do more than the user who started it, and for root. */
  hasLentRights(): boolean;
  /** True when `password` is the one that crypt(3) made `hash` from. */
  cryptMatches(password: Uint8Array, hash: string): boolean;
  /** Asks the system for a session for the peer. Blocks while the system thinks, or answers later. */
  login(request: LoginRequest): LoginResult | Promise<LoginResult>;
}
