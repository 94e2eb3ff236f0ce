import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placeTrouble, writeAllOrNone } from "../../scripts/stick/place.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-place-"));
afterAll(() => rmSync(folder, { recursive: true }));
const STICK = join(import.meta.dir, "../../scripts/stick.ts");

/** A disk of 64 KB, full except for the space given here. */
async function onSmallDisk(run: (disk: string) => void | Promise<void>): Promise<void> {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk]).exitCode).toBe(0);
  try {
    await run(disk);
  } finally {
    Bun.spawnSync(["umount", disk]);
    rmSync(disk, { recursive: true });
  }
}
const canMount =
  process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]).exitCode === 0;
const onDisk = test.skipIf(!canMount);
const skipped = canMount ? "" : " [skipped: needs the right to mount]";

test("a place that is a file, or is inside one, is refused; one that does not exist yet is accepted", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(placeTrouble(file, 1, [])).toBe(`${file} is a file, not a folder`);
  expect(placeTrouble(join(file, "a/b"), 1, [])).toBe(`${file} is a file, not a folder`);
  expect(placeTrouble(join(folder, "a/b"), 1, [])).toBeUndefined();
  expect(placeTrouble("/proc/stick", 1, [])).toMatch(
    /^\/proc (cannot be written to|has room for 0 MB)|^\/proc\/stick has room/,
  );
});

onDisk(`what is replaced makes room, and a place too small is known before${skipped}`, () =>
  onSmallDisk((disk) => {
    expect(placeTrouble(disk, 60_000, [])).toBeUndefined();
    expect(placeTrouble(disk, 5_000_000, [])).toBe(`${disk} has room for 0 MB, and 5 are needed`);
    writeFileSync(join(disk, "old.gz"), new Uint8Array(60_000));
    expect(placeTrouble(disk, 60_000, [])).toBeDefined();
    expect(placeTrouble(disk, 60_000, ["old.gz"])).toBeUndefined();
  }),
);

onDisk(`a disk that is full all of a sudden has all files or none${skipped}`, () =>
  onSmallDisk((disk) => {
    const stick = join(disk, "new/stick");
    const files = new Map<string, Uint8Array | string>([
      ["a.gz", "a"],
      ["b.gz", new Uint8Array(100_000)],
    ]);
    expect(() => writeAllOrNone(stick, files, [])).toThrow("ENOSPC");
    expect(readdirSync(disk)).toEqual([]);
    mkdirSync(stick, { recursive: true });
    writeFileSync(join(stick, "theirs.txt"), "kept");
    expect(() => writeAllOrNone(stick, files, [])).toThrow("ENOSPC");
    expect(readdirSync(stick)).toEqual(["theirs.txt"]);
    files.set("b.gz", "b");
    writeAllOrNone(stick, files, []);
    expect(readFileSync(join(stick, "b.gz"), "utf8")).toBe("b");
  }),
);

test("the command says so in a sentence, before it builds anything", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, STICK, file]);
  expect([exitCode, stdout.toString(), stderr.toString()]).toEqual([1, "", `${file} is a file, not a folder\n`]);
});

onDisk(`and when the stick is full${skipped}`, () =>
  onSmallDisk((disk) => {
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, STICK, join(disk, "stick")]);
    expect([exitCode, stderr.toString()]).toEqual([
      1,
      expect.stringMatching(/^\S+ has room for 0 MB, and \d+ are needed\n$/),
    ]);
    expect(readdirSync(disk)).toEqual([]);
  }),
);
