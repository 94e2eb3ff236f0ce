import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asStranger, PUBLIC_ROOT } from "../../kit/stranger.ts";
import { hasLentRights, hasNetAdmin, isPrivileged } from "../../../src/os/users/rights.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-rights-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("CAP_NET_ADMIN is the twelfth bit of what is effective", () => {
  const status = join(folder, "status");
  const has = (lines: string): boolean => {
    writeFileSync(status, lines);
    return hasNetAdmin(status);
  };
  expect(has("CapPrm:\t0000000000001000\nCapEff:\t0000000000001000\n")).toBe(true);
  expect(has("CapPrm:\t0000000000001000\nCapEff:\t0000000000000000\n")).toBe(false);
  expect(has("CapEff:\t000001ffffffefff\n")).toBe(false);
  expect(has("")).toBe(false);
  expect(hasNetAdmin(join(folder, "none"))).toBe(false);
});

test("rights are lent to a set-user-id program, a set-group-id one and one with capabilities", () => {
  const status = join(folder, "lent");
  const lent = (uid: string, gid: string, permitted: string, ambient = "0000000000000000"): boolean => {
    const lines = [`Uid:\t${uid}`, `Gid:\t${gid}`, `CapPrm:\t${permitted}`, `CapAmb:\t${ambient}`, ""];
    writeFileSync(status, lines.join("\n"));
    return hasLentRights(status);
  };
  const [own, none] = ["1000\t1000\t1000\t1000", "0000000000000000"];
  expect(lent(own, own, none)).toBe(false);
  expect(lent("1000\t0\t0\t0", own, none)).toBe(true);
  expect(lent("1000\t1000\t0\t1000", own, none)).toBe(true);
  expect(lent(own, "1000\t20\t20\t20", none)).toBe(true);
  expect(lent(own, own, "0000000000001000")).toBe(true);
  // A login session of systemd has CAP_WAKE_ALARM. Other capabilities that are passed on may be a wrapper's.
  expect(lent(own, own, "0000000800000000", "0000000800000000")).toBe(false);
  expect(lent(own, own, "0000000800000000")).toBe(true);
  expect(lent(own, own, "0000000800001000", "0000000800001000")).toBe(true);
  expect(hasLentRights(join(folder, "none"))).toBe(true);
  writeFileSync(status, "Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\n");
  expect(hasLentRights(status)).toBe(true);
});

const isRoot = process.getuid?.() === 0 && Bun.which("setpriv") !== null;
test.skipIf(!isRoot)(
  `a user who was given it is privileged, one who was not is not${isRoot ? "" : " [skipped: needs root]"}`,
  () => {
    expect(isPrivileged()).toBe(true);
    const source = `console.log((await import("${PUBLIC_ROOT}/src/os/users/rights.ts")).isPrivileged())`;
    const said = (...capabilities: string[]): string =>
      Bun.spawnSync([...asStranger(capabilities), process.execPath, "-e", source], {
        env: { ...process.env, HOME: folder },
      }).stdout.toString();
    expect(said()).toBe("false\n");
    expect(said("--inh-caps=+net_admin", "--ambient-caps=+net_admin")).toBe("true\n");
    // Borrowed from root, as by a set-user-id program.
    const own = `console.log((await import(${JSON.stringify(join(import.meta.dir, "../../../src/os/users/rights.ts"))})).isPrivileged())`;
    const borrowed = Bun.spawnSync(["setpriv", "--ruid=65534", process.execPath, "-e", own]);
    expect(borrowed.stdout.toString()).toBe("false\n");
  },
);

const inside = ["unshare", "--user", "--map-root-user"];
const isAble = Bun.which("unshare") !== null && Bun.spawnSync([...inside, "--net", "true"]).exitCode === 0;
test.skipIf(!isAble)(
  `capabilities of a user namespace count in a network of its own only${isAble ? "" : " [skipped: no user namespaces]"}`,
  () => {
    const rights = JSON.stringify(join(import.meta.dir, "../../../src/os/users/rights.ts"));
    const source = `const { hasNetAdmin, mayMakeInterfaces } = await import(${rights});
      console.log(hasNetAdmin(), mayMakeInterfaces())`;
    const said = (...before: readonly string[]): string =>
      Bun.spawnSync([...before, process.execPath, "-e", source])
        .stdout.toString()
        .trim();
    expect([said(...inside), said(...inside, "--net")]).toEqual(["true false", "true true"]);
  },
);
