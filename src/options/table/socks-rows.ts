// The option that gives programs the link's network without an interface.

import { addressPortText, parseAddress } from "../../bytes/prefix.ts";
import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { field, INIT_ONLY, PRIORITY, PRIVILEGED, row } from "../row.ts";
import { parseSocketAddress } from "../socket-address.ts";

/** Where programs find the proxy. */
export interface ProxyPlace {
  /** An IPv4 or IPv6 address of this machine as text. */
  readonly address: string;
  readonly port: number;
}

const LOOPBACK = "127.0.0.1";

/** Reads "[ADDRESS:]PORT". Undefined: it is none. */
export function proxyPlaceOf(argument: string): ProxyPlace | undefined {
  const where = parseSocketAddress(decoded(argument));
  const address = where?.host ?? LOOPBACK;
  return where === undefined || where.port === 0 || parseAddress(address) === undefined
    ? undefined
    : { address, port: where.port };
}

export const SOCKS = [
  row({
    name: "socks",
    rules: PRIORITY | PRIVILEGED | INIT_ONLY,
    about: "[ADDRESS:]PORT: no interface: programs reach the link's network by a SOCKS and HTTP proxy at this port",
    fields: field<"socks", ProxyPlace | undefined>("socks", undefined),
    set({ draft }, argument) {
      draft.socks = proxyPlaceOf(argument);
      if (draft.socks === undefined)
        throw new OptionError(`socks: ${argument} is not [ADDRESS:]PORT, such as 1080 or [::1]:1080`);
    },
    value: ({ socks }) => socks && addressPortText(socks.address, socks.port),
  }),
] as const;
