// Checks README.md for a reader at a terminal: no HTML, no line wider than an editor's window, and the files that it
// shows are those of the HOWTO with which the demo and the tests work.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { wordsOf } from "../../src/options/lexer.ts";

const ROOT = join(import.meta.dir, "../..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The words of the blocks that begin with the name of a file of /etc, by that name, in order. */
function filesShown(): [name: string, words: string[]][] {
  const blocks = README.split(/\n\n+/).filter((block) => /^ {4}# \/etc\//.test(block));
  return blocks.map((block) => {
    const name = /# (\/etc\/[\w./-]+)/.exec(block)![1]!;
    return [name, wordsOf(block, name).map(({ text }) => text)];
  });
}

function howto(file: string): string[] {
  return wordsOf(readFileSync(join(ROOT, "fixtures/howto", file), "latin1"), file).map(({ text }) => text);
}

test("the files it shows are the HOWTO's", () => {
  const shown = filesShown();
  expect(shown.map(([name]) => name)).toEqual([
    ...["/etc/ppp/options", "/etc/ppp/options.ttyS1", "/etc/ppp/pap-secrets", "/etc/hosts"],
    ...["/etc/ppp/options", "/etc/ppp/options.ttyS0", "/etc/ppp/pap-secrets"],
  ]);
  for (const [at, [name, words]] of shown.entries()) {
    const file = `${at < 4 ? "server" : "client"}/${name.slice(name.lastIndexOf("/") + 1)}`;
    if (name === "/etc/hosts") expect(howto(file).join(" ")).toContain(words.join(" "));
    else expect([file, words]).toEqual([file, howto(file)]);
  }
});

test("it is text: no HTML, and bun only by npx, since nobody need have it", () => {
  expect(README).not.toMatch(/<br\s*\/?>/);
  expect(README.match(/^ {4}bun .*$/gm)).toBeNull();
  const tooWide = README.split("\n").filter((line) => line.length > 125 && !line.startsWith("|"));
  expect(tooWide).toEqual([]);
});
