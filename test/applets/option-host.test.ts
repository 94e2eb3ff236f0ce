import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { isFailure } from "../../src/options/host.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { closeFd } from "../../src/os/ffi/libc.ts";
import { systemOptionHost } from "../../src/applets/option-host.ts";
import { noLocalhost } from "../kit/localhost.ts";

const folder = mkdtempSync(join(tmpdir(), "optionhost-"));
afterAll(() => rmSync(folder, { recursive: true }));
const said: string[] = [];
const say = (text: string): void => void said.push(text);
const host = systemOptionHost({ inform: say, warn: say, complain: say }, folder);

test("the machine and the user", () => {
  expect(host).toMatchObject({ etc: folder, uid: process.getuid?.() ?? -1, hostname: hostname() });
});

test("files: their text with a char for each octet, owner and mode, or the reason for a failure", () => {
  const path = join(folder, "secrets");
  writeFileSync(path, Buffer.from([0x61, 0xe9, 0xff, 0x0a]));
  chmodSync(path, 0o640);
  expect(host.readFile(path, "root")).toEqual({ text: "a\u00e9\u00ff\n", uid: host.uid, mode: 0o640 });
  writeFileSync(path, "\ufeffa\ufeff\n");
  expect(host.readFile(path, "root")).toMatchObject({ text: "a\u00ef\u00bb\u00bf\n" });
  expect(host.readFile(join(folder, "none"), "user")).toEqual({ errno: "ENOENT", reason: "No such file or directory" });
  expect(host.readFile(folder, "root")).toEqual({ errno: "EISDIR", reason: "Is a directory" });
});

test("devices", () => {
  const found = host.statDevice("/dev/null");
  expect(isFailure(found) ? found : found.device).toBeGreaterThan(0);
  expect(host.statDevice("/etc/passwd")).toEqual({ device: undefined });
  expect(host.statDevice("/dev/null/x")).toMatchObject({ errno: "ENOTDIR" });
  expect(host.statDevice("/dev/nothing")).toMatchObject({ errno: "ENOENT" });
});

test("a log file is appended to", () => {
  const path = join(folder, "log");
  writeFileSync(path, "old\n");
  const fd = host.openLogfile(path, "user");
  if (isFailure(fd)) throw new Error(fd.reason);
  writeFileSync(fd, "new\n");
  closeFd(fd);
  expect(readFileSync(path, "utf8")).toBe("old\nnew\n");
  expect(host.openLogfile(join(folder, "no/log"), "root")).toEqual({
    errno: "ENOENT",
    reason: "No such file or directory",
  });
});

test("groups", () => {
  expect(host.inGroup("nosuchgroup")).toBeUndefined();
  expect(host.inGroup("root")).toBe((process.getgroups?.() ?? []).includes(0));
});

const root = host.uid === 0;
test.skipIf(!root)(`a whole configuration from files${root ? "" : " [skipped: not root]"}`, () => {
  mkdirSync(join(folder, "peers"));
  writeFileSync(join(folder, "options"), "lock\nidle 5\n");
  writeFileSync(
    join(folder, "peers/kit"),
    `/dev/null 115200\n${noLocalhost === undefined ? "localhost" : "127.0.0.1"}:10.0.0.2 noauth\n`,
  );
  expect(() => parseOptions(["call", "kit"], host)).toThrow("bad local IP address 127.0.0.1");
  writeFileSync(join(folder, "peers/kit"), "null 115200\n10.0.0.1:10.0.0.2 noauth\n");
  writeFileSync(join(folder, "options.null"), "connect chat -v -f 'my script'\n");
  const config = checkOptions(parseOptions(["call", "kit", "idle", "7"], host), host);
  expect(config).toMatchObject({ device: "/dev/null", lock: true, idle: 7, connect: "chat -v -f 'my script'" });
});
