// The words of nullmodem files, and a folder that it serves.

import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesWish } from "../../src/commands/files-command.ts";
import { listenOn, portOf } from "../../src/os/net/tcp.ts";
import { closeFd } from "../../src/os/ffi/libc.ts";
import { until } from "../kit/patience.ts";

test("the words, and what is wrong with them", () => {
  const request = { directory: "/tmp", isWritable: false, quota: null, hasShortNames: false, users: null };
  expect(filesWish(["/tmp"])).toEqual({ request, hasWindows: false, port: undefined, address: undefined });
  expect(filesWish(["/tmp", "--smb"])).toMatchObject({ request, hasWindows: true });
  expect(
    filesWish(["--write", "--quota=2G", "/tmp/", "--names", "8.3", "--port", "81", "--address", "10.0.0.1"]),
  ).toEqual({
    request: { ...request, isWritable: true, quota: 2 * 2 ** 30, hasShortNames: true },
    hasWindows: false,
    port: 81,
    address: "10.0.0.1",
  });
  for (const [words, text] of [
    [[], "which folder? nullmodem files DIR"],
    [["/tmp", "/etc"], "one folder at a time"],
    [["/no/such"], "/no/such is not a folder"],
    [["/dev/null"], "/dev/null is not a folder"],
    [["/tmp", "--quota"], "--quota needs a value"],
    [["/tmp", "--quota", "lots"], "--quota: not a size such as 500M or 4G: lots"],
    [["/tmp", "--port", "0"], "--port: not a TCP port: 0"],
    [["/tmp", "--address", "fe80::1"], "--address: not an IPv4 address: fe80::1"],
    [["/tmp", "--names", "short"], "--names is 8.3, or left out"],
    [["/tmp", "--user", "zaphod"], "--user and --password-file belong together"],
    [["/tmp", "--wrote"], 'there is no option "--wrote"'],
  ] as const)
    expect(filesWish(words)).toBe(text);
});

test("a password file with an empty first line lets nobody in", () => {
  const place = mkdtempSync(join(tmpdir(), "command-"));
  const file = join(place, "password");
  const wish = (text: string): ReturnType<typeof filesWish> => {
    writeFileSync(file, text);
    return filesWish([place, "--user", "zaphod", "--password-file", file]);
  };
  try {
    for (const text of ["", "\n", "\r\n", "\ngargle\n"])
      expect(wish(text)).toBe(`the first line of ${file} is empty: it must be the password`);
    expect(wish("gargle\n")).toMatchObject({ request: { users: [["zaphod", "gargle"]] } });
  } finally {
    rmSync(place, { recursive: true });
  }
});

test("it serves with a password until it is ended", async () => {
  const place = mkdtempSync(join(tmpdir(), "command-"));
  chmodSync(place, 0o755);
  writeFileSync(join(place, "a.txt"), "hello", { mode: 0o644 });
  writeFileSync(join(place, "password"), "gargle\n");
  // A port that is free now.
  const probe = listenOn({ family: 4, address: "127.0.0.1", port: 0 });
  const port = String(portOf(probe));
  closeFd(probe);
  const words = [place, "--address", "127.0.0.1", "--port", port, "--user", "zaphod"];
  const main = join(import.meta.dir, "../../src/main.ts");
  const program = Bun.spawn([process.execPath, main, "files", ...words, "--password-file", join(place, "password")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    let said = "";
    for await (const chunk of program.stdout) {
      said += Buffer.from(chunk).toString();
      if (said.includes("\n")) break;
    }
    expect(said).toBe(`Files of ${place} are at http://127.0.0.1:${port}/ (read only)\n`);
    const url = `http://127.0.0.1:${port}/?list=json`;
    expect((await fetch(url)).status).toBe(401);
    const answer = await fetch(url, { headers: { Authorization: `Basic ${btoa("zaphod:gargle")}` } });
    expect(answer.status).toBe(200);
    program.kill("SIGTERM");
    expect(await program.exited).toBe(5);
    const isServed = (): Promise<boolean> =>
      fetch(url).then(
        () => true,
        () => false,
      );
    await until("nothing is served any more", async () => !(await isServed()));
  } finally {
    program.kill("SIGKILL");
    rmSync(place, { recursive: true });
  }
});
