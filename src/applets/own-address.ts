// The address of our own host name, which pppd takes for the local end of the link unless told otherwise. Where a name
// server does not answer, the look-up takes ten seconds: the event loop continues in the meantime, and a message tells the user.

import type { Config } from "../options/config.ts";
import type { OptionHost } from "../options/host.ts";
import { parseIpv4 } from "../options/numbers.ts";

const SLOW_MS = 1000;

/** Resolves to addresses as texts; rejects when there is no such host. */
type LookUp = (host: string) => Promise<readonly { readonly address: string }[]>;

/** As gethostbyname(3) finds it. */
const systemLookUp: LookUp = (host) => Bun.dns.lookup(host, { backend: "system", family: 4, socketType: "tcp" });

/** The same host, which knows the address of our own name already if the parser will ask for it. */
export async function withOwnAddress(
  { facts: { hostname }, ourAddress, noipdefault }: Config,
  host: OptionHost,
  announce: (text: string) => void,
  lookUp = systemLookUp,
  slowMs = SLOW_MS,
): Promise<OptionHost> {
  if (ourAddress !== undefined || noipdefault) return host;
  const advice = "give ADDRESS: or noipdefault, or name it in /etc/hosts";
  const timer = setTimeout(() => announce(`Looking up our own host name ${hostname} takes long: ${advice}`), slowMs);
  let own: number | undefined;
  try {
    const [found] = await lookUp(hostname);
    own = found && parseIpv4(found.address);
  } catch {
    // The name has no address, so that ours must come from elsewhere.
  } finally {
    clearTimeout(timer);
  }
  return withAddress(host, hostname, own);
}

/** The same host, which knows no address of our own name and does not look for one. */
export function withoutOwnAddress({ facts: { hostname } }: Config, host: OptionHost): OptionHost {
  return withAddress(host, hostname, undefined);
}

function withAddress(host: OptionHost, hostname: string, address: number | undefined): OptionHost {
  return { ...host, resolveHost: (name) => (name === hostname ? address : host.resolveHost(name)) };
}
