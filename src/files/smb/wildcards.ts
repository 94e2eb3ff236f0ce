// Patterns of names (MS-FSA §2.1.4.4): "*" and "?", and those that NT makes of patterns of DOS. `<` is any octets up to the last
// period, `>` is one character or nothing before a period and at the end, `"` is a period or nothing at the end.

/** The pattern as NT would send it, of a client that means it as DOS does. */
export function patternOfDos(pattern: string): string {
  if (pattern === "*.*") return "*";
  return Array.from(pattern, (char, at) => {
    const next = pattern[at + 1];
    if (char === "?") return ">";
    if (char === "." && (next === undefined || next === "?" || next === "*")) return '"';
    return char === "*" && next === "." ? "<" : char;
  }).join("");
}

export function hasWildcard(name: string): boolean {
  return WILDCARD.test(name);
}

/** More signs than this from the first wildcard on would take long to look for in a large folder. */
const MOST_SIGNS = 64;

/** A pattern that no folder is searched for. */
export function isTooLong(pattern: string): boolean {
  const signs = collapsed(pattern);
  return signs.length - Math.max(0, signs.search(WILDCARD)) > MOST_SIGNS;
}

const WILDCARD = /[*?<>"]/;

/** Two stars are one. */
function collapsed(pattern: string): string {
  return pattern.replace(/\*+/g, "*").replace(/<+/g, "<");
}

/** Upper case, one character for one. */
export function folded(text: string): string {
  if (!/[^\0-\x7f]/.test(text)) return text.toUpperCase();
  return text.replace(/[a-z]|[^\0-\x7f]/g, (char) => {
    const large = char.toUpperCase();
    return large.length === 1 ? large : char;
  });
}

/** Tells of each name whether it is one that a pattern means, without regard to case. */
export type Matcher = (name: string) => boolean;

/** It never takes longer than both lengths multiplied. */
export function matcherOf(pattern: string): Matcher {
  const all = collapsed(folded(pattern));
  const first = all.search(WILDCARD);
  const [head, signs] = first < 0 ? [all, ""] : [all.slice(0, first), all.slice(first)];
  const [tail = ""] = /[^*?<>"]*$/.exec(signs) ?? [];
  // Each sign but these stands for a character.
  const least = signs.replace(/[*<>"]/g, "").length;
  return (name) => {
    const text = folded(name);
    if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + least) return false;
    return signs === "*" || isMeant(signs, text.slice(head.length));
  };
}

export function matches(pattern: string, name: string): boolean {
  return matcherOf(pattern)(name);
}

function isMeant(signs: string, text: string): boolean {
  const lastDot = text.lastIndexOf(".");
  // reached[at]: the signs so far can be text[0, at).
  let reached = new Uint8Array(text.length + 1);
  let next = new Uint8Array(text.length + 1);
  reached[0] = 1;
  for (let sign = 0; sign < signs.length; sign++) {
    if (!takes(signs[sign]!, text, lastDot, reached, next)) return false;
    [reached, next] = [next, reached];
    next.fill(0);
  }
  return reached[text.length] === 1;
}

/** Notes in `next` where a sign leads from the places that are reached. False: nowhere. */
function takes(sign: string, text: string, lastDot: number, reached: Uint8Array, next: Uint8Array): boolean {
  const code = sign.charCodeAt(0);
  const isStar = sign === "*" || sign === "<";
  // What follows a place that a star has reached is reached too; by `<` not past the place behind the last period.
  const last = sign === "<" && lastDot >= 0 ? lastDot : text.length - 1;
  let isAny = false;
  for (let at = 0; at <= text.length; at++) {
    if (reached[at] === 0 && !(isStar && next[at] === 1)) continue;
    const isEnd = at === text.length;
    const stays = isStar || staysAt(sign, text, at);
    const goes = isStar ? at <= last && !isEnd : !isEnd && goesOver(sign, code, text, at);
    if (stays) next[at] = 1;
    if (goes) next[at + 1] = 1;
    isAny ||= stays || goes;
  }
  return isAny;
}

function staysAt(sign: string, text: string, at: number): boolean {
  if (sign === ">") return at === text.length || text.charCodeAt(at) === PERIOD;
  return sign === '"' && at === text.length;
}

const PERIOD = 0x2e;

function goesOver(sign: string, code: number, text: string, at: number): boolean {
  const octet = text.charCodeAt(at);
  if (sign === "?") return true;
  if (sign === ">") return octet !== PERIOD;
  return sign === '"' ? octet === PERIOD : octet === code;
}
