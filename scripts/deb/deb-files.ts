// The files of the Debian package and of its control archive.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { APPLETS } from "../../src/applets/applets.ts";
import { PAGE_LINKS } from "../manuals.ts";
import { shareFiles } from "../share-files.ts";
import { foldersOf, gzip, type PackedFile } from "./deb-archive.ts";
import { copyright, debianChangelog, MAINTAINER, ownText, PROGRAMS, units } from "./deb-texts.ts";
import { dependencies } from "./dependencies.ts";

const ROOT = join(import.meta.dir, "../..");
const DOCUMENTS = "usr/share/doc/nullmodem";
const LINKS = Object.keys(APPLETS);
/** The text of a new file of secrets: a comment. postrm removes a file that is still the same. */
const SECRETS = "# Passwords of PPP, a line each:  client  server  secret  addresses";
export type Architecture = "amd64" | "arm64";

const encoder = new TextEncoder();
const fileOf = (path: string, text: string, mode = 0o644): PackedFile => ({
  path,
  content: encoder.encode(text),
  mode,
});

/** The files that are the same for each architecture. `time` is in seconds. */
export async function commonFiles(version: string, time: number): Promise<PackedFile[]> {
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
    ...(await shared()),
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
 * Manual pages and completions. What has the name of a program of ppp's has another one here: ppp-names.sh makes links
 * with the names.
 */
async function shared(): Promise<PackedFile[]> {
  const files = [...(await shareFiles())].filter(
    ([path]) => !path.includes("completions") || path.includes("/nullmodem"),
  );
  const made = files.map(([path, text]) =>
    path.startsWith("man/")
      ? packed(`usr/share/${pageName(path)}.gz`, text)
      : fileOf(`usr/share/${path.replace("zsh/site-functions", "zsh/vendor-completions")}`, text),
  );
  const links = Object.entries(PAGE_LINKS).map(([path, target]): PackedFile => {
    const page = pageName(join(dirname(path), target));
    return { path: `usr/share/man/${pageName(path)}.gz`, content: { link: `${basename(page)}.gz` } };
  });
  return [...made, ...links];
}

/** "man8/nullmodem-pppd.8" for "man8/pppd.8". */
function pageName(path: string): string {
  const page = basename(path);
  return LINKS.includes(page.replace(/\.\d$/, "")) ? join(dirname(path), `nullmodem-${page}`) : path;
}
