// VRFs: separate routing tables for the interfaces that belong to them (Linux Documentation/networking/vrf.rst).

import { textOf } from "../../bytes/text.ts";
import { type Device, interfaceIndex } from "./netif.ts";
import * as nl from "./netlink.ts";

const IFLA = { MASTER: 10, LINKINFO: 18 } as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const IFLA_VRF_TABLE = 1;
const IFINFOMSG_SIZE = 16;

/**
 * The number of a VRF's routing table. Undefined when the interface is no VRF. Throws OsError ENODEV when there is
 * none.
 */
export function vrfTable(name: string): number | undefined {
  const [answer] = nl.netlink(nl.RTM.GETLINK, nl.FLAGS.none, ifinfomsg(interfaceIndex(name)), [], "RTM_GETLINK", name);
  const info = nl.parseAttributes(answer!, IFINFOMSG_SIZE).get(IFLA.LINKINFO);
  const { [IFLA_INFO.KIND]: kind, [IFLA_INFO.DATA]: data } = Object.fromEntries(info ? nl.parseAttributes(info) : []);
  if (kind === undefined || data === undefined || textOf(kind, 0).replace(/\0$/, "") !== "vrf") return undefined;
  const table = nl.parseAttributes(data).get(IFLA_VRF_TABLE);
  return table && new DataView(table.buffer, table.byteOffset).getUint32(0, true);
}

/** Moves an interface into a VRF. Its addresses and routes then use the VRF's table. Throws OsError. */
export function joinVrf({ index, name }: Device, vrf: string): void {
  const master: nl.Attributes = [[IFLA.MASTER, nl.u32Value(interfaceIndex(vrf))]];
  nl.netlink(nl.RTM.SETLINK, nl.FLAGS.none, ifinfomsg(index), master, "RTM_SETLINK", name);
}

/** struct ifinfomsg */
function ifinfomsg(index: number): Uint8Array {
  const bytes = new Uint8Array(IFINFOMSG_SIZE);
  new DataView(bytes.buffer).setInt32(4, index, true);
  return bytes;
}
