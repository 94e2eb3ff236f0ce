// pppd's `proxyarp`: this host answers ARP for the peer's address on the local network. The entry is the one SIOCSARP
// with ATF_PUBL makes (`arp -an` shows it as PERM PUB). rtnetlink makes it for IPv6 as well.

import { addresses, type Device, IFF, interfaces, ipv4Bytes } from "./netif.ts";
import * as nl from "./netlink.ts";

const NDA_DST = 1;
const NUD_PERMANENT = 0x80;
const NTF_PROXY = 0x08;
const NDMSG_SIZE = 12;

/** Finds the broadcast interface that is up and whose subnet contains the peer's address. The longest mask wins. */
export function findProxyInterface(peer: number): Device | undefined {
  const wanted = ipv4Bytes(peer);
  const links = new Map(interfaces().map((link) => [link.index, link]));
  let best: Device | undefined;
  let longest = -1;
  for (const { index, our, prefix } of addresses()) {
    const link = links.get(index);
    if (link === undefined || our.length !== 4 || prefix <= longest) continue;
    const kind = link.flags & (IFF.UP | IFF.BROADCAST | IFF.POINTOPOINT | IFF.LOOPBACK | IFF.NOARP);
    if (kind !== (IFF.UP | IFF.BROADCAST) || !samePrefix(our, wanted, prefix)) continue;
    longest = prefix;
    best = link;
  }
  return best;
}

function samePrefix(a: Uint8Array, b: Uint8Array, prefix: number): boolean {
  for (let bit = 0; bit < prefix; bit++) {
    if (((a[bit >> 3]! ^ b[bit >> 3]!) & (0x80 >> (bit & 7))) !== 0) return false;
  }
  return true;
}

/** Adds a proxy entry for `address` (4 or 16 octets) on an interface. */
export function addProxy(device: Device, address: Uint8Array): void {
  changeProxy(nl.RTM.NEWNEIGH, nl.FLAGS.create, "RTM_NEWNEIGH", device, address);
}

/** Removes a proxy entry. Does nothing when it is not there. */
export function removeProxy(device: Device, address: Uint8Array): void {
  nl.forgiving(() => changeProxy(nl.RTM.DELNEIGH, nl.FLAGS.none, "RTM_DELNEIGH", device, address));
}

function changeProxy(type: number, flags: number, call: string, { index, name }: Device, address: Uint8Array): void {
  const fixed = new Uint8Array(NDMSG_SIZE); // struct ndmsg
  const view = new DataView(fixed.buffer);
  fixed[0] = address.length === 4 ? nl.AF_INET : nl.AF_INET6;
  view.setInt32(4, index, true);
  view.setUint16(8, NUD_PERMANENT, true);
  fixed[10] = NTF_PROXY;
  nl.netlink(type, flags, fixed, [[NDA_DST, address]], call, name);
}
