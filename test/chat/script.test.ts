import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseScript, splitExpect } from "../../src/chat/script.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dir, "../../fixtures/chat", name), "latin1");

describe("parseScript", () => {
  test("the HOWTO's scripts", () => {
    expect(parseScript(fixture("winclient.chat"))).toEqual({ words: ["TIMEOUT", "3600", "CLIENT", "CLIENTSERVER\\c"] });
    expect(parseScript(fixture("winserver.chat"))).toEqual({ words: ["TIMEOUT", "10", "", "CLIENT\\c"] });
  });

  test("a modem's script", () => {
    expect(parseScript(fixture("modem.chat")).words).toEqual([
      ..."ABORT BUSY ABORT VOICE ABORT".split(" "),
      "NO CARRIER",
      "ABORT",
      "NO DIAL TONE",
      ..."TIMEOUT 30".split(" "),
      "",
      ..."ATZ OK-+++\\dATZ-OK ATDT\\T CONNECT".split(" "),
      "",
      ..."# is a word here ogin:--ogin: zaphod word:".split(" "),
      '\\qpass \\"word\\"',
    ]);
  });

  const rows: [name: string, text: string, words: string[]][] = [
    ["nothing", "", []],
    ["blank lines", "\n \t \n\n", []],
    ["no newline at the end", "a b", ["a", "b"]],
    ["a comment in the first column only", "#a\n #b\nc #d", ["#b", "c", "#d"]],
    ["a quoted # in the first column", "'#a' b", ["#a", "b"]],
    ["quotes in the middle of a word", `a'b "c"d'`, ["a'b", "c", "d'"]],
    ["a word right after a quote", `"ab"cd''e`, ["ab", "cd''e"]],
    ["empty words", `'' ""''`, ["", "", ""]],
    ["a protected quote, backslash kept", `'a\\'b' "c\\\\" d`, ["a\\'b", "c\\\\", "d"]],
    ["carriage returns stay", "a b\r\n", ["a", "b\r"]],
    ["a NUL ends its line", "a b\0c d\ne", ["a", "b", "e"]],
  ];
  for (const [name, text, words] of rows) test(name, () => expect(parseScript(text)).toEqual({ words }));

  test("an unterminated quote comes after the words before it", () => {
    expect(parseScript("a\nb 'c\nd")).toEqual({ words: ["a", "b"], error: "unterminated quote (line 2)" });
    expect(parseScript("'a\\'").error).toBe("unterminated quote (line 1)");
    expect(parseScript('"a\'\n"').error).toBe("unterminated quote (line 1)");
    expect(parseScript("'a\\").error).toBe("unterminated quote (line 1)");
  });

  test("a line longer than 1023 bytes is cut", () => {
    const { words } = parseScript(`a${"b".repeat(1100)} c\n`);
    expect(words.map((word) => word.length)).toEqual([1023, 78, 1]);
    expect(parseScript(`${"a".repeat(1023)}#b\n`).words).toEqual(["a".repeat(1023)]);
    expect(parseScript(`${"a".repeat(1022)}\n'b`).error).toBe("unterminated quote (line 2)");
    expect(parseScript(`${"a".repeat(1023)}\n'b`).error).toBe("unterminated quote (line 3)");
  });
});

test("splitExpect", () => {
  const rows: [word: string, parts: string[]][] = [
    ["", []],
    ["OK", ["OK"]],
    ["ogin:--ogin:", ["ogin:", "", "ogin:"]],
    ["OK-AT-OK", ["OK", "AT", "OK"]],
    ["OK-", ["OK"]],
    ["OK--", ["OK", ""]],
    ["-", [""]],
    ["-a", ["", "a"]],
    ["a\\-b-c", ["a\\-b", "c"]],
    ["a\\\\-b", ["a\\\\", "b"]],
    ["a\\", ["a\\"]],
  ];
  for (const [word, parts] of rows) expect(splitExpect(word)).toEqual(parts);
});
