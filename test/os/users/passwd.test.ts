import { expect, test } from "bun:test";
import { hasExpired, type SystemUser, systemUser } from "../../../src/os/users/passwd.ts";

test("root is a user, and unknown names are not", () => {
  const root = systemUser("root");
  expect(root).toMatchObject({ name: "root", uid: 0, gid: 0 });
  expect(root!.shell).toStartWith("/");
  for (const name of ["", "root\0", "no such user", "\xff", "x".repeat(5000)]) expect(systemUser(name)).toBeUndefined();
});

test("expiry by pppd's rule", () => {
  const none: SystemUser = {
    name: "zaphod",
    uid: 2000,
    gid: 2000,
    shell: "/bin/sh",
    hash: "x",
    lastChange: -1,
    maxDays: -1,
    inactive: -1,
    expire: -1,
  };
  const today = 20_000;
  const cases: [Partial<SystemUser>, boolean][] = [
    [{}, false],
    [{ expire: 0 }, false],
    [{ expire: today + 1 }, false],
    [{ expire: today }, true],
    [{ expire: 1 }, true],
    [{ lastChange: today - 30, maxDays: 31 }, false],
    [{ lastChange: today - 30, maxDays: 30 }, true],
    [{ lastChange: today, maxDays: 0 }, true],
    // There is no grace period, because PAP cannot change a password.
    [{ lastChange: today - 30, maxDays: 30, inactive: 5 }, true],
    [{ lastChange: 0, maxDays: 99_999 }, false],
    [{ lastChange: 0, maxDays: 10_000 }, false],
    [{ lastChange: 0, maxDays: 9_999 }, true],
    [{ lastChange: -1, maxDays: 30 }, false],
  ];
  for (const [fields, expired] of cases) {
    expect([fields, hasExpired({ ...none, ...fields }, today)]).toEqual([fields, expired]);
  }
});
