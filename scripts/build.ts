// Builds dist/nullmodem, one executable, and the links to it. Only this file knows the --compile flags.

import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { APPLETS } from "../src/applets/applets.ts";
import { measuredPages, withReadAhead } from "./read-ahead.ts";

/** The links to the executable. */
const LINKS = Object.keys(APPLETS);

const root = join(import.meta.dir, "..");
const PROGRAM = join(root, "src/main.ts");

/** A Bun for another machine to build with: its name for --target, and its executable. */
export interface Foreign {
  readonly target: string;
  readonly runtime: string;
}

/**
 * Compiles a program to `outfile`. The last part of that path is in the executable's bytes. Returns bun's exit code.
 */
export function compile(outfile: string, foreign?: Foreign, program = PROGRAM): number {
  const exitCode = compileBare(outfile, foreign, program);
  if (exitCode === 0) readAhead(outfile);
  return exitCode;
}

/** The same without the code that reads pages ahead. */
export function compileBare(outfile: string, foreign?: Foreign, program = PROGRAM): number {
  const order = program === PROGRAM ? bytecodeOrder() : undefined;
  return bunBuild(outfile, program, [
    ...(order === undefined ? [] : [`--bytecode-order=${order}`]),
    ...(foreign === undefined ? [] : [`--target=${foreign.target}`, `--compile-executable-path=${foreign.runtime}`]),
  ]);
}

function bunBuild(outfile: string, program: string, options: readonly string[]): number {
  const { exitCode } = Bun.spawnSync(
    [
      process.execPath,
      "build",
      "--compile",
      "--minify",
      "--bytecode",
      "--format=esm",
      // A file for each program and for what is loaded later. In one file, a module costs time although it is not used.
      "--splitting",
      // Embed the addon's file without Bun's loader, which would use TMPDIR. os/serial/serialport.ts loads it.
      "--loader=.node:file",
      // A daemon of root must not read a bunfig.toml or .env in the working directory.
      "--no-compile-autoload-bunfig",
      "--no-compile-autoload-dotenv",
      ...options,
      `--outfile=${outfile}`,
      program,
    ],
    // Bun writes NODE_ENV into the executable. The value of a test run would silence consola.
    { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, NODE_ENV: "production" } },
  );
  return exitCode;
}

/** The user who owns nothing, "nobody". */
const NOBODY = 65534;

let orderFile: string | undefined;

/**
 * The order in which a start needs the bytecode, as a file for bun. Bun reads that part ahead when it starts, 1.5 MB;
 * without an order, all 6.7 MB. A first executable writes the file: pppd --version loads what a link loads, and does
 * nothing else. It runs as an ordinary user, since root's start runs other functions. So the file is the same for every
 * target, user and time. Undefined: the first executable does not run here.
 */
function bytecodeOrder(): string | undefined {
  if (orderFile !== undefined) return orderFile;
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-order-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const first = join(folder, "nullmodem");
  const order = join(folder, "order");
  if (bunBuild(first, PROGRAM, []) !== 0) return undefined;
  const env = { ...process.env, BUN_BYTECODE_ORDER_OUT: order };
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  Bun.spawnSync([first, "pppd", "--version"], {
    stdio: ["ignore", "ignore", "inherit"],
    env,
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
  });
  rmSync(first);
  return existsSync(order) ? (orderFile = order) : undefined;
}

/** Adds the code that reads the start's pages ahead, if they were measured for the Bun in the executable. */
function readAhead(executable: string): void {
  const file = readFileSync(executable);
  const pages = measuredPages(file);
  const changed = pages === undefined ? undefined : withReadAhead(file, pages);
  if (changed !== undefined) writeFileSync(executable, changed);
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
