// Makes a manual page (the macros of man(7)) from a page in a small part of Markdown. Everything that roff would take for
// its own is escaped here, and nowhere else.
//
//   # TITLE, ## TITLE       a section, a subsection
//   text                    a paragraph, up to an empty line
//   - `term`: text          a term and what it means; further paragraphs are indented by two blanks
//   - text                  an item of a list
//   four blanks             an example, line by line; six in an item
//   `word` _WORD_           what is typed as it is, and what stands for something else

/** What the first line of a page says. */
export interface Header {
  readonly name: string;
  readonly section: number;
  /** "2026-11-30" */
  readonly date: string;
  readonly version: string;
}

/** Characters that have a name of their own in roff. */
const NAMED: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "…": "...",
  "→": "\\(->",
  "–": "\\(en",
  "−": "\\(mi",
  "“": "\\(lq",
  "”": "\\(rq",
  "’": "\\(cq",
  "×": "\\(mu",
};
/** In what is typed, these must stay what they are: roff makes other characters of them. */
const TYPED: Readonly<Record<string, string>> = {
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};
const LINE = 76;

function escaped(text: string, isTyped: boolean): string {
  return [...text]
    .map((char) => {
      const named = (isTyped ? TYPED[char] : undefined) ?? NAMED[char];
      if (named !== undefined) return named;
      const code = char.codePointAt(0) ?? 0;
      return code < 0x80 ? char : `\\[u${code.toString(16).toUpperCase().padStart(4, "0")}]`;
    })
    .join("");
}

/** The fonts of a text: bold for what is typed, italic for what stands for something else. */
function inline(text: string): string {
  const parts = text.split(/(`[^`]+`|(?<![\w.])_[^_`]+_(?!\w))/);
  return parts
    .map((part, at) => {
      if (at % 2 === 0) return escaped(part, false);
      // No hyphenation.
      const typed = escaped(part.slice(1, -1), true).replaceAll(/[^ ]+/g, "\\%$&");
      return part.startsWith("`") ? `\\fB${typed}\\fR` : `\\fI${typed}\\fR`;
    })
    .join("");
}

/** A line that begins like a request of roff is none. */
function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** A paragraph, in lines of the source. A sentence begins a line, which is how roff knows its end. */
function filled(text: string): string[] {
  const sentences = text
    .replaceAll(/\s+/g, " ")
    .trim()
    .split(/(?<=[.!?:]\)?) (?=[A-Z`_(])/);
  return sentences.flatMap((sentence) => {
    const lines: string[] = [];
    let line = "";
    for (const word of inline(sentence).split(" ")) {
      if (line !== "" && line.length + 1 + word.length > LINE) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    return [...lines, line].map(guarded);
  });
}

/** An argument of a macro. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', "\\(dq")}"`;
}

/** The lines that belong together: those up to an empty one. */
interface Chunk {
  readonly lines: readonly string[];
}

function chunksOf(text: string): Chunk[] {
  const chunks = text.replaceAll("\r", "").split(/\n(?:[ \t]*\n)+/);
  return chunks
    .map((chunk) => ({ lines: chunk.split("\n").filter((line) => line.trim() !== "") }))
    .filter(({ lines }) => lines.length > 0);
}

/** Items follow each other without an empty line, and so does a heading's text. Each becomes a chunk of its own. */
function separated({ lines }: Chunk): Chunk[] {
  const parts: string[][] = [];
  for (const line of lines) {
    const begins = /^(#|- )/.test(line) || /^#/.test(parts.at(-1)?.[0] ?? "");
    if (begins || parts.length === 0) parts.push([line]);
    else parts.at(-1)!.push(line);
  }
  return parts.map((part) => ({ lines: part }));
}

/** The term of an item and its meaning. A colon in a word that is typed does not end the term. */
function termOf(item: string): readonly [term: string, meaning: string] | undefined {
  const colon = [...item.matchAll(/`[^`]*`|(?<![\w.])_[^_`]+_(?!\w)|: /g)].find(([found]) => found === ": ");
  return colon === undefined ? undefined : [item.slice(2, colon.index), item.slice(colon.index + 2)];
}

function example(lines: readonly string[], indent: number): string[] {
  return [".RS 4", ".EX", ...lines.map((line) => guarded(escaped(line.slice(indent), true))), ".EE", ".RE"];
}

export function page({ name, section, date, version }: Header, text: string): string {
  const title = `.TH ${name.toUpperCase().replaceAll("-", "\\-")} ${section} ${date} ${quoted(`nullmodem ${version}`)}`;
  const out = [`.\\" Made by scripts/manuals.ts. Change its sources instead.`, title, ".ad l"];
  let inItem = false;
  let afterHeading = false;
  for (const { lines } of chunksOf(text).flatMap(separated)) {
    const [first = ""] = lines;
    const whole = lines.join("\n");
    if (first.startsWith("#")) {
      out.push(`${first.startsWith("##") ? ".SS" : ".SH"} ${quoted(inline(first.replace(/^#+ /, "")))}`);
      inItem = false;
      afterHeading = true;
      continue;
    }
    if (first.startsWith("- ")) {
      const [term, meaning] = termOf(whole) ?? [undefined, whole.slice(2)];
      out.push(...(term === undefined ? [".IP \\(bu 2"] : [".TP", guarded(inline(term))]), ...filled(meaning));
      inItem = true;
    } else if (first.startsWith(inItem ? "      " : "    ")) {
      if (!inItem && !afterHeading) out.push(".PP");
      if (inItem) out.push(".IP");
      out.push(...example(lines, inItem ? 6 : 4));
    } else if (inItem && first.startsWith("  ")) out.push(".IP", ...filled(whole));
    else {
      if (!afterHeading) out.push(".PP");
      out.push(...filled(whole));
      inItem = false;
    }
    afterHeading = false;
  }
  return `${out.join("\n")}\n`;
}
