// The guest's first file system, made from what Debian's packages have installed here: busybox, pppd and its kin with
// their libraries and plugins, PAM, the kernel's PPP modules. Made once and kept in the user's cache.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { Cpio } from "./cpio.ts";

export const KERNEL = "/usr/bin/linux.uml";
const MODULES = "/usr/lib/uml/modules";
/** Those pppd may want, in the order they are loaded; what they depend on comes before them. */
const WANTED = ["ppp_async", "ppp_deflate", "bsd_comp", "ppp_mppe", "ppp_synctty", "ipv6"];
const BUSYBOX = "/bin/busybox";
const PROGRAMS = ["pppd", "chat", "pppstats", "pppdump"].map((name) => `/usr/sbin/${name}`);
const PLUGINS = "/usr/lib/pppd";
const PAM_MODULES = ["pam_unix.so", "pam_permit.so", "pam_deny.so", "pam_nologin.so"];
const PAM_FOLDER = "/lib/x86_64-linux-gnu/security";
const PAM_SERVICE = "/etc/pam.d/ppp";
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "user-mode-linux": [KERNEL, MODULES],
  "busybox-static": [BUSYBOX],
  ppp: [...PROGRAMS, PAM_SERVICE],
};
const FOLDERS = "dev etc/ppp home lab/host mnt proc root run/lock sys var/lib var/log";
const INIT = join(import.meta.dir, "init.sh");
const RUNNER = join(import.meta.dir, "runner.sh");
/** How long an image is kept. */
const WEEK_MS = 7 * 86_400_000;

/** Why no guest can be made here, in plain words, or undefined. */
export function imageMissing(): string | undefined {
  if (process.arch !== "x64") return `the lab's guest is a PC of 64 bits, this is ${process.arch}`;
  const packages = Object.entries(PACKAGES).flatMap(([name, files]) => (files.every(existsSync) ? [] : [name]));
  if (packages.length === 0) return undefined;
  return `the lab needs the Debian packages ${packages.join(", ")} (apt-get install --no-install-recommends)`;
}

/** The path of the image, made first when there is none of these packages and this text. */
export function image(): string {
  const folder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "nullmodem-lab");
  // Whatever apt does, it changes dpkg's own list.
  const sources = [KERNEL, BUSYBOX, ...PROGRAMS, "/var/lib/dpkg/status"].map((path) => {
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
    return `${path} ${size} ${mtimeMs}`;
  });
  const texts = [INIT, RUNNER, import.meta.path].map((path) => readFileSync(path));
  const hash = createHash("sha256").update(sources.join("\n"));
  for (const text of texts) hash.update(text);
  const path = join(folder, `${hash.digest("hex").slice(0, 16)}.cpio`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // Several may be at it at the same time.
  const unfinished = join(folder, `${process.pid}.new`);
  writeFileSync(unfinished, build());
  renameSync(unfinished, path);
  // Other checkouts have images of their own, and may be about to boot them.
  for (const other of readdirSync(folder).map((name) => join(folder, name)))
    if (Date.now() - (statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > WEEK_MS)
      rmSync(other, { force: true });
  return path;
}

function build(): Uint8Array {
  const cpio = new Cpio();
  for (const folder of FOLDERS.split(" ")) cpio.folder(folder);
  cpio.folder("tmp", 0o1777);
  cpio.link("var/run", "/run");
  cpio.link("var/lock", "/run/lock");
  cpio.device("dev/console", 5, 1, 0o600);
  cpio.device("dev/null", 1, 3);
  cpio.file("init", readFileSync(INIT), 0o755);
  cpio.file("lab/runner", readFileSync(RUNNER));
  const have = new Set<string>();
  const add = (path: string, target = path): void => {
    if (have.has(target)) return;
    have.add(target);
    cpio.file(target, readFileSync(path), 0o755);
  };
  add(BUSYBOX);
  const applets = Bun.spawnSync([BUSYBOX, "--list"]).stdout.toString().trim().split("\n");
  const ours = PROGRAMS.map((path) => basename(path));
  for (const applet of applets) if (applet !== "busybox" && !ours.includes(applet)) cpio.link(`bin/${applet}`, BUSYBOX);
  cpio.link("usr/bin/sh", BUSYBOX);

  const pam = PAM_MODULES.map((name) => join(PAM_FOLDER, name));
  const plugins = existsSync(PLUGINS)
    ? [...new Bun.Glob("*/*.so").scanSync({ cwd: PLUGINS, absolute: true, onlyFiles: false })]
    : [];
  const dynamic = [...PROGRAMS, ...pam, ...plugins];
  for (const path of dynamic) add(path);
  for (const [target, path] of libraries(dynamic)) add(path, target);
  cpio.file(PAM_SERVICE, readFileSync(PAM_SERVICE));

  const [release] = readdirSync(MODULES);
  if (release === undefined) throw new Error(`${MODULES} is empty`);
  const target = `/lib/modules/${release}`;
  const files = ["modules.builtin", "modules.alias", "modules.softdep"];
  const dependencies = modules(join(MODULES, release));
  for (const path of [...files, ...dependencies.map(([path]) => path)])
    cpio.file(join(target, path), readFileSync(join(MODULES, release, path)));
  cpio.file(join(target, "modules.dep"), dependencies.map(([path, needs]) => `${path}: ${needs.join(" ")}\n`).join(""));
  cpio.file("lab/modules", `${WANTED.join(" ")}\n`);
  return cpio.end();
}

/** Where each library that these need is to lie, and where it lies here: ldd's "name => path (address)". */
function libraries(paths: readonly string[]): Map<string, string> {
  const { stdout } = Bun.spawnSync(["ldd", ...paths], { stdio: ["ignore", "pipe", "ignore"] });
  const found = stdout.toString().matchAll(/(\/\S+) \(0x[0-9a-f]+\)$/gm);
  return new Map([...found].map(([, path]) => [path!, realpathSync(path!)]));
}

/** The modules wanted and all they depend on: "path: path …" in modules.dep. */
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
