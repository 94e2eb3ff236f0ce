// Tells the code of a source file from its comments and strings.

export interface Source {
  /** The text with comments and what stands in quotes blanked. Positions and lines are as before. */
  readonly code: string;
  /** The text in quotes by the position of the opening one. */
  readonly quoted: ReadonlyMap<number, string>;
}

/** `code` keeps the quotes and the expressions in templates. */
export function readSource(text: string): Source {
  const reader = new Reader(text);
  while (reader.at < text.length) reader.step();
  return { code: reader.code.join(""), quoted: reader.quoted };
}

class Reader {
  readonly code: string[];
  readonly quoted = new Map<number, string>();
  at = 0;
  readonly #text: string;
  /** For each template that the reader is in: the braces that are open inside its expression. */
  readonly #templates: number[] = [];
  /** The last word or character of code. It decides whether a slash begins a regular expression. */
  #before = "";

  constructor(text: string) {
    this.#text = text;
    this.code = text.split("");
  }

  step(): void {
    const text = this.#text;
    const char = text[this.at]!;
    if (text.startsWith("//", this.at) || text.startsWith("/*", this.at)) this.#comment();
    else if (char === '"' || char === "'") {
      const open = this.at++;
      this.#skipTo(char, (at) => text[at] === char);
      this.quoted.set(open, text.slice(open + 1, this.at++));
    } else if (char === "`" || (char === "}" && this.#templates.at(-1) === 0)) {
      if (char === "}") this.#templates.pop();
      this.#template();
    } else if (char === "/" && this.#startsRegex()) this.#regex();
    else if (/[\w$]/.test(char)) {
      this.#before = /^[\w$]+/.exec(text.slice(this.at, this.at + 100))![0];
      this.at += this.#before.length;
    } else {
      const last = this.#templates.length - 1;
      if (last >= 0 && char === "{") this.#templates[last]!++;
      if (last >= 0 && char === "}") this.#templates[last]!--;
      if (!/\s/.test(char)) this.#before = char;
      this.at++;
    }
  }

  #comment(): void {
    const text = this.#text;
    const isLine = text[this.at + 1] === "/";
    const end = isLine ? text.indexOf("\n", this.at) : text.indexOf("*/", this.at) + 2;
    const stop = end < this.at ? text.length : end;
    this.#blank(this.at, stop);
    this.at = stop;
  }

  #template(): void {
    const text = this.#text;
    this.at++;
    this.#skipTo("`", (at) => text[at] === "`" || text.startsWith("${", at));
    if (text[this.at] === "$") {
      this.#templates.push(0);
      this.#before = "{";
      this.at++;
    }
    this.at++;
  }

  #regex(): void {
    let inClass = false;
    this.at++;
    this.#skipTo(")", (at) => {
      const char = this.#text[at];
      if (char === "[") inClass = true;
      if (char === "]") inClass = false;
      return (char === "/" && !inClass) || char === "\n";
    });
    this.at++;
  }

  #startsRegex(): boolean {
    return (
      this.#before === "" ||
      /[(,=:[!&|?{};+\-*%<>~^]$/.test(this.#before) ||
      /^(return|typeof|case|in|of|else|void|yield)$/.test(this.#before)
    );
  }

  /** Blanks the text up to its end. `before` counts as the last code. */
  #skipTo(before: string, isEnd: (at: number) => boolean): void {
    const text = this.#text;
    const from = this.at;
    while (this.at < text.length && !isEnd(this.at)) this.at += text[this.at] === "\\" ? 2 : 1;
    this.#blank(from, Math.min(this.at, text.length));
    this.#before = before;
  }

  #blank(from: number, to: number): void {
    for (let at = from; at < to; at++) if (this.code[at] !== "\n") this.code[at] = " ";
  }
}
