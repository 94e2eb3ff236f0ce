// Fills a folder for a FAT stick: executables, Debian packages, checksums, install.sh, README.TXT, licences.
// npm run stick -- DIR [--partial]
//
// The same commit gives the same bytes: the files contain no path and no time but the commit's, and everything comes from
// package-lock.json. (musl-cxx.gz also depends on Debian's gcc.) Names are 8.3. No file is a link or needs to be
// executable.

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { VERSION } from "../src/options/version.ts";
import { compile } from "./build.ts";
import { shareFiles } from "./share-files.ts";
import { architectureOf, debMaker } from "./deb.ts";
import { licences } from "./stick/licences.ts";
import { type MuslCxx, muslCxx } from "./stick/musl-cxx.ts";
import { placeTrouble, writeAllOrNone } from "./stick/place.ts";
import { runtimeOf, type Target, TARGETS } from "./stick/runtimes.ts";
import { tarOf } from "./stick/tar-archive.ts";

const ROOT = join(import.meta.dir, "..");
const PARTS = join(import.meta.dir, "stick");
const MUSL_CXX = "musl-cxx.gz";
/** Files that an older stick may have and the new one may not have. */
const BIG_FILES = [...TARGETS.flatMap(filesOf), MUSL_CXX];
/** The approximate size of a compressed executable, or of a package, for the check before the build. */
const EXECUTABLE_OCTETS = 55_000_000;

/** A file that install.sh unpacks. */
export interface Packed {
  /** "x64.gz" */
  readonly file: string;
  readonly name: "nullmodem" | "libstdc++.so.6" | "share.tar";
  readonly machine: Target["machine"] | "any";
  readonly libc: Target["libc"] | "any";
  readonly what: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A target's executable, and the Debian package of it: "x64.gz" and "amd64.deb". */
function filesOf(target: Target): string[] {
  const architecture = architectureOf(target);
  return [target.file, ...(architecture === undefined ? [] : [`${architecture}.deb`])];
}

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Writes the stick's files into the folder and replaces those of an older stick. Returns their names. `packages` are files
 * that are written as they are.
 */
export function fillStick(
  folder: string,
  packed: readonly Packed[],
  licence: string,
  commit: string,
  packages: ReadonlyMap<string, Uint8Array> = new Map(),
): string[] {
  const files = new Map<string, Uint8Array | string>(packages);
  // libdeflate at 9: as fast as zlib at 6 and smaller than zlib at 9. No name and no time in its header.
  for (const { file, bytes } of packed) {
    files.set(file, Bun.gzipSync(bytes, { library: "libdeflate", level: 9 }));
  }
  const contents = packed.map(({ file, name, machine, libc, bytes }) =>
    [file, name, machine, libc, bytes.length, sha256(bytes)].join(" "),
  );
  files.set("contents.txt", `nullmodem ${VERSION} commit ${commit}\n${contents.map((line) => `${line}\n`).join("")}`);
  files.set("install.sh", readFileSync(join(PARTS, "install.sh")));
  const table = packed.map(({ file, what }) => `    ${file.padEnd(16)}${what}\n`).join("");
  const readme = readFileSync(join(PARTS, "readme.txt"), "utf8")
    .replace("VERSION", VERSION)
    .replace("EXECUTABLES\n", () => table);
  files.set("README.TXT", readme.replaceAll("\n", "\r\n"));
  files.set("LICENSES.TXT", licence.replaceAll(/\r?\n/g, "\r\n"));
  const names = [...files.keys()].sort();
  const sums = names.map((name) => `${sha256(files.get(name) ?? "")}  ${name}\n`);
  files.set("sha256.txt", sums.join(""));

  const octets = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  const trouble = placeTrouble(folder, octets, BIG_FILES);
  if (trouble !== undefined) throw new Error(trouble);
  writeAllOrNone(folder, files, BIG_FILES);
  return [...files.keys()];
}

async function packedShare(): Promise<Packed> {
  const what = "manual pages and completions for bash, zsh, fish";
  return { file: "share.gz", name: "share.tar", machine: "any", libc: "any", what, bytes: tarOf(await shareFiles()) };
}

/** The checked-out commit, with a plus sign when files differ from it. */
function commitOf(): string {
  const git = (...words: string[]): string =>
    Bun.spawnSync(["git", ...words], { cwd: ROOT })
      .stdout.toString()
      .trim();
  const commit = git("rev-parse", "HEAD");
  return commit === "" ? "unknown" : git("status", "--porcelain") === "" ? commit : `${commit}+`;
}

async function main(argv: readonly string[]): Promise<number> {
  const partial = argv.includes("--partial");
  const [given, ...more] = argv.filter((word) => word !== "--partial");
  if (given === undefined || given.startsWith("-") || more.length > 0) {
    console.error("npm run stick -- DIR [--partial]      --partial: go on without what cannot be had");
    return 2;
  }
  const folder = resolve(given);
  const trouble = placeTrouble(folder, EXECUTABLE_OCTETS * (partial ? 1 : TARGETS.flatMap(filesOf).length), BIG_FILES);
  if (trouble !== undefined) {
    console.error(trouble);
    return 1;
  }
  const missing: string[] = [];
  const packed: Packed[] = [];
  const packages = new Map<string, Uint8Array>();
  const deb = await debMaker();
  let cxx: MuslCxx | undefined;
  const attempt = (what: string, make: (work: string) => void): void => {
    const work = mkdtempSync(join(tmpdir(), "nullmodem-stick-"));
    try {
      make(work);
    } catch (error) {
      missing.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  };
  for (const one of TARGETS) {
    const { file, machine, libc, what, package: from, target } = one;
    attempt(what, (work) => {
      const runtime = runtimeOf(from);
      const outfile = join(work, "nullmodem");
      if (compile(outfile, { target, runtime }) !== 0) throw new Error("it does not build");
      const bytes = readFileSync(outfile);
      packed.push({ file, name: "nullmodem", machine, libc, what, bytes });
      const architecture = architectureOf(one);
      if (architecture !== undefined) packages.set(`${architecture}.deb`, deb(bytes, architecture));
    });
    if (libc !== "musl") continue;
    attempt("libstdc++ for musl", (work) => {
      cxx = muslCxx(runtimeOf(from), work);
      const about = "C++ library for musl systems that have none";
      packed.push({ file: MUSL_CXX, name: "libstdc++.so.6", machine, libc, what: about, bytes: cxx.shared });
    });
  }
  for (const line of missing) console.error(`missing: ${line}`);
  if (missing.length > 0 && (!partial || packed.length === 0)) {
    console.error("nothing was written; --partial goes on without");
    return 1;
  }
  try {
    const names = fillStick(folder, [...packed, await packedShare()], licences(cxx?.licence), commitOf(), packages);
    console.log(`${folder}: ${names.join(", ")}`);
    return 0;
  } catch (error) {
    console.error(`nothing was written: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
