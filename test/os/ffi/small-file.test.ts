import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeFd } from "../../../src/os/ffi/libc.ts";
import { openToRead, readAll, readHead } from "../../../src/os/ffi/small-file.ts";
import { systemOptionHost } from "../../../src/applets/option-host.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-small-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

function all(path: string): string {
  const fd = openToRead(path);
  try {
    return readAll(fd, path).toString();
  } finally {
    closeFd(fd);
  }
}

test("the first octets are read of a regular file, and none of any other file", () => {
  writeFileSync(at("file"), "0123456789abcdef");
  expect(Buffer.from(readHead(at("file"), 11)).toString()).toBe("0123456789a");
  truncateSync(at("file"), 20e9);
  expect(readHead(at("file"), 11)).toHaveLength(11);
  Bun.spawnSync(["mkfifo", at("fifo")]);
  for (const path of [at("fifo"), "/dev/zero", "/dev/null"])
    expect(() => readHead(path, 11)).toThrow("Invalid argument");
  expect(() => readHead(folder, 11)).toThrow("Is a directory");
  expect(() => readHead(at("none"), 11)).toThrow("No such file");
});

test("a small file is read whole, and so is a pipe that is written to; an endless one is refused", () => {
  writeFileSync(at("options"), "x".repeat(200_000));
  expect(all(at("options"))).toHaveLength(200_000);
  expect(all("/dev/null")).toBe("");
  for (const path of ["/dev/zero", at("file")]) expect(() => all(path)).toThrow("File too large");
  const pipe = Bun.spawnSync([
    "bash",
    "-c",
    `exec ${process.execPath} -e '
    const { openToRead, readAll } = await import("${join(import.meta.dir, "../../../src/os/ffi/small-file.ts")}");
    console.log(readAll(openToRead(process.argv.at(-1))).toString());' <(sleep 0.1; echo words; sleep 0.1; echo more)`,
  ]);
  expect(pipe.stdout.toString()).toBe("words\nmore\n\n");
});

test("an options file that is a FIFO without a writer is empty, and one that is endless is refused", () => {
  const host = systemOptionHost({ inform: () => {}, warn: () => {}, complain: () => {} });
  Bun.spawnSync(["mkfifo", at("fifo")]);
  expect(host.readFile(at("fifo"), "root")).toMatchObject({ text: "" });
  symlinkSync("/dev/zero", at("zero"));
  expect(host.readFile(at("zero"), "root")).toEqual({ errno: "EFBIG", reason: "File too large" });
});
