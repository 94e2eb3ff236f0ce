// What is served to Windows, by what rules, and to whom: the same for all its connections.

import type { Folder } from "../folder.ts";
import type { Quota } from "../quota.ts";
import type { OpenTable } from "./open-table.ts";
import type { Prover } from "./prover.ts";

export interface SmbSite {
  readonly folder: Folder;
  /** Others may write. */
  readonly isWritable: boolean;
  readonly quota: Quota;
  readonly opens: OpenTable;
  /** Undefined: everybody is a guest. */
  readonly prover: Prover | undefined;
  /** This machine's name, as Windows writes it. */
  readonly name: string;
  /** Seconds since 1970. */
  wall(): number;
  /** How many seconds local time is ahead of UTC at a moment. */
  zoneAt(seconds: number): number;
  /** Fills a challenge. */
  random(bytes: Uint8Array<ArrayBuffer>): void;
  /** Names that the searches of all clients hold. */
  held: number;
  /** What the quota has refused in the last message, if nothing was done before in it. */
  missing: number;
}

/** The folder's name in Windows' network. */
export const SHARE = "FILES";
/** What Windows shows beside it. */
export const REMARK = "Files over the cable";
/** Machines of the same workgroup are shown together. This is what Windows has before it is changed. */
export const WORKGROUP = "WORKGROUP";

/** A machine's name as Windows' network has them: 15 letters, and no domain. */
export function windowsName(hostName: string): string {
  const [first = ""] = hostName.split(".");
  const name = first
    .toUpperCase()
    .replace(/[^A-Z0-9!#$%&'()\-@^_{}~]/g, "-")
    .slice(0, 15);
  return name === "" ? "NULLMODEM" : name;
}
