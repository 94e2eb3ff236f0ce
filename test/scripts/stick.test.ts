// The stick: its content, that FAT can hold it, that its checksums are right, and that the same sources give the same
// bytes.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillStick, type Packed } from "../../scripts/stick.ts";
import { licences } from "../../scripts/stick/licences.ts";
import { TARGETS } from "../../scripts/stick/runtimes.ts";
import { PATIENCE_MS } from "../kit/patience.ts";

const ROOT = join(import.meta.dir, "../..");
const INSTALL = join(ROOT, "scripts/stick/install.sh");

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "nullmodem-stick-test-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const packed: readonly Packed[] = [
  ...TARGETS.map(({ file, machine, libc, what }): Packed => {
    return { file, machine, libc, what, name: "nullmodem", bytes: Buffer.from(`the one for ${what}`) };
  }),
  {
    file: "musl-cxx.gz",
    machine: "x86_64",
    libc: "musl",
    what: "C++",
    name: "libstdc++.so.6",
    bytes: Buffer.from("C++"),
  },
];

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("the files", () => {
  let stick = "";
  beforeAll(() => {
    stick = join(folder, "stick");
    const packages = new Map([["amd64.deb", Buffer.from("a package")]]);
    fillStick(stick, packed, "one\ntwo\r\n", "c0ffee", packages);
  });
  const text = (name: string): string => readFileSync(join(stick, name), "utf8");

  test("have names of 8.3, are files, and no name differs from another by case alone", () => {
    const names = readdirSync(stick);
    for (const name of names) {
      expect(name).toMatch(/^[A-Za-z0-9-]{1,8}\.[A-Za-z0-9]{1,3}$/);
      expect(lstatSync(join(stick, name)).isFile()).toBe(true);
    }
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  });

  test("contents.txt tells what each is when unpacked, sha256.txt what it is now", () => {
    const [head, ...lines] = text("contents.txt").trim().split("\n");
    expect(head).toMatch(/^nullmodem \d+\.\d+\.\d+ commit c0ffee$/);
    expect(lines).toHaveLength(packed.length);
    for (const [at, line] of lines.entries()) {
      const { file, name, machine, libc, bytes } = packed[at]!;
      expect(line.split(" ")).toEqual([file, name, machine, libc, String(bytes.length), sha256(bytes)]);
      expect(Buffer.from(Bun.gunzipSync(readFileSync(join(stick, file)))).equals(bytes)).toBe(true);
    }
    const { stdout, exitCode } = Bun.spawnSync(["sha256sum", "-c", "sha256.txt"], { cwd: stick });
    expect(exitCode).toBe(0);
    expect(stdout.toString().match(/: OK\n/g)).toHaveLength(readdirSync(stick).length - 1);
  });

  test("Debian packages are files like any other", () => {
    expect(text("amd64.deb")).toBe("a package");
    expect(text("sha256.txt")).toContain(`${sha256(Buffer.from("a package"))}  amd64.deb\n`);
    expect(text("README.TXT")).toContain("apt install ./amd64.deb");
  });

  test("the texts are for any editor, the script is for a shell, and no gzip header has a time or a name", () => {
    for (const name of ["README.TXT", "LICENSES.TXT"]) expect(text(name).replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    for (const { file, what } of packed) expect(text("README.TXT")).toContain(`    ${file.padEnd(16)}${what}\r\n`);
    expect(text("README.TXT")).not.toMatch(/VERSION|EXECUTABLES|[^\x20-\x7e\r\n]/);
    expect(text("install.sh")).not.toContain("\r");
    for (const { file } of packed) {
      const [, , , flags, ...time] = readFileSync(join(stick, file)).subarray(0, 8);
      expect([flags, ...time]).toEqual([0, 0, 0, 0, 0]);
    }
  });

  test("an older stick is updated, files that we do not have any more are removed, and other files stay", () => {
    writeFileSync(join(stick, "photo.jpg"), "");
    fillStick(stick, packed.slice(0, 1), "", "c0ffee");
    const names = readdirSync(stick);
    expect(names).toContain("photo.jpg");
    expect(names).not.toContain("arm64.gz");
    expect(names).not.toContain("amd64.deb");
    expect(names).not.toContain("musl-cxx.gz");
  });
});

const noTexts = existsSync("/usr/share/common-licenses") ? undefined : "no /usr/share/common-licenses (Debian has it)";
test.skipIf(noTexts !== undefined)(
  `licences of all that is inside${noTexts === undefined ? "" : ` [skipped: ${noTexts}]`}`,
  () => {
    const all = licences("GCC's");
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const titles = Object.entries(dependencies).map(([name, version]) => `\n${name} ${version} (`);
    const named = ["authors of nullmodem", "JavaScriptCore", "tinycc", "Vitaly Puzrin", "\nnode-addon-api ", "GCC's\n"];
    const whole = ["GNU LIBRARY GENERAL", "GNU LESSER GENERAL", "GNU GENERAL PUBLIC", "Apache License"];
    expect([...titles, ...named, ...whole].filter((text) => !all.includes(text))).toEqual([]);
  },
);

/** False: Bun is in a private folder. */
function mayRunBun(uid: number): boolean {
  try {
    return Bun.spawnSync([process.execPath, "--version"], { uid, gid: uid }).success;
  } catch {
    return false;
  }
}

/** The user nobody, where root can run Bun as nobody. */
const nobody = process.getuid?.() === 0 && mayRunBun(65534) ? { uid: 65534, gid: 65534 } : undefined;

test(
  `the same sources in two folders${nobody === undefined ? "" : ", built by root and by an ordinary user,"} give the same executable`,
  () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { dependencies: object };
    const build = (place: string, from: string, user: { uid?: number; gid?: number }): string => {
      const copy = join(folder, place);
      mkdirSync(join(copy, "scripts"), { recursive: true });
      for (const directory of ["src", "scripts/start-pages"])
        cpSync(join(from, directory), join(copy, directory), { recursive: true });
      for (const file of ["package.json", "tsconfig.json", "scripts/build.ts", "scripts/read-ahead.ts"])
        copyFileSync(join(from, file), join(copy, file));
      // Copies, because the names of the parts depend on where a link leads.
      for (const name of Object.keys(dependencies))
        cpSync(join(ROOT, "node_modules", name), join(copy, "node_modules", name), { recursive: true });
      if (user.uid !== undefined) {
        chmodSync(folder, 0o755);
        Bun.spawnSync(["chown", "-R", `${user.uid}`, copy]);
      }
      const { exitCode, stderr } = Bun.spawnSync([process.execPath, "scripts/build.ts"], {
        cwd: copy,
        stdout: "ignore",
        stderr: "pipe",
        ...user,
      });
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
      return sha256(readFileSync(join(copy, "dist/nullmodem")));
    };
    const one = build("one", ROOT, {});
    expect(build("another/deeper/folder", join(folder, "one"), nobody ?? {})).toBe(one);
  },
  5 * PATIENCE_MS,
);

const shells = ["dash", "busybox ash", "bash"].filter((shell) => Bun.which(shell.split(" ")[0]!) !== null);
test("install.sh runs the executable with no variable that begins with BUN_", () => {
  const start = readFileSync(INSTALL, "utf8").split("\nAPPLETS=")[0]!;
  const env = {
    PATH: process.env["PATH"] ?? "",
    BUN_OPTIONS: "--preload=a b",
    BUN_BE_BUN: "1",
    BUN_OTHER: "",
    KEPT: "1",
  };
  const { stdout } = Bun.spawnSync(["sh", "-c", `${start}\nenv`], { env });
  expect(stdout.toString().match(/^(BUN_|KEPT).*$/gm)).toEqual(["KEPT=1"]);
});

test(`install.sh is a script for ${shells.join(", ")}`, () => {
  for (const shell of shells) expect(Bun.spawnSync([...shell.split(" "), "-n", INSTALL]).stderr.toString()).toBe("");
});

const shellcheck = Bun.which("shellcheck");
test.skipIf(shellcheck === null)(
  `shellcheck has nothing to say${shellcheck === null ? " [skipped: no shellcheck (Debian package shellcheck)]" : ""}`,
  () => {
    expect(Bun.spawnSync([shellcheck!, "-s", "sh", INSTALL]).stdout.toString()).toBe("");
  },
);
