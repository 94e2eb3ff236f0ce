// A disk in a file: a loop device with a file system, whose readers can be slowed down. For starts from a slow disk.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dropPages } from "../page-cache.ts";

const SIZE = 1_000_000_000;
const CGROUPS = "/sys/fs/cgroup";

/** What the disk does in a second. */
export interface Rate {
  readonly octets: number;
  readonly reads: number;
}

function run(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString().trim()}`);
  return stdout.toString().trim();
}

/** Why there can be no slow disk here. */
export function slowDiskMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "it needs root";
  const tools = ["losetup", "mkfs.ext4", "mount"].filter((tool) => Bun.which(tool) === null);
  if (tools.length > 0) return `${tools.join(", ")} not installed`;
  if (existsSync(`${CGROUPS}/blkio/cgroup.procs`)) return undefined;
  if (!existsSync(`${CGROUPS}/cgroup.controllers`)) return "no cgroup has blkio or io";
  return readFileSync(`${CGROUPS}/cgroup.controllers`, "utf8").split(/\s/).includes("io")
    ? undefined
    : "no cgroup has io";
}

export class SlowDisk {
  readonly folder: string;
  readonly #work = mkdtempSync(join(tmpdir(), "nullmodem-disk-"));
  readonly #device: string;
  readonly #group: string;

  constructor() {
    const image = join(this.#work, "image");
    this.folder = join(this.#work, "disk");
    writeFileSync(image, "");
    truncateSync(image, SIZE);
    run("mkfs.ext4", "-q", image);
    mkdirSync(this.folder);
    this.#device = run("losetup", "--find", "--show", image);
    run("mount", this.#device, this.folder);
    const base = existsSync(`${CGROUPS}/blkio/cgroup.procs`) ? `${CGROUPS}/blkio` : CGROUPS;
    this.#group = join(base, `nullmodem-${process.pid}`);
    if (base === CGROUPS) writeFileSync(`${CGROUPS}/cgroup.subtree_control`, "+io");
    mkdirSync(this.#group, { recursive: true });
  }

  /** The most that the kernel reads ahead by itself. */
  setReadAhead(octets: number): void {
    run("blockdev", "--setra", String(octets / 512), this.#device);
  }

  /** Slows down the programs that `command` gives. */
  setRate({ octets, reads }: Rate): void {
    const rdev = statSync(this.#device).rdev;
    const number = `${rdev >> 8}:${rdev & 0xff}`;
    const write = (file: string, text: string): void => writeFileSync(join(this.#group, file), `${number} ${text}`);
    if (existsSync(join(this.#group, "blkio.throttle.read_bps_device"))) {
      write("blkio.throttle.read_bps_device", String(octets));
      write("blkio.throttle.read_iops_device", String(reads));
    } else write("io.max", `rbps=${octets} riops=${reads}`);
  }

  /** The command for a program that is to be slowed down. */
  command(...words: string[]): string[] {
    return ["sh", "-c", `echo $$ > ${this.#group}/cgroup.procs && exec "$@"`, "sh", ...words];
  }

  /** Reads from the device so far: their number and octets. */
  reads(): { count: number; octets: number } {
    const name = this.#device.slice("/dev/".length);
    const [count = 0, , sectors = 0] = readFileSync(`/sys/block/${name}/stat`, "utf8").trim().split(/\s+/).map(Number);
    return { count, octets: sectors * 512 };
  }

  /** Has the kernel forget a file of this disk. */
  async forget(path: string): Promise<void> {
    for (let tries = 0; !dropPages(path); tries++) {
      if (tries > 100) throw new Error(`${path} stays in memory`);
      await Bun.sleep(50);
    }
  }

  close(): void {
    run("umount", "--lazy", this.folder);
    run("losetup", "--detach", this.#device);
    rmdirSync(this.#group);
    rmSync(this.#work, { recursive: true, force: true });
  }
}
