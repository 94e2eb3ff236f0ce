// The Debian packages: what is in them, what they depend on, and that the same input gives the same bytes. What dpkg and
// lintian make of them is in test/interop/debian-package.test.ts.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { architectureOf, debMaker, debName } from "../../scripts/deb.ts";
import { debArchive, foldersOf } from "../../scripts/deb/deb-archive.ts";
import { debianChangelog, units } from "../../scripts/deb/deb-texts.ts";
import { dependencies } from "../../scripts/deb/dependencies.ts";
import { elfNeeds } from "../../scripts/deb/elf-needs.ts";
import { TARGETS } from "../../scripts/stick/runtimes.ts";
import { APPLETS } from "../../src/applets/applets.ts";
import { VERSION } from "../../src/options/version.ts";
import { PATIENCE_MS } from "../kit/patience.ts";

const ROOT = join(import.meta.dir, "../..");
const PARTS = join(ROOT, "scripts/deb");
const ADDON = join(ROOT, "node_modules/@serialport/bindings-cpp/prebuilds/linux-ARCH.glibc.node");
const addon = (architecture: string): Buffer => readFileSync(ADDON.replace("ARCH", architecture));
const X64 = "x64/@serialport+bindings-cpp";
const ARM64 = "arm64/@serialport+bindings-cpp.armv8";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-deb-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const lines = (words: readonly string[]): string[] =>
  Bun.spawnSync([...words])
    .stdout.toString()
    .trimEnd()
    .split("\n");
const titled = (title: string, missing: string | undefined): string =>
  missing === undefined ? title : `${title} [skipped: ${missing}]`;
const noDpkg = Bun.which("dpkg-deb") === null ? "no dpkg-deb: not on a Debian" : undefined;

test("there is a package for each machine whose executable is for glibc", () => {
  expect(TARGETS.map((target) => architectureOf(target))).toEqual(["amd64", undefined, "arm64"]);
  expect(debName("arm64")).toBe(`nullmodem_${VERSION}_arm64.deb`);
});

describe("an archive", () => {
  const data = [
    { path: "usr/bin/b", content: Buffer.from("odd"), mode: 0o755 },
    { path: "usr/bin/a", content: { link: "b" } },
    { path: "etc/c", content: Buffer.alloc(512) },
  ];
  const control = [
    {
      path: "control",
      content: Buffer.from("Package: p\nVersion: 1\nArchitecture: all\nMaintainer: m\nDescription: d\n"),
    },
  ];
  const archive = debArchive(control, data, 86_400);

  test.skipIf(noDpkg !== undefined)(titled("is what dpkg reads: sorted, root's, with one time", noDpkg), () => {
    const file = join(folder, "p.deb");
    writeFileSync(file, archive);
    const listed = lines(["env", "TZ=UTC", "dpkg-deb", "--contents", file]).map((line) => line.replace(/ +/g, " "));
    expect(listed).toEqual([
      "drwxr-xr-x root/root 0 1970-01-02 00:00 ./",
      "drwxr-xr-x root/root 0 1970-01-02 00:00 ./etc/",
      "-rw-r--r-- root/root 512 1970-01-02 00:00 ./etc/c",
      "drwxr-xr-x root/root 0 1970-01-02 00:00 ./usr/",
      "drwxr-xr-x root/root 0 1970-01-02 00:00 ./usr/bin/",
      "lrwxrwxrwx root/root 0 1970-01-02 00:00 ./usr/bin/a -> b",
      "-rwxr-xr-x root/root 3 1970-01-02 00:00 ./usr/bin/b",
    ]);
    expect(lines(["dpkg-deb", "--field", file, "Package"])).toEqual(["p"]);
  });

  test("has the same bytes in whatever order the files come", () => {
    expect(Buffer.from(debArchive(control, data.toReversed(), 86_400)).equals(archive)).toBe(true);
  });

  test("refuses what tar would cut off", () => {
    const long = { path: "x".repeat(99), content: new Uint8Array() };
    expect(() => debArchive(control, [long], 0)).toThrow("too long");
  });

  test("has each folder before what is in it", () => {
    expect(foldersOf(["usr/lib/x", "usr/lib-y/z", "a"])).toEqual(["usr", "usr/lib", "usr/lib-y"]);
  });
});

describe("the dependencies", () => {
  const noReadelf = Bun.which("objdump") === null ? "no objdump (Debian package binutils)" : undefined;
  test.skipIf(noReadelf !== undefined)(titled("are read from the ELF file as objdump reads them", noReadelf), () => {
    for (const name of [X64, ARM64]) {
      const text = lines(["objdump", "-p", ADDON.replace("ARCH", name)]);
      const { libraries, versions } = elfNeeds(addon(name));
      expect(libraries).toEqual(text.flatMap((line) => /NEEDED +(\S+)/.exec(line)?.[1] ?? []));
      const wanted = text.flatMap((line) => /^ +0x[0-9a-f]{8} 0x00 \d\d (\S+)/.exec(line)?.[1] ?? []);
      expect(versions.toSorted()).toEqual(wanted.sort());
    }
  });

  test("are packages in the versions that have the symbols", () => {
    expect(dependencies(addon(X64), "amd64")).toBe("libc6 (>= 2.28), libgcc-s1 (>= 3.0), libstdc++6 (>= 5)");
    expect(dependencies(addon(ARM64), "arm64")).toBe("libc6 (>= 2.28), libgcc-s1 (>= 3.0), libstdc++6 (>= 5)");
  });
});

test.skipIf(noDpkg !== undefined)(
  titled("both architectures have the same files, and the same commit gives the same bytes", noDpkg),
  async () => {
    const contents = async (architecture: "amd64" | "arm64", name: string): Promise<string[]> => {
      const file = join(folder, debName(architecture));
      const archive = (await debMaker())(new Uint8Array(addon(name)), architecture);
      writeFileSync(file, archive);
      expect(Buffer.from((await debMaker())(new Uint8Array(addon(name)), architecture)).equals(archive)).toBe(true);
      expect(lines(["dpkg-deb", "--field", file, "Architecture", "Version"])).toEqual([
        `Architecture: ${architecture}`,
        `Version: ${VERSION}`,
      ]);
      return lines(["dpkg-deb", "--contents", file]).filter((line) => !line.endsWith("/nullmodem/nullmodem"));
    };
    const amd64 = await contents("amd64", X64);
    expect(await contents("arm64", ARM64)).toEqual(amd64);
    const paths = amd64.map((line) => line.replace(/^.* \.\//, ""));
    for (const name of Object.keys(APPLETS)) expect(paths).toContain(`usr/lib/nullmodem/${name} -> nullmodem`);
    for (const file of ["bash-completion/completions/nullmodem", "zsh/vendor-completions/_nullmodem"]) {
      expect(paths).toContain(`usr/share/${file}`);
    }
    expect(paths).toContain("usr/share/fish/vendor_completions.d/nullmodem.fish");
    for (const page of ["man8/nullmodem.8.gz", "man8/nullmodem-pppd.8.gz", "man5/nullmodem-options.5.gz"]) {
      expect(paths).toContain(`usr/share/man/${page}`);
    }
    expect(paths).toContain("usr/share/man/man1/nullmodem-poff.1.gz -> nullmodem-pon.1.gz");
    // A path that Debian's ppp has too would stop dpkg.
    const names = new RegExp(`^(etc/.|usr/(s?bin|share)/(.*/)?(${Object.keys(APPLETS).join("|")})\\b)`);
    expect(paths.filter((path) => names.test(path))).toEqual([]);
  },
  PATIENCE_MS,
);

test("the changelog has one entry, of all items since the version before", () => {
  const changelog =
    "# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.2.0\n\nThe link:\n\n- One\n  item.\n\n## 0.1.0\n\n- Old.\n";
  const entry = (items: string): string =>
    `nullmodem (0.2.0+1) unstable; urgency=medium\n\n${items}\n -- The authors of nullmodem <nullmodem@nullmodem.invalid>  Thu, 01 Jan 1970 00:00:00 +0000\n`;
  expect(debianChangelog(changelog, "0.2.0+1", 0)).toBe(entry("  * New.\n  * One item.\n"));
  const long = debianChangelog(changelog.replace("New.", "word ".repeat(40).trim()), "0.2.0+1", 0);
  expect(long.split("\n").filter((line) => line.startsWith("    word")).length).toBe(2);
  expect(long.split("\n").every((line) => line.length < 100)).toBe(true);
});

test("a line of the changelog that belongs to no item is an error, so that none is lost", () => {
  for (const lost of ["- One\nitem.", "- One\n\n  item.", "- One\n   item.", "  - One"]) {
    expect(() => debianChangelog(`## 0.2.0\n\n${lost}\n`, "0.2.0", 0)).toThrow("a line that belongs to no item");
  }
  const headings = "## 0.2.0\n\nThe first\nrelease.\n\nThe link:\n\n- One.\n\n### Files\n\n- Two:\n  three.\n";
  expect(debianChangelog(headings, "0.2.0", 0)).toContain("  * One.\n  * Two: three.\n");
});

test("the units run the package's own executable, on the instance's port", () => {
  const starts = [...units()].map(([name, text]) => [name, /^ExecStart=(.*)$/m.exec(text)?.[1]]);
  expect(starts).toEqual([
    ["nullmodem@.service", "/usr/lib/nullmodem/pppd /dev/%I nodetach"],
    ["nullmodem-serve@.service", "/usr/lib/nullmodem/nullmodem serve /dev/%I"],
  ]);
  for (const text of units().values()) expect(text).toMatch(/^\[Unit\]\nDescription=[^\n]*\/dev\/%I\nDocumentation=/);
});

test("ppp-names.sh has the name of each classic program", () => {
  const names = readFileSync(join(PARTS, "ppp-names.sh"), "utf8").matchAll(/for name in (.*); do/g);
  const programs = Object.keys(APPLETS).sort();
  const loops = [...names].map(([, words]) => words!.split(" "));
  expect([...loops[0]!, ...loops[1]!].sort()).toEqual(programs);
  expect([...loops[2]!, ...loops[3]!].sort()).toEqual(programs);
  expect(loops[4]!.toSorted()).toEqual(programs);
});

describe("ppp-names.sh add", () => {
  /** What it asks of dpkg-divert and update-alternatives to change, where somebody else's diversion has this path. */
  const changes = (diverted: string): { asked: string[]; said: string } => {
    const tools = mkdtempSync(join(folder, "tools-"));
    const log = join(tools, "log");
    const owner = `[ "$1 $2" = "--listpackage ${diverted}" ] && echo LOCAL; [ "$1" = --listpackage ] && exit 0`;
    for (const name of ["dpkg-divert", "update-alternatives"]) {
      writeFileSync(join(tools, name), `#!/bin/sh\n${owner}\necho "${name} $*" >>${log}\n`, { mode: 0o755 });
    }
    writeFileSync(log, "");
    const env = { ...process.env, PATH: `${tools}:${process.env["PATH"]}` };
    const { stderr, exitCode } = Bun.spawnSync(["sh", join(PARTS, "ppp-names.sh"), "add"], { env });
    expect(exitCode).toBe(0);
    return { asked: readFileSync(log, "utf8").split("\n").slice(0, -1), said: stderr.toString() };
  };

  test("touches nothing where another diversion has pppd", () => {
    const { asked, said } = changes("/usr/sbin/pppd");
    expect(asked).toEqual([]);
    expect(said).toContain("another diversion has pppd");
  });

  test("leaves out only the name that another diversion has, if it is not pppd", () => {
    const { asked, said } = changes("/usr/sbin/chat");
    const diverted = asked.flatMap((line) => /^dpkg-divert .* --add (\S+)$/.exec(line)?.[1] ?? []);
    expect(diverted).toContain("/usr/sbin/pppd");
    expect(diverted).not.toContain("/usr/sbin/chat");
    expect(said).toContain("/usr/sbin/chat stays as it is");
  });
});

const noShellcheck = Bun.which("shellcheck") === null ? "no shellcheck (Debian package shellcheck)" : undefined;
test.skipIf(noShellcheck !== undefined)(titled("shellcheck has nothing to say", noShellcheck), () => {
  for (const name of ["postinst", "prerm", "postrm", "ppp-names.sh"]) {
    expect(lines(["shellcheck", "-s", "sh", join(PARTS, name)])).toEqual([""]);
  }
});
