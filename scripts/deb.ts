// Builds Debian packages, nullmodem_VERSION_amd64.deb and nullmodem_VERSION_arm64.deb: npm run deb -- [DIR] [--partial]
//
// The same commit gives the same bytes: the archives are written here, with the commit's time in them, and Bun packs them.
// dpkg's own tools would pack them smaller by a fifth (xz), but in two minutes each, and their bytes depend on the version
// of the tool. Neither Debian nor root is needed.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { VERSION } from "../src/options/version.ts";
import { compile } from "./build.ts";
import { debArchive } from "./deb/deb-archive.ts";
import { type Architecture, commonFiles, controlFiles, dataFiles } from "./deb/deb-files.ts";
import { placeTrouble, writeAllOrNone } from "./stick/place.ts";
import { runtimeOf, type Target, TARGETS } from "./stick/runtimes.ts";

const ROOT = join(import.meta.dir, "..");
/** The approximate size of a package, for the check before the build. */
const PACKAGE_OCTETS = 60_000_000;
const ARCHITECTURES = { x86_64: "amd64", aarch64: "arm64" } as const satisfies Record<Target["machine"], Architecture>;

/** Debian's name for the machines of a target. Undefined: Debian has other C libraries than this. */
export function architectureOf({ machine, libc }: Pick<Target, "machine" | "libc">): Architecture | undefined {
  return libc === "glibc" ? ARCHITECTURES[machine] : undefined;
}

type DebMaker = (executable: Uint8Array, architecture: Architecture) => Uint8Array<ArrayBuffer>;

/** Makes packages of executables. */
export async function debMaker(version = VERSION): Promise<DebMaker> {
  const time = commitTime();
  const common = await commonFiles(version, time);
  return (executable, architecture) => {
    const data = dataFiles(common, executable);
    return debArchive(controlFiles(data, version, architecture), data, time);
  };
}

export const debName = (architecture: Architecture, version = VERSION): string =>
  `nullmodem_${version}_${architecture}.deb`;

/** SOURCE_DATE_EPOCH, or when the checked-out commit was made, in seconds. Without git, when package.json was changed. */
function commitTime(): number {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  const { stdout } = Bun.spawnSync(["git", "log", "-1", "--format=%ct"], { cwd: ROOT, stderr: "ignore" });
  const time = Number.parseInt(stdout.toString(), 10);
  return Number.isNaN(time) ? Math.floor(statSync(join(ROOT, "package.json")).mtimeMs / 1000) : time;
}

/** The executable for a target. Throws with the reason when it cannot be built. */
export function executableFor({ package: from, target }: Target): Uint8Array<ArrayBuffer> {
  const work = mkdtempSync(join(tmpdir(), "nullmodem-deb-"));
  try {
    const outfile = join(work, "nullmodem");
    if (compile(outfile, { target, runtime: runtimeOf(from) }) !== 0) throw new Error("it does not build");
    return readFileSync(outfile);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const partial = argv.includes("--partial");
  const [given = "deb", ...more] = argv.filter((word) => word !== "--partial");
  if (given.startsWith("-") || more.length > 0) {
    console.error("npm run deb -- [DIR] [--partial]      --partial: go on without what cannot be had");
    return 2;
  }
  const folder = resolve(given);
  const targets = TARGETS.flatMap((target) => {
    const architecture = architectureOf(target);
    return architecture === undefined ? [] : [{ target, architecture, name: debName(architecture) }];
  });
  const names = targets.map(({ name }) => name);
  const trouble = placeTrouble(folder, PACKAGE_OCTETS * (partial ? 1 : targets.length), names);
  if (trouble !== undefined) {
    console.error(trouble);
    return 1;
  }
  const make = await debMaker();
  const files = new Map<string, Uint8Array>();
  let missing = 0;
  for (const { target, architecture, name } of targets) {
    try {
      files.set(name, make(executableFor(target), architecture));
    } catch (error) {
      missing++;
      console.error(`missing: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (files.size === 0 || (missing > 0 && !partial)) {
    console.error("nothing was written; --partial goes on without");
    return 1;
  }
  try {
    writeAllOrNone(folder, files, names);
    for (const name of files.keys()) console.log(join(folder, name));
    return 0;
  } catch (error) {
    console.error(`nothing was written: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
