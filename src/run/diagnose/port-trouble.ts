// What to tell somebody whose serial port cannot be had: what is wrong with it, and what helps.

import { accessSync, constants } from "node:fs";
import { userName } from "../../os/net/hosts.ts";
import { hasCode, libc, OsError } from "../../os/ffi/libc.ts";
import { LockError } from "../../os/serial/lock.ts";
import { groupOf, type Opener, openersOf, programName } from "../../os/serial/openers.ts";
import { serialPorts } from "../../os/serial/ports.ts";

/** Lines for the log, after pppd's own. */
export function adviceOnPort(path: string, error: OsError | LockError): string[] {
  if (error instanceof LockError) {
    const { holder } = error;
    if (holder === undefined) return error.denied === undefined ? [] : deniedText(path, error.denied);
    const name = programName(holder);
    return name === "" ? [] : [`Process ${holder} is ${name}`];
  }
  if (error.call === "tcgetattr") return hasCode(error, "ENOTTY") ? [`${path} is not a serial port`] : [];
  if (hasCode(error, "ENOENT", "ENODEV", "ENXIO")) return [portsText()];
  if (hasCode(error, "EBUSY")) return openersText(path, openersOf(path));
  return hasCode(error, "EACCES") ? deniedText(path) : [];
}

/** Which groups the user is not in. The lock comes before the port, and its directory may be another group's. */
function deniedText(...paths: readonly string[]): string[] {
  const user = userName(libc.getuid()) ?? "USER";
  return paths.flatMap((path) => {
    const group = mayUse(path) ? undefined : groupOf(path);
    if (group === undefined || group === "root") return [];
    return [`${path} is for root and the group ${group}; after usermod -aG ${group} ${user}, log in anew`];
  });
}

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Somebody else takes a share of what comes in. */
export function sharedPort(path: string): string[] {
  return openersText(path, openersOf(path));
}

function openersText(path: string, openers: readonly Opener[]): string[] {
  const names = openers.map(({ pid, name }) => `${name} (pid ${pid})`).join(", ");
  if (names === "") return [];
  const prober = openers.some(({ name }) => name === "ModemManager");
  return [
    `${path} is also open in ${names}${prober ? '; a udev rule with ENV{ID_MM_DEVICE_IGNORE}="1" keeps it off' : ""}`,
  ];
}

function portsText(): string {
  const ports = serialPorts().map(({ path }) => path);
  return ports.length === 0 ? "No serial ports here" : `Serial ports here: ${ports.join(" ")}`;
}
