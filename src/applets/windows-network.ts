// Windows' network in the process that serves files: it is loaded where `files-smb` asks for it.

import { hostname } from "node:os";
import type { Folder } from "../files/folder.ts";
import type { Quota } from "../files/quota.ts";
import { NameService } from "../files/smb/name-service.ts";
import { OpenTable } from "../files/smb/open-table.ts";
import { Prover } from "../files/smb/prover.ts";
import { SmbConnection } from "../files/smb/smb-connection.ts";
import { SHARE, windowsName } from "../files/smb/smb-site.ts";
import { FILES_FD } from "../os/process/files-process.ts";
import { type Door, MOST_CONNECTIONS } from "../run/files/caller-places.ts";
import type { Post } from "../run/files/file-loop.ts";
import type { FilesRequest } from "../run/host/processes.ts";
import { thisMachine } from "./this-machine.ts";

interface WindowsNetwork {
  /** What Windows types. */
  readonly share: string;
  readonly door: Door;
  readonly posts: readonly Post[];
}

export function windowsNetwork(folder: Folder, request: FilesRequest, quota: Quota): WindowsNetwork {
  const { isWritable, users, windows } = request;
  const wall = (): number => Math.floor(Date.now() / 1000);
  const now = (): number => Math.floor(thisMachine.clock.now() / 1000);
  const name = windowsName(hostname());
  const site = {
    folder,
    isWritable,
    quota,
    opens: new OpenTable(),
    prover: users === null ? undefined : new Prover(users, now),
    name,
    wall,
    zoneAt: (seconds: number) => -60 * new Date(seconds * 1000).getTimezoneOffset(),
    random: (bytes: Uint8Array<ArrayBuffer>) => void crypto.getRandomValues(bytes),
    held: 0,
    missing: 0,
  };
  const { address = "", hasNames = false } = windows ?? {};
  const names = new NameService(name, Uint8Array.from(address.split("."), Number));
  return {
    share: `\\\\${name}\\${SHARE}`,
    // Windows keeps its connections open, so they leave room for HTTP.
    door: { listening: FILES_FD.smb, most: MOST_CONNECTIONS / 2, connect: (now) => new SmbConnection(site, now) },
    posts: hasNames ? [{ fd: FILES_FD.names, answer: (octets) => names.answer(octets, 0, octets.length) }] : [],
  };
}
