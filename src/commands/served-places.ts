// Where `nullmodem files` can serve: at the links that have an interface. The others serve by their own option.

import type { ServicePlace } from "../run/files/windows-sockets.ts";
import type { Status } from "../run/live/published-status.ts";

type Link = Pick<Status, "ipv4" | "sharing" | "proxy" | "interface">;

/** With usernet and with socks, packets end in the program of the link. */
function hasInterface({ sharing, proxy }: Link): boolean {
  return sharing?.way !== "sockets" && proxy === undefined;
}

/** Our addresses of the links that have an interface, and these interfaces. */
export function servedPlaces(links: readonly Link[]): ServicePlace[] {
  return links
    .filter(hasInterface)
    .flatMap(({ ipv4, interface: device }) => (ipv4 === undefined ? [] : [{ address: ipv4.our, device }]));
}

/** What is said when nothing can be served yet. */
export function waitingText(links: readonly Link[]): string {
  const without = links.filter((link) => !hasInterface(link)).map((link) => link.interface);
  const hasOnlyIpv6 = links.filter((link) => hasInterface(link) && link.ipv4 === undefined);
  if (without.length === 0 && hasOnlyIpv6.length > 0)
    return `Waiting for a link with IPv4: ${hasOnlyIpv6.map((link) => link.interface).join(", ")} has IPv6 only`;
  if (without.length === 0) return "Waiting for a link";
  const names = without.join(", ");
  return `Waiting for a link with an interface: ${names} has none, and its pppd or serve wants the option files DIR`;
}
