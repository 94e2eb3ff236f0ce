// Debian's programs that scripts/servers.sh fetched into a folder, or that are installed here.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const CACHE = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
const FOLDER = join(CACHE, "nullmodem-servers");
const LIBRARIES = join(FOLDER, "usr/lib", `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`);

/** Where each program is in its package. */
const PLACES = {
  nginx: "usr/sbin/nginx",
  dnsmasq: "usr/sbin/dnsmasq",
  sshd: "usr/sbin/sshd",
  "sftp-server": "usr/lib/openssh/sftp-server",
  vsftpd: "usr/sbin/vsftpd",
  smbd: "usr/sbin/smbd",
  smbclient: "usr/bin/smbclient",
  dig: "usr/bin/dig",
  traceroute: "usr/bin/traceroute.db",
} as const;

export type Fetched = keyof typeof PLACES;

/** The path of a program. Undefined: it is not here. */
function placeOf(name: Fetched): string | undefined {
  return [join(FOLDER, PLACES[name]), join("/", PLACES[name])].find((path) => existsSync(path));
}

export function fetched(name: Fetched): string {
  const path = placeOf(name);
  if (path === undefined) throw new Error(`${name} is not here`);
  return path;
}

/** What the environment of a fetched program needs. */
export const FETCHED_ENV = { LD_LIBRARY_PATH: `${LIBRARIES}:${join(LIBRARIES, "samba")}` };

/** Why the programs cannot run, as text, or undefined. */
export function fetchedMissing(): string | undefined {
  const lacking = (Object.keys(PLACES) as Fetched[]).filter((name) => placeOf(name) === undefined);
  return lacking.length === 0 ? undefined : `${lacking.join(", ")}: not fetched (sh scripts/servers.sh ${FOLDER})`;
}
