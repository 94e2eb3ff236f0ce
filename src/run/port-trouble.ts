// What to tell somebody whose serial port cannot be had: what is wrong with it, and what helps.

import { hasCode, OsError } from "../os/libc.ts";
import { LockError } from "../os/lock.ts";
import { groupOf, type Opener, openersOf, programName } from "../os/openers.ts";
import { serialPorts } from "../os/ports.ts";

/** Lines for the log, after pppd's own. */
export function adviceOnPort(path: string, error: OsError | LockError): string[] {
  if (error instanceof LockError) {
    const { holder } = error;
    const name = holder === undefined ? "" : programName(holder);
    return name === "" ? [] : [`Process ${holder} is ${name}`];
  }
  if (error.call === "tcgetattr") return hasCode(error, "ENOTTY") ? [`${path} is not a serial port`] : [];
  if (hasCode(error, "ENOENT", "ENODEV", "ENXIO")) return [portsText()];
  if (hasCode(error, "EBUSY")) return openersText(path, openersOf(path));
  const group = hasCode(error, "EACCES") ? groupOf(path) : undefined;
  if (group === undefined || group === "root") return [];
  return [`${path} is for root and the group ${group}; after usermod -aG ${group} USER, log in anew`];
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
