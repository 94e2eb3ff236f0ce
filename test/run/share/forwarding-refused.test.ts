// A machine where forwarding cannot be switched on.

import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { KernelSharing } from "../../../src/run/share/kernel-sharing.ts";

test("what is not forwarded is named by its version of IP", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nullmodem-refused-"));
  const said: string[] = [];
  const network = { ...thisMachine.network, readSysctl: () => "0", writeSysctl: () => false };
  const sharing = new KernelSharing({
    machine: { ...thisMachine, network },
    directory,
    log: (level, text) => void said.push(`${level} ${text}`),
    wait: () => {},
    lost: () => {},
  });
  const common = { ifname: "ppp0", index: 7, destinations: [], forwards: [], mostFlows: 1 };
  const flags = { isReachable: false, isLimited: false, isOwnOpen: true, loopback: false };
  const ends = { our: "10.9.0.1", peer: "10.9.0.2", from: "10.9.0.2" };
  for (const family of [4, 6] as const)
    expect(await sharing.start({ ...common, ...flags, ...ends, family })).toBe(false);
  expect(said).toEqual([
    "error share: net.ipv4.ip_forward cannot be switched on, so no IPv4 is forwarded",
    "error share: net.ipv6.conf.all.forwarding cannot be switched on, so no IPv6 is forwarded",
  ]);
  expect(readdirSync(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
});
