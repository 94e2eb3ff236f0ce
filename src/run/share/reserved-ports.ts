// Ports of this machine that the kernel leads to the peer. A port that a program of this machine has stays with it, and none can take a
// port while it leads to the peer.

import { parseAddress } from "../../bytes/prefix.ts";
import type { Forward } from "../../options/table/share-rows.ts";
import type { LogLevel } from "../log.ts";
import type { Machine } from "../machine.ts";
import { portText, refusalText } from "../packets/forwarding.ts";
import { forwardsOf, type Sharing } from "./sharing.ts";

export interface ReservedPorts {
  /** Those that no program has. */
  readonly forwards: readonly Forward[];
  /** Logs where they lead. */
  tell(): void;
  release(): void;
}

export function reservePorts(
  { network, descriptors }: Pick<Machine, "network" | "descriptors">,
  sharing: Sharing,
  log: (level: LogLevel, text: string) => void,
): ReservedPorts {
  const { family } = sharing;
  const reserved: number[] = [];
  const lines: string[] = [];
  const forwards = forwardsOf(sharing).filter((forward) => {
    const { protocol, address, port, toPort } = forward;
    const where = address === undefined ? new Uint8Array(family === 4 ? 4 : 16) : parseAddress(address)!;
    const socket = network.reservePort(protocol, where, port);
    // Of a port at all addresses, IPv4 tells.
    const isTold = address !== undefined || family === 4;
    if (socket < 0) {
      if (isTold) log("warn", refusalText(forward, -socket, descriptors.errorText(-socket)));
      return false;
    }
    reserved.push(socket);
    if (isTold) lines.push(`${portText(forward)} leads to port ${toPort} of the peer`);
    return true;
  });
  return {
    forwards,
    tell: () => {
      for (const line of lines) log("info", line);
    },
    release: () => {
      for (const socket of reserved.splice(0)) descriptors.close(socket);
    },
  };
}
