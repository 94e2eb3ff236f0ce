// The socket of the system's message bus (D-Bus Specification, "Server Addresses").

import { unescape } from "node:querystring";
import { hasLentRights, isPrivileged } from "../users/rights.ts";

export interface BusSocket {
  write(bytes: Uint8Array): void;
  end(): void;
}

const USUAL = "unix:path=/run/dbus/system_bus_socket";

/** A user to whom rights are lent cannot choose the bus: another one could speak for root's programs. */
function busAddress(): string {
  return (!isPrivileged() && hasLentRights() ? undefined : process.env["DBUS_SYSTEM_BUS_ADDRESS"]) ?? USUAL;
}

/** The sockets that an address names, in order. An abstract one begins with a NUL. Other transports are left out. */
export function busPaths(address: string): string[] {
  return address.split(";").flatMap((one) => {
    const [transport, words = ""] = one.split(/:(.*)/s);
    if (transport !== "unix") return [];
    const keys = new Map(words.split(",").map((word) => word.split(/=(.*)/s) as [string, string | undefined]));
    const path = keys.get("path");
    const abstract = keys.get("abstract");
    if (path !== undefined) return [unescape(path)];
    return abstract === undefined ? [] : [`\0${unescape(abstract)}`];
  });
}

/** Connects to the first bus of the address that answers. Rejects with the reason of the last one. */
export async function connectBus(
  listener: { data(bytes: Uint8Array): void; closed(): void },
  address = busAddress(),
): Promise<BusSocket> {
  let trouble: unknown = new Error(`no socket of this machine in the address ${address}`);
  for (const path of busPaths(address)) {
    try {
      return await connectTo(path, listener);
    } catch (error) {
      trouble = error;
    }
  }
  throw trouble;
}

async function connectTo(
  path: string,
  { data, closed }: { data(bytes: Uint8Array): void; closed(): void },
): Promise<BusSocket> {
  /** What the socket has not taken yet. */
  let waiting: Uint8Array[] = [];
  const send = (to: Bun.Socket): void => {
    while (waiting.length > 0) {
      const [first] = waiting as [Uint8Array];
      const sent = to.write(first);
      if (sent < first.length) {
        waiting[0] = first.subarray(Math.max(sent, 0));
        return;
      }
      waiting.shift();
    }
  };
  const socket = await Bun.connect({
    unix: path,
    socket: { data: (_socket, bytes) => data(bytes), close: closed, drain: send, error: () => {} },
  });
  return {
    write(bytes) {
      waiting = [...waiting, bytes];
      send(socket);
    },
    end() {
      socket.end();
    },
  };
}
