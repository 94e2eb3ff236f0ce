// A word as a dump shows it.

/** The word with quotes, backslashes and unprintable characters escaped. */
export function quoted(word: string): string {
  return word.replace(/["\\\x00-\x1f\x7f-\x9f\udc80-\udcff]/gu, (char) => `\\${SHOWN[char] ?? octet(char)}`);
}

const SHOWN: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "\b": "b",
  "\f": "f",
  "\n": "n",
  "\t": "t",
};

function octet(char: string): string {
  return `x${(char.charCodeAt(0) & 0xff).toString(16).padStart(2, "0")}`;
}
