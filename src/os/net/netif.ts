// Network interfaces: addresses, up and down, MTU, counters. Uses rtnetlink, which needs neither an `ip` program nor
// /proc/sys (read-only in containers). IPv4 addresses are unsigned 32-bit numbers, IPv6 addresses 16 octets.

import { put32, u32 } from "../../bytes/be.ts";
import { hasCode } from "../ffi/libc.ts";
import * as nl from "./netlink.ts";

export const IFF = { UP: 0x1, BROADCAST: 0x2, LOOPBACK: 0x8, POINTOPOINT: 0x10, NOARP: 0x80 } as const;

/** Identifies an interface by its index, which stays when it is renamed. The name is for messages. */
export interface Device {
  readonly index: number;
  readonly name: string;
}

export interface Interface extends Device {
  /** ARPHRD_…, of <linux/if_arp.h> */
  readonly type: number;
  /** {@link IFF} */
  readonly flags: number;
  readonly mtu: number;
  /** The hardware address. Empty when the interface has none. */
  readonly mac: Uint8Array;
  readonly counters: Counters;
}

/** Counters from the kernel's side: for a TUN, received packets are those we wrote. */
export interface Counters {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxDropped: number;
  readonly txDropped: number;
}

export interface Address {
  /** The interface's index. */
  readonly index: number;
  /** Our address, 4 or 16 octets. */
  readonly our: Uint8Array;
  /** The peer's address. The same as `our` when there is no peer. */
  readonly peer: Uint8Array;
  readonly prefix: number;
}

export interface LinkSettings {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly txQueueLength?: number;
}

const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, TXQLEN: 13, STATS64: 23, AF_SPEC: 26 } as const;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const IFA = { ADDRESS: 1, LOCAL: 2 } as const;
const ARPHRD_ETHER = 1;
const IFINFOMSG_SIZE = 16;
const IFADDRMSG_SIZE = 8;

/** struct ifinfomsg */
function ifinfomsg(index: number, flags = 0, change = 0): Uint8Array {
  const bytes = new Uint8Array(IFINFOMSG_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return bytes;
}

export function interfaces(): Interface[] {
  return nl.netlink(nl.RTM.GETLINK, nl.FLAGS.dump, ifinfomsg(0), [], "RTM_GETLINK").map(parseLink);
}

/** The interface of that name. Undefined when there is none. */
export function findInterface(name: string): Interface | undefined {
  return interfaces().find((candidate) => candidate.name === name);
}

/** The hardware address of the Ethernet interface with the lowest index. Undefined when there is none. */
export function firstEthernetMac(): Uint8Array | undefined {
  const ethernets = interfaces().filter(({ type }) => type === ARPHRD_ETHER);
  return ethernets.sort((a, b) => a.index - b.index)[0]?.mac;
}

/** Throws OsError ENODEV when there is no interface of that name. */
export function interfaceIndex(name: string): number {
  const [answer] = nl.netlink(
    nl.RTM.GETLINK,
    nl.FLAGS.none,
    ifinfomsg(0),
    [[IFLA.IFNAME, nl.nameValue(name)]],
    "RTM_GETLINK",
    name,
  );
  return parseLink(answer!).index;
}

/** How many packets the kernel queues for an interface. Throws OsError ENODEV when it is gone. */
export function queueLengthOf({ index, name }: Device): number {
  const [answer] = nl.netlink(nl.RTM.GETLINK, nl.FLAGS.none, ifinfomsg(index), [], "RTM_GETLINK", name);
  const length = nl.parseAttributes(answer!, IFINFOMSG_SIZE).get(IFLA.TXQLEN) ?? new Uint8Array(4);
  return new DataView(length.buffer).getUint32(0, true);
}

function parseLink(message: Uint8Array): Interface {
  const view = new DataView(message.buffer, message.byteOffset);
  const attributes = nl.parseAttributes(message, IFINFOMSG_SIZE);
  const name = attributes.get(IFLA.IFNAME) ?? new Uint8Array(1);
  const mtu = attributes.get(IFLA.MTU) ?? new Uint8Array(4);
  const stats = attributes.get(IFLA.STATS64) ?? new Uint8Array(64);
  const count = (nth: number): number => Number(new DataView(stats.buffer).getBigUint64(8 * nth, true));
  return {
    name: Buffer.from(name.subarray(0, -1)).toString(),
    index: view.getInt32(4, true),
    type: view.getUint16(2, true),
    flags: view.getUint32(8, true),
    mtu: new DataView(mtu.buffer).getUint32(0, true),
    mac: attributes.get(IFLA.ADDRESS) ?? new Uint8Array(0),
    // Counters of struct rtnl_link_stats64; numbers 4 and 5 are errors.
    counters: {
      rxPackets: count(0),
      txPackets: count(1),
      rxBytes: count(2),
      txBytes: count(3),
      rxDropped: count(6),
      txDropped: count(7),
    },
  };
}

/** Sets the given fields and leaves the others unchanged. */
export function setLink({ index, name }: Device, { up, mtu, txQueueLength }: LinkSettings): void {
  const attributes: [number, Uint8Array][] = [];
  if (mtu !== undefined) attributes.push([IFLA.MTU, nl.u32Value(mtu)]);
  if (txQueueLength !== undefined) attributes.push([IFLA.TXQLEN, nl.u32Value(txQueueLength)]);
  const fixed = ifinfomsg(index, up ? IFF.UP : 0, up === undefined ? 0 : IFF.UP);
  nl.netlink(nl.RTM.SETLINK, nl.FLAGS.none, fixed, attributes, "RTM_SETLINK", name);
}

/**
 * Keeps the kernel from adding a link-local address of its own; IPv6CP supplies it. Call this before the interface is
 * up.
 */
export function noKernelLinkLocal({ index, name }: Device): void {
  const mode = nl.nested([[IFLA_INET6_ADDR_GEN_MODE, new Uint8Array([IN6_ADDR_GEN_MODE_NONE])]]);
  const family = nl.nested([[nl.AF_INET6, mode]]);
  try {
    nl.netlink(nl.RTM.SETLINK, nl.FLAGS.none, ifinfomsg(index), [[IFLA.AF_SPEC, family]], "RTM_SETLINK", name);
  } catch (error) {
    // A kernel or an interface without IPv6 refuses this, and makes no link-local address either.
    if (!hasCode(error, "EAFNOSUPPORT", "EOPNOTSUPP", "EINVAL", "EPROTONOSUPPORT")) throw error;
  }
}

export function addresses(): Address[] {
  const fixed = new Uint8Array(IFADDRMSG_SIZE);
  return nl.netlink(nl.RTM.GETADDR, nl.FLAGS.dump, fixed, [], "RTM_GETADDR").flatMap((message) => {
    const attributes = nl.parseAttributes(message, IFADDRMSG_SIZE);
    const peer = attributes.get(IFA.ADDRESS);
    const our = attributes.get(IFA.LOCAL) ?? peer;
    if (our === undefined || peer === undefined) return [];
    const index = new DataView(message.buffer, message.byteOffset).getUint32(4, true);
    return [{ index, our, peer, prefix: message[1]! }];
  });
}

/** Adds our address with the peer's as destination, netmask 255.255.255.255. The kernel adds the route to the peer. */
export function addAddress(device: Device, our: number, peer: number): void {
  changeAddress(nl.RTM.NEWADDR, device, ipv4Bytes(our), ipv4Bytes(peer), 32);
}

/** Removes an address. Does nothing when it is not there. */
export function removeAddress(device: Device, our: number, peer: number): void {
  nl.forgiving(() => changeAddress(nl.RTM.DELADDR, device, ipv4Bytes(our), ipv4Bytes(peer), 32));
}

export function addAddress6(device: Device, our: Uint8Array, prefix: number, peer = our): void {
  changeAddress(nl.RTM.NEWADDR, device, our, peer, prefix);
}

/** Removes an IPv6 address. Does nothing when it is not there. */
export function removeAddress6(device: Device, our: Uint8Array, prefix: number, peer = our): void {
  nl.forgiving(() => changeAddress(nl.RTM.DELADDR, device, our, peer, prefix));
}

function changeAddress(type: number, { index, name }: Device, our: Uint8Array, peer: Uint8Array, prefix: number): void {
  const fixed = new Uint8Array(IFADDRMSG_SIZE); // struct ifaddrmsg
  fixed[0] = our.length === 4 ? nl.AF_INET : nl.AF_INET6;
  fixed[1] = prefix;
  new DataView(fixed.buffer).setUint32(4, index, true);
  const flags = type === nl.RTM.NEWADDR ? nl.FLAGS.createNew : nl.FLAGS.none;
  const call = type === nl.RTM.NEWADDR ? "RTM_NEWADDR" : "RTM_DELADDR";
  nl.netlink(
    type,
    flags,
    fixed,
    [
      [IFA.LOCAL, our],
      [IFA.ADDRESS, peer],
    ],
    call,
    name,
  );
}

export function ipv4Bytes(address: number): Uint8Array {
  const bytes = new Uint8Array(4);
  put32(bytes, 0, address);
  return bytes;
}

export function ipv4Of(bytes: Uint8Array): number {
  return u32(bytes, 0);
}
