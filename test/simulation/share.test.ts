// A machine that shares its network, and the one at the other end of the cable.

import { expect, test } from "bun:test";
import { u16, u32 } from "../../src/bytes/be.ts";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import type { Pppd } from "./computer.ts";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipv6", "noccp"];

/** The name servers in the log of the machine that asks for some. */
function serversFrom(resolvConf: string, ...words: readonly string[]): string[] {
  const link = new Laplink({ seed: 1 });
  link.computers[0].installNft();
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

const CONF = "net/ipv6/conf";
const ROUTERS = "ff020000000000000000000000000002";

/** An advertisement that the other machine got. */
interface Advertisement {
  readonly at: number;
  readonly to: string;
  readonly routerSeconds: number;
  readonly prefix: string;
  readonly preferredSeconds: number;
  readonly server: string;
}

/** Two machines with IPv6; the first one shares. What the second one gets is noted. */
class SharedLink {
  readonly link = new Laplink({ seed: 4 });
  readonly heard: Advertisement[] = [];

  constructor() {
    const [server, client] = this.link.computers;
    server.installNft();
    client.network.received = (packet) => {
      if (packet[0] !== 0x60 || packet[6] !== 58 || packet[40] !== 134) return;
      this.heard.push({
        at: this.link.time.now,
        to: toHex(packet, 24, 40),
        routerSeconds: u16(packet, 46),
        prefix: toHex(packet, 72, 88),
        preferredSeconds: u32(packet, 64),
        server: toHex(packet, 104, 120),
      });
    };
  }

  start(...words: readonly string[]): [Pppd, Pppd] {
    const [server, client] = this.link.computers;
    const line = LINE.filter((word) => word !== "noipv6");
    const ours = server.start([...line, "10.0.0.1:10.0.0.2", "share", ...words]);
    return [ours, client.start([...line, "noipdefault"])];
  }

  /** The other machine asks for routers. */
  ask(): void {
    const [tun] = this.link.computers[1].network.tuns;
    const host = "fe800000000000000000000000000002";
    expect(tun!.transmit(fromHex(`60000000 0008 3a ff ${host} ${ROUTERS} 8500 7d35 00000000`))).toBe(true);
  }

  until(isDone: () => boolean, ms = 30_000): void {
    expect(this.link.time.runUntil(isDone, ms)).toBe(true);
  }
}

test("share tells the peer of an IPv6 network, again when it asks, and at the end that it is no router", () => {
  const shared = new SharedLink();
  const { link, heard } = shared;
  const { network, files } = link.computers[0];
  network.routes.push({ family: 6, device: network.ethernet, metric: 0, gateway: 0 });
  const [server, client] = shared.start();
  shared.until(() => heard.length > 0);
  const [first] = heard;
  const prefix = files.text("/var/lib/nullmodem-prefix")!.replace("::/48\n", "");
  const octets = prefix
    .split(":")
    .map((word) => word.padStart(4, "0"))
    .join("");
  expect(first).toMatchObject({
    to: "ff020000000000000000000000000001",
    routerSeconds: 1800,
    prefix: `${octets}${"0".repeat(20)}`,
    preferredSeconds: 14400,
    server: `${octets}${"0".repeat(19)}1`,
  });
  expect(network.tuns[0]!.addresses6.map(({ our }) => toHex(our))).toContain(first!.server);
  // The kernel forwards, masquerades, and still accepts the outside's own advertisements.
  expect(network.nft.tables.get(`ip6 nullmodem-${network.tuns[0]!.index}`)).toContain(
    `ip6 saddr ${prefix}::/64 oifname != "ppp0" masquerade`,
  );
  expect(network.sysctls.get(`${CONF}/all/forwarding`)).toBe("1");
  for (const name of ["default", "eth0"]) expect(network.sysctls.get(`${CONF}/${name}/accept_ra`)).toBe("2");
  shared.until(() => heard.length === 3);
  shared.ask();
  shared.until(() => heard.length === 4, 1000);
  expect(heard[3]!.to).toBe("fe800000000000000000000000000002");
  // The solicitation is for the router, and not for its kernel.
  link.time.run(3600_000);
  expect(heard.length).toBeGreaterThan(9);
  expect(heard.length).toBeLessThan(24);
  server.signal("SIGTERM");
  shared.until(() => !server.isRunning && !client.isRunning);
  expect(heard.at(-1)).toMatchObject({ routerSeconds: 0, preferredSeconds: 0 });
  expect([server.fault, client.fault]).toEqual([undefined, undefined]);
  expect(network.nft.tables.size).toBe(0);
  expect(network.sysctls.get(`${CONF}/all/forwarding`)).toBe("0");
  for (const name of ["default", "eth0"]) expect(network.sysctls.get(`${CONF}/${name}/accept_ra`)).toBe("1");
});

test("status names the tables of both IP versions, and link-local addresses in their short form", () => {
  const shared = new SharedLink();
  const { network, processes } = shared.link.computers[0];
  shared.start("ipv6", "::1,::250:b6ff:fe11:2233");
  shared.until(() => network.nft.tables.size === 2);
  shared.link.time.run(1000);
  const [publication] = processes.publications.values();
  const status = parseStatus(publication!.text());
  expect(status?.sharing?.by).toBe(`nft's tables ip and ip6 nullmodem-${network.tuns[0]!.index}`);
  expect(status?.ipv6).toEqual({ our: "fe80::1", peer: "fe80::250:b6ff:fe11:2233" });
});

test("what a killed session changed for IPv6, the next one undoes", () => {
  const shared = new SharedLink();
  const { network } = shared.link.computers[0];
  const sysctls = [...network.sysctls];
  const [killed] = shared.start();
  shared.until(() => shared.heard.length > 0);
  killed.kill();
  expect(network.sysctls.get(`${CONF}/eth0/accept_ra`)).toBe("2");
  const next = shared.link.computers[0].start([...LINE, "10.0.0.1:10.0.0.2"]);
  shared.until(() => network.nft.tables.size === 0);
  expect([...network.sysctls]).toEqual(sysctls);
  next.kill();
});

test("two links share: the first that ends leaves forwarding and accept_ra to the other", () => {
  const link = new Laplink({ seed: 6, cables: 2 });
  const [near, far] = link.computers;
  near.installNft();
  const words = LINE.slice(1).filter((word) => word !== "noipv6");
  const servers = [0, 1].map((at) => near.start([`/dev/ttyUSB${at}`, ...words, `10.0.${at}.1:10.0.${at}.2`, "share"]));
  for (const at of [0, 1]) far.start([`/dev/ttyUSB${at}`, ...words, "noipdefault", "persist"]);
  expect(link.time.runUntil(() => near.network.nft.tables.size === 4, 30_000)).toBe(true);
  const [one, other] = [...near.network.tuns].map(({ addresses6 }) => addresses6.map(({ our }) => toHex(our)).join());
  expect(one).not.toBe(other);
  const ipv6 = (): string[] =>
    ["all/forwarding", "eth0/accept_ra"].map((name) => near.network.sysctls.get(`${CONF}/${name}`)!);
  expect(ipv6()).toEqual(["1", "2"]);
  servers[0]!.signal("SIGTERM");
  expect(link.time.runUntil(() => !servers[0]!.isRunning, 30_000)).toBe(true);
  expect(ipv6()).toEqual(["1", "2"]);
  servers[1]!.signal("SIGTERM");
  expect(link.time.runUntil(() => !servers[1]!.isRunning, 30_000)).toBe(true);
  expect(ipv6()).toEqual(["0", "1"]);
});

test("a way out that comes and goes is told soon", () => {
  const shared = new SharedLink();
  const { link, heard } = shared;
  const { network } = link.computers[0];
  shared.start();
  shared.until(() => heard.length === 3);
  link.time.run(60_000);
  network.routes.push({ family: 6, device: network.ethernet, metric: 0, gateway: 0 });
  shared.until(() => heard.length === 4, 16_000);
  network.routes.pop();
  shared.until(() => heard.length === 5, 16_000);
  expect(heard.map(({ routerSeconds }) => routerSeconds)).toEqual([0, 0, 0, 1800, 0]);
});

test("with demand each link tells the peer of the network", () => {
  const shared = new SharedLink();
  const { link, heard } = shared;
  const [server, client] = link.computers;
  const line = LINE.filter((word) => word !== "noipv6");
  const pppd = server.start([
    ...line,
    "10.0.0.1:10.0.0.2",
    "share",
    "demand",
    "connect",
    "true",
    "ipv6",
    "::1,::2",
    "idle",
    "60",
  ]);
  client.start([...line, "noipdefault", "persist", "ipv6", "::2,::1"]);
  for (const expected of [1, 2]) {
    link.traffic[0].start(500, 1);
    shared.until(() => heard.length > 0);
    link.traffic[0].stop();
    // Our address is there once.
    const { addresses6 } = server.network.tuns[0]!;
    expect([expected, addresses6.filter(({ our }) => toHex(our) === heard[0]!.server).length]).toEqual([expected, 1]);
    shared.until(() => pppd.lines.filter((text) => text === "Connection terminated.").length === expected, 200_000);
    expect(server.network.nft.tables.size).toBe(0);
    heard.length = 0;
  }
});

test("without a way out for IPv6 we are no default router, and advertisements do not keep a link from being idle", () => {
  const shared = new SharedLink();
  const [server, client] = shared.start("idle", "700");
  shared.until(() => shared.heard.length > 0);
  expect(shared.heard[0]!.routerSeconds).toBe(0);
  shared.until(() => !server.isRunning && !client.isRunning, 720_000);
  expect([server.exitCode, server.lines.includes("Terminating connection due to lack of activity.")]).toEqual([
    12,
    true,
  ]);
});
