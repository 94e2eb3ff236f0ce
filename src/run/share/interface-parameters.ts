// Kernel parameters of a link's interface that sharing needs. They go with the interface, so nothing records them.

import { parseAddress } from "../../bytes/prefix.ts";
import type { LogLevel } from "../log.ts";
import type { Machine } from "../machine.ts";
import { sysctlName } from "../packets/switched-parameter.ts";
import { forwardsOf, type Sharing } from "./sharing.ts";

const CONF = "net/ipv4/conf";
const STRICT = "1";
const LOOSE = "2";

/** Sets what IPv4 needs. Returns what sets it back, for an interface that outlives the link. */
export function setParameters(
  { network }: Pick<Machine, "network">,
  sharing: Sharing,
  log: (level: LogLevel, text: string) => void,
): () => void {
  const { family, ifname, index, peer, loopback } = sharing;
  const undo: (() => void)[] = [];
  const set = (parameter: string, value: string): void => {
    const name = `${CONF}/${ifname}/${parameter}`;
    const before = network.readSysctl(name);
    if (before === undefined || before === value) return;
    if (network.writeSysctl(name, value))
      undo.push(() => {
        // Somebody else may have set it meanwhile.
        if (network.readSysctl(name) === value) network.writeSysctl(name, before);
      });
    else log("warn", `share: ${sysctlName(name)} cannot be set to ${value}`);
  };
  if (family === 4) {
    // Interfaces made while forwarding of new ones was off.
    set("forwarding", "1");
    // Packets of 127.0.0.0/8 may use the interface. The packet port lets none of the peer's pass (loopback-guard.ts).
    if (loopback || forwardsOf(sharing).length > 0) set("route_localnet", "1");
    const out = network.routes.through(parseAddress(peer)!);
    if (isStrict(network, ifname) && out !== index) {
      set("rp_filter", LOOSE);
      log("info", `share: rp_filter of ${ifname} is ${LOOSE}, because the route to ${peer} is another interface's`);
    }
  }
  return () => {
    for (const step of undo.reverse()) step();
  };
}

/** The kernel drops packets whose answers would leave by another interface (RFC 3704 §2.2). The larger of the two values counts. */
function isStrict(network: Machine["network"], ifname: string): boolean {
  const values = ["all", ifname].map((name) => network.readSysctl(`${CONF}/${name}/rp_filter`) ?? "0");
  return values.includes(STRICT) && !values.includes(LOOSE);
}
