// The IPv6 prefix of this machine for the links that share its network: 48 random bits (RFC 4193), kept in a file so that they
// stay the same. Each link has a /64 of it.

import { put16, put32 } from "../../bytes/be.ts";
import { parsePrefix } from "../../bytes/prefix.ts";
import { textOf } from "../../bytes/text.ts";
import type { InterfaceId } from "../../wire/ipv6cp.ts";
import type { Machine } from "../machine.ts";
import { keepAt, statePaths } from "../state-paths.ts";

const FILE = "nullmodem-prefix";
const MOST_OCTETS = 64;
const LOCAL = 0xfd;
const SITE_BITS = 48;
const SITE_SIZE = SITE_BITS / 8;
/** Subnets with this bit are for interfaces that pppd has not numbered. */
const NAMED = 0x8000;

type PrefixMachine = Pick<Machine, "files" | "processes" | "random" | "users">;

/** The first six octets of the prefix. Where no file can be written, they are new each time. */
export function ownPrefix(machine: PrefixMachine): Uint8Array {
  for (const path of statePaths(machine, FILE)) {
    const known = readPrefix(machine.files, path);
    if (known !== undefined) return known;
  }
  const made = new Uint8Array(8);
  put32(made, put32(made, 0, machine.random.u32()), machine.random.u32());
  made[0] = LOCAL;
  const prefix = made.slice(0, SITE_SIZE);
  const bytes = Buffer.from(`${prefixText(prefix)}\n`);
  keepAt(machine, FILE, (path) => machine.files.replace(path, bytes, 0o644));
  return prefix;
}

function readPrefix(files: Machine["files"], path: string): Uint8Array | undefined {
  try {
    const found = parsePrefix(textOf(files.readHead(path, MOST_OCTETS)).trim());
    const isPrefix = found?.bits === SITE_BITS && found.address[0] === LOCAL;
    return isPrefix ? found.address.slice(0, SITE_SIZE) : undefined;
  } catch {
    return undefined;
  }
}

function prefixText(prefix: Uint8Array): string {
  const view = new DataView(prefix.buffer, prefix.byteOffset);
  return `${[0, 2, 4].map((at) => view.getUint16(at).toString(16)).join(":")}::/${SITE_BITS}`;
}

/** The network of a link, as an address whose last 64 bits are 0. `line` tells apart what has the same name. */
export function linkNetwork(prefix: Uint8Array, ifname: string, line: string): Uint8Array {
  const network = new Uint8Array(16);
  network.set(prefix);
  const unit = /^ppp(\d+)$/.exec(ifname)?.[1];
  put16(network, SITE_SIZE, unit === undefined ? NAMED | hashOf(`${ifname} ${line}`) : Number(unit) & (NAMED - 1));
  return network;
}

/** The addresses in the network of a link: ours is the first that the peer does not make for itself. */
export function addressesIn(network: Uint8Array, peerId: InterfaceId): { our: Uint8Array; peer: Uint8Array } {
  const our = network.slice();
  our[15] = peerId.high === 0 && peerId.low === 1 ? 2 : 1;
  const peer = network.slice();
  put32(peer, put32(peer, 8, peerId.high), peerId.low);
  return { our, peer };
}

/** FNV-1a, of which 15 bits are used. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const octet of Buffer.from(text)) hash = Math.imul(hash ^ octet, 0x01000193);
  return (hash >>> 8) & (NAMED - 1);
}
