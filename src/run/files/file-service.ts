// Opens the listening socket of the file server, because that may need root's rights, and starts the process that serves.

import type { FilesOpened, FilesProcess, FilesRequest } from "../host/processes.ts";
import { hasCode, type Machine } from "../machine.ts";
import { openWindowsSockets, type ServicePlace, type WindowsSockets } from "./windows-sockets.ts";

export const HTTP_PORT = 80;
/** Where the first one is taken, or is for root only. */
const OTHER_PORT = 8080;

export type FilesServed = Exclude<FilesOpened, { readonly trouble: string }>;

export interface FileService {
  readonly server: FilesProcess;
  readonly port: number;
  /** The ports of Windows' network, where it is served. */
  readonly smbPort: number | undefined;
  readonly namesPort: number | undefined;
  /** What of Windows' network is not served, and why. */
  readonly troubles: readonly string[];
}

/** What is served. Of Windows' network only whether it is wanted, and by which address of ours it is reached. */
export type FilesWanted = Omit<FilesRequest, "windows"> & { readonly windowsAt: string | undefined };

/** At the first of the ports that can be had; of the given one, or of the usual ones; 0 is behind a stack. Throws HostError. */
export function startFileService(
  machine: Pick<Machine, "network" | "processes" | "descriptors">,
  { windowsAt, ...wanted }: FilesWanted,
  place: ServicePlace,
  given: number | undefined,
): FileService {
  const { network, processes, descriptors } = machine;
  const { tcp } = network;
  const http = listenAt(tcp, place, given === undefined ? [HTTP_PORT, OTHER_PORT] : [given]);
  const { smb, names, troubles } =
    windowsAt === undefined ? NO_WINDOWS : openWindowsSockets(network, place, given === 0);
  try {
    const isServed = windowsAt !== undefined && smb !== undefined;
    const windows = isServed ? { address: windowsAt, hasNames: names !== undefined } : null;
    return {
      server: processes.serveFiles({ ...wanted, windows }, { http, smb, names }),
      port: tcp.portOf(http),
      smbPort: smb === undefined ? undefined : tcp.portOf(smb),
      namesPort: names === undefined ? undefined : tcp.portOf(names),
      troubles,
    };
  } finally {
    for (const fd of [http, smb, names]) if (fd !== undefined) descriptors.close(fd);
  }
}

const NO_WINDOWS: WindowsSockets = { smb: undefined, names: undefined, troubles: [] };

function listenAt(tcp: Machine["network"]["tcp"], place: ServicePlace, [port, ...others]: readonly number[]): number {
  try {
    return tcp.listenForMany({ family: 4, address: place.address, port: port! }, place.device);
  } catch (error) {
    if (others.length === 0 || !hasCode(error, "EACCES", "EPERM", "EADDRINUSE")) throw error;
    return listenAt(tcp, place, others);
  }
}

/** Where a service could not be started. */
export function triedText(address: string, given: number | undefined): string {
  return given === undefined ? `${address}:${HTTP_PORT} or :${OTHER_PORT}` : `${address}:${given}`;
}

/** What a person types. */
export function addressOfService(address: string, port: number): string {
  return `http://${address}${port === HTTP_PORT ? "" : `:${port}`}/`;
}

/** One line for people, when the process has opened the folder. */
export function serviceText(directory: string, address: string, { isWritable, whyNot, share }: FilesServed): string {
  const limit = whyNot === undefined ? "" : `, but not in the folder itself: ${whyNot}`;
  const access = isWritable ? `read and write${limit}` : "read only";
  return `Files of ${directory} are at ${address}${share === undefined ? "" : ` and ${share}`} (${access})`;
}
