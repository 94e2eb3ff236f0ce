// The name servers of this machine (resolv.conf(5)): those that it asks itself, and those that a peer behind it can ask.

import { parseAddress } from "../../bytes/prefix.ts";
import { textOf } from "../../bytes/text.ts";
import { u32 } from "../../bytes/be.ts";
import type { ServerAddress } from "../../control/options/ipcp/server-addresses.ts";
import type { Destinations } from "../../stack/destinations.ts";
import { isHostError, type Machine } from "../machine.ts";

const RESOLV_CONF = "/etc/resolv.conf";
/** Where systemd-resolved and NetworkManager list the servers behind systemd's own at 127.0.0.53. */
const BEHIND_STUB = ["/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf"];
/** Addresses of systemd-resolved. */
const STUBS = ["127.0.0.53", "127.0.0.54"];
/** resolv.conf(5): a file that names no server means the one on this machine. */
const OWN_HOST = Uint8Array.of(127, 0, 0, 1);
/** RFC 1877 has options for a first and a second server. */
const MOST_OFFERED = 2;
/** The files are read again after so long. */
const FRESH_MS = 1000;

export interface HostResolvers {
  /** Those that this machine asks. Some may answer at its loopback only. */
  readonly own: readonly Uint8Array[];
  /** Those that lie beyond this machine, if it asks any. */
  readonly beyond: readonly Uint8Array[];
}

/** `read` returns the text of a file. Undefined: it cannot be read. */
export function hostResolvers(read: (path: string) => string | undefined): HostResolvers {
  const names = serversIn(read(RESOLV_CONF) ?? "");
  const own = names.flatMap((name) => parseAddress(name) ?? []);
  const beyond = own.filter((address) => !isLoopback(address));
  if (own.length === 0) return { own: [OWN_HOST], beyond: [] };
  if (beyond.length > 0 || !names.some((name) => STUBS.includes(name))) return { own, beyond };
  for (const path of BEHIND_STUB) {
    const servers = serversIn(read(path) ?? "").flatMap((name) => parseAddress(name) ?? []);
    const behind = servers.filter((address) => !isLoopback(address));
    if (behind.length > 0) return { own, beyond: behind };
  }
  return { own, beyond: [] };
}

/** An address with a zone ("fe80::1%eth0") is not among them, because our sockets know none. */
function serversIn(text: string): string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, name = ""]) => name);
}

/** 0.0.0.0 and :: lead to this machine too. */
function isLoopback(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127 || address.every((octet) => octet === 0);
  return address.every((octet, at) => octet === 0 || (at === 15 && octet === 1));
}

/**
 * The servers that IPCP offers where the kernel forwards: at most two that the peer reaches. Where there are none, a relay
 * answers at our own address.
 */
export function offeredServers({ beyond }: HostResolvers, destinations: Destinations): ServerAddress[] {
  const reached = beyond.filter((address) => address.length === 4 && destinations.allows(address));
  return reached.length === 0 ? ["ours"] : reached.slice(0, MOST_OFFERED).map((address) => u32(address, 0));
}

/** The same of a running machine, whose files may change. */
export class Resolvers {
  readonly #machine: Pick<Machine, "clock" | "files">;
  #found: HostResolvers | undefined;
  #readAt = -Infinity;

  constructor(machine: Pick<Machine, "clock" | "files">) {
    this.#machine = machine;
  }

  get now(): HostResolvers {
    const { clock, files } = this.#machine;
    const now = clock.now();
    if (this.#found === undefined || now - this.#readAt >= FRESH_MS) {
      this.#found = hostResolvers((path) => read(files, path));
      this.#readAt = now;
    }
    return this.#found;
  }
}

function read(files: Machine["files"], path: string): string | undefined {
  try {
    return textOf(files.read(path));
  } catch (error) {
    if (!isHostError(error)) throw error;
    return undefined;
  }
}
