// A whole small Debian in a folder, unpacked from what scripts/debian-roots.sh has made. Commands run in it by chroot, as
// process 1 of namespaces of their own. There is no systemd, no TUN device and no network, and no service may be started.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { machinesMissing } from "./machine.ts";

const FOLDER = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "nullmodem-debian-roots");

export const RELEASES = ["bookworm", "trixie"] as const;
export type Release = (typeof RELEASES)[number];

/** Why there is no such Debian here. Undefined: there is. */
export const debianRootMissing: string | undefined =
  process.getuid?.() !== 0
    ? "chroot needs root"
    : process.arch !== "x64"
      ? "not on 64-bit x86"
      : existsSync(FOLDER)
        ? machinesMissing()
        : `no Debian to install it in (sh scripts/debian-roots.sh ${FOLDER})`;

/** What dpkg, apt, the linker and logs keep for themselves. */
const NOT_COMPARED =
  /^\/(?:proc|dev|sys|tmp|run|root)\/|^\/var\/(?:log|cache)\/|^\/var\/lib\/dpkg\/(?:status|available|lock|triggers\/|.*-old$)|^\/etc\/ld\.so\.cache$/;

export class DebianRoot {
  readonly folder = mkdtempSync(join(tmpdir(), "nullmodem-debian-"));

  constructor(release: Release) {
    const { status, stderr } = spawnSync("tar", ["-xf", join(FOLDER, `${release}.tar`), "-C", this.folder]);
    if (status !== 0) throw new Error(`tar: ${String(stderr)}`);
    chmodSync(this.folder, 0o755);
    writeFileSync(this.path("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  text(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  /** "2750 0:30" */
  rights(file: string): string {
    const { mode, uid, gid } = lstatSync(this.path(file));
    return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
  }

  /** Runs a command with nothing on standard input. Throws when it fails. Returns both outputs. */
  run(...argv: string[]): string {
    const script = 'mount -t proc proc "$1/proc" && shift && exec env -i "$@"';
    const env = [
      "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
      "DEBIAN_FRONTEND=noninteractive",
      "LC_ALL=C.UTF-8",
    ];
    const unshare = ["--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", script, "sh", this.folder];
    const { status, stdout, stderr } = spawnSync("unshare", [...unshare, ...env, "chroot", this.folder, ...argv], {
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${argv.join(" ")}: ${status}\n${stdout}${stderr}`);
    return stdout + stderr;
  }

  /** dpkg, without its waits for the disk. */
  dpkg(...words: string[]): string {
    return this.run("dpkg", "--force-unsafe-io", ...words);
  }

  /** Every file with its rights and content. */
  snapshot(): string[] {
    const found: string[] = [];
    const walk = (folder: string): void => {
      for (const name of readdirSync(this.path(folder)).sort()) {
        const file = `${folder}/${name}`;
        if (NOT_COMPARED.test(file)) continue;
        const status = lstatSync(this.path(file));
        const content = status.isSymbolicLink()
          ? `-> ${readlinkSync(this.path(file))}`
          : status.isFile()
            ? Bun.hash(readFileSync(this.path(file))).toString(16)
            : "";
        found.push(`${file} ${this.rights(file)} ${content}`);
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
