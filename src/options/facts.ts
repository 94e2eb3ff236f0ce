// Other results of the parser: how each option was set, who runs the program, and how the peer must authenticate
// itself.

/** The methods of authentication that can be demanded of the peer, in no order. */
export type AuthProtocol = "pap" | "chap-md5" | "mschap" | "mschap-v2" | "eap";

/** Where an option was set, and with what priority. `winner` is the member of its group that was given last. */
export interface Given {
  readonly winner: string;
  /** "command line", a file's path, or "secrets file". */
  readonly source: string;
  /** 1 configuration file, 2 command line, 3 secrets file; +100 by root (the manual's rules of precedence). */
  readonly priority: number;
  /** The values of a repeatable option with the source of each, for `dump`. */
  readonly values: readonly { readonly value: string; readonly source: string }[];
}

/** Found by the first option of the group. An option without a group is its own. */
export type GivenOptions = Record<string, Given>;

export interface Facts {
  /** Our host name, with `domain` appended. */
  hostname: string;
  /** Run by root, by a user with CAP_NET_ADMIN, or by a member of a privgroup. */
  privileged: boolean;
  /** The peer must authenticate. Settled by checkOptions. */
  authRequired: boolean;
  /** The peer must authenticate only because an ordinary user runs the program. Settled by checkOptions. */
  authByDefault: boolean;
  /** The methods that can be demanded of the peer. Settled by checkOptions. */
  authProtocols: readonly AuthProtocol[];
}
