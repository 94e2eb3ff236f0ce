import { describe, expect, test } from "bun:test";
import { cleanExpect, cleanSend, visible, visibleText } from "../../src/chat/escapes.ts";

// The same rows were observed with the real chat: test/interop/chat.test.ts has the words.
const ROWS: [word: string, send: string, expect: string][] = [
  ["abc", "abc\r", "abc"],
  ["", "\r", ""],
  ["\\b\\n\\r\\s\\t", "\b\n\r \t\r", "\b\n\r \t"],
  ["\\\\", "\\\\\r", "\\"],
  ["a\\c", "a", "ac"],
  ["a\\cb", "acb\r", "acb"],
  ["\\c", "", "c"],
  ["a\\c ", "ac \r", "ac "],
  ["\\d\\p\\K", "\\d\\p\\K\r", "dpK"],
  ["\\N", "\\\0\r", "N"],
  ["a\\qb", "ab\r", "ab"],
  ["\\x\\$\\-", "\\x\\$\\-\r", "x$-"],
  ["\\1\\12\\101\\1011", "\x01\nAA1\r", "\x01\nAA1"],
  ["\\0\\000", "\\\0\\\0\r", ""],
  ["\\134", "\\\\\r", "\\"],
  ["\\400\\777", "\\\0\xff\r", "\xff"],
  ["\\8", "\\8\r", "8"],
  ["^A^a^[^?", "\x01\x01\x1b\x1f\r", "\x01\x01\x1b\x1f"],
  ["^@^`^ ", "\r", ""],
  ["^^^", "\x1e^\r", "\x1e^"],
  ["^", "^\r", "^"],
  ["a\\", "a\\\\\r", "a"],
  ["\\^A", "\\^A\r", "^A"],
  ["$HOME", "$HOME\r", "$HOME"],
  ["\xe9\xff", "\xe9\xff\r", "\xe9\xff"],
];

describe("escapes", () => {
  for (const [word, send, want] of ROWS) {
    test(`${JSON.stringify(word)} sent and expected`, () => {
      expect(cleanSend(word, {}).text).toBe(send);
      expect(cleanExpect(word, {})).toBe(want);
    });
  }

  test("every other letter stands for itself", () => {
    const special = "bcdknpqrstKNTU\\01234567";
    for (let code = 0x21; code < 0x7f; code++) {
      const char = String.fromCharCode(code);
      if (special.includes(char)) continue;
      expect(cleanSend(`\\${char}`, {}).text).toBe(`\\${char}\r`);
      expect(cleanExpect(`\\${char}`, {})).toBe(char);
    }
  });

  test("\\q hides the word", () => {
    expect(cleanSend("a\\qb", {}).quiet).toBe(true);
    expect(cleanSend("aqb", {}).quiet).toBe(false);
  });

  test("\\T and \\U are the telephone numbers, in sends only", () => {
    const numbers = { phone: "5\\d5^A", phone2: "666" };
    expect(cleanSend("ATDT\\T,\\U", numbers).text).toBe("ATDT5\\d5^A,666\r");
    expect(cleanSend("\\T\\U", {}).text).toBe("\\T\\U\r");
    expect(cleanExpect("\\T\\U", numbers)).toBe("\\T\\U");
  });

  test("$NAME is the environment's with -E only, its text taken as it is", () => {
    const values: Record<string, string> = { A: "x\\dy^A", B_1: "long", "": "never" };
    const variable = (name: string) => (name === "" ? undefined : values[name]);
    expect(cleanSend("$A$B_1-$NO.\\$A$", { variable }).text).toBe("x\\dy^Along-.$A\r");
    expect(cleanExpect("<$B_1>", { variable })).toBe("<long>");
    expect(cleanExpect("<$B_1>", {})).toBe("<$B_1>");
  });
});

test("visible shows controls, DEL and the eighth bit", () => {
  const shown = [0, 9, 10, 27, 31, 32, 65, 94, 126, 127, 128, 137, 160, 255].map(visible);
  expect(shown).toEqual(["^@", "^I", "^J", "^[", "^_", " ", "A", "^", "~", "^?", "M-^@", "M-^I", "M- ", "M-^?"]);
});

test("the log keeps a tab", () => {
  expect(visibleText("a\tb\r\x89^I")).toBe("a\tb^MM-\t^I");
});
