import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import {
  asUser,
  groupNumber,
  homeOf,
  hostAddress,
  networkAddress,
  ttyOf,
  userName,
} from "../../../src/os/net/hosts.ts";
import { closeFd, O, openFd } from "../../../src/os/ffi/libc.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import { noLocalhost } from "../../kit/localhost.ts";

test.skipIf(noLocalhost !== undefined)(
  `hosts by name${noLocalhost === undefined ? "" : ` [skipped: ${noLocalhost}]`}`,
  () => expect(hostAddress("localhost")).toBe(0x7f000001),
);

test("hosts by number", () => {
  expect(hostAddress("10.1.2.3")).toBe(0x0a010203);
  expect(hostAddress("255.255.255.255")).toBe(0xffffffff);
  for (const name of ["", "no such host", "nohost.invalid", "a\0b"]) expect(hostAddress(name)).toBeUndefined();
});

// Debian's netbase has this line. Other systems may not have it.
const networks = ((): string => {
  try {
    return readFileSync("/etc/networks", "utf8");
  } catch {
    return "";
  }
})();
const named = /^link-local\s+169\.254\.0\.0/m.test(networks);
test.skipIf(!named)(`networks by name${named ? "" : " [skipped: no link-local in /etc/networks]"}`, () => {
  expect(networkAddress("link-local")).toBe(0xa9fe0000);
  expect(networkAddress("nonetwork")).toBeUndefined();
});

test("users and groups", () => {
  expect(homeOf(0)).toBe("/root");
  expect(homeOf(4_000_000)).toBeUndefined();
  expect(userName(0)).toBe("root");
  expect(userName(4_000_000)).toBeUndefined();
  expect(groupNumber("root")).toBe(0);
  expect(groupNumber("nosuchgroup")).toBeUndefined();
});

test("the tty on a descriptor", () => {
  const { master, slave } = openPty();
  const fd = openFd(slave, O.RDWR | O.NOCTTY);
  expect(ttyOf(fd)).toBe(slave);
  closeFd(fd);
  closeFd(master);
  const other = openSync("/dev/null", "r");
  expect(ttyOf(other)).toBeUndefined();
  closeSync(other);
});

const root = process.getuid?.() === 0;
test.skipIf(!root)(`acting as another user${root ? "" : " [skipped: not root]"}`, () => {
  expect(asUser(65534, () => process.geteuid?.())).toBe(65534);
  expect(() => asUser(65534, () => openSync("/root/.nothing-here", "w"))).toThrow("EACCES");
  expect(process.geteuid?.()).toBe(0);
});
