// What is wrong with the machine and its port before the port is opened.

import type { Finding } from "../diagnose/finding.ts";
import { sharedPort } from "../diagnose/port-trouble.ts";
import { interfaceTrouble, openTrouble } from "../diagnose/tun-trouble.ts";
import { LATENCY_MS, latencyTrouble } from "../diagnose/uart-trouble.ts";
import type { Machine } from "../machine.ts";

type HostMachine = Pick<Machine, "descriptors" | "files" | "serial" | "users">;

/** Checks the TUN device, and whether this user may make interfaces. */
export function tunAndRightsTrouble(machine: HostMachine): Finding[] {
  const error = openTrouble(machine);
  if (error !== undefined) return [interfaceTrouble(error)];
  if (machine.users.mayMakeInterfaces()) return [];
  const text = "You may not make network interfaces, which pppd needs without usernet";
  return [
    {
      code: "rights",
      text,
      remedy: "run pppd as root: sudo pppd; or without an interface: pppd usernet",
      severity: "warning",
    },
  ];
}

/** Checks who else has the port open, and the latency timer of its adapter. */
export function portUseTrouble({ serial }: HostMachine, path: string): Finding[] {
  const latency = serial.latencyOf(path);
  // Writes what is there, to learn whether that is allowed.
  const isOurs = latency === undefined || latency <= LATENCY_MS || serial.setLatency(path, latency);
  return [...sharedPort(serial, path), ...latencyTrouble(path, latency, isOurs)];
}
