import { afterAll, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runsHere } from "../../../src/os/net/firewall-programs.ts";
import { enterNetns, noNetns } from "../../kit/netns.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-firewall-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(noNetns !== undefined)(
  `a program of another network namespace does not count${noNetns === undefined ? "" : ` [skipped: ${noNetns}]`}`,
  async () => {
    const name = `wall-${process.pid}`;
    const program = join(folder, name);
    copyFileSync(Bun.which("cat")!, program);
    expect(runsHere(name)).toBe(false);
    const leave = enterNetns();
    const cat = Bun.spawn([program], { stdin: "pipe", stdout: "pipe" });
    try {
      // It has its name when it answers.
      cat.stdin.write("here");
      await cat.stdin.flush();
      await cat.stdout.getReader().read();
      expect(runsHere(name)).toBe(true);
    } finally {
      leave();
    }
    expect(runsHere(name)).toBe(false);
    cat.stdin.end();
    await cat.exited;
  },
);
