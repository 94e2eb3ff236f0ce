import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { fromHex } from "../../../src/bytes/text.ts";
import { closeFd, libc, Memory, OsError } from "../../../src/os/ffi/libc.ts";
import * as netif from "../../../src/os/net/netif.ts";
import { addProxy, findProxyInterface, removeProxy } from "../../../src/os/net/proxy-arp.ts";
import {
  addRoute,
  defaultRoutes,
  removeRoute,
  returnRoute,
  takeRoute,
  usedNetworks,
} from "../../../src/os/net/route.ts";
import { mayWriteSysctl, readSysctl, writeSysctl } from "../../../src/os/net/sysctl.ts";
import { openTun } from "../../../src/os/net/tun.ts";
import { openedSince, openFds } from "../../kit/fds.ts";
import { enterNetns, ip, noNetns } from "../../kit/netns.ts";
import { until } from "../../kit/patience.ts";

const OUR = 0xc0a80001; // 192.168.0.1
const PEER = 0xc0a80101; // 192.168.1.1
const DEFAULT = new Uint8Array(4);
const LINK_LOCAL = fromHex("fe80 0000 0000 0000 dcce d780 de4c aa34");

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof OsError) return `${error.call} ${error.code}`;
    throw error;
  }
  return "done";
}

describe.skipIf(noNetns !== undefined)(`network [${noNetns ?? "in a namespace of its own"}]`, () => {
  let leave = (): void => {};
  let before = openFds();
  beforeAll(() => {
    leave = enterNetns();
    ip("link"); // Bun keeps descriptors of its first spawnSync
    before = openFds();
  });
  afterAll(() => {
    expect(openedSince(before)).toEqual([]);
    leave();
  });

  test("a TUN that somebody renames is known by its index and says its new name when asked", () => {
    const tun = openTun();
    ip("link", "set", "dev", tun.name, "name", "wan7");
    netif.setLink(tun, { mtu: 1400 });
    expect(netif.findInterface("wan7")).toMatchObject({ index: tun.index, mtu: 1400 });
    tun.readName();
    expect(tun.name).toBe("wan7");
    ip("link", "del", "wan7");
    tun.readName();
    expect(tun.name).toBe("wan7");
    closeFd(tun.fd);
  });

  test("networks in use are those of routes and of our addresses, without the default route", () => {
    const tun = openTun();
    netif.addAddress(tun, OUR, PEER);
    netif.setLink(tun, { up: true });
    ip("route", "add", "10.1.0.0/16", "dev", tun.name);
    ip("route", "add", "10.2.3.0/24", "dev", tun.name, "table", "77");
    addRoute(tun, DEFAULT, 0);
    const used = usedNetworks().map(({ address, prefix }) => `${address.toString(16)}/${prefix}`);
    for (const network of ["a010000/16", "a020300/24", "c0a80001/32", "c0a80101/32"]) expect(used).toContain(network);
    expect(used.some((network) => network.endsWith("/0"))).toBe(false);
    closeFd(tun.fd);
  });

  test("openTun takes the lowest free ppp, or the unit asked for if it is free", () => {
    const tuns = [openTun(), openTun(), openTun({ unit: 1 }), openTun({ unit: 7 }), openTun({ ifname: "laptop4" })];
    expect(tuns.map(({ name, unit }) => `${name} ${unit}`)).toEqual([
      "ppp0 0",
      "ppp1 1",
      "ppp2 2",
      "ppp7 7",
      "laptop4 4",
    ]);
    expect(codeOf(() => openTun({ ifname: "ppp1" }))).toBe("TUNSETIFF EBUSY");
    expect(codeOf(() => openTun({ ifname: "lo" }))).toBe("TUNSETIFF EINVAL");
    expect(codeOf(() => openTun({ ifname: "longer-than-15-x" }))).toBe("TUNSETIFF EINVAL");
    for (const { fd } of tuns) closeFd(fd);
    expect(netif.findInterface("ppp0")).toBeUndefined();
  });

  test("a read from an idle TUN does not wait", () => {
    const tun = openTun();
    const block = new Memory(64);
    expect(libc.read(tun.fd, block.address, 64)).toBe(-1);
    closeFd(tun.fd);
  });

  test("an interface gets its addresses, MTU and queue length, and the kernel's route to the peer", () => {
    const tun = openTun();
    netif.noKernelLinkLocal(tun);
    netif.addAddress(tun, OUR, PEER);
    netif.setLink(tun, { up: true, txQueueLength: 3 });
    netif.setLink(tun, { mtu: 576 });
    expect(ip("-o", "addr", "show", "dev", tun.name)).toMatch(
      /^\d+: ppp0 +inet 192\.168\.0\.1 peer 192\.168\.1\.1\/32 scope global ppp0/,
    );
    expect(ip("-o", "addr", "show", "dev", tun.name)).not.toContain("inet6");
    const link = ip("-o", "link", "show", "dev", tun.name);
    expect(link).toContain("mtu 576 ");
    expect(link).toContain("qlen 3");
    expect(link).toMatch(/<[^>]*\bUP\b[^>]*>/);
    expect(ip("route")).toContain("192.168.1.1 dev ppp0 proto kernel scope link src 192.168.0.1");
    const found = netif.findInterface(tun.name)!;
    expect(found.mtu).toBe(576);
    expect(found.flags & (netif.IFF.UP | netif.IFF.POINTOPOINT)).toBe(netif.IFF.UP | netif.IFF.POINTOPOINT);
    expect(netif.addresses().filter(({ index }) => index === found.index)).toEqual([
      { index: found.index, our: netif.ipv4Bytes(OUR), peer: netif.ipv4Bytes(PEER), prefix: 32 },
    ]);
    expect(codeOf(() => netif.addAddress(tun, OUR, PEER))).toBe("RTM_NEWADDR EEXIST");

    netif.removeAddress(tun, OUR, PEER);
    netif.removeAddress(tun, OUR, PEER);
    netif.setLink(tun, { up: false });
    expect(ip("-o", "addr", "show", "dev", tun.name)).toBe("");
    expect(netif.findInterface(tun.name)!.flags & netif.IFF.UP).toBe(0);
    expect(netif.findInterface(tun.name)!.mtu).toBe(576);
    closeFd(tun.fd);
    netif.removeAddress(tun, OUR, PEER);
    expect(codeOf(() => netif.setLink(tun, { up: true }))).toBe("RTM_SETLINK ENODEV");
  });

  test("the kernel's counters count the packets written to the TUN", () => {
    const tun = openTun();
    netif.addAddress(tun, OUR, PEER);
    netif.setLink(tun, { up: true });
    const packet = new Memory(28);
    // IPv4, 28 octets, UDP, with a wrong checksum. It is counted when it comes in.
    packet.bytes.set(fromHex("4500001c 00000000 4011 0000 c0a80101 c0a80001 0035 0035 0008 0000"));
    expect(libc.write(tun.fd, packet.address, 28)).toBe(28);
    const { rxPackets, rxBytes } = netif.findInterface(tun.name)!.counters;
    expect([rxPackets, rxBytes]).toEqual([1, 28]);
    closeFd(tun.fd);
  });

  test("IPv6: our link-local address and none of the kernel's; routes", () => {
    const tun = openTun();
    netif.noKernelLinkLocal(tun);
    netif.setLink(tun, { up: true });
    netif.addAddress6(tun, LINK_LOCAL, 10);
    const shown = ip("-6", "-o", "addr", "show", "dev", tun.name).trimEnd().split("\n");
    expect(shown).toHaveLength(1);
    expect(shown[0]).toContain("inet6 fe80::dcce:d780:de4c:aa34/10 scope link");
    addRoute(tun, fromHex("2001 0db8 0000 0000 0000 0000 0000 0000"), 32, 77);
    addRoute(tun, new Uint8Array(16), 0);
    expect(ip("-6", "route", "show", "dev", tun.name)).toMatch(/2001:db8::\/32 (proto boot )?metric 77/);
    expect(ip("-6", "route", "show", "default")).toContain("default dev ppp0");
    removeRoute(tun, new Uint8Array(16), 0);
    removeRoute(tun, new Uint8Array(16), 0);
    expect(ip("-6", "route", "show", "default")).toBe("");
    netif.removeAddress6(tun, LINK_LOCAL, 10);
    netif.removeAddress6(tun, LINK_LOCAL, 10);
    expect(ip("-6", "-o", "addr", "show", "dev", tun.name)).toBe("");
    closeFd(tun.fd);
  });

  describe("with a neighbourhood", () => {
    beforeAll(() => {
      ip("link", "add", "eth0", "type", "veth", "peer", "name", "far0");
      ip("link", "add", "eth1", "type", "veth", "peer", "name", "far1");
      ip("addr", "add", "10.0.0.2/24", "dev", "eth0");
      ip("addr", "add", "10.0.0.130/25", "dev", "eth1");
      ip("addr", "add", "10.0.2.130/25", "dev", "eth0");
      ip("addr", "add", "10.0.2.2/24", "dev", "eth1");
      for (const name of ["eth0", "eth1", "far0", "far1", "lo"]) ip("link", "set", name, "up");
    });
    afterAll(() => {
      ip("link", "del", "eth0");
      ip("link", "del", "eth1");
    });

    test("a default route is added, found, and removed more than once", () => {
      const tun = openTun();
      netif.addAddress(tun, OUR, PEER);
      netif.setLink(tun, { up: true });
      expect(defaultRoutes()).toEqual([]);
      addRoute(tun, DEFAULT, 0);
      addRoute(tun, DEFAULT, 0);
      expect(ip("route", "show", "default")).toBe("default dev ppp0 scope link \n");
      expect(defaultRoutes().map(({ device, gateway, metric }) => ({ ifname: device.name, gateway, metric }))).toEqual([
        { ifname: "ppp0", gateway: 0, metric: 0 },
      ]);
      addRoute(tun, DEFAULT, 0, 55);
      expect(defaultRoutes().map(({ metric }) => metric)).toEqual([0, 55]);
      removeRoute(tun, DEFAULT, 0);
      expect(ip("route", "show", "default")).toBe("default dev ppp0 scope link metric 55 \n");
      removeRoute(tun, DEFAULT, 0, 55);
      removeRoute(tun, DEFAULT, 0, 55);
      expect(ip("route", "show", "default")).toBe("");
      const host = netif.ipv4Bytes(0xc6336401);
      addRoute(tun, host, 32);
      expect(ip("route")).toContain("198.51.100.1 dev ppp0 scope link");
      closeFd(tun.fd);
      removeRoute(tun, host, 32);
      expect(ip("route")).not.toContain("198.51.100.1");
    });

    test.each([
      ["plain", ["default", "via", "10.0.0.1", "dev", "eth0"], "eth0", 0],
      [
        "metric, protocol, source",
        ["default", "via", "10.0.0.1", "dev", "eth0", "proto", "dhcp", "src", "10.0.0.2", "metric", "100"],
        "eth0",
        100,
      ],
      [
        "multipath",
        [
          "default",
          "nexthop",
          "via",
          "10.0.0.1",
          "dev",
          "eth0",
          "weight",
          "2",
          "nexthop",
          "via",
          "10.0.0.129",
          "dev",
          "eth1",
        ],
        "eth0",
        0,
      ],
      ["locked mtu", ["default", "via", "10.0.0.1", "dev", "eth0", "mtu", "lock", "1400"], "eth0", 0],
    ] as const)("somebody's default route is moved away and put back exactly: %s", (_, words, ifname, metric) => {
      ip("route", "add", ...words);
      const shown = ip("route", "show", "default");
      const [route] = defaultRoutes();
      expect([route!.device.name, route!.gateway, route!.metric]).toEqual([ifname, 0x0a000001, metric]);
      const tun = openTun();
      netif.addAddress(tun, OUR, PEER);
      netif.setLink(tun, { up: true });
      // In pppd's order: ours is added first, then theirs is removed, so that there is always one.
      addRoute(tun, DEFAULT, 0, metric);
      expect(ip("route", "get", "198.51.100.1")).toContain("dev ppp0");
      takeRoute(route!);
      takeRoute(route!);
      expect(ip("route", "show", "default")).toStartWith("default dev ppp0 scope link");
      returnRoute(route!);
      returnRoute(route!);
      removeRoute(tun, DEFAULT, 0, metric);
      expect(ip("route", "show", "default")).toBe(shown);
      closeFd(tun.fd);
      ip("route", "del", "default");
    });

    test("a nexthop object's route is put back by its object", () => {
      ip("nexthop", "add", "id", "7", "via", "10.0.0.1", "dev", "eth0");
      ip("route", "add", "default", "nhid", "7");
      const shown = ip("route", "show", "default");
      const [route] = defaultRoutes();
      takeRoute(route!);
      expect(ip("route", "show", "default")).toBe("");
      returnRoute(route!);
      expect(ip("route", "show", "default")).toBe(shown);
      ip("nexthop", "del", "id", "7");
    });

    test("a route whose cable is unplugged is put back all the same", async () => {
      ip("route", "add", "default", "via", "10.0.0.1", "dev", "eth0");
      // A thread of the kernel checks carriers, up to a second later.
      const isDown = (): boolean => ip("route", "show", "default").includes("linkdown");
      ip("link", "set", "far0", "down");
      await until("eth0 has no carrier", isDown);
      const shown = ip("route", "show", "default");
      const [route] = defaultRoutes();
      takeRoute(route!);
      returnRoute(route!);
      expect(ip("route", "show", "default")).toBe(shown);
      ip("link", "set", "far0", "up");
      await until("eth0 has its carrier again", () => !isDown());
      ip("route", "del", "default");
    });

    test("a route cannot go back to an interface that is down", () => {
      ip("route", "add", "default", "via", "10.0.0.1", "dev", "eth0");
      const [route] = defaultRoutes();
      ip("link", "set", "eth0", "down");
      expect(codeOf(() => returnRoute(route!))).toBe("RTM_NEWROUTE ENETUNREACH");
      ip("link", "set", "eth0", "up");
    });

    test("the proxy ARP interface is the broadcast one with the longest mask", () => {
      expect(findProxyInterface(0x0a000003)?.name).toBe("eth0");
      expect(findProxyInterface(0x0a000083)?.name).toBe("eth1");
      expect(findProxyInterface(0x0a000203)?.name).toBe("eth1");
      expect(findProxyInterface(0x0a000283)?.name).toBe("eth0");
      expect(findProxyInterface(0x0a000103)).toBeUndefined();
      expect(findProxyInterface(0x7f000002)).toBeUndefined();
      ip("link", "set", "eth1", "down");
      expect(findProxyInterface(0x0a000083)?.name).toBe("eth0");
      ip("link", "set", "eth1", "up");
    });

    test("a proxy ARP entry is the one arp(8) publishes", () => {
      const peer = netif.ipv4Bytes(0x0a000003);
      const eth0 = netif.findInterface("eth0")!;
      addProxy(eth0, peer);
      addProxy(eth0, peer);
      expect(ip("neigh", "show", "proxy")).toContain("10.0.0.3 dev eth0");
      // ATF_PERM | ATF_PUBL
      expect(Bun.spawnSync(["cat", "/proc/net/arp"]).stdout.toString()).toMatch(/^10\.0\.0\.3 +0x1 +0xc .*eth0$/m);
      removeProxy(eth0, peer);
      removeProxy(eth0, peer);
      expect(ip("neigh", "show", "proxy")).not.toContain("10.0.0.3");
      removeProxy({ index: 4711, name: "nosuch0" }, peer);
    });
  });

  test("ip_forward is read and written", () => {
    const before = readSysctl("net/ipv4/ip_forward");
    expect(before).toMatch(/^[01]$/);
    expect(writeSysctl("net/ipv4/ip_forward", "1")).toBe(true);
    expect(readSysctl("net/ipv4/ip_forward")).toBe("1");
    expect(writeSysctl("net/ipv4/ip_forward", before!)).toBe(true);
    expect(readSysctl("net/ipv4/no_such")).toBeUndefined();
    expect(writeSysctl("net/ipv4/no_such", "1")).toBe(false);
    expect(["net/ipv4/ip_forward", "net/ipv4/no_such"].map(mayWriteSysctl)).toEqual([true, false]);
  });

  test("many requests leak nothing", () => {
    const before = openFds();
    for (let nth = 0; nth < 1000; nth++) netif.interfaceIndex("lo");
    expect(openedSince(before)).toEqual([]);
  });
});
