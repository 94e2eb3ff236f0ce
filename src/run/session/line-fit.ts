// `interactive`: gives a link the sizes of packets that suit its line. The speed of the line is known only when the link is about
// to begin: find-speed and join look for it before that.

import type { LinkConfig } from "../../link/link-host.ts";
import type { Link } from "../../link/link.ts";
import type { Config } from "../../options/config.ts";
import type { Machine } from "../machine.ts";
import { lcpSizes } from "../settings/link-config.ts";
import { fitToLine } from "../settings/packet-size.ts";

/** `linkConfig` is that of the link. `speed` is in bits a second; 0: it is not known. The links of a bundle share their IPv6. */
export function fitLink(
  link: Link,
  linkConfig: LinkConfig,
  config: Config,
  speed: number,
  network: Machine["network"],
): void {
  const fitted = fitToLine(config, speed);
  if (fitted === config) return;
  Object.assign(linkConfig.lcp, lcpSizes(fitted, network));
  linkConfig.mtu = fitted.mtu;
  if (!fitted.ipv6 && !config.multilink) link.networks.leaveOutIpv6();
}
