import { describe, expect, test } from "bun:test";
import { ExpectBuffer, HEARD_MAX } from "../../src/chat/expect-buffer.ts";

function hear(text: string, want = 2): { heard: ExpectBuffer; lines: string[] } {
  const lines: string[] = [];
  const heard = new ExpectBuffer((line) => lines.push(line));
  heard.restart(want);
  for (const char of text) heard.push(char.charCodeAt(0));
  return { heard, lines };
}

describe("ExpectBuffer", () => {
  test("logs a line at its newline, an empty one too", () => {
    expect(hear("ab\r\n\nc").lines).toEqual(["ab^M", ""]);
  });

  test("logs a long line in pieces of eighty", () => {
    const { heard, lines } = hear(`${"a".repeat(165)}\n${"b".repeat(80)}\n`);
    expect(lines.map((line) => line.length)).toEqual([80, 80, 5, 80, 0]);
    heard.flush();
    expect(lines.length).toBe(5);
  });

  test("flush logs the rest once", () => {
    const { heard, lines } = hear("OK");
    heard.flush();
    heard.flush();
    expect(lines).toEqual(["OK"]);
  });

  test("endsIn compares the end of what was heard since the restart", () => {
    const { heard } = hear("xOK");
    expect(["OK", "xOK", "K", ""].every((text) => heard.endsIn(text))).toBe(true);
    expect(["O", "ok", "yxOK"].some((text) => heard.endsIn(text))).toBe(false);
    heard.restart(2);
    heard.push(0x4b);
    expect(heard.endsIn("OK")).toBe(false);
  });

  test("a string is found wherever the buffer wraps", () => {
    for (const length of [1, 2, 49, 50, 51, 700, HEARD_MAX]) {
      const want = `${"y".repeat(length - 1)}z`;
      for (let before = HEARD_MAX - length - 3; before <= HEARD_MAX + 3; before++) {
        if (before < 0) continue;
        expect(hear("q".repeat(before) + want, length).heard.endsIn(want)).toBe(true);
      }
    }
  });

  test("an ABORT string of 49 bytes survives the wrap of a short expect", () => {
    const abort = "z".repeat(49);
    for (let before = HEARD_MAX - 49; before <= HEARD_MAX; before++)
      expect(hear("q".repeat(before) + abort).heard.endsIn(abort)).toBe(true);
  });

  test("no byte is logged twice or lost across many wraps", () => {
    let text = "";
    for (let at = 0; at < 5000; at++) text += String.fromCharCode(0x41 + (at % 26));
    for (const want of [2, 200, 1000]) {
      const { heard, lines } = hear(text, want);
      heard.flush();
      expect(lines.join("")).toBe(text);
    }
  });
});
