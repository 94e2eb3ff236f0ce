// scripts/ready.sh with a registry that refuses connections, as on a machine without a network.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE_MS } from "../kit/patience.ts";

const ROOT = join(import.meta.dir, "../..");
const REGISTRY = "http://127.0.0.1:1/";
const noNpm = Bun.which("npm") === null ? "npm is not installed" : undefined;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nullmodem-ready-"));
  mkdirSync(join(folder, "scripts"));
  for (const file of ["scripts/ready.sh", "package.json", "package-lock.json"])
    cpSync(join(ROOT, file), join(folder, file));
});
afterAll(() => rmSync(folder, { recursive: true }));

function ready(): { status: number; said: string; took: number } {
  const began = performance.now();
  const { exitCode, stderr } = Bun.spawnSync(["sh", "scripts/ready.sh", "build"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      npm_config_registry: REGISTRY,
      npm_config_cache: join(folder, "cache"),
    },
    stderr: "pipe",
  });
  return { status: exitCode, said: stderr.toString(), took: performance.now() - began };
}

test.skipIf(noNpm !== undefined)(
  `without a network and without npm's cache, it says what is missing${noNpm === undefined ? "" : ` [skipped: ${noNpm}]`}`,
  () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    const installed = join(folder, "node_modules/pako");
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, "package.json"), JSON.stringify({ version: packages["node_modules/pako"].version }));
    const { status, said, took } = ready();
    expect(said).toContain(`${REGISTRY} does not answer`);
    expect(said).toContain(`missing, and not in npm's cache: @serialport/bindings-cpp@`);
    expect(said).toContain(` bun@${packages["node_modules/bun"].version} `);
    expect(said).not.toContain("pako@");
    expect(status).toBe(1);
    // npm's own retries take 70 s.
    expect(took).toBeLessThan(PATIENCE_MS);
  },
  2 * PATIENCE_MS,
);

test("apt's lists of packages are there before each script that fetches from Debian's mirror", () => {
  const text = readFileSync(join(ROOT, "scripts/ready.sh"), "utf8");
  const fetching = [...text.matchAll(/^(.*)\n +sh scripts\/(\S+)/gm)];
  expect(fetching.map(([, before, script]) => [script, before!.trim()])).toEqual(
    ["trixie", "pc-kernel", "starters", "servers", "debian-roots"].map((name) => [`${name}.sh`, "package_lists"]),
  );
});
