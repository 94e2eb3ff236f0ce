// Hints about a word that is no option. It may be misspelt, or a serial port that is not plugged in.

import { nearestNames } from "../bytes/nearest.ts";
import { isFailure, type OptionHost } from "./host.ts";
import { plain } from "./pasted.ts";
import type { Reading } from "./source.ts";

/** Lines that follow the error message. */
export function unknownHints(word: string, { host, table, draft }: Reading): string[] {
  if (looksLikeDevice(word)) return missingDevice(word, host);
  const ports = host.serialPorts().flatMap((port) => {
    const path = port.split(" ")[0] ?? "";
    return [path, path.replace("/dev/", "")];
  });
  const names = [...table.names(draft.plugins)];
  // A wrong value is far from the right one, and what comes before it is right.
  const key = plain(word).match(/^[^=]+=/)?.[0];
  const withKey = names.filter((name) => key !== undefined && name.startsWith(key));
  const near = withKey.length > 0 ? withKey : nearestNames(plain(word), [...names, ...ports]);
  return near.length === 0 ? [] : [`Did you mean ${near.join(" or ")}?`];
}

export function isAbsentDevice(name: string, host: OptionHost): boolean {
  return looksLikeDevice(name) && isFailure(host.statDevice(pathOf(name)));
}

/** True when a word looks like the name of a serial port. */
function looksLikeDevice(name: string): boolean {
  return name.startsWith("/dev/") || /^(tty[A-Z]|rfcomm|cua)\w*\d/.test(name);
}

function missingDevice(name: string, host: OptionHost): string[] {
  const path = pathOf(name);
  if (!isFailure(host.statDevice(path))) return [`${path}: not a serial port`];
  const ports = host.serialPorts().map((port) => `    ${port}`);
  return [
    `${path}: no such device`,
    ...(ports.length === 0 ? ["No serial ports here"] : ["Serial ports here:", ...ports]),
  ];
}

function pathOf(name: string): string {
  return name.startsWith("/") ? name : `/dev/${name}`;
}
