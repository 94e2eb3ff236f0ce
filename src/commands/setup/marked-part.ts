// The part of a configuration file that setup wrote, between two comment lines. All else in the file is the
// administrator's and stays as it is. Text is one char a byte.

export interface Placement {
  /** The whole file with the part in it. */
  readonly text: string;
  /** What was put in. It may begin with a line end that the file lacked. */
  readonly part: string;
  /** The older part that it took the place of. "" when there was none. */
  readonly replaced: string;
}

/** Where a new part goes: before all else, or behind it. */
export type End = "first" | "last";

/** U+FEFF in UTF-8, which some editors put at the start of a file. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
const END = "# <<< nullmodem setup";

/** The first line of a part. `name` tells the parts of several lines apart in one file. */
export function beginMark(name: string): string {
  return `# >>> nullmodem setup ${name}: nullmodem setup --undo takes this part back`;
}

/** Puts a part into the file: in the place of the older part of that name, else where `end` says. Throws RangeError. */
export function placePart(before: string, name: string, lines: readonly string[], end: End = "last"): Placement {
  const part = [beginMark(name), ...lines, `${END} ${name}`, ""].join("\n");
  const old = partIn(before, name);
  if (old === undefined && end === "first") {
    const mark = before.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
    return { text: mark + part + before.slice(mark.length), part, replaced: "" };
  }
  if (old === undefined) {
    const whole = before === "" || before.endsWith("\n") ? part : `\n${part}`;
    return { text: before + whole, part: whole, replaced: "" };
  }
  return { text: before.replace(old, () => part), part, replaced: old };
}

/** The part of that name with its marks. Throws RangeError when its end is missing. */
export function partIn(text: string, name: string): string | undefined {
  const skipped = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const found = `\n${text.slice(skipped)}`.indexOf(`\n${beginMark(name)}\n`);
  if (found < 0) return undefined;
  const from = found + skipped;
  const end = `\n${END} ${name}\n`;
  const at = text.indexOf(end, from);
  if (at < 0) throw new RangeError(`the part of nullmodem setup for ${name} has lost its last line, "${END} ${name}"`);
  return text.slice(from, at + end.length);
}

/** The text without `part`, with `replaced` in its place. Undefined when the part is not there exactly once. */
export function withoutPart(text: string, part: string, replaced: string): string | undefined {
  const at = text.indexOf(part);
  if (at < 0 || text.includes(part, at + 1)) return undefined;
  return text.slice(0, at) + replaced + text.slice(at + part.length);
}
