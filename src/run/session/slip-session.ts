// SLIP instead of PPP on a line: a caller that autodetect has recognised, or the options slip and cslip. The addresses are
// those of the options.

import type { LinkConfig } from "../../link/link-host.ts";
import type { Link } from "../../link/link.ts";
import { SLIP_VJ, SlipLink } from "../../link/slip-link.ts";
import type { Config } from "../../options/config.ts";
import type { Log } from "../log.ts";
import type { LinePort } from "../loop/line-port.ts";
import type { Loop } from "../loop/loop.ts";

/** RFC 1055's largest packet, unless the option mtu names another. */
const SLIP_MTU = 1006;
const LARGEST_MTU = 1500;
/** The option's default. */
const UNSET_MTU = 16384;

export interface SlipParts {
  readonly config: Config;
  readonly linkConfig: LinkConfig;
  readonly log: Log;
  readonly link: Link;
  readonly port: LinePort;
  readonly loop: Loop;
}

/** Why there can be no SLIP. */
export function slipTrouble({ multilink }: Config, { lcp, networks: { ipcp } }: LinkConfig): string | undefined {
  if (lcp.demand.length > 0) return "SLIP has no authentication, and auth demands it; give noauth";
  if (multilink) return "SLIP is no part of a bundle; leave out multilink";
  if (ipcp === undefined) return "SLIP carries nothing but IPv4; leave out noip";
  return ipcp.our === 0 || ipcp.peer === 0 ? "SLIP wants both addresses, such as 10.0.0.1:10.0.0.2" : undefined;
}

/** Begins a SLIP link, which has the line from now on. `isCompressed`: headers are compressed before the peer does so. */
export function openSlip(
  { config, linkConfig, log, link, port, loop }: SlipParts,
  isCompressed: boolean,
  now: number,
): SlipLink {
  const { ipcp } = linkConfig.networks;
  const { frame, output } = port.buffers;
  const slip = new SlipLink(link.networks, frame.bytes, output);
  loop.carryBy(slip);
  link.given.count = () => {
    const { packets: received, overlong } = slip.deframer.stats;
    return { received, overlong, sent: slip.sent.packets };
  };
  const vj = config.novj ? undefined : SLIP_VJ;
  const terms = { our: ipcp!.our, peer: ipcp!.peer, vjReceive: vj, vjTransmit: isCompressed ? vj : undefined };
  const mtu = config.mtu === UNSET_MTU ? SLIP_MTU : Math.min(config.mtu, LARGEST_MTU);
  const refusal = link.given.open(terms, mtu, now);
  if (refusal !== undefined) {
    log.write("error", refusal);
    link.given.close();
  }
  return slip;
}

/** Begins SLIP at once, as the options say. False: it cannot be, and the log says why. */
export function startSlip(parts: SlipParts, now: number): boolean {
  const { config, linkConfig, log, port, loop } = parts;
  const trouble = slipTrouble(config, linkConfig);
  if (trouble === undefined) loop.handOver(port, openSlip(parts, config.slip === "cslip", now), now);
  else log.write("error", trouble);
  return trouble === undefined;
}
