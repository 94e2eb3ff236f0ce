// What the parser finds out besides the values of the options: how each option was set, who runs the program, what the peer
// must prove.

/** What the peer can be asked to prove itself with, in no order. */
export type AuthProtocol = "pap" | "chap-md5" | "mschap" | "mschap-v2" | "eap";

/** Where and how strongly an option was set; `winner` is the member of its group that was given last. */
export interface Given {
  readonly winner: string;
  /** "command line", a file's path, or "secrets file". */
  readonly source: string;
  /** 1 configuration file, 2 command line, 3 secrets file; +100 by root (the manual's rules of precedence). */
  readonly priority: number;
  /** The values of a repeatable option with the source of each, for `dump`. */
  readonly values: readonly { readonly value: string; readonly source: string }[];
}

/** By the leader of the option's group. An option in no group leads itself. */
export type GivenOptions = Record<string, Given>;

export interface Facts {
  /** Our host name, `domain` appended. */
  hostname: string;
  /** Run by root, by somebody with CAP_NET_ADMIN, or by a member of a privgroup. */
  privileged: boolean;
  /** The peer must authenticate. Settled by checkOptions. */
  authRequired: boolean;
  /** It must only because an ordinary user runs us. Settled by checkOptions. */
  authByDefault: boolean;
  /** What the peer may be asked to authenticate with. Settled by checkOptions. */
  authProtocols: readonly AuthProtocol[];
}
