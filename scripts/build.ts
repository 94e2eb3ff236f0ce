// Builds dist/nullmodem, one executable, and the links to it. Only this file knows the --compile flags.

import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { APPLETS } from "../src/applets/applets.ts";

/** The links to the executable. */
const LINKS = Object.keys(APPLETS);

const root = join(import.meta.dir, "..");

/** A Bun for another machine to build with: its name for --target, and its executable. */
export interface Foreign {
  readonly target: string;
  readonly runtime: string;
}

/**
 * Compiles a program to `outfile`. The last part of that path is in the executable's bytes. Returns bun's exit code.
 */
export function compile(outfile: string, foreign?: Foreign, program = join(root, "src/main.ts")): number {
  const { exitCode } = Bun.spawnSync(
    [
      process.execPath,
      "build",
      "--compile",
      "--minify",
      "--bytecode",
      "--format=esm",
      // Embed the addon's file without Bun's loader, which would use TMPDIR. os/serial/serialport.ts loads it.
      "--loader=.node:file",
      // A daemon of root must not read a bunfig.toml or .env in the working directory.
      "--no-compile-autoload-bunfig",
      "--no-compile-autoload-dotenv",
      ...(foreign === undefined ? [] : [`--target=${foreign.target}`, `--compile-executable-path=${foreign.runtime}`]),
      `--outfile=${outfile}`,
      program,
    ],
    // Bun writes NODE_ENV into the executable. The value of a test run would silence consola.
    { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, NODE_ENV: "production" } },
  );
  return exitCode;
}

if (import.meta.main) {
  const dist = join(root, "dist");
  mkdirSync(dist, { recursive: true });
  const status = compile(join(dist, "nullmodem"));
  if (status !== 0) process.exit(status);

  for (const name of LINKS) {
    rmSync(join(dist, name), { force: true });
    symlinkSync("nullmodem", join(dist, name));
  }
  console.log(`dist/nullmodem and its links ${LINKS.join(", ")}`);
}
