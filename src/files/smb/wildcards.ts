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
  return /[*?<>"]/.test(name);
}

/** Upper case, one character for one. */
export function folded(text: string): string {
  return text.replace(/[a-z]|[^\0-\x7f]/g, (char) => {
    const large = char.toUpperCase();
    return large.length === 1 ? large : char;
  });
}

/** Tells whether a name is one that a pattern means, without regard to case. It never takes longer than both lengths multiplied. */
export function matches(pattern: string, name: string): boolean {
  const [signs, text] = [folded(pattern), folded(name)];
  const lastDot = text.lastIndexOf(".");
  // reached[at]: the signs so far can be text[0, at).
  let reached = new Uint8Array(text.length + 1);
  reached[0] = 1;
  for (const sign of signs.split("")) {
    const next = new Uint8Array(text.length + 1);
    for (let at = 0; at <= text.length; at++) if (reached[at] === 1) step(sign, text, at, next);
    if (sign === "*" || sign === "<") spread(sign, text, lastDot, next);
    reached = next;
  }
  return reached[text.length] === 1;
}

function step(sign: string, text: string, at: number, next: Uint8Array): void {
  const isEnd = at === text.length;
  if (sign === "*" || sign === "<") next[at] = 1;
  else if (sign === "?") {
    if (!isEnd) next[at + 1] = 1;
  } else if (sign === ">") {
    if (isEnd || text[at] === ".") next[at] = 1;
    else next[at + 1] = 1;
  } else if (sign === '"') {
    if (isEnd) next[at] = 1;
    else if (text[at] === ".") next[at + 1] = 1;
  } else if (!isEnd && text[at] === sign) next[at + 1] = 1;
}

/** What follows a place that a star has reached is reached too; by `<` not past the place behind the last period. */
function spread(sign: string, text: string, lastDot: number, next: Uint8Array): void {
  for (let at = 0; at < text.length; at++)
    if (next[at] === 1 && (sign === "*" || lastDot < 0 || at <= lastDot)) next[at + 1] = 1;
}
