// Makes libstdc++.so.6 for a musl system without one. Bun's musl executable needs it, a minimal Alpine does not have
// it, and a stick is used without a network. It contains the functions that Bun needs, from Debian's "shared library
// subset kit".

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Runs a command. Returns its standard output, or throws with the reason. */
function run(command: readonly string[], cwd: string): string {
  if (Bun.which(command[0]!) === null) throw new Error(`${command[0]} is not installed`);
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd, env: { ...process.env, LC_ALL: "C" } });
  if (exitCode !== 0) throw new Error(`${command.join(" ").slice(0, 200)}: ${stderr.toString().trim().slice(-500)}`);
  return stdout.toString();
}

export interface MuslCxx {
  readonly shared: Uint8Array<ArrayBuffer>;
  /** Its origin and its licence. */
  readonly licence: string;
}

/**
 * Builds the library for the Bun at `runtime` (x86-64 only) in the empty folder `work`. Throws with the reason on
 * failure.
 */
export function muslCxx(runtime: string, work: string): MuslCxx {
  const machine = run(["gcc", "-dumpmachine"], work).trim();
  if (!machine.startsWith("x86_64-")) throw new Error(`gcc is for ${machine}, not for 64-bit x86`);
  const major = run(["gcc", "-dumpversion"], work).trim();
  const name = `libstdc++-${major}-pic`;
  const pool = join(work, "deb");
  mkdirSync(pool);
  run(["apt-get", "-q", "download", name], pool);
  const deb = readdirSync(pool).find((file) => file.endsWith(".deb"));
  if (deb === undefined) throw new Error(`apt-get download ${name} brought nothing`);
  run(["dpkg-deb", "-x", deb, "."], pool);
  const archive = join(pool, `usr/lib/gcc/${machine}/${major}/libstdc++_pic.a`);
  if (!existsSync(archive)) throw new Error(`${name} has no libstdc++_pic.a`);

  const symbols = (...from: readonly string[]): string[] =>
    run(["nm", ...from], work)
      .split("\n")
      .flatMap((line) => /^(?:[0-9a-f]+)? +[A-Za-z] ([^@\s]+)/.exec(line)?.[1] ?? []);
  const there = new Set(symbols("-g", "--defined-only", archive));
  // Include symbols that the executable defines itself: it copies vtables from the library when that is loaded.
  const wanted = [...new Set(symbols("-D", runtime))].filter((one) => there.has(one)).sort();

  run(
    [
      "gcc",
      ...["-shared", "-fPIC", "-O2", "-nostdlib", "-fno-builtin", "-o", "libstdc++.so.6"],
      ...["-Wl,-soname,libstdc++.so.6", "-Wl,--build-id=none", "-Wl,--gc-sections", "-Wl,-s"],
      ...wanted.map((symbol) => `-Wl,-u,${symbol}`),
      ...[join(import.meta.dir, "musl-cxx.c"), archive, "-lgcc_eh", "-lgcc"],
    ],
    work,
  );
  const version = run(["dpkg-deb", "-f", join(pool, deb), "Version"], work).trim();
  const copyright = `/usr/share/doc/gcc-${major}-base/copyright`;
  return {
    shared: readFileSync(join(work, "libstdc++.so.6")),
    licence:
      `Part of libstdc++ of GCC, as in Debian's ${name} ${version}; its source is Debian's package gcc-${major} of that\n` +
      `version. Put together by scripts/stick/musl-cxx.ts of nullmodem.\n\n${readFileSync(copyright, "utf8")}`,
  };
}
