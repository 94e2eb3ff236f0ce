// Explains why a serial port cannot be opened.

import { isLockError, type LockError, type Opener, type Serial } from "../host/serial.ts";
import type { Finding } from "./finding.ts";
import { noUart } from "./uart-trouble.ts";
import { hasCode, type HostError, type Machine } from "../machine.ts";

type PortMachine = Pick<Machine, "files" | "serial" | "users">;

/** Explains the error of opening or locking a port, after pppd's own message. */
export function portTrouble(machine: PortMachine, path: string, error: HostError | LockError): Finding[] {
  const { serial } = machine;
  if (isLockError(error)) {
    const { holder } = error;
    if (holder === undefined) return error.denied === undefined ? [] : portDenied(machine, path, error.denied);
    const name = serial.programName(holder);
    return name === "" ? [] : [{ code: "port-locked", text: `Process ${holder} is ${name}`, severity: "error" }];
  }
  if (error.call === "tcgetattr") {
    if (hasCode(error, "ENOTTY")) return [{ code: "no-port", text: `${path} is not a serial port`, severity: "error" }];
    // The driver has the name, and found no chip when the machine started.
    return hasCode(error, "EIO") ? [noUart(path), otherPorts(serial)] : [];
  }
  if (hasCode(error, "ENOENT", "ENODEV", "ENXIO")) return [otherPorts(serial)];
  if (hasCode(error, "EBUSY")) return busyPort(machine, path);
  if (hasCode(error, "EPERM"))
    return [
      {
        code: "port-denied",
        text: `Not even root may open ${path} here`,
        remedy: `in a container: --device ${path}`,
        severity: "error",
      },
    ];
  return hasCode(error, "EACCES") ? portDenied(machine, path) : [];
}

/**
 * Names the groups that the user is missing, or says that there is none. The lock is taken before the port, and its directory may need another
 * group.
 */
function portDenied({ files, serial, users }: PortMachine, ...paths: readonly string[]): Finding[] {
  const user = users.ownName() ?? "$USER";
  return paths.flatMap((path) => {
    if (files.isReadWritable(path)) return [];
    const group = serial.groupOf(path);
    const [text, remedy] =
      group === undefined || group === "root"
        ? [`No group of ordinary users may use ${path}`, "as root it works: sudo"]
        : [`${path} belongs to the group ${group}`, `sudo usermod -aG ${group} ${user}, then log in again`];
    return [{ code: "port-denied", text, remedy, severity: "error" }];
  });
}

function busyPort({ serial, users }: PortMachine, path: string): Finding[] {
  const openers = sharedPort(serial, path);
  if (openers.length > 0 || users.isRoot()) return openers;
  const text = `Another program has ${path} open, and you may not see which`;
  return [{ code: "port-busy", text, remedy: `fuser -v ${path}, run as root, names it`, severity: "error" }];
}

/** Names the other programs that have the port open and take a part of its input. */
export function sharedPort(serial: Serial, path: string): Finding[] {
  return openersTrouble(path, serial.openersOf(path));
}

function openersTrouble(path: string, openers: readonly Opener[]): Finding[] {
  const names = openers.map(({ pid, name }) => `${name} (pid ${pid})`).join(", ");
  if (names === "") return [];
  const remedies = [...new Set(openers.flatMap((opener) => remedyFor(opener) ?? []))];
  const remedy = remedies.length === 0 ? {} : { remedy: remedies.join("; ") };
  return [{ code: "port-shared", text: `${path} is also open in ${names}`, ...remedy, severity: "warning" }];
}

/** How the program is kept off the port. Undefined for a program that a person has started. */
function remedyFor({ name, unit }: Opener): string | undefined {
  if (name === "ModemManager")
    return `systemctl mask --now ${unit ?? "ModemManager.service"} ends it, or a udev rule with ENV{ID_MM_DEVICE_IGNORE}="1" keeps it off`;
  if (!/getty$/.test(name)) return unit === undefined ? undefined : `systemctl stop ${unit} ends it`;
  if (unit !== undefined) return `systemctl mask --now ${unit} ends it`;
  return "its line in /etc/inittab must go, then telinit q ends it";
}

function otherPorts(serial: Serial): Finding {
  const ports = serial.ports();
  const text = ports.length === 0 ? "No serial ports here" : `Serial ports here: ${ports.join(" ")}`;
  return { code: "port-absent", text, severity: "error" };
}
