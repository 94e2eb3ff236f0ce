// Collects the licences of everything in the executables into one text.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

interface Lock {
  packages: Record<string, { version?: string; dev?: boolean; license?: string } | undefined>;
}

/** Complete licences that the texts mention only by name. Debian has them. */
const COMMON = "/usr/share/common-licenses";

/** Throws with the reason when a licence is missing. */
export function licences(muslCxx: string | undefined): string {
  const common = ["LGPL-2", "LGPL-2.1", "Apache-2.0", ...(muslCxx === undefined ? [] : ["GPL-3"])];
  const parts: [title: string, text: string][] = [
    ...licenceParts(),
    ...(muslCxx === undefined ? [] : [["libstdc++.so.6 (musl-cxx.gz)", muslCxx] as [string, string]]),
    ...common.map((name): [string, string] => [name, readFileSync(join(COMMON, name), "utf8")]),
  ];
  const line = "=".repeat(72);
  return parts.map(([title, text]) => `${line}\n${title}\n${line}\n\n${text.trim()}\n\n`).join("");
}

/** The licences of everything in the executable, nullmodem's own first. */
export function licenceParts(): [title: string, text: string][] {
  return [["nullmodem", readFileSync(join(ROOT, "LICENSE"), "utf8")], ["Bun, the runtime", bun()], ...packages()];
}

/** Bun's page about its licences, without the header for its web site. */
function bun(): string {
  const page = readFileSync(join(ROOT, "node_modules/bun-types/docs/project/license.mdx"), "utf8");
  return page
    .replace(/^---\n[^]*?\n---\n/, "")
    .replace(/ {2,}\|/g, " |")
    .replace(/-{4,}/g, "---");
}

/** Every package that is not only a development dependency. */
function packages(): [string, string][] {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
  return Object.entries(lock.packages).flatMap(([path, entry]): [string, string][] => {
    if (path === "" || entry === undefined || entry.dev === true) return [];
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const folder = join(ROOT, path);
    const file = existsSync(folder) ? readdirSync(folder).find((one) => /^licen[sc]e(\.|$)/i.test(one)) : undefined;
    if (file === undefined) throw new Error(`${path} has no licence file`);
    return [[`${name} ${entry.version ?? ""} (${entry.license ?? ""})`, readFileSync(join(folder, file), "utf8")]];
  });
}
