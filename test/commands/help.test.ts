import { expect, test } from "bun:test";
import { join } from "node:path";

function run(...words: readonly string[]) {
  const main = join(import.meta.dir, "../../src/main.ts");
  const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, main, ...words]);
  return { out: stdout.toString(), err: stderr.toString(), exitCode };
}

test("help with a word is the help of that command, and an unknown word is an error", () => {
  const put = run("help", "put");
  expect([put.exitCode, put.err]).toEqual([0, ""]);
  expect(put.out).toContain("nullmodem put [OPTIONS] <FROM>… [TO]");
  expect(run("help", "chat").out).toStartWith("Usage: chat");
  const unknown = run("help", "nonsense");
  expect([unknown.exitCode, unknown.out]).toEqual([2, ""]);
  expect(unknown.err).toContain('no command "nonsense"');
  expect(run("help").out).toStartWith("nullmodem ");
});
