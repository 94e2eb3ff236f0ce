// The escapes of chat(8): backslash and caret, variables with -E, and how its log shows bytes.
// Text is one char a byte (Latin-1) in this folder.

/** The texts that replace `\T`, `\U` and, with -E, `$NAME`. */
export interface Substitutions {
  readonly phone?: string | undefined;
  readonly phone2?: string | undefined;
  /** Defined only with -E. */
  readonly variable?: ((name: string) => string | undefined) | undefined;
}

/**
 * A word ready to be sent. Delays and breaks stay in the text as `\d`, `\p` and `\K`. A backslash before any other char
 * makes that char a byte to send. The log shows this form, as the real chat's does.
 */
export interface SendText {
  readonly text: string;
  /** The word contains `\q`, so the log must not show it. */
  readonly quiet: boolean;
}

const CONTROLS: ReadonlyMap<string, string> = new Map(Object.entries({ b: "\b", n: "\n", r: "\r", s: " ", t: "\t" }));
const TAB = 9;
const NAME = /[A-Za-z0-9_]*/y;
const OCTAL = /[0-7]{1,3}/y;

/** Prepares a word in SEND position. It gets a carriage return unless it ends in `\c`. */
export function cleanSend(word: string, substitutions: Substitutions): SendText {
  let quiet = false;
  let end = "\r";
  const text = unescape(
    word,
    substitutions,
    (char, last) => {
      switch (char) {
        case "":
          return "\\\\";
        case "c":
          if (!last) return "c";
          end = "";
          return "";
        case "q":
          quiet = true;
          return "";
        case "T":
          return substitutions.phone ?? "\\T";
        case "U":
          return substitutions.phone2 ?? "\\U";
        case "N":
          return "\\\0";
        default:
          return `\\${char}`;
      }
    },
    (code) => (code === 0 || code === 0x5c ? `\\${String.fromCharCode(code)}` : String.fromCharCode(code)),
  );
  return { text: text + end, quiet };
}

/** Prepares a string to expect, or the argument of ABORT, REPORT and similar words. */
export function cleanExpect(word: string, substitutions: Substitutions): string {
  return unescape(
    word,
    substitutions,
    (char) => {
      if (char === "q") return "";
      return char === "T" || char === "U" ? `\\${char}` : char;
    },
    (code) => (code === 0 ? "" : String.fromCharCode(code)),
  );
}

/** `escape` returns the replacement of `\char` ("" for a backslash at the end), `octal` that of `\ddd`. */
function unescape(
  word: string,
  substitutions: Substitutions,
  escape: (char: string, last: boolean) => string,
  octal: (code: number) => string,
): string {
  let text = "";
  for (let at = 0; at < word.length;) {
    const char = word.charAt(at++);
    if (char === "^") {
      if (at === word.length) return `${text}^`;
      const code = word.charCodeAt(at++) & 0x1f;
      if (code !== 0) text += String.fromCharCode(code);
    } else if (char === "$" && substitutions.variable) {
      const name = match(NAME, word, at);
      at += name.length;
      text += substitutions.variable(name) ?? "";
    } else if (char !== "\\") {
      text += char;
    } else {
      const digits = match(OCTAL, word, at);
      const escaped = word.charAt(at);
      at += digits.length || 1;
      if (digits !== "") text += octal(parseInt(digits, 8) & 0xff);
      else if (escaped === "$" && substitutions.variable) text += "$";
      else text += CONTROLS.get(escaped) ?? escape(escaped, at === word.length);
    }
  }
  return text;
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

/** Shows one byte as stderr and the log do: `^M` for controls, `M-x` for the eighth bit. */
export function visible(code: number): string {
  const low = code & 0x7f;
  const shown = low < 0x20 || low === 0x7f ? `^${String.fromCharCode(low ^ 0x40)}` : String.fromCharCode(low);
  return code & 0x80 ? `M-${shown}` : shown;
}

/** Shows text as the log does: like `visible`, but a tab stays a tab. */
export function visibleText(text: string): string {
  let shown = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code & 0x7f) !== TAB) shown += visible(code);
    else shown += code === TAB ? "\t" : "M-\t";
  }
  return shown;
}

/** Shows a received byte as -V and ECHO do: like `visible`, but a newline stays a newline. */
export function copied(byte: number): string {
  return byte === 0x0a ? "\n" : visible(byte);
}

/** The text before the first NUL, which ends a string in the C program whose log we reproduce. */
export function untilNul(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}
