import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeFd, libc, O, openFd } from "../../../src/os/ffi/libc.ts";
import { share } from "../../../src/os/process/share.ts";
import { openedSince, openFds } from "../../kit/fds.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;
const folder = mkdtempSync(join(tmpdir(), "nullmodem-share-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("of three users the first learns that it is the first, the last undoes the change, and nothing is left", () => {
  const before = openFds();
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
  ]) {
    const shares = order.map(() => share(folder, "thing"));
    expect(shares.map(({ isFirst }) => isFirst)).toEqual([true, false, false]);
    const undone = order.map((nth) => {
      let times = 0;
      shares[nth]!.release(() => void times++);
      return times;
    });
    expect(undone).toEqual([0, 0, 1]);
    expect(readdirSync(folder)).toEqual([]);
  }
  expect(openedSince(before)).toEqual([]);
});

test("things of other names are independent", () => {
  const shares = ["one", "other"].map((name) => share(folder, name));
  expect(shares.map(({ isFirst }) => isFirst)).toEqual([true, true]);
  for (const { release } of shares) release(() => {});
});

test("one that was killed does not count", async () => {
  const holder = `const { share } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/os/process/share.ts"))});
    share(${JSON.stringify(folder)}, "thing"); console.log("held"); setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", holder], { stdout: "pipe" });
  await child.stdout.getReader().read();
  const other = share(folder, "thing");
  expect(other.isFirst).toBe(false);
  child.kill("SIGKILL");
  await child.exited;
  let undone = false;
  other.release(() => (undone = true));
  expect(undone).toBe(true);
});

test("the record is made under the lock, and is there until the change is undone", () => {
  const path = (): string => join(folder, readdirSync(folder)[0]!);
  const isLocked = (): boolean => {
    const fd = openFd(path(), O.RDWR);
    const got = libc.flock(fd, LOCK_EX | LOCK_NB);
    closeFd(fd);
    return got !== 0;
  };
  const seen: boolean[] = [];
  const one = share(folder, "thing", () => (seen.push(isLocked()), "as before"));
  const other = share(folder, "thing", () => "another");
  expect([one.record, other.record]).toEqual(["as before", "as before"]);
  one.release(() => {});
  other.release(() => void seen.push(isLocked(), readFileSync(path(), "utf8") === "as before"));
  expect([seen, readdirSync(folder)]).toEqual([[true, true, true], []]);
});

test("in a folder that cannot be written to each user is alone", () => {
  for (let times = 0; times < 2; times++) {
    let undone = false;
    const { isFirst, release } = share("/nonexistent", "thing");
    release(() => (undone = true));
    expect([isFirst, undone]).toEqual([true, true]);
  }
});
