// Routes through an interface, and the foreign default routes that pppd's `replacedefaultroute` removes and restores.

import { hasCode } from "../ffi/libc.ts";
import { type Device, interfaces, ipv4Of } from "./netif.ts";
import * as nl from "./netlink.ts";

/** A default route with everything the kernel reported about it, so that it can be restored exactly. */
export interface DefaultRoute {
  /** The interface of its first next hop. Its name is "" when it is gone. */
  readonly device: Device;
  /** The IPv4 gateway of its first next hop; 0 when it has none. */
  readonly gateway: number;
  readonly metric: number;
  readonly fixed: Uint8Array;
  readonly attributes: nl.Attributes;
}

const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, MULTIPATH: 9, TABLE: 15, VIA: 18, NH_ID: 30 } as const;
const RTMSG_SIZE = 12;
const RTNEXTHOP_SIZE = 8;
/** The main routing table. Routes of an interface in a VRF are in another. */
export const MAIN_TABLE = 254;
const RT_TABLE_COMPAT = 252;
const RTPROT_BOOT = 3;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
const RTN_LOCAL = 2;
const RTNH_F_ONLINK = 4;

/**
 * Adds a route to `destination`/`prefix` (0: the default route) through an interface, in front of other routes of that
 * metric. An identical route that exists already is no error. Metric 0 is the kernel's default.
 */
export function addRoute(
  device: Device,
  destination: Uint8Array,
  prefix: number,
  metric = 0,
  table = MAIN_TABLE,
): void {
  try {
    changeRoute("NEWROUTE", device, destination, prefix, metric, table);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

/** Removes a route. Does nothing when it is not there. */
export function removeRoute(
  device: Device,
  destination: Uint8Array,
  prefix: number,
  metric = 0,
  table = MAIN_TABLE,
): void {
  nl.forgiving(() => changeRoute("DELROUTE", device, destination, prefix, metric, table));
}

function changeRoute(
  type: "NEWROUTE" | "DELROUTE",
  device: Device,
  destination: Uint8Array,
  prefix: number,
  metric: number,
  table: number,
): void {
  const ipv4 = destination.length === 4;
  const fixed = new Uint8Array(RTMSG_SIZE); // struct rtmsg
  fixed[0] = ipv4 ? nl.AF_INET : nl.AF_INET6;
  fixed[1] = prefix;
  fixed[4] = table < 256 ? table : RT_TABLE_COMPAT;
  fixed[5] = RTPROT_BOOT;
  fixed[6] = ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  fixed[7] = RTN_UNICAST;
  const attributes: [number, Uint8Array][] = [[RTA.OIF, nl.u32Value(device.index)]];
  if (table > 255) attributes.push([RTA.TABLE, nl.u32Value(table)]);
  if (prefix > 0) attributes.push([RTA.DST, destination]);
  if (metric > 0) attributes.push([RTA.PRIORITY, nl.u32Value(metric)]);
  const flags = type === "NEWROUTE" ? nl.FLAGS.create : nl.FLAGS.none;
  nl.netlink(nl.RTM[type], flags, fixed, attributes, `RTM_${type}`, device.name);
}

/** The IPv4 default routes of a table. The one in use comes first. */
export function defaultRoutes(wanted = MAIN_TABLE): DefaultRoute[] {
  const asked = new Uint8Array(RTMSG_SIZE);
  asked[0] = nl.AF_INET;
  const names = new Map(interfaces().map(({ index, name }) => [index, name]));
  const found: DefaultRoute[] = [];
  for (const message of nl.netlink(nl.RTM.GETROUTE, nl.FLAGS.dump, asked, [], "RTM_GETROUTE")) {
    const attributes = nl.parseAttributes(message, RTMSG_SIZE);
    const table = number(attributes.get(RTA.TABLE)) ?? message[4];
    if (message[1] !== 0 || message[7] !== RTN_UNICAST || table !== wanted) continue;
    const hop = firstHop(attributes.get(RTA.MULTIPATH));
    const gateway = attributes.get(RTA.GATEWAY) ?? hop?.gateway;
    const index = number(attributes.get(RTA.OIF)) ?? hop?.index ?? 0;
    found.push({
      device: { index, name: names.get(index) ?? "" },
      gateway: gateway === undefined ? 0 : ipv4Of(gateway),
      metric: number(attributes.get(RTA.PRIORITY)) ?? 0,
      ...repeatable(message.slice(0, RTMSG_SIZE), attributes),
    });
  }
  return found.sort((a, b) => a.metric - b.metric);
}

/** The IPv4 networks that a route of any table leads to, our own addresses among them. */
export function usedNetworks(): { address: number; prefix: number }[] {
  const asked = new Uint8Array(RTMSG_SIZE);
  asked[0] = nl.AF_INET;
  return nl.netlink(nl.RTM.GETROUTE, nl.FLAGS.dump, asked, [], "RTM_GETROUTE").flatMap((message) => {
    const destination = nl.parseAttributes(message, RTMSG_SIZE).get(RTA.DST);
    const isUsed = message[7] === RTN_UNICAST || message[7] === RTN_LOCAL;
    return destination === undefined || !isUsed ? [] : [{ address: ipv4Of(destination), prefix: message[1]! }];
  });
}

/** The interface by which packets to an IPv4 address leave. Undefined: there is no way. */
export function routeThrough(address: Uint8Array): number | undefined {
  const asked = new Uint8Array(RTMSG_SIZE);
  asked[0] = nl.AF_INET;
  asked[1] = address.length * 8;
  try {
    const [answer] = nl.netlink(nl.RTM.GETROUTE, nl.FLAGS.none, asked, [[RTA.DST, address]], "RTM_GETROUTE");
    return answer && number(nl.parseAttributes(answer, RTMSG_SIZE).get(RTA.OIF));
  } catch {
    return undefined;
  }
}

/** Deletes a route that {@link defaultRoutes} found. Does nothing when it is not there. */
export function takeRoute(route: DefaultRoute): void {
  nl.forgiving(() => {
    nl.netlink(nl.RTM.DELROUTE, nl.FLAGS.none, route.fixed, route.attributes, "RTM_DELROUTE", route.device.name);
  });
}

/**
 * Restores a route that {@link takeRoute} deleted, in front of other routes of that metric or `behind` them. Throws
 * OsError, with ENODEV or ENETUNREACH when its interface is gone or down.
 */
export function returnRoute(route: DefaultRoute, behind = false): void {
  try {
    nl.netlink(
      nl.RTM.NEWROUTE,
      behind ? nl.FLAGS.append : nl.FLAGS.create,
      route.fixed,
      route.attributes,
      "RTM_NEWROUTE",
      route.device.name,
    );
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

/** Turns the kernel's description of a route into a request that makes the same route. */
function repeatable(
  fixed: Uint8Array,
  attributes: Map<number, Uint8Array>,
): Pick<DefaultRoute, "fixed" | "attributes"> {
  // The other flags are states (dead, link down), which the kernel refuses in a request.
  const view = new DataView(fixed.buffer);
  view.setUint32(8, view.getUint32(8, true) & RTNH_F_ONLINK, true);
  // The kernel reports a nexthop object with its contents, but refuses a request that has both.
  const spelledOut: readonly number[] = [RTA.OIF, RTA.GATEWAY, RTA.MULTIPATH, RTA.VIA];
  const said = [...attributes].filter(([type]) => !attributes.has(RTA.NH_ID) || !spelledOut.includes(type));
  return { fixed, attributes: said };
}

function firstHop(hops: Uint8Array | undefined): { index: number; gateway: Uint8Array | undefined } | undefined {
  if (hops === undefined || hops.length < RTNEXTHOP_SIZE) return undefined;
  const view = new DataView(hops.buffer, hops.byteOffset);
  const attributes = nl.parseAttributes(hops, RTNEXTHOP_SIZE, Math.min(view.getUint16(0, true), hops.length));
  return { index: view.getInt32(4, true), gateway: attributes.get(RTA.GATEWAY) };
}

function number(value: Uint8Array | undefined): number | undefined {
  return value && new DataView(value.buffer, value.byteOffset).getUint32(0, true);
}
