// The Buns that executables for other machines are built with. They are packages of the npm registry, as listed in
// package-lock.json, verified by its hashes, and kept in node_modules/.cache.

import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const CACHE = join(ROOT, "node_modules/.cache/nullmodem");

export interface Target {
  /** The name on the stick: 8.3, for FAT. */
  readonly file: string;
  /** The output of uname -m on that machine. */
  readonly machine: "x86_64" | "aarch64";
  readonly libc: "glibc" | "musl";
  readonly what: string;
  readonly package: string;
  /** For bun build --target. Bun's x64 is the baseline (Nehalem, 2008); it detects newer instructions at run time. */
  readonly target: string;
}

export const TARGETS: readonly Target[] = [
  {
    file: "x64.gz",
    machine: "x86_64",
    libc: "glibc",
    what: "64-bit x86 with glibc",
    package: "@oven/bun-linux-x64",
    target: "bun-linux-x64-baseline",
  },
  {
    file: "x64-musl.gz",
    machine: "x86_64",
    libc: "musl",
    what: "64-bit x86 with musl",
    package: "@oven/bun-linux-x64-musl",
    target: "bun-linux-x64-musl-baseline",
  },
  {
    file: "arm64.gz",
    machine: "aarch64",
    libc: "glibc",
    what: "64-bit ARM with glibc",
    package: "@oven/bun-linux-aarch64",
    target: "bun-linux-arm64",
  },
];

interface Lock {
  packages: Record<string, { version: string; integrity: string } | undefined>;
}

/** The path of that package's Bun. Fetches it if necessary. Throws with the reason when it is not available. */
export function runtimeOf(name: string): string {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json has no ${name}`);
  const { version, integrity } = locked;
  const folder = join(CACHE, `${name.replace("/", "+")}-${version}`);
  const runtime = join(folder, "bun");
  if (existsSync(runtime)) return runtime;

  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, "fetching-"));
  try {
    const npm = Bun.spawnSync(["npm", "pack", "--silent", "--prefer-offline", `${name}@${version}`], {
      cwd: work,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const archive = readdirSync(work).find((file) => file.endsWith(".tgz"));
    if (npm.exitCode !== 0 || archive === undefined) {
      throw new Error(`npm pack ${name}@${version} failed: ${npm.stderr.toString().trim()}`);
    }
    const path = join(work, archive);
    const hash = `sha512-${createHash("sha512").update(readFileSync(path)).digest("base64")}`;
    if (hash !== integrity) throw new Error(`${name}@${version} is not what package-lock.json says (${hash})`);
    const tar = Bun.spawnSync(["tar", "-xzf", path, "--strip-components=2", "package/bin/bun"], { cwd: work });
    if (tar.exitCode !== 0) throw new Error(`${name}@${version} has no bin/bun`);
    rmSync(path);
    chmodSync(join(work, "bun"), 0o755);
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
    return runtime;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
