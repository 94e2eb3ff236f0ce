// A machine that shares its network, and the one at the other end of the cable.

import { expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipv6", "noccp"];

/** The name servers in the log of the machine that asks for some. */
function serversFrom(resolvConf: string, ...words: readonly string[]): string[] {
  const link = new Laplink({ seed: 1 });
  link.computers[0].files.put("/etc/resolv.conf", resolvConf);
  const server = link.computers[0].start([...LINE, "10.0.0.1:10.0.0.2", ...words]);
  const client = link.computers[1].start([...LINE, "noipdefault", "usepeerdns"]);
  expect(link.time.runUntil(() => link.isUp, 20_000)).toBe(true);
  const found = client.lines.filter((line) => line.includes("DNS address"));
  for (const one of [server, client]) one.signal("SIGTERM");
  expect(link.time.runUntil(() => !server.isRunning && !client.isRunning, 20_000)).toBe(true);
  expect([server.fault, client.fault, link.leftOn(0), link.leftOn(1)]).toEqual([undefined, undefined, [], []]);
  return found.map((line) => line.split(" ").at(-1)!);
}

test("share names this machine's name servers to the peer, and ms-dns overrides them", () => {
  const two = "nameserver 192.0.2.1\nnameserver 192.0.2.2\n";
  expect(serversFrom(two, "share")).toEqual(["192.0.2.1", "192.0.2.2"]);
  expect(serversFrom("nameserver 192.0.2.1\n", "share")).toEqual(["192.0.2.1", "192.0.2.1"]);
  expect(serversFrom(two, "share", "ms-dns", "192.0.2.9")).toEqual(["192.0.2.9", "192.0.2.9"]);
  expect(serversFrom(two)).toEqual([]);
});
