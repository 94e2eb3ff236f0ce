// An Internet of three machines: the server, which has the cable; a router; and "outside" with its servers (outside-servers.ts).
// Outside knows no way to the addresses of the link.

import { type Machine, type MachineOptions, openMachine } from "./machine.ts";
import { OUTSIDE, OUTSIDE6, outsideFiles, type Served, startServers } from "./outside-servers.ts";
import type { Program } from "./program.ts";
import { must, wire } from "./wires.ts";

export const SERVER = "203.0.113.2";
export const ROUTER = "203.0.113.1";
export const SERVER6 = "2001:db8:2::2";
export const ROUTER6 = "2001:db8:2::1";

export interface Internet {
  readonly server: Machine;
  readonly router: Machine;
  readonly outside: Machine;
  /** The servers of outside. closeMachines ends them. */
  readonly programs: readonly Program[];
}

/** `file` is what the servers of outside offer. `server` says what the server's machine has. */
export async function openInternet(file: Served, server: MachineOptions = {}): Promise<Internet> {
  const names = `nameserver ${OUTSIDE}\n`;
  const [near, router, outside] = await Promise.all([
    openMachine("server", { ...server, files: { "/etc/resolv.conf": names, ...server.files } }),
    openMachine("router"),
    openMachine("outside", { files: { "/etc/resolv.conf": names, ...outsideFiles() } }),
  ]);
  await wire(near, router);
  await wire(router, outside);
  await must(
    router,
    `echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
    ip addr add ${ROUTER}/24 dev server; ip addr add ${ROUTER6}/64 dev server nodad; ip link set server up
    ip addr add 198.51.100.1/24 dev outside; ip addr add 2001:db8:80::1/64 dev outside nodad; ip link set outside up`,
  );
  await must(
    near,
    `ip addr add ${SERVER}/24 dev router; ip addr add ${SERVER6}/64 dev router nodad; ip link set router up
    ip route add default via ${ROUTER}; ip route add default via ${ROUTER6}`,
  );
  await must(
    outside,
    `ip addr add ${OUTSIDE}/24 dev router; ip addr add ${OUTSIDE6}/64 dev router nodad; ip link set router up
    ip route add default via 198.51.100.1; ip route add default via 2001:db8:80::1`,
  );
  return { server: near, router, outside, programs: await startServers(outside, file) };
}
