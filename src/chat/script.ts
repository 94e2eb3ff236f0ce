// The grammar of chat scripts: of a script file (-f), and of a word that holds several expects.

/** Words that alternate EXPECT SEND EXPECT SEND …, and the error behind the last of them. */
export interface ChatScript {
  readonly words: readonly string[];
  /** The message that ends the run after the words before it have been run. */
  readonly error?: string;
}

/** The longest line of a file. A longer one is split here. */
const LINE_MAX = 1023;

/** The words of a script file. Text is one char a byte. */
export function parseScript(text: string): ChatScript {
  const words: string[] = [];
  let number = 0;
  for (const line of linesOf(text)) {
    number++;
    if (line.startsWith("#")) continue;
    for (let at = 0; at < line.length;) {
      const first = line.charAt(at);
      if (isBlank(first)) {
        at++;
      } else if (first === '"' || first === "'") {
        const end = closingQuote(line, at + 1, first);
        if (end < 0) return { words, error: `unterminated quote (line ${number})` };
        words.push(line.slice(at + 1, end));
        at = end + 1;
      } else {
        const start = at;
        while (at < line.length && !isBlank(line.charAt(at))) at++;
        words.push(line.slice(start, at));
      }
    }
  }
  return { words };
}

function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf("\n", at);
    const whole = newline >= 0 && newline - at < LINE_MAX;
    const line = text.slice(at, whole ? newline : at + LINE_MAX);
    // A NUL ends a line in the C program that this grammar comes from.
    const nul = line.indexOf("\0");
    yield nul < 0 ? line : line.slice(0, nul);
    at = whole ? newline + 1 : at + LINE_MAX;
  }
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t";
}

/** The offset where `quote` closes, or -1. A backslash protects the next char and stays in the word. */
function closingQuote(line: string, at: number, quote: string): number {
  for (; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === quote) return at;
    if (char === "\\") at++;
  }
  return -1;
}

/**
 * Splits `expect-send-expect…`. An empty last part is dropped: `OK-` has nothing to send, and an empty word expects
 * nothing.
 */
export function splitExpect(word: string): string[] {
  const parts = [""];
  for (let at = 0; at < word.length; at++) {
    const char = word.charAt(at);
    if (char === "-") parts.push("");
    else parts[parts.length - 1] += char === "\\" ? char + word.charAt(++at) : char;
  }
  if (parts.at(-1) === "") parts.pop();
  return parts;
}
