// Small systems for installation tests: a folder with Debian's own tools (dash, coreutils, dpkg) or Alpine's (busybox,
// musl). Everything in it runs by chroot in its own namespaces.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { machinesMissing } from "../kit/machine.ts";

const TOOLS =
  "basename cat chgrp chmod cp cut dash dd df dirname dpkg dpkg-divert env getconf grep gunzip gzip head id ln ls mkdir mv " +
  "readlink rm rmdir sed sha256sum sort tail tar uname wc";
const PATH = "/fake:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const BUSYBOX = Bun.which("busybox");
export const MUSL = "/lib/ld-musl-x86_64.so.1";

/** Why no root, no Debian or no Alpine can be made. Undefined: it can. */
export const rootsMissing: string | undefined =
  process.getuid?.() !== 0 ? "chroot needs root" : process.arch !== "x64" ? "not on 64-bit x86" : machinesMissing();
export const debianMissing =
  rootsMissing ??
  (Bun.which("dpkg-divert") !== null && Bun.which("dash") !== null
    ? undefined
    : "not on a Debian: no dpkg and dash to copy");
export const alpineMissing =
  rootsMissing ?? (BUSYBOX !== null ? undefined : "no busybox (Debian package busybox-static)");

export interface Ran {
  readonly status: number | null;
  readonly text: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Commands for a shell outside; $1 is the root. Mounts end with the run. */
  readonly before?: string;
  /** The descriptor of a terminal that becomes 0, 1 and 2. */
  readonly tty?: number;
}

export class Root {
  readonly folder: string;
  readonly #shell: string;

  constructor(shell: string) {
    this.folder = mkdtempSync(join(tmpdir(), "nullmodem-root-"));
    chmodSync(this.folder, 0o755);
    this.#shell = shell;
    for (const one of ["dev", "etc", "fake", "proc", "run/lock", "stick", "tmp", "var/log"]) {
      mkdirSync(this.path(one), { recursive: true });
    }
    for (const one of ["run", "lock"]) symlinkSync(one === "run" ? "/run" : "/run/lock", this.path(`var/${one}`));
    this.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    this.file("/etc/group", "root:x:0:\ndip:x:30:\n");
    this.file("/dev/null", "");
    this.cpuinfo("processor\t: 0\nmodel name\t: Test\nflags\t\t: fpu lm sse4_2 popcnt\n");
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  file(file: string, text: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
    chmodSync(this.path(file), mode);
  }

  /** A command that is put before all others. */
  fake(name: string, script: string): void {
    this.file(`/fake/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
  }

  text(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  /** The content of /proc/cpuinfo. */
  cpuinfo(text: string): void {
    this.file("/cpuinfo", text);
  }

  mode(file: string): string {
    return (lstatSync(this.path(file)).mode & 0o7777).toString(8);
  }

  /** Runs the stick's install.sh. */
  install(words: readonly string[], options: RunOptions = {}): Ran {
    return this.run([this.#shell, "/stick/install.sh", ...words], options);
  }

  /** Runs a command inside as process 1, so that no child outlives it. */
  run(argv: readonly string[], options: RunOptions = {}): Ran {
    const { status, stdout, stderr } = spawnSync("unshare", this.#words(argv, options), {
      env: { PATH: process.env["PATH"] },
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
    });
    return { status, text: stdout + stderr };
  }

  /** The same on a terminal, without waiting for the end. */
  start(argv: readonly string[], tty: number, options: RunOptions = {}): Bun.Subprocess {
    return Bun.spawn(["unshare", ...this.#words(argv, options)], { stdio: [tty, tty, tty] });
  }

  #words(argv: readonly string[], { env = {}, before = ":" }: RunOptions): string[] {
    const variables = Object.entries({ PATH, ...env }).map(([name, value]) => `${name}=${value}`);
    const mounts =
      'mount -t proc proc "$1/proc" && mount --bind "$1/cpuinfo" "$1/proc/cpuinfo" && mount --bind /dev/null "$1/dev/null"';
    const script = `${mounts} && ${before} && shift && exec env -i "$@"`;
    return [
      ...["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", this.folder],
      ...[...variables, "chroot", this.folder, ...argv],
    ];
  }

  /** Every file with mode and content, for comparison. */
  snapshot(): string[] {
    const found: string[] = [];
    const walk = (folder: string): void => {
      for (const name of readdirSync(this.path(folder)).sort()) {
        const file = `${folder}/${name}`;
        // The backups that dpkg makes when a diversion comes or goes are its own.
        if (/^\/(proc|dev|tmp|stick|fake)\/|^\/var\/lib\/dpkg\/diversions-old$/.test(file)) continue;
        const status = lstatSync(this.path(file));
        const content = status.isSymbolicLink()
          ? `-> ${readlinkSync(this.path(file))}`
          : status.isFile()
            ? Bun.hash(readFileSync(this.path(file))).toString(16)
            : "";
        found.push(`${file} ${(status.mode & 0o7777).toString(8)} ${status.uid}:${status.gid} ${content}`);
        if (status.isDirectory()) walk(file);
      }
    };
    walk("");
    return found;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Copies programs and the libraries that they need to the same places in a root. */
const programs = ((): (() => readonly string[]) => {
  let found: readonly string[] | undefined;
  return () => {
    if (found !== undefined) return found;
    const paths = TOOLS.split(" ").flatMap((name) => Bun.which(name) ?? []);
    const listed = spawnSync("ldd", paths, { encoding: "utf8" }).stdout;
    const libraries = [...listed.matchAll(/^\t(?:\S+ => )?(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? []);
    // The libraries of every C library, and those that Debian's programs need.
    const libc = libraries.find((path) => path.endsWith("/libc.so.6")) ?? "";
    const more = ["pthread.so.0", "dl.so.2", "m.so.6", "stdc++.so.6", "gcc_s.so.1"]
      .map((name) => join(dirname(libc), `lib${name}`))
      .filter((path) => existsSync(path));
    found = [...new Set([...paths, ...libraries, ...more])];
    return found;
  };
})();

/** Merged /usr, dash as shell, GNU tools, dpkg's diversions, folders of systemd and cron. */
export function debianRoot(): Root {
  const root = new Root("/bin/sh");
  for (const folder of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(root.path(`usr/${folder}`), { recursive: true });
    symlinkSync(`usr/${folder}`, root.path(folder));
  }
  for (const path of programs()) {
    mkdirSync(dirname(root.path(path)), { recursive: true });
    copyFileSync(realpathSync(path), root.path(path));
  }
  symlinkSync("dash", root.path("usr/bin/sh"));
  for (const file of ["status", "diversions"]) root.file(`/var/lib/dpkg/${file}`, "");
  for (const folder of ["updates", "info", "alternatives"]) mkdirSync(root.path(`var/lib/dpkg/${folder}`));
  for (const folder of ["etc/cron.d", "etc/systemd/system"]) mkdirSync(root.path(folder), { recursive: true });
  root.file("/etc/debian_version", "12\n");
  return root;
}

/**
 * Separate /usr, one busybox for everything, musl's loader (this machine's, or an imitation), files of OpenRC and init.
 */
export function alpineRoot(): Root {
  const root = new Root("/bin/ash");
  for (const folder of ["bin", "sbin", "lib", "usr/bin", "usr/sbin", "usr/lib", "etc/init.d", "etc/crontabs"]) {
    mkdirSync(root.path(folder), { recursive: true });
  }
  copyFileSync(BUSYBOX!, root.path("bin/busybox"));
  for (const name of spawnSync(BUSYBOX!, ["--list"], { encoding: "utf8" }).stdout.trim().split("\n")) {
    // A real Alpine has no dpkg, and busybox's must not be taken for one.
    if (!/^(busybox|dpkg.*|chat)$/.test(name)) symlinkSync("/bin/busybox", root.path(`bin/${name}`));
  }
  symlinkSync("/bin/busybox", root.path("sbin/init"));
  if (existsSync(MUSL)) copyFileSync(realpathSync(MUSL), root.path(MUSL));
  else root.file(MUSL, "not one that works\n", 0o755);
  root.file("/etc/inittab", "::sysinit:/sbin/openrc sysinit\n");
  root.file("/etc/alpine-release", "3.20.0\n");
  root.file("/sbin/openrc-run", "#!/bin/sh\n", 0o755);
  return root;
}
