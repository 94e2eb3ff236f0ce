// Builds dist/nullmodem, one executable, and the links it is called by. The one place that knows the --compile flags.

import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

export const APPLETS = ["pppd", "chat", "pppstats", "pppdump", "pon", "poff", "plog"];

const root = join(import.meta.dir, "..");

/** Another machine's Bun to build around: its name for --target, and its executable. */
export interface Foreign {
  readonly target: string;
  readonly runtime: string;
}

/** Compiles a program into `outfile`, whose last name is in its bytes; bun's exit code. */
export function compile(outfile: string, foreign?: Foreign, program = join(root, "src/main.ts")): number {
  const { exitCode } = Bun.spawnSync(
    [
      process.execPath,
      "build",
      "--compile",
      "--minify",
      "--bytecode",
      "--format=esm",
      // Its path inside the executable, not loaded by way of a file in TMPDIR: os/serial/serialport.ts loads it itself.
      "--loader=.node:file",
      // A root daemon must not run what a bunfig.toml or .env of the working directory says.
      "--no-compile-autoload-bunfig",
      "--no-compile-autoload-dotenv",
      ...(foreign === undefined ? [] : [`--target=${foreign.target}`, `--compile-executable-path=${foreign.runtime}`]),
      `--outfile=${outfile}`,
      program,
    ],
    // Bun writes NODE_ENV into the executable, and a test's would silence consola for good.
    { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, NODE_ENV: "production" } },
  );
  return exitCode;
}

if (import.meta.main) {
  const dist = join(root, "dist");
  mkdirSync(dist, { recursive: true });
  const status = compile(join(dist, "nullmodem"));
  if (status !== 0) process.exit(status);

  for (const name of APPLETS) {
    rmSync(join(dist, name), { force: true });
    symlinkSync("nullmodem", join(dist, name));
  }
  console.log(`dist/nullmodem and its links ${APPLETS.join(", ")}`);
}
