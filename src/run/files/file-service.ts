// Opens the listening socket of the file server, because that may need root's rights, and starts the process that serves.

import type { FilesOpened, FilesProcess, FilesRequest } from "../host/processes.ts";
import { hasCode, type Machine } from "../machine.ts";

export const HTTP_PORT = 80;
/** Where the first one is taken, or is for root only. */
const OTHER_PORT = 8080;

export type FilesServed = Exclude<FilesOpened, { readonly trouble: string }>;

export interface FileService {
  readonly server: FilesProcess;
  readonly port: number;
}

/** Where it is served. */
export interface ServicePlace {
  readonly address: string;
  /** The interface by which callers come in. Undefined: any. */
  readonly device: string | undefined;
}

/** At the first of the ports that can be had; of the given one, or of the usual ones. Throws HostError. */
export function startFileService(
  { network, processes, descriptors }: Pick<Machine, "network" | "processes" | "descriptors">,
  request: FilesRequest,
  place: ServicePlace,
  given: number | undefined,
): FileService {
  const listening = listenAt(network.tcp, place, given === undefined ? [HTTP_PORT, OTHER_PORT] : [given]);
  try {
    return { server: processes.serveFiles(request, listening), port: network.tcp.portOf(listening) };
  } finally {
    descriptors.close(listening);
  }
}

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
export function serviceText(directory: string, address: string, { isWritable, whyNot }: FilesServed): string {
  const access = isWritable ? "read and write" : `read only${whyNot === undefined ? "" : `: ${whyNot}`}`;
  return `Files of ${directory} are at ${address} (${access})`;
}
