// The sockets of Windows' network: TCP port 139 for its sessions, UDP port 137 for its names. Both are below 1024, and clients know
// no others.

import { hasCode, type Machine, reasonOf } from "../machine.ts";

export const SMB_PORT = 139;
export const NAMES_PORT = 137;
const EVERYWHERE = "0.0.0.0";

/** Where something is served. */
export interface ServicePlace {
  readonly address: string;
  /** The interface by which callers come in. Undefined: any. */
  readonly device: string | undefined;
}

export interface WindowsSockets {
  /** Undefined: there is none, and `troubles` says why. */
  readonly smb: number | undefined;
  readonly names: number | undefined;
  readonly troubles: readonly string[];
}

/** `isInside`: behind the stack of user-mode networking, where any ports will do. Never throws. */
export function openWindowsSockets(
  { tcp, datagrams }: Pick<Machine["network"], "tcp" | "datagrams">,
  { address, device }: ServicePlace,
  isInside: boolean,
): WindowsSockets {
  const troubles: string[] = [];
  const tried = (open: () => number, explain: (error: unknown) => string): number | undefined => {
    try {
      return open();
    } catch (error) {
      troubles.push(explain(error));
      return undefined;
    }
  };
  const smb = tried(
    () => tcp.listenForMany({ family: 4, address, port: isInside ? 0 : SMB_PORT }, device),
    (error) => `Windows' network is not served at ${address}: ${whyNoSessions(error)}`,
  );
  if (smb === undefined) return { smb, names: undefined, troubles };
  // Windows asks for names by broadcast too, which a socket at our address does not get.
  const at = device === undefined ? address : EVERYWHERE;
  const names = tried(
    () => datagrams.bind({ family: 4, address: at, port: isInside ? 0 : NAMES_PORT }, device),
    (error) => `Names of Windows' network are not answered: ${whyNoNames(error)}. \\\\${address} works without them`,
  );
  return { smb, names, troubles };
}

function whyNoSessions(error: unknown): string {
  if (hasCode(error, "EADDRINUSE"))
    return (
      `port ${SMB_PORT} is taken, as a rule by Samba: stop it (systemctl stop smbd), or name its interfaces in smb.conf ` +
      "(interfaces = lo eth0, and bind interfaces only = yes)"
    );
  if (hasCode(error, "EACCES", "EPERM")) return `port ${SMB_PORT} is root's`;
  return reasonOf(error);
}

function whyNoNames(error: unknown): string {
  if (hasCode(error, "EADDRINUSE"))
    return `port ${NAMES_PORT} is taken, as a rule by Samba's nmbd (systemctl stop nmbd)`;
  if (hasCode(error, "EACCES", "EPERM")) return `port ${NAMES_PORT} is root's`;
  return reasonOf(error);
}
