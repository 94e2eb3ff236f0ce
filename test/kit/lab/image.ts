// The guest's first file system: busybox and the kernel's PPP modules from Debian's packages on this machine; pppd and
// its companions with libraries and plugins, and PAM, from here as well or from the folder that scripts/trixie.sh
// filled. It is made once and kept in the user's cache.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { Cpio } from "./cpio.ts";

export const KERNEL = "/usr/bin/linux.uml";
const MODULES = "/usr/lib/uml/modules";
/** The modules that pppd may need, in loading order, after those that they depend on. */
const WANTED = ["ppp_async", "ppp_deflate", "bsd_comp", "ppp_mppe", "ppp_synctty", "ipv6"];
const BUSYBOX = "/bin/busybox";
const PROGRAMS = ["pppd", "chat", "pppstats", "pppdump"].map((name) => `/usr/sbin/${name}`);
const PLUGINS = "/usr/lib/pppd";
const LIBRARIES = "/usr/lib/x86_64-linux-gnu";
const LOADER = "/usr/lib64/ld-linux-x86-64.so.2";
const PAM_MODULES = ["pam_unix.so", "pam_permit.so", "pam_deny.so", "pam_nologin.so"];
const PAM_FOLDER = `${LIBRARIES}/security`;
/** Libraries that are loaded only at run time, if they exist. MS-CHAP needs MD4 from this one. */
const LATE_LIBRARIES = [`${LIBRARIES}/ossl-modules/legacy.so`];
/** The program with which pam_unix looks up an account, since PAM 1.5.3 for root too. */
const PAM_HELPER = "/usr/sbin/unix_chkpwd";
const PAM_SERVICE = "/etc/pam.d/ppp";
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "user-mode-linux": [KERNEL, MODULES],
  "busybox-static": [BUSYBOX],
  ppp: [...PROGRAMS, PAM_HELPER, PAM_SERVICE],
};
const FOLDERS = "dev etc/ppp home lab/host mnt proc root run/lock sys var/lib var/log";
const INIT = join(import.meta.dir, "init.sh");
const RUNNER = join(import.meta.dir, "runner.sh");
/** How long an image is kept. */
const WEEK_MS = 7 * 86_400_000;

/** The pppd in the guest: the installed one (Debian bookworm's 2.4.9), or the one that scripts/trixie.sh fetched. */
export const VERSIONS = ["installed", "2.5.2"] as const;
export type Version = (typeof VERSIONS)[number];

const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");

/** The folder with the files of this version, as they would be below /. */
const rootOf = (version: Version): string => (version === "installed" ? "" : join(cache, `nullmodem-ppp-${version}`));

/** Why no guest can be made here, as text, or undefined. */
export function imageMissing(version: Version): string | undefined {
  if (process.arch !== "x64") return `the lab's guest is a PC of 64 bits, this is ${process.arch}`;
  const packages = Object.entries(PACKAGES).flatMap(([name, files]) => (files.every(existsSync) ? [] : [name]));
  if (packages.length > 0)
    return `the lab needs the Debian packages ${packages.join(", ")} (apt-get install --no-install-recommends)`;
  if (existsSync(join(rootOf(version), PROGRAMS[0]!))) return undefined;
  return `the lab has no pppd ${version} (sh scripts/ready.sh test fetches it from Debian)`;
}

/** The path of the image. It is made when none exists for these packages and this text. */
export function image(version: Version): string {
  const folder = join(cache, "nullmodem-lab");
  const root = rootOf(version);
  // Any action of apt changes dpkg's list.
  const installed = [KERNEL, BUSYBOX, "/var/lib/dpkg/status", ...PROGRAMS.map((path) => root + path)];
  const sources = installed.map((path) => {
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
    return `${path} ${size} ${mtimeMs}`;
  });
  const texts = [INIT, RUNNER, import.meta.path].map((path) => readFileSync(path));
  const hash = createHash("sha256").update(sources.join("\n"));
  for (const text of texts) hash.update(text);
  const path = join(folder, `${hash.digest("hex").slice(0, 16)}.cpio`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // Several processes may do this at the same time.
  const unfinished = join(folder, `${process.pid}.new`);
  writeFileSync(unfinished, build(root));
  renameSync(unfinished, path);
  // Other checkouts have their own images and may be about to boot them.
  for (const other of readdirSync(folder).map((name) => join(folder, name)))
    if (Date.now() - (statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > WEEK_MS)
      rmSync(other, { force: true });
  return path;
}

function build(root: string): Uint8Array {
  const cpio = new Cpio();
  for (const folder of FOLDERS.split(" ")) cpio.folder(folder);
  cpio.folder("tmp", 0o1777);
  cpio.link("var/run", "/run");
  cpio.link("var/lock", "/run/lock");
  cpio.device("dev/console", 5, 1, 0o600);
  cpio.device("dev/null", 1, 3);
  cpio.file("init", readFileSync(INIT), 0o755);
  cpio.file("lab/runner", readFileSync(RUNNER));
  cpio.file(BUSYBOX, readFileSync(BUSYBOX), 0o755);
  const applets = Bun.spawnSync([BUSYBOX, "--list"]).stdout.toString().trim().split("\n");
  const ours = PROGRAMS.map((path) => basename(path));
  for (const applet of applets) if (applet !== "busybox" && !ours.includes(applet)) cpio.link(`bin/${applet}`, BUSYBOX);
  cpio.link("usr/bin/sh", BUSYBOX);
  addPpp(cpio, root);
  addModules(cpio);
  return cpio.end();
}

/** pppd, its companions, and the files that they need. */
function addPpp(cpio: Cpio, root: string): void {
  // Debian's library folders have two names each.
  for (const folder of ["lib", "lib64"]) cpio.link(folder, `usr/${folder}`);
  const plugins = existsSync(root + PLUGINS)
    ? [...new Bun.Glob("*/*.so").scanSync({ cwd: root + PLUGINS, absolute: true, onlyFiles: false })]
    : [];
  const pam = PAM_MODULES.map((name) => join(PAM_FOLDER, name));
  const late = LATE_LIBRARIES.filter((path) => existsSync(root + path));
  const dynamic = [...[...PROGRAMS, PAM_HELPER, ...pam, ...late].map((path) => root + path), ...plugins];
  for (const path of new Set([...dynamic, ...libraries(dynamic, root)]))
    cpio.file(path.slice(root.length).replace(/^\/lib/, "/usr/lib"), readFileSync(path), 0o755);
  cpio.file(PAM_SERVICE, readFileSync(root + PAM_SERVICE));
}

function addModules(cpio: Cpio): void {
  const [release] = readdirSync(MODULES);
  if (release === undefined) throw new Error(`${MODULES} is empty`);
  const target = `/usr/lib/modules/${release}`;
  const files = ["modules.builtin", "modules.alias", "modules.softdep"];
  const dependencies = modules(join(MODULES, release));
  for (const path of [...files, ...dependencies.map(([path]) => path)])
    cpio.file(join(target, path), readFileSync(join(MODULES, release, path)));
  cpio.file(join(target, "modules.dep"), dependencies.map(([path, needs]) => `${path}: ${needs.join(" ")}\n`).join(""));
  cpio.file("lab/modules", `${WANTED.join(" ")}\n`);
}

/**
 * The libraries that these files need, and the loader, as the loader prints them: "name => path (address)". The names
 * are kept, whatever files they refer to.
 */
function libraries(paths: readonly string[], root: string): Set<string> {
  const found = paths.flatMap((path) => {
    const { stdout } = Bun.spawnSync([root + LOADER, "--library-path", root + LIBRARIES, "--list", path], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    return [...stdout.toString().matchAll(/ => (\/\S+) \(0x[0-9a-f]+\)$/gm)].map(([, library]) => library!);
  });
  return new Set([root + LOADER, ...found.filter((library) => !library.endsWith(LOADER))]);
}

/** The wanted modules and all their dependencies: "path: path …" in modules.dep. */
function modules(folder: string): [path: string, needs: string[]][] {
  const lines = readFileSync(join(folder, "modules.dep"), "utf8").split("\n");
  const needs = new Map(
    lines.map((line) => {
      const [path = "", rest = ""] = line.split(":");
      return [path, rest.trim().split(" ").filter(Boolean)];
    }),
  );
  const wanted = new Map<string, string[]>();
  const add = (path: string): void => {
    const below = needs.get(path) ?? [];
    wanted.set(path, below);
    below.forEach(add);
  };
  for (const [path] of needs) if (WANTED.includes(basename(path, ".ko").replaceAll("-", "_"))) add(path);
  return [...wanted];
}
