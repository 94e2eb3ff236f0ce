// The Debian package in Debian bookworm and trixie: installed, upgraded, removed and purged by dpkg, with and without the
// package ppp, in each order. Afterwards each file of the system is what it was. lintian judges the package.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debMaker, debName } from "../../scripts/deb.ts";
import { APPLETS } from "../../src/applets/applets.ts";
import { VERSION } from "../../src/options/version.ts";
import { debianRootMissing, DebianRoot, RELEASES } from "../kit/debian-root.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built } from "../kit/program.ts";

const NEWER = `${VERSION}+1`;
const OURS = "/usr/lib/nullmodem/nullmodem";
const NAMES = Object.keys(APPLETS);
const titled = (title: string, missing: string | undefined): string =>
  missing === undefined ? title : `${title} [skipped: ${missing}]`;

const noLintian = Bun.which("lintian") === null ? "no lintian (Debian package lintian)" : undefined;
const wanted = debianRootMissing === undefined || noLintian === undefined;
const folder = mkdtempSync(join(tmpdir(), "nullmodem-package-"));
const file = join(folder, debName("amd64"));
const newerFile = join(folder, debName("amd64", NEWER));
beforeAll(async () => {
  if (!wanted) return;
  const executable = new Uint8Array(readFileSync(built()));
  writeFileSync(file, (await debMaker())(executable, "amd64"));
  writeFileSync(newerFile, (await debMaker(NEWER))(executable, "amd64"));
}, 4 * PATIENCE_MS);
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(noLintian !== undefined)(
  titled("lintian has nothing to say, and each override has a use", noLintian),
  () => {
    const words = ["--no-cfg", "--allow-root", "--display-info", "--pedantic", file];
    const { stdout, stderr } = Bun.spawnSync(["lintian", ...words], { env: { ...process.env, TMPDIR: folder } });
    expect(stdout.toString() + stderr.toString()).toBe("");
  },
  2 * PATIENCE_MS,
);

/** Where each of the shared names leads. */
const programs = (root: DebianRoot): string[] =>
  root
    .run("sh", "-c", `for name in ${NAMES.join(" ")}; do readlink -f "$(command -v $name)"; done`)
    .trim()
    .split("\n");
const allOurs = NAMES.map(() => OURS);
const theirs = (name: string): string =>
  `${["pon", "poff", "plog"].includes(name) ? "/usr/bin" : "/usr/sbin"}/${name}.distrib`;
const allTheirs = NAMES.map(theirs);
/** Whose manual pages man shows for the shared names. */
const pages = (root: DebianRoot): string[] => {
  const found = root.run("sh", "-c", `for name in ${NAMES.join(" ")}; do readlink -f "$(man -w $name)"; done`);
  return found
    .trim()
    .split("\n")
    .map((path) => path.replace(/.*\/(.*)\.\d\.gz$/, "$1"));
};
const ourPages = NAMES.map((name) => (["poff", "plog"].includes(name) ? "nullmodem-pon" : `nullmodem-${name}`));
const state = (root: DebianRoot, name: string): string =>
  root.run("sh", "-c", `dpkg-query -W -f '\${db:Status-Status} \${Version}' ${name} 2>/dev/null || echo absent`).trim();

describe.each(RELEASES.map((release) => [release]))("%s", (release) => {
  let root: DebianRoot;
  beforeAll(() => {
    if (debianRootMissing !== undefined) return;
    root = new DebianRoot(release);
    for (const [name, from] of [
      ["old.deb", file],
      ["new.deb", newerFile],
    ] as const)
      copyFileSync(from, root.path(name));
  }, PATIENCE_MS);
  afterAll(() => root?.close());
  const inRoot = (title: string, run: () => void): void =>
    test.skipIf(debianRootMissing !== undefined)(titled(title, debianRootMissing), run, 2 * PATIENCE_MS);

  inRoot("without ppp: the names are nullmodem's, and a purge leaves nothing", () => {
    const before = root.snapshot();
    root.dpkg("--install", "/old.deb");
    expect(programs(root)).toEqual(allOurs);
    expect(root.run("pppd", "--version")).toContain(`nullmodem ${VERSION}`);
    expect(pages(root)).toEqual(ourPages);
    root.run("man", "-w", "nullmodem", "5", "nullmodem-options");
    expect(root.run("nullmodem", "help")).toContain("Usage: nullmodem");
    expect(["peers", "pap-secrets", "chap-secrets"].map((name) => root.rights(`/etc/ppp/${name}`))).toEqual([
      ...["2750 0:30", "600 0:0", "600 0:0"],
    ]);
    writeFileSync(root.path("/etc/ppp/chap-secrets"), "zaphod * beeblebrox *\n");
    // What systemctl enable makes.
    const wants = root.path("/etc/systemd/system/dev-ttyS1.device.wants");
    mkdirSync(wants, { recursive: true });
    symlinkSync("/usr/lib/systemd/system/nullmodem@.service", join(wants, "nullmodem@ttyS1.service"));
    writeFileSync(root.path("/var/lib/nullmodem-speeds"), "");

    root.dpkg("--install", "/new.deb");
    expect(state(root, "nullmodem")).toBe(`installed ${NEWER}`);
    expect(programs(root)).toEqual(allOurs);
    expect(root.text("/etc/ppp/chap-secrets")).toContain("zaphod");

    root.dpkg("--remove", "nullmodem");
    expect(root.text("/etc/ppp/chap-secrets")).toContain("zaphod");
    expect(root.dpkg("--purge", "nullmodem")).toContain("/etc/ppp/chap-secrets has been changed and stays");
    expect(
      root
        .snapshot()
        .filter((line) => !before.includes(line))
        .map((line) => line.split(" ")[0]),
    ).toEqual([...["/etc/ppp", "/etc/ppp/chap-secrets"]]);
    rmSync(root.path("/etc/ppp"), { recursive: true });
    expect(root.snapshot()).toEqual(before);
  });

  inRoot("beside ppp: the names stay ppp's until somebody chooses, and a purge restores them", () => {
    root.dpkg("--install", "/ppp.deb");
    const before = root.snapshot();
    root.dpkg("--install", "/old.deb");
    expect(programs(root)).toEqual(allTheirs);
    expect(pages(root).slice(0, 2)).toEqual(["pppd.distrib", "chat.distrib"]);
    expect(root.run("nullmodem", "pppd", "--version")).toContain(`nullmodem ${VERSION}`);
    expect(root.run("sh", "-c", "pppd --version 2>&1")).not.toContain("nullmodem");
    expect(root.dpkg("--verify", "ppp", "nullmodem")).toBe("");

    root.run("update-alternatives", "--quiet", "--set", "pppd", "/usr/lib/nullmodem/pppd");
    expect(programs(root)).toEqual(allOurs);
    expect(pages(root)).toEqual(ourPages);
    // The choice outlasts both upgrades, and ppp's files are where they were diverted to.
    root.dpkg("--install", "/new.deb");
    root.dpkg("--install", "/ppp.deb");
    expect(programs(root)).toEqual(allOurs);
    root.run("ls", ...allTheirs);

    root.dpkg("--purge", "nullmodem");
    expect(root.snapshot()).toEqual(before);
    root.dpkg("--purge", "ppp");
  });

  inRoot("ppp comes later and goes first; what another diversion has stays", () => {
    const diversion = ["--local", "--divert", "/usr/sbin/chat.mine", "/usr/sbin/chat"];
    root.run("dpkg-divert", "--add", ...diversion);
    const before = root.snapshot();
    expect(root.dpkg("--install", "/old.deb")).toContain("/usr/sbin/chat stays as it is");
    // dpkg would ask about a conffile of ppp's that is there already, and fail without an answer.
    root.dpkg("--install", "/ppp.deb");
    expect(root.run("readlink", "-f", "/usr/sbin/pppd")).toBe("/usr/sbin/pppd.distrib\n");
    root.run("test", "-x", "/usr/sbin/chat.mine");
    root.dpkg("--purge", "ppp");
    expect(root.run("readlink", "-f", "/usr/sbin/pppd")).toBe(`${OURS}\n`);
    root.dpkg("--purge", "nullmodem");
    expect(root.snapshot()).toEqual(before);
    root.run("dpkg-divert", "--remove", ...diversion);
  });
});
