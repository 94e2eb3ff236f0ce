// A name that a file cannot take without taking away what is there.

import { expect, test } from "bun:test";
import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileTrouble } from "../../src/transfer/failed-file.ts";
import { PartFile } from "../../src/transfer/part-file.ts";

test("a FIFO is not replaced by a file that is fetched, and nothing is made beside it", () => {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-part-"));
  const fifo = join(folder, "fifo");
  try {
    Bun.spawnSync(["mkfifo", fifo]);
    expect(() => new PartFile(fifo)).toThrow(FileTrouble);
    expect(lstatSync(fifo).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(["fifo"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
