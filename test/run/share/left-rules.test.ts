// Rules that the packet filter keeps when the link ends: the record of them stays for the next pppd and for `cleanup`.

import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { rulesRecord, undoLeftOver } from "../../../src/run/packets/left-over.ts";
import { KernelSharing } from "../../../src/run/share/kernel-sharing.ts";
import type { Sharing } from "../../../src/run/share/sharing.ts";

const SHARING: Sharing = {
  family: 4,
  ifname: "ppp0",
  index: 7,
  our: "10.9.0.1",
  peer: "10.9.0.2",
  from: "10.9.0.2",
  isReachable: false,
  mostFlows: 1,
  destinations: [],
  isLimited: false,
  isOwnOpen: true,
  loopback: false,
  forwards: [],
};

/** An nft that takes all rules and removes none. */
function machineWithStubbornFilter() {
  const routes = { ...thisMachine.network.routes, through: () => 7, defaults: () => [] };
  const firewallTools = () => ({ nft: "/usr/sbin/nft", iptables: [], firewallCmd: undefined });
  const network = { ...thisMachine.network, readSysctl: () => "1", writeSysctl: () => true, firewallTools, routes };
  const runTool = async (_: readonly string[], input: string) =>
    input.startsWith("delete table") && !input.includes("{")
      ? { exitCode: 1, output: "", complaint: "Error: Device or resource busy\n" }
      : { exitCode: 0, output: "", complaint: "" };
  return { ...thisMachine, network, processes: { ...thisMachine.processes, runTool } };
}

test("the record of a link's rules stays when they cannot be removed", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nullmodem-left-"));
  const said: string[] = [];
  const done: Promise<unknown>[] = [];
  const sharing = new KernelSharing({
    machine: machineWithStubbornFilter(),
    directory,
    log: (level, text) => void said.push(`${level} ${text}`),
    wait: (promise) => void done.push(promise),
    lost: () => {},
  });
  expect(await sharing.start(SHARING)).toBe(true);
  sharing.end(4);
  await Promise.all(done);
  expect(said.at(-1)).toBe("warn share: nft failed: Error: Device or resource busy");
  const [name = "", ...others] = readdirSync(directory);
  expect([name, others]).toEqual([expect.stringMatching(/^nullmodem-share-7-4-/), []]);
  expect(readFileSync(join(directory, name), "utf8")).toBe(rulesRecord({ family: 4, index: 7 }));
  rmSync(directory, { recursive: true });
});

test("what a killed pppd left stays recorded when it cannot be removed", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nullmodem-left-"));
  const record = rulesRecord({ family: 4, index: 7 });
  const machine = machineWithStubbornFilter();
  const processes = {
    ...machine.processes,
    undoAbandoned: (_: string, undo: (record: string) => void) => undo(record),
  };
  const done: Promise<unknown>[] = [];
  undoLeftOver(
    { ...machine, processes },
    directory,
    () => {},
    (promise) => void done.push(promise),
  );
  await Promise.all(done);
  const [name = "", ...others] = readdirSync(directory);
  expect([name, others]).toEqual([expect.stringMatching(/^nullmodem-left-rules-7-4-/), []]);
  expect(readFileSync(join(directory, name), "utf8")).toBe(record);
  rmSync(directory, { recursive: true });
});
