// Advice when a serial port cannot be opened: what is wrong with it, and what helps.

import { isLockError, type LockError, type Opener, type Serial } from "../host/serial.ts";
import { hasCode, type HostError, type Machine } from "../machine.ts";

type PortMachine = Pick<Machine, "files" | "serial" | "users">;

/** Lines for the log, after pppd's own. */
export function adviceOnPort(machine: PortMachine, path: string, error: HostError | LockError): string[] {
  const { serial } = machine;
  if (isLockError(error)) {
    const { holder } = error;
    if (holder === undefined) return error.denied === undefined ? [] : deniedText(machine, path, error.denied);
    const name = serial.programName(holder);
    return name === "" ? [] : [`Process ${holder} is ${name}`];
  }
  if (error.call === "tcgetattr") return hasCode(error, "ENOTTY") ? [`${path} is not a serial port`] : [];
  if (hasCode(error, "ENOENT", "ENODEV", "ENXIO")) return [portsText(serial)];
  if (hasCode(error, "EBUSY")) return sharedPort(serial, path);
  return hasCode(error, "EACCES") ? deniedText(machine, path) : [];
}

/** The groups that the user is missing. The lock comes before the port, and its directory may be for another group. */
function deniedText({ files, serial, users }: PortMachine, ...paths: readonly string[]): string[] {
  const user = users.ownName() ?? "USER";
  return paths.flatMap((path) => {
    const group = files.isReadWritable(path) ? undefined : serial.groupOf(path);
    if (group === undefined || group === "root") return [];
    return [`${path} is for root and the group ${group}; after usermod -aG ${group} ${user}, log in anew`];
  });
}

/** A line for the log when other programs have the port open: they read a share of the input. */
export function sharedPort(serial: Serial, path: string): string[] {
  return openersText(path, serial.openersOf(path));
}

function openersText(path: string, openers: readonly Opener[]): string[] {
  const names = openers.map(({ pid, name }) => `${name} (pid ${pid})`).join(", ");
  if (names === "") return [];
  const prober = openers.some(({ name }) => name === "ModemManager");
  return [
    `${path} is also open in ${names}${prober ? '; a udev rule with ENV{ID_MM_DEVICE_IGNORE}="1" keeps it off' : ""}`,
  ];
}

function portsText(serial: Serial): string {
  const ports = serial.ports();
  return ports.length === 0 ? "No serial ports here" : `Serial ports here: ${ports.join(" ")}`;
}
