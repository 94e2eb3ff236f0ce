// `interactive`: small packets on a slow line, for a peer whose packets cannot be sent in pieces. While a packet is sent, nothing
// else goes.

import type { Config } from "../../options/config.ts";

/** A packet keeps the line so long at most. */
const LONGEST_MS = 30;
/** What hosts used for slow lines (RFC 1144 §5.1). In smaller packets the headers would cost too much. */
const LEAST = 296;
/** RFC 8200 §5. */
const LEAST_IPV6 = 1280;
const MOST = 1500;
const OCTET_BITS = 10;
const SECOND_MS = 1000;

/**
 * The options with the sizes of packets that suit a line of `speed` bits a second; 0: it is not known. IPv6 that no option asks for
 * is left out where its packets would be too large.
 */
export function fitToLine(config: Config, speed: number): Config {
  if (!config.interactive || speed === 0) return config;
  const octets = Math.floor((speed / OCTET_BITS / SECOND_MS) * LONGEST_MS);
  const ipv6 = config.ipv6 && (octets >= LEAST_IPV6 || config.given["+ipv6"] !== undefined);
  const size = Math.min(MOST, Math.max(ipv6 ? LEAST_IPV6 : LEAST, octets));
  return { ...config, ipv6, mru: Math.min(config.mru, size), mtu: Math.min(config.mtu, size) };
}
