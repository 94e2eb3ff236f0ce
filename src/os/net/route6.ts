// Finds the IPv6 default routes of others, for pppd's `defaultroute6`, which never removes one.

import { type Device, interfaces } from "./netif.ts";
import * as nl from "./netlink.ts";
import { MAIN_TABLE } from "./route.ts";

export interface DefaultRoute6 {
  /** The interface of its first next hop. Its name is "" when it is gone. */
  readonly device: Device;
  /** True when the route goes through a router, false when it goes straight into the interface. */
  readonly gateway: boolean;
  readonly metric: number;
}

const RTA = { OIF: 4, GATEWAY: 5, PRIORITY: 6, MULTIPATH: 9, TABLE: 15, VIA: 18 } as const;
const RTMSG_SIZE = 12;
const RTNEXTHOP_SIZE = 8;
const RTN_UNICAST = 1;

/** The IPv6 default routes of a table. The one in use comes first. */
export function defaultRoutes6(wanted = MAIN_TABLE): DefaultRoute6[] {
  const asked = new Uint8Array(RTMSG_SIZE); // struct rtmsg
  asked[0] = nl.AF_INET6;
  const names = new Map(interfaces().map(({ index, name }) => [index, name]));
  const found: DefaultRoute6[] = [];
  for (const message of nl.netlink(nl.RTM.GETROUTE, nl.FLAGS.dump, asked, [], "RTM_GETROUTE")) {
    const attributes = nl.parseAttributes(message, RTMSG_SIZE);
    const table = number(attributes.get(RTA.TABLE)) ?? message[4];
    if (message[1] !== 0 || message[7] !== RTN_UNICAST || table !== wanted) continue;
    const hops = attributes.get(RTA.MULTIPATH);
    const several = hops !== undefined && hops.length >= RTNEXTHOP_SIZE;
    const index = number(several ? hops.subarray(4) : attributes.get(RTA.OIF)) ?? 0;
    found.push({
      device: { index, name: names.get(index) ?? "" },
      // The kernel combines only routes that have a gateway into a multipath route.
      gateway: several || attributes.has(RTA.GATEWAY) || attributes.has(RTA.VIA),
      metric: number(attributes.get(RTA.PRIORITY)) ?? 0,
    });
  }
  return found.sort((a, b) => a.metric - b.metric);
}

function number(value: Uint8Array | undefined): number | undefined {
  return value && new DataView(value.buffer, value.byteOffset).getUint32(0, true);
}
