// Names in CHAP and EAP packets: which name counts, and how pppd shows text from the peer.

export interface Names {
  /** The peer's name as configured; "" without one. */
  readonly remotename: string;
  /** The option `remotename` was given, so the name that the peer sends does not count. */
  readonly remotenameGiven: boolean;
  /** Look up a peer that calls itself DOMAIN\user as user (`chapms-strip-domain`). */
  readonly stripDomain: boolean;
}

/** The longest name compared with the secrets file. */
const MAX_NAME = 255;

/** The name to look up when the peer sends this one. Microsoft's servers send an empty name. */
export function nameOf(said: string, { remotename, remotenameGiven }: Names): string {
  const name = textOnly(said).slice(0, MAX_NAME);
  return remotenameGiven || (remotename !== "" && name === "") ? remotename : name;
}

/** The same for a peer that authenticates to us. */
export function clientNameOf(said: string, names: Names): string {
  const name = nameOf(said, names);
  return names.stripDomain && !names.remotenameGiven ? withoutDomain(name) : name;
}

/** DOMAIN\user is hashed as user, however it is looked up (RFC 2759 §4). */
export function withoutDomain(name: string): string {
  return name.slice(name.lastIndexOf("\\") + 1);
}

/** The text before the first NUL. In pppd a NUL ends a text. */
export function textOnly(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** A peer's text in the format of pppd's %v: `^M` for a control, `M-` before a char with the eighth bit. */
export function visible(text: string): string {
  return textOnly(text).replace(/[\x00-\x08\x0a-\x1f\x7f-\xff]/g, (char) => {
    const code = char.charCodeAt(0) & 0x7f;
    const low = code < 0x20 || code === 0x7f ? `^${String.fromCharCode(code ^ 0x40)}` : String.fromCharCode(code);
    return char < "\x80" ? low : `M-${low}`;
  });
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\b": "\\b",
  "\f": "\\f",
};

/**
 * A peer's text in the format of pppd's %q. pppd leaves octets from a0 on unescaped. We escape them, as they may be no
 * characters.
 */
export function quoted(text: string): string {
  return textOnly(text).replace(
    /[\\"\x00-\x1f\x7f-\xff]/g,
    (char) => ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** A name as in CHAP's log lines: made visible on receipt, then quoted for display. */
export function shownName(name: string): string {
  return quoted(visible(name));
}
