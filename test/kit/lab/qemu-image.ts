// The files for the lab's PC: Debian's kernel, and a first file system with busybox, the drivers and the libraries of
// our executable. Also the object that gives qemu's serial ports their modem lines. Made once and kept in the user's
// cache.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { Cpio } from "./cpio.ts";

const CACHE = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
/** The folder that scripts/pc-kernel.sh fills. */
const KERNEL_FOLDER = join(CACHE, "nullmodem-pc-kernel");
export const KERNEL = join(KERNEL_FOLDER, "vmlinux");
const MODULES = join(KERNEL_FOLDER, "modules");
/** For the host's files, the USB adapter, and the TUN device. */
const WANTED = ["virtio_pci", "9pnet_virtio", "9p", "xhci_pci", "ftdi_sio", "tun"];
const BUSYBOX = "/bin/busybox";
/** The libraries of our executable and of the serial addon. */
const LIBRARIES = [
  ...["ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"],
  ...["libgcc_s.so.1", "libstdc++.so.6"],
];
const LIBRARY_FOLDER = "/lib/x86_64-linux-gnu";
const LOADER = "/lib64/ld-linux-x86-64.so.2";
const COMMANDS: Readonly<Record<string, string>> = {
  "qemu-system-x86_64": "qemu-system-x86",
  gcc: "gcc",
  busybox: "busybox-static",
};
const FOLDERS = "dev etc/ppp home lab/host lab/dist proc root run sys usr/sbin var/lib var/log";
const INIT = join(import.meta.dir, "qemu-init.sh");
const RUNNER = join(import.meta.dir, "runner.sh");
const LINES = join(import.meta.dir, "qemu-lines.c");
const INITTAB = "::sysinit:/lab/init\n::shutdown:/bin/true\n";

/** Why no PC can be made here, as text, or undefined. */
export function pcMissing(): string | undefined {
  if (process.arch !== "x64") return `the lab's PC is one of 64 bits, this is ${process.arch}`;
  const packages = Object.entries(COMMANDS).flatMap(([name, from]) => (Bun.which(name) === null ? [from] : []));
  if (packages.length > 0)
    return `the lab's PC needs the Debian packages ${packages.join(", ")} (apt-get install --no-install-recommends)`;
  if (existsSync(KERNEL)) return undefined;
  return "the lab's PC has no kernel (sh scripts/ready.sh test fetches it from Debian)";
}

/** The place in the cache of a file that is made from these sources. `make` writes it when it does not exist. */
function cached(name: string, sources: readonly string[], make: (path: string) => void): string {
  const folder = join(CACHE, "nullmodem-lab");
  const hash = createHash("sha256");
  for (const source of sources) hash.update(readFileSync(source));
  const path = join(folder, `${hash.digest("hex").slice(0, 16)}.${name}`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // Several processes may do this at the same time.
  const unfinished = join(folder, `${process.pid}.${name}.new`);
  make(unfinished);
  renameSync(unfinished, path);
  return path;
}

/** The path of the first file system. */
export function pcImage(): string {
  const sources = [INIT, RUNNER, import.meta.path, BUSYBOX, join(LIBRARY_FOLDER, "libc.so.6"), KERNEL];
  return cached("pc.cpio", sources, (path) => writeFileSync(path, build()));
}

/** The path of the object that qemu loads first. */
export function modemLines(): string {
  return cached("lines.so", [LINES], (path) => {
    const { exitCode, stderr } = Bun.spawnSync(["gcc", "-shared", "-fPIC", "-O1", "-o", path, LINES]);
    if (exitCode !== 0) throw new Error(`gcc: ${stderr.toString()}`);
  });
}

function build(): Uint8Array {
  const cpio = new Cpio();
  for (const folder of FOLDERS.split(" ")) cpio.folder(folder);
  cpio.folder("tmp", 0o1777);
  cpio.link("var/run", "/run");
  cpio.link("var/lock", "/run/lock");
  cpio.device("dev/console", 5, 1, 0o600);
  cpio.device("dev/null", 1, 3);
  cpio.file("etc/inittab", INITTAB);
  cpio.file("lab/init", readFileSync(INIT), 0o755);
  cpio.file("lab/runner", readFileSync(RUNNER));
  cpio.file(BUSYBOX, readFileSync(BUSYBOX), 0o755);
  const applets = Bun.spawnSync([BUSYBOX, "--list"]).stdout.toString().trim().split("\n");
  for (const applet of applets) if (applet !== "busybox") cpio.link(`bin/${applet}`, BUSYBOX);
  cpio.link("sbin/init", BUSYBOX);
  for (const name of LIBRARIES) cpio.file(join(LIBRARY_FOLDER, name), readFileSync(join(LIBRARY_FOLDER, name)), 0o755);
  cpio.link(LOADER, join(LIBRARY_FOLDER, basename(LOADER)));
  const names = modules();
  for (const name of names) cpio.file(`lab/${name}.ko`, readFileSync(join(MODULES, `${name}.ko`)));
  cpio.file("lab/modules", `${names.join(" ")}\n`);
  return cpio.end();
}

/** The wanted modules after all those that they need. A module's own text names them. */
function modules(): string[] {
  const files = new Map(
    readdirSync(MODULES).map((file) => [file.slice(0, -3).replaceAll("-", "_"), file.slice(0, -3)]),
  );
  const order: string[] = [];
  const add = (name: string): void => {
    const file = files.get(name.replaceAll("-", "_"));
    // A missing module is built into this kernel.
    if (file === undefined || order.includes(file)) return;
    const [, needs = ""] = /(?:^|\0)depends=([^\0]*)\0/.exec(readFileSync(join(MODULES, `${file}.ko`), "latin1")) ?? [];
    needs.split(",").forEach(add);
    order.push(file);
  };
  WANTED.forEach(add);
  return order;
}
