import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { PidFiles } from "../../../src/run/session/pid-files.ts";
import { noNetns } from "../../kit/netns.ts";

const { files } = thisMachine;
let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nullmodem-pid-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("pppN.pid has the pid, ppp-NAME.pid the interface too", () => {
  const pidFiles = new PidFiles(files, directory, 77);
  const content = (name: string) => readFileSync(join(directory, name), "utf8");
  expect(pidFiles.writeLink("lap")).toBeUndefined();
  expect(content("ppp-lap.pid")).toBe("77\n");
  expect(pidFiles.writeInterface("ppp0")).toBeUndefined();
  expect(pidFiles.writeLink("lap", "ppp0")).toBeUndefined();
  expect(content("ppp-lap.pid")).toBe("77\nppp0\n");
  expect(content("ppp0.pid")).toBe("77\n");
  expect(statSync(join(directory, "ppp0.pid")).mode & 0o777).toBe(0o644);
  expect(pidFiles.remove("ppp0")).toEqual([]);
  expect(existsSync(join(directory, "ppp0.pid"))).toBe(false);
  expect(existsSync(join(directory, "ppp-lap.pid"))).toBe(true);
  expect(pidFiles.remove()).toEqual([]);
  expect(existsSync(join(directory, "ppp-lap.pid"))).toBe(false);
  expect(pidFiles.remove()).toEqual([]);
});

test("a file that cannot be written completely is removed, and a link in its place is not followed", () => {
  const pidFiles = new PidFiles(files, directory, 77);
  symlinkSync("/dev/full", join(directory, `ppp0.pid.${process.pid}`));
  expect(Bun.spawnSync(["mkfifo", join(directory, "ppp0.pid")]).exitCode).toBe(0);
  expect(pidFiles.writeInterface("ppp0")).toBeUndefined();
  expect(readFileSync(join(directory, "ppp0.pid"), "utf8")).toBe("77\n");
  expect(readdirSync(directory)).toEqual(["ppp0.pid"]);
});

test.skipIf(noNetns !== undefined)("with the disk full nothing is left of a pid file", () => {
  const place = join(directory, "full");
  mkdirSync(place);
  expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4096", "none", place]).exitCode).toBe(0);
  try {
    writeFileSync(join(place, "filler"), new Uint8Array(4096));
    expect(new PidFiles(files, place, 77).writeInterface("ppp0")).toBe(
      `Failed to create pid file ${place}/ppp0.pid: No space left on device`,
    );
    expect(readdirSync(place)).toEqual(["filler"]);
  } finally {
    Bun.spawnSync(["umount", place]);
  }
});

test("removes only files that it has written, and tolerates missing ones", () => {
  const pidFiles = new PidFiles(files, directory, 77);
  writeFileSync(join(directory, "ppp3.pid"), "1\n");
  pidFiles.remove("ppp3");
  expect(existsSync(join(directory, "ppp3.pid"))).toBe(true);
  pidFiles.writeInterface("ppp4");
  rmSync(join(directory, "ppp4.pid"));
  expect(pidFiles.remove()).toEqual([]);
});

test("says what went wrong", () => {
  const pidFiles = new PidFiles(files, join(directory, "none"), 77);
  expect(pidFiles.writeInterface("ppp0")).toBe(
    `Failed to create pid file ${directory}/none/ppp0.pid: No such file or directory`,
  );
  expect(pidFiles.remove()).toEqual([]);
});
