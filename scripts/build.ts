// Builds dist/nullmodem, one executable, and the links it is called by. The one place that knows the --compile flags.

import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

export const APPLETS = ["pppd", "chat", "pppstats", "pppdump", "pon", "poff", "plog"];

const root = join(import.meta.dir, "..");
const dist = join(root, "dist");
const target = join(dist, "nullmodem");

mkdirSync(dist, { recursive: true });
const built = Bun.spawnSync(
  [
    process.execPath,
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    // A root daemon must not run what a bunfig.toml or .env of the working directory says.
    "--no-compile-autoload-bunfig",
    "--no-compile-autoload-dotenv",
    `--outfile=${target}`,
    join(root, "src/main.ts"),
  ],
  // Bun writes NODE_ENV into the executable, and a test's would silence consola for good.
  { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, NODE_ENV: "production" } },
);
if (built.exitCode !== 0) process.exit(built.exitCode);

for (const name of APPLETS) {
  rmSync(join(dist, name), { force: true });
  symlinkSync("nullmodem", join(dist, name));
}
console.log(`dist/nullmodem and its links ${APPLETS.join(", ")}`);
