import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StatusReader } from "../../src/applets/read-status.ts";
import { FULL_STATUS } from "../commands/full-status.ts";

test("a process that has stopped holds up one look, and is asked again later", () => {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-links-"));
  try {
    for (const name of ["ppp0", "ppp1"]) writeFileSync(join(folder, `nullmodem-${name}.stats`), "");
    let now = 0;
    let isStopped = true;
    const asked: string[] = [];
    const reader = new StatusReader(
      (path) => {
        const name = /-(ppp\d)\./.exec(path)![1]!;
        asked.push(name);
        if (name !== "ppp0" || !isStopped) return JSON.stringify({ ...FULL_STATUS, interface: name });
        now += 2000;
        return undefined;
      },
      () => now,
    );
    const names = (): string[] => reader.links([folder]).map((link) => link.interface);
    expect([names(), names()]).toEqual([["ppp1"], ["ppp1"]]);
    expect(asked).toEqual(["ppp0", "ppp1", "ppp1"]);
    expect(now).toBe(2000);
    isStopped = false;
    now += 15_000;
    expect(names()).toEqual(["ppp0", "ppp1"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
