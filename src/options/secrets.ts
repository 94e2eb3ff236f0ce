// pap-secrets and chap-secrets: finds the entry for a client and a server, and the addresses that the peer may use.
// Names, secrets and words are byte strings (bytes/text.ts).

import { wordsOf } from "./lexer.ts";
import { parseIpv4 } from "./numbers.ts";

/** One line: `client server secret [address...] [-- option...]`. */
export interface SecretEntry {
  readonly client: string;
  readonly server: string;
  readonly secret: string;
  readonly addresses: readonly string[];
  /** The words after `--`. */
  readonly options: readonly string[];
  readonly line: number;
}

export interface FoundSecret {
  /** The secret in the entry, or the first word of the file that `@/path` names. */
  readonly secret: string;
  readonly addresses: readonly string[];
  readonly options: readonly string[];
  /** 2 if the client matches by name, plus 1 if the server does. 0 for two stars. */
  readonly score: number;
  /** The entry itself. */
  readonly entry: SecretEntry;
}

/** The replacements of word processors and web pages for "". The published HOWTO contains one. */
const TYPOGRAPHIC = /^(\u00e2\u0080[\u009c-\u009f]){2}$|^(&#)?8220;(&#)?8221;$/;

/** This secret means: ask the system's password database. */
export const LOGIN_SECRET = "@login";

/** What findSecret needs besides the text. Without `read`, an indirect secret stays as its `@/path`. */
export interface SecretSource {
  /** The file's name, for warnings. */
  readonly file: string;
  /** The text of the file that `@/path` names. */
  readonly read?: (path: string) => string | undefined;
  readonly warn?: (text: string) => void;
}

/** The entries of a secrets file. A line with fewer than three words is no entry. */
export function secretEntries(text: string, source: SecretSource): SecretEntry[] {
  const lines: { words: string[]; line: number }[] = [];
  for (const word of wordsOf(text, source.file)) {
    if (word.warning !== undefined) source.warn?.(word.warning);
    if (word.newline || lines.length === 0) lines.push({ words: [], line: word.line });
    lines.at(-1)?.words.push(word.text);
  }
  const entries: SecretEntry[] = [];
  for (const { words, line } of lines) {
    const [client, server, secret, ...rest] = words;
    if (client === undefined || server === undefined || secret === undefined) continue;
    const dashes = rest.indexOf("--");
    const addresses = dashes < 0 ? rest : rest.slice(0, dashes);
    const options = dashes < 0 ? [] : rest.slice(dashes + 1);
    entries.push({ client, server, secret, addresses, options, line });
  }
  return entries;
}

/**
 * The best entry for a client and a server. An undefined name is not known yet and matches any. Of equally good entries
 * the first one wins.
 */
export function findSecret(
  text: string,
  client: string | undefined,
  server: string | undefined,
  source: SecretSource,
): FoundSecret | undefined {
  let best: FoundSecret | undefined;
  for (const entry of secretEntries(text, source)) {
    if (!matches(entry.client, client) || !matches(entry.server, server)) continue;
    const score = (entry.client === "*" ? 0 : 2) + (entry.server === "*" ? 0 : 1);
    if (best !== undefined && score <= best.score) continue;
    if (TYPOGRAPHIC.test(entry.secret)) {
      source.warn?.(
        `${source.file} line ${entry.line}: these quotes are taken for the secret itself; an empty one is ""`,
      );
    }
    const secret = direct(entry.secret, source);
    if (secret !== undefined) best = { secret, addresses: entry.addresses, options: entry.options, score, entry };
  }
  return best;
}

function matches(pattern: string, name: string | undefined): boolean {
  return pattern === "*" || name === undefined || pattern === name;
}

function direct(secret: string, { read, warn }: SecretSource): string | undefined {
  if (!secret.startsWith("@/") || read === undefined) return secret;
  const path = secret.slice(1);
  const text = read(path);
  if (text === undefined) {
    warn?.(`can't open indirect secret file ${path}`);
    return undefined;
  }
  const word = wordsOf(text, path)[0];
  if (word === undefined) warn?.(`no secret in indirect secret file ${path}`);
  return word?.text;
}

/** The warning about a file that others may read. Undefined when its mode is right. */
export function accessWarning(file: string, mode: number): string | undefined {
  return (mode & 0o077) === 0 ? undefined : `Warning - secret file ${file} has world and/or group access`;
}

// ── which addresses the peer may use ─────────────────────────────────────────────────────────────────────────────────

export interface AddressRule {
  readonly permit: boolean;
  readonly base: number;
  readonly mask: number;
}

export interface AddressList {
  readonly rules: readonly AddressRule[];
  /** The first single address of the list, for a peer that has none. */
  readonly suggested: number | undefined;
  /** Insist on the suggested address, because it is the only one. */
  readonly insist: boolean;
}

/** Turns a name in the list into a number. */
export interface Resolver {
  readonly host: (name: string) => number | undefined;
  /** The number of a network, with the host part zero. */
  readonly network: (name: string) => number | undefined;
  readonly warn: (text: string) => void;
}

/** The rules in the words of the list. `unit` is the N of pppN, for `/nn+`. */
export function addressList(words: readonly string[], resolver: Resolver, unit: number): AddressList {
  const rules: AddressRule[] = [];
  let suggested: number | undefined;
  for (const word of words) {
    if (word === "-") break;
    if (word === "*") {
      rules.push({ permit: true, base: 0, mask: 0 });
      break;
    }
    const rule = addressRule(word, resolver, unit);
    if (rule === undefined) continue;
    rules.push(rule);
    if (rule.permit && rule.mask === 0xffffffff) suggested ??= rule.base;
  }
  return { rules, suggested, insist: rules.length === 1 };
}

/** The first matching rule decides. Without one, the address is not allowed. */
export function addressAllowed(list: AddressList, address: number): boolean {
  return list.rules.find((rule) => (address & rule.mask) >>> 0 === rule.base)?.permit ?? false;
}

function addressRule(word: string, resolver: Resolver, unit: number): AddressRule | undefined {
  const permit = !word.startsWith("!");
  const [name = "", ...rest] = (permit ? word : word.slice(1)).split("/");
  const slash = rest.length > 0;
  const length = rest.join("/");
  let bits = 32;
  let ofUnit = false;
  if (slash) {
    const [, digits = "", tail = ""] = /^\s*([+-]?\d*)(.*)$/s.exec(length) ?? [];
    bits = Number(digits);
    if (!(bits > 0 && bits <= 32)) {
      resolver.warn(`invalid address length ${length} in auth. address list`);
      return undefined;
    }
    ofUnit = tail.startsWith("+");
    if ((ofUnit ? tail.slice(1) : tail) !== "") {
      resolver.warn(`invalid address length syntax: ${length}`);
      return undefined;
    }
  }
  let mask = bits === 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
  let address = parseIpv4(name) ?? resolver.host(name);
  if (address === undefined) {
    address = resolver.network(name);
    if (address !== undefined && !slash) mask = classMask(address);
  }
  if (address === undefined) {
    resolver.warn(`unknown host ${word} in auth. address list`);
    return undefined;
  }
  if (!ofUnit) return { permit, base: (address & mask) >>> 0, mask };
  if (unit + 1 >= 2 ** (32 - bits)) {
    resolver.warn(`interface unit ${unit} too large for subnet ${name}/${length}`);
    return undefined;
  }
  return { permit, base: (((address & mask) >>> 0) + unit + 1) >>> 0, mask: 0xffffffff };
}

/** The mask of a network that is given by its name alone (classes A, B, C). */
function classMask(network: number): number {
  if (network >>> 31 === 0) return 0xff000000;
  if (network >>> 30 === 2) return 0xffff0000;
  return network >>> 29 === 6 ? 0xffffff00 : 0xffffffff;
}

/** True when the list has any address that a peer could use. This check at the start resolves no names. */
export function someAddress(words: readonly string[]): boolean {
  for (const word of words) {
    if (word === "-") return false;
    if (!word.startsWith("!")) return true;
  }
  return false;
}
