import { describe, expect, test } from "bun:test";
import { restOfLine, wordsOf } from "../../src/options/lexer.ts";

const texts = (text: string): string[] => wordsOf(text, "F").map((word) => word.text);
const BACK = "\\";

describe("words", () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ["blanks of all kinds", "a\tb\nc\rd\fe\vf", ["a", "b", "c", "d", "e", "f"]],
    ["a comment to the end of the line", "a # b c\nd", ["a", "d"]],
    ["a comment right after a word", "a#b\nc", ["a", "c"]],
    ["a comment hides quotes and backslashes", `# it's ${BACK}\nb`, ["b"]],
    ["no comment in quotes or after a backslash", `'a#b' c${BACK}#d`, ["a#b", "c#d"]],
    ["quotes are removed anywhere in a word", `a'b c'd"e"f`, ["ab cde" + "f"]],
    ["one kind of quote in the other", `"it's" 'say "x"'`, ["it's", 'say "x"']],
    ["newlines in quotes", "'a\nb'", ["a\nb"]],
    ["letters after a backslash", `${BACK}a${BACK}b${BACK}f${BACK}n${BACK}r${BACK}s${BACK}t`, ["\x07\b\f\n\r \t"]],
    ["a backslash works in both quotes", `'a${BACK}'b' "c${BACK}"d"`, ["a'b", 'c"d']],
    ["octal, three digits at most", `${BACK}101${BACK}1012${BACK}7x`, ["AA2\x07x"]],
    ["hex, two digits at most", `${BACK}x41${BACK}x4a1${BACK}x4z`, ["AJ1\x04z"]],
    ["any other character stands for itself", `${BACK}q${BACK}8${BACK}${BACK}`, [`q8${BACK}`]],
    ["an escaped newline is nothing, in and between words", `a${BACK}\nb ${BACK}\n c`, ["ab", "c"]],
    ["an escaped blank is part of the word", `a${BACK} b`, ["a b"]],
    ["a NUL ends the word as C has it", `a${BACK}000b c`, ["a", "c"]],
    ["an empty word", `"" b`, ["", "b"]],
    ["an empty word before a newline at the end", `a ""\n`, ["a", ""]],
    ["an empty word at the very end is lost", `a ""`, ["a"]],
    ["nothing", " \n # x", []],
  ];
  for (const [what, text, expected] of cases) test(what, () => expect(texts(text)).toEqual([...expected]));
});

test("a word knows its line, and whether it starts one", () => {
  const words = wordsOf("a 'b\nc' d\n\n# x\ne", "F");
  expect(words.map(({ text, line, newline }) => [text, line, newline])).toEqual([
    ["a", 1, false],
    ["b\nc", 1, false],
    ["d", 2, false],
    ["e", 5, true],
  ]);
});

test("an escaped newline starts no line", () => {
  expect(wordsOf(`a ${BACK}\nb`, "F").map((word) => word.newline)).toEqual([false, false]);
});

test("an unclosed quote runs to the end, with a warning that names the file", () => {
  const [, word] = wordsOf("x 'a b\n", "/etc/ppp/options.ttyS1");
  expect(word?.text).toBe("a b\n");
  expect(word?.warning).toBe("warning: quoted word runs to end of file (/etc/ppp/options.tty...)");
});

test("a word has 1023 characters at most", () => {
  for (const length of [1022, 1023, 1024, 5000]) {
    const [word] = wordsOf("x".repeat(length), "F");
    expect(word?.text.length).toBe(Math.min(length, 1023));
    expect(word?.warning).toBe(
      length > 1023 ? "warning: word in file F too long (xxxxxxxxxxxxxxxxxxxx...)" : undefined,
    );
  }
});

test("the rest of a line is raw, to a comment or newline outside quotes", () => {
  const rest = (text: string): string => restOfLine(text, wordsOf(text, "F")[1]!).text;
  expect(rest("connect chat -v 'a # b' c # no\nd")).toBe("chat -v 'a # b' c");
  expect(rest(`connect chat ATZ ${BACK}# x\nd`)).toBe(`chat ATZ ${BACK}# x`);
  expect(rest("connect chat 'a\nb' c\nd")).toBe("chat 'a\nb' c");
});
