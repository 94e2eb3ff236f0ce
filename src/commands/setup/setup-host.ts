// What setup asks of the machine besides its files.

import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { systemOptionHost } from "../../applets/option-host.ts";
import type { OptionHost } from "../../options/host.ts";
import { libc, reasonOf } from "../../os/ffi/libc.ts";
import { addresses, ipv4Of } from "../../os/net/netif.ts";
import { print } from "../../os/log/print.ts";
import { serialPorts } from "../../os/serial/ports.ts";
import type { Kind } from "../service-texts.ts";
import { thisPlace } from "../service.ts";
import { addressesBeside } from "./address-choice.ts";
import type { Disk } from "./disk.ts";
import type { Surroundings } from "./questions.ts";
import type { Change } from "./setup-journal.ts";
import { type Asker, type Choice, TERMINAL } from "./terminal.ts";

const BY_ID = "/dev/serial/by-id";

export interface SetupHost {
  /** Undefined: there is no terminal. */
  readonly asker: Asker | undefined;
  readonly isRoot: boolean;
  print(text: string): void;
  complain(text: string): void;
}

export const THIS_HOST: SetupHost = {
  asker: process.stdin.isTTY && process.stdout.isTTY ? TERMINAL : undefined,
  isRoot: libc.geteuid() === 0,
  print,
  complain: (text) => void process.stderr.write(text),
};

export function surroundings(root: string, asker: Asker | undefined): Surroundings {
  return { asker, ports: portChoices(), services: servicesOf(root), addresses: freeAddresses(), readPassword };
}

export const placeOf = thisPlace;

/** USB adapters by the name that they keep when they are plugged in again. */
function portChoices(): Choice[] {
  const stable = new Map(namesById().map((name) => [realpathSync(name), name]));
  return serialPorts().map(({ path, description }) => ({
    value: stable.get(path) ?? path,
    label: `${path}  ${description}`,
  }));
}

function namesById(): string[] {
  return existsSync(BY_ID) ? readdirSync(BY_ID).map((name) => join(BY_ID, name)) : [];
}

function servicesOf(root: string): Kind[] {
  const has = (path: string): boolean => existsSync(join(root, path));
  const kinds: [Kind, boolean][] = [
    ["systemd", has("/lib/systemd/systemd") || has("/usr/lib/systemd/systemd")],
    ["openrc", has("/sbin/openrc-run")],
    ["inittab", has("/etc/inittab")],
    ["cron", has("/etc/cron.d") || has("/etc/crontabs")],
  ];
  return kinds.flatMap(([kind, is]) => (is ? [kind] : []));
}

function freeAddresses(): string {
  const ipv4 = addresses().filter(({ our }) => our.length === 4);
  return addressesBeside(ipv4.map(({ peer, prefix }) => ({ address: ipv4Of(peer), prefix })));
}

function readPassword(file: string): string {
  try {
    const text = readFileSync(file === "-" ? 0 : file, "utf8");
    return text.split(/\r?\n/, 1)[0] ?? "";
  } catch (error) {
    throw new RangeError(`--password-file ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The machine as pppd will find it once the changes are made. */
export function hostAfter(port: string, changes: readonly Change[], disk: Disk, base = quietOptionHost()): OptionHost {
  const after = new Map(changes.map((change) => [change.path, change.after]));
  return {
    ...base,
    readFile(path, as) {
      const changed = after.get(path);
      if (changed !== undefined) return changed;
      if (disk.root === "/") return base.readFile(path, as);
      const stored = path.startsWith(base.etc) ? disk.read(path) : undefined;
      return stored ?? { errno: "ENOENT", reason: "No such file or directory" };
    },
    // This machine cannot tell which ports the other system has.
    statDevice: (path) => (disk.root !== "/" && path === port ? { device: 0 } : base.statDevice(path)),
  };
}

function quietOptionHost(): OptionHost {
  const ignore = (): void => {};
  return {
    ...systemOptionHost({ inform: ignore, warn: ignore, complain: ignore }),
    uid: 0,
    privileged: true,
    stdin: { tty: undefined, device: undefined, readWrite: false },
    openLogfile: () => 2,
  };
}
