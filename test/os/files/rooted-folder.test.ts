import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesOf, textOf } from "../../../src/bytes/text.ts";
import { type Folder, isTrouble, type OpenFile, type Path, type Trouble } from "../../../src/files/folder.ts";
import { RootedFolder } from "../../../src/os/files/rooted-folder.ts";

const places: string[] = [];
afterAll(() => places.forEach((place) => rmSync(place, { recursive: true, force: true })));

/** A folder with a neighbour outside. */
function place(): { outside: string; inside: string } {
  const outside = mkdtempSync(join(tmpdir(), "rooted-"));
  places.push(outside);
  const inside = join(outside, "dir");
  mkdirSync(inside);
  writeFileSync(join(outside, "secret"), "secret");
  return { outside, inside };
}

/** Both ways: by openat2, and name by name as on an old kernel. */
const WAYS = [
  ["openat2", false],
  ["name by name", true],
] as const;

function opened(path: string, isOld: boolean): Folder {
  return new RootedFolder(path, isOld);
}

function text(folder: Folder, path: Path): string | Trouble {
  const file = folder.open(path);
  if (isTrouble(file)) return file;
  const bytes = new Uint8Array(100);
  const count = file.read(bytes, 0, 100, 0);
  file.close();
  return isTrouble(count) ? count : `=${textOf(bytes, 0, count)}`;
}

test("open files without a name are counted once each until they are closed", () => {
  const { inside } = place();
  const folder = new RootedFolder(inside);
  const made = (name: string, size: number): OpenFile => {
    const file = folder.create([name]);
    if (isTrouble(file)) throw new Error(file);
    file.write(new Uint8Array(size), 0, size, 0);
    return file;
  };
  const [one, other] = [made("a", 5), made("b", 7)];
  const again = folder.open(["a"]);
  if (isTrouble(again)) throw new Error(again);
  expect(folder.namelessOctets()).toBe(0);
  folder.remove(["a"]);
  expect(folder.namelessOctets()).toBe(5);
  folder.rename(["b"], ["a"], true);
  expect(folder.namelessOctets()).toBe(5);
  rmSync(join(inside, "a"));
  expect(folder.namelessOctets()).toBe(12);
  for (const file of [one, again, other]) file.close();
  expect(folder.namelessOctets()).toBe(0);
  folder.close();
});

function names(folder: Folder, path: Path): string[] {
  const listing = folder.list(path);
  if (isTrouble(listing)) throw new Error(listing);
  const found: string[] = [];
  for (let name; (name = listing.next()) !== undefined;) {
    const stat = listing.stat(name);
    if (!isTrouble(stat)) found.push(`${name}:${stat.kind}${stat.isLink ? ":link" : ""}`);
  }
  listing.close();
  return found.sort();
}

/** How many descriptors lead beneath a folder. */
function openBeneath(outside: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(outside);
    } catch {
      return false;
    }
  }).length;
}

for (const [way, isOld] of WAYS) {
  test(`${way}: no path and no link leads out of the folder`, () => {
    const { outside, inside } = place();
    writeFileSync(join(inside, "file"), "inside");
    mkdirSync(join(inside, "sub"));
    symlinkSync("../secret", join(inside, "up"));
    symlinkSync(outside, join(inside, "absolute"));
    symlinkSync("sub/../../secret", join(inside, "winding"));
    symlinkSync("loop", join(inside, "loop"));
    symlinkSync("/proc/self/root/etc", join(inside, "magic"));
    const folder = opened(inside, isOld);
    for (const path of [
      ["up"],
      ["absolute", "secret"],
      ["winding"],
      ["loop"],
      ["magic", "passwd"],
      ["file", "x"],
      ["no"],
    ])
      expect(text(folder, path)).toBe("absent");
    for (const path of [["..", "secret"], ["sub", "..", "..", "secret"], ["."], [""], ["../secret"], ["a\0b"]])
      expect(text(folder, path)).toBe("bad-name");
    expect(folder.remove(["absolute", "secret"])).toBe("absent");
    expect(folder.rename(["file"], ["absolute", "file"], true)).toBe("absent");
    expect(folder.makeFolder(["absolute", "new"])).toBe("absent");
    expect(folder.create(["absolute", "new"])).toBe("absent");
    expect(folder.reopen(["up"])).toBe("absent");
    expect(folder.list(["absolute"])).toBe("absent");
    expect(folder.list(["file"])).toBe("is-file");
    expect(folder.open(["sub"])).toBe("is-folder");
    expect(text(folder, ["file"])).toBe("=inside");
    expect(names(folder, [])).toEqual(["file:file", "sub:folder"]);
    expect(openBeneath(outside)).toBe(1);
    folder.close();
    expect(readdirSync(outside).sort()).toEqual(["dir", "secret"]);
  });

  test(`${way}: FIFOs, sockets and devices are neither opened nor listed`, () => {
    const { inside } = place();
    expect(Bun.spawnSync(["mkfifo", join(inside, "fifo")]).exitCode).toBe(0);
    const socket = Bun.listen({ unix: join(inside, "socket"), socket: { data() {} } });
    symlinkSync("fifo", join(inside, "to-fifo"));
    const folder = opened(inside, isOld);
    for (const name of ["fifo", "socket", "to-fifo"]) {
      expect(folder.open([name])).toBe("absent");
      expect(folder.reopen([name])).toBe("absent");
      expect(folder.stat([name])).toBe("absent");
    }
    expect(names(folder, [])).toEqual([]);
    folder.close();
    socket.stop();
  });

  test(`${way}: names of any octets, written, renamed, listed and removed`, () => {
    const { inside } = place();
    const folder = opened(inside, isOld);
    const every = textOf(Uint8Array.from({ length: 254 }, (_, at) => (at + 1 < 0x2f ? at + 1 : at + 2)));
    expect(folder.makeFolder([every])).toBeUndefined();
    expect(folder.makeFolder([every])).toBe("exists");
    for (const name of ["\xff\xfe", "caf\xe9", "caf\xc3\xa9", "-", " "]) {
      const file = folder.create([every, name]) as OpenFile;
      expect(file.write(bytesOf("octets"), 1, 6, 0)).toBe(5);
      expect([file.sync(), file.setTime(86400), file.truncate(4)]).toEqual([undefined, undefined, undefined]);
      expect(file.stat()).toMatchObject({ kind: "file", size: 4 });
      file.close();
      expect(folder.create([every, name])).toBe("exists");
      expect(folder.rename([every, name], [name], false)).toBeUndefined();
      expect(text(folder, [name])).toBe("=ctet");
    }
    expect(folder.rename(["-"], [" "], false)).toBe("exists");
    expect(folder.rename(["-"], [" "], true)).toBeUndefined();
    expect(names(folder, [])).toEqual(
      [`${every}:folder`, " :file", "\xff\xfe:file", "caf\xe9:file", "caf\xc3\xa9:file"].sort(),
    );
    expect(folder.remove([every])).toBeUndefined();
    expect(folder.remove([every])).toBe("absent");
    expect(folder.remove([])).toBe("denied");
    expect(folder.create(["x".repeat(256)])).toBe("bad-name");
    expect(folder.makeFolder(["full"])).toBeUndefined();
    expect(folder.makeFolder(["full", "er"])).toBeUndefined();
    expect(folder.remove(["full"])).toBe("not-empty");
    expect(folder.room()).toBeGreaterThan(0);
    folder.close();
  });

  test(`${way}: a directory that is swapped for a link while paths are opened never leads out`, async () => {
    const { outside, inside } = place();
    mkdirSync(join(inside, "sub"));
    writeFileSync(join(inside, "sub", "secret"), "inside");
    symlinkSync(outside, join(inside, "link"));
    const swapper = new Worker(
      URL.createObjectURL(
        new Blob([
          `const { renameSync } = require("node:fs");
           onmessage = ({ data: dir }) => {
             for (let round = 0; round < 20000; round++) {
               renameSync(dir + "/sub", dir + "/away"); renameSync(dir + "/link", dir + "/sub");
               renameSync(dir + "/sub", dir + "/link"); renameSync(dir + "/away", dir + "/sub");
             }
             postMessage("done");
           };`,
        ]),
      ),
    );
    let isDone = false;
    const over = new Promise<void>((resolve) => (swapper.onmessage = () => resolve(void (isDone = true))));
    const folder = opened(inside, isOld);
    const seen = new Set<string>();
    swapper.postMessage(inside);
    for (let round = 0; !isDone; round++) {
      for (let at = 0; at < 50; at++) {
        seen.add(text(folder, ["sub", "secret"]));
        const made = folder.create(["sub", "made"]);
        if (!isTrouble(made)) made.close();
        folder.rename(["sub", "made"], ["sub", "moved"], true);
        folder.remove(["sub", "moved"]);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await over;
    swapper.terminate();
    folder.close();
    expect([...seen].filter((one) => one.startsWith("="))).toEqual(["=inside"]);
    expect(readdirSync(outside).sort()).toEqual(["dir", "secret"]);
    expect(readFileSync(join(outside, "secret"), "latin1")).toBe("secret");
  });
}

test("links that stay inside are followed, and listed as links", () => {
  const { inside } = place();
  mkdirSync(join(inside, "sub"));
  writeFileSync(join(inside, "sub", "file"), "inside");
  symlinkSync("sub", join(inside, "folder"));
  symlinkSync("../sub/file", join(inside, "sub", "link"));
  const folder = opened(inside, false);
  expect(text(folder, ["folder", "link"])).toBe("=inside");
  expect(names(folder, [])).toEqual(["folder:folder:link", "sub:folder"]);
  expect(names(folder, ["folder"])).toEqual(["file:file", "link:file:link"]);
  // A name that is a link is itself removed and replaced.
  expect(folder.rename(["sub", "file"], ["folder"], true)).toBeUndefined();
  expect(text(folder, ["folder"])).toBe("=inside");
  expect(existsSync(join(inside, "sub"))).toBe(true);
  folder.close();
});

test("the version changes with the octets, the time and the file", () => {
  const { inside } = place();
  const path = join(inside, "file");
  const folder = opened(inside, false);
  const versions = new Set<string>();
  const look = (): void => {
    const stat = folder.stat(["file"]);
    if (!isTrouble(stat)) versions.add(stat.version);
  };
  writeFileSync(path, "one");
  look();
  look();
  expect(versions.size).toBe(1);
  writeFileSync(path, "three");
  look();
  utimesSync(path, 1, 1);
  look();
  writeFileSync(`${path}2`, "three");
  utimesSync(`${path}2`, 1, 1);
  renameSync(`${path}2`, path);
  look();
  expect(versions.size).toBe(4);
  folder.close();
});

test("a time that no file can have is a trouble", () => {
  const folder = opened(place().inside, false);
  const file = folder.create(["a"]);
  if (isTrouble(file)) throw new Error(file);
  for (const time of [Infinity, -Infinity, NaN, 1e300]) expect([time, file.setTime(time)]).toEqual([time, "failed"]);
  expect(file.setTime(86400)).toBeUndefined();
  expect(file.stat().mtime).toBe(86400);
  file.close();
  folder.close();
});
