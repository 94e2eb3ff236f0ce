// The files of the Debian package and of its control archive.

import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { APPLETS } from "../../src/applets/applets.ts";
import { foldersOf, gzip, type PackedFile } from "./deb-archive.ts";
import { copyright, debianChangelog, MAINTAINER, ownText, PROGRAMS, units } from "./deb-texts.ts";
import { dependencies } from "./dependencies.ts";

const ROOT = join(import.meta.dir, "../..");
const DOCUMENTS = "usr/share/doc/nullmodem";
const PAGES = "usr/share/man";
const LINKS = Object.keys(APPLETS);
/** The text of a new file of secrets: a comment. postrm removes a file that is still the same. */
const SECRETS = "# Passwords of PPP, a line each:  client  server  secret  addresses";
const SHELLS = {
  bash: "usr/share/bash-completion/completions/nullmodem",
  zsh: "usr/share/zsh/vendor-completions/_nullmodem",
  fish: "usr/share/fish/vendor_completions.d/nullmodem.fish",
} as const;

export type Architecture = "amd64" | "arm64";

const encoder = new TextEncoder();
const fileOf = (path: string, text: string, mode = 0o644): PackedFile => ({
  path,
  content: encoder.encode(text),
  mode,
});

/** The files that are the same for each architecture. `time` is in seconds. */
export function commonFiles(version: string, time: number): PackedFile[] {
  const changelog = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
  return [
    { path: "usr/bin/nullmodem", content: { link: `../lib/nullmodem/nullmodem` } },
    ...LINKS.map((name) => ({ path: join(PROGRAMS.slice(1), name), content: { link: "nullmodem" } })),
    fileOf(join(PROGRAMS.slice(1), "ppp-names.sh"), ownText("ppp-names.sh"), 0o755),
    ...[...units()].map(([name, text]) => fileOf(`usr/lib/systemd/system/${name}`, text)),
    packed(`${DOCUMENTS}/changelog.gz`, debianChangelog(changelog, version, time)),
    fileOf(`${DOCUMENTS}/copyright`, copyright()),
    fileOf(`${DOCUMENTS}/README.Debian`, ownText("README.Debian")),
    packed(`${DOCUMENTS}/README.md.gz`, readFileSync(join(ROOT, "README.md"), "utf8")),
    packed(`${DOCUMENTS}/COMPAT.md.gz`, readFileSync(join(ROOT, "COMPAT.md"), "utf8")),
    fileOf("usr/share/lintian/overrides/nullmodem", ownText("lintian-overrides")),
    ...pages(time),
    ...completions(),
  ];
}

/** The data archive's files. */
export function dataFiles(common: readonly PackedFile[], executable: Uint8Array): PackedFile[] {
  return [...common, { path: join(PROGRAMS.slice(1), "nullmodem"), content: executable, mode: 0o755 }];
}

/** The control archive's files. */
export function controlFiles(data: readonly PackedFile[], version: string, architecture: Architecture): PackedFile[] {
  const executable = data.find(({ path }) => path === join(PROGRAMS.slice(1), "nullmodem"))!.content as Uint8Array;
  const sums = data.flatMap(({ path, content }) =>
    "link" in content ? [] : [`${createHash("md5").update(content).digest("hex")}  ${path}\n`],
  );
  const control = ownText("control")
    .replace("@VERSION@", version)
    .replace("@ARCHITECTURE@", architecture)
    .replace("@MAINTAINER@", MAINTAINER)
    .replace("@KILOBYTES@", String(installedSize(data)))
    .replace("@DEPENDENCIES@", dependencies(executable, architecture));
  return [
    fileOf("control", control),
    fileOf("md5sums", sums.sort().join("")),
    fileOf("triggers", ownText("triggers")),
    ...["postinst", "prerm", "postrm"].map((name) =>
      fileOf(name, ownText(name).replaceAll("@SECRETS@", SECRETS), 0o755),
    ),
  ];
}

/** In KiB: each file is rounded up, and each folder and link counts as one (Debian Policy 5.6.20). */
function installedSize(data: readonly PackedFile[]): number {
  const sizes = data.map(({ content }) => ("link" in content ? 1 : Math.ceil(content.length / 1024)));
  return sizes.reduce((sum, size) => sum + size, foldersOf(data.map(({ path }) => path)).length);
}

function packed(path: string, text: string): PackedFile {
  return { path, content: gzip(encoder.encode(text)) };
}

/**
 * The manual pages. Those of the names that ppp has too are nullmodem-pppd.8.gz and so on: ppp-names.sh makes the
 * others.
 */
function pages(time: number): PackedFile[] {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-manuals-"));
  try {
    run(["scripts/manuals.ts", folder], { SOURCE_DATE_EPOCH: String(time) });
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("/"));
    return names.map((name): PackedFile => {
      const path = `${PAGES}/${pageName(name)}.gz`;
      const file = join(folder, name);
      if (!lstatSync(file).isSymbolicLink()) return packed(path, readFileSync(file, "utf8"));
      const target = join(dirname(name), readlinkSync(file));
      return { path, content: { link: `${basename(pageName(target))}.gz` } };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** "man8/nullmodem-pppd.8" for "man8/pppd.8". */
function pageName(name: string): string {
  const page = basename(name);
  return LINKS.includes(page.replace(/\.\d$/, "")) ? join(dirname(name), `nullmodem-${page}`) : name;
}

function completions(): PackedFile[] {
  return Object.entries(SHELLS).map(([shell, path]) => fileOf(path, run(["src/main.ts", "completion", shell])));
}

/** Runs a program of this project, and returns its output. */
function run(words: readonly string[], env: Record<string, string> = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...words], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  if (exitCode !== 0) throw new Error(`${words.join(" ")} failed: ${stderr.toString().trim()}`);
  return stdout.toString();
}
