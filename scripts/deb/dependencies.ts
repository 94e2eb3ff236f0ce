// What the executable needs of Debian: the packages of the libraries that it and the addon in it are linked with, in the
// versions that have their symbols.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { elfNeeds } from "./elf-needs.ts";

const PREBUILDS = join(import.meta.dir, "../../node_modules/@serialport/bindings-cpp/prebuilds");
const ADDONS = {
  amd64: "linux-x64/@serialport+bindings-cpp.glibc.node",
  arm64: "linux-arm64/@serialport+bindings-cpp.armv8.glibc.node",
} as const;

const LIBC = /^(libc|libm|libdl|libpthread|ld-linux[\w-]*)\.so\.\d$/;
/** The first version of Debian's libstdc++6 with the newest symbols that we have met. */
const GLIBCXX = { newest: "3.4.21", package: "5" };

/** "libc6 (>= 2.28), …" */
export function dependencies(executable: Uint8Array, architecture: keyof typeof ADDONS): string {
  const all = [executable, readFileSync(join(PREBUILDS, ADDONS[architecture]))].map(elfNeeds);
  const libraries = [...new Set(all.flatMap((needs) => needs.libraries))];
  const versions = all.flatMap((needs) => needs.versions);
  const found = new Map<string, string>();
  for (const library of libraries) {
    if (LIBC.test(library)) found.set("libc6", newest(versions, "GLIBC_"));
    else if (library === "libgcc_s.so.1") found.set("libgcc-s1", newest(versions, "GCC_"));
    else if (library === "libstdc++.so.6") found.set("libstdc++6", standardLibrary(newest(versions, "GLIBCXX_")));
    else throw new Error(`dependencies.ts does not know which Debian package has ${library}`);
  }
  return [...found]
    .sort()
    .map(([name, version]) => `${name} (>= ${version})`)
    .join(", ");
}

function standardLibrary(version: string): string {
  if (Bun.semver.order(version, GLIBCXX.newest) > 0) {
    throw new Error(`dependencies.ts does not know which libstdc++6 has GLIBCXX_${version}`);
  }
  return GLIBCXX.package;
}

/** The newest version with this prefix: "2.28" of GLIBC_2.2.5 and GLIBC_2.28. */
function newest(versions: readonly string[], prefix: string): string {
  const numbers = versions.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
  const full = (version: string): string => version.split(".").concat("0", "0").slice(0, 3).join(".");
  const last = numbers.sort((one, other) => Bun.semver.order(full(one), full(other))).at(-1);
  if (last === undefined) throw new Error(`no symbol has a version ${prefix}…`);
  return last;
}
