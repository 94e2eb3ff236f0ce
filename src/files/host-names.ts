// Which names of this server a request may use. A page of another site can give its own name our address (DNS rebinding), and a
// browser then takes our files for that site's. Such a name is one that anybody can register, so those are refused.

import { type Reply, textReply } from "./reply.ts";
import type { Request } from "./http-request.ts";

/** Ends of names that nobody can register: RFC 6762, 8375 and ICANN's reserved ones. */
const PRIVATE = /\.(?:local|localhost|localdomain|lan|home|internal|home\.arpa)$/;
const ADDRESS = /^(?:\[[0-9a-f:.%]+\]|\d{1,3}(?:\.\d{1,3}){3})$/;

/** Undefined: the request may go on. `ownName` is this machine's. */
export function hostRefusal({ headers }: Request, ownName: string | undefined): Reply | undefined {
  const host = headers.get("host");
  if (host === undefined || host === "") return undefined;
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  if (ADDRESS.test(name) || /^[^.]+$/.test(name) || PRIVATE.test(name) || name === ownName?.toLowerCase())
    return undefined;
  return textReply(421, "The server has no such name; ask for its address, or for a name without a dot");
}
