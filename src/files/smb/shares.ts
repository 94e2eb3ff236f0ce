// What is shared: the folder, and the pipes by which that is asked.

import { REMARK, SHARE } from "./smb-site.ts";

export interface ShownShare {
  readonly name: string;
  readonly type: number;
  readonly remark: string;
}

const DISK = 0;
const PIPES = 3;
/** It is not shown to people. */
const SPECIAL = 0x8000_0000;

export const SHARES: readonly ShownShare[] = [
  { name: SHARE, type: DISK, remark: REMARK },
  { name: "IPC$", type: SPECIAL + PIPES, remark: "Pipes" },
];

export function shareNamed(name: string): ShownShare | undefined {
  return SHARES.find((share) => share.name === name.toUpperCase());
}

/** A workstation and a server, not of NT. */
export const SERVER_TYPE = 1 | 2;
/** As which version of Windows it acts: NT 4. */
export const VERSION = [4, 0] as const;
