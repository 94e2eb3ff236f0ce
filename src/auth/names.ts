// The names that CHAP and EAP carry: which one counts, and how pppd shows what a peer said.

export interface Names {
  /** Who the peer is supposed to be; "": not said. */
  readonly remotename: string;
  /** The option was given: nothing the peer says of itself counts. */
  readonly remotenameGiven: boolean;
  /** A peer that calls itself DOMAIN\user is looked up as user (`chapms-strip-domain`). */
  readonly stripDomain: boolean;
}

/** The longest name compared with the secrets file. */
const MAX_NAME = 255;

/** The name to look for when the peer calls itself so. Microsoft's servers say nothing. */
export function nameOf(said: string, { remotename, remotenameGiven }: Names): string {
  const name = textOnly(said).slice(0, MAX_NAME);
  return remotenameGiven || (remotename !== "" && name === "") ? remotename : name;
}

/** The same of a peer that proves itself to us. */
export function clientNameOf(said: string, names: Names): string {
  const name = nameOf(said, names);
  return names.stripDomain && !names.remotenameGiven ? withoutDomain(name) : name;
}

/** DOMAIN\user is hashed as user, whatever it is looked up as (RFC 2759 §4). */
export function withoutDomain(name: string): string {
  return name.slice(name.lastIndexOf("\\") + 1);
}

/** To pppd a text ends with its first NUL. */
export function textOnly(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** A peer's text as pppd's %v shows it: `^M` for a control, `M-` before what has the eighth bit. */
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

/** As %q shows it. pppd lets the octets from a0 on pass, which need not be characters: here they are escaped too. */
export function quoted(text: string): string {
  return textOnly(text).replace(
    /[\\"\x00-\x1f\x7f-\xff]/g,
    (char) => ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** A name as CHAP's log lines have it: made visible when it came in, quoted when it is shown. */
export function shownName(name: string): string {
  return quoted(visible(name));
}
