import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { toHex } from "../../../src/bytes/text.ts";
import { firstEthernetMac } from "../../../src/os/net/netif.ts";
import { defaultRoutes6 } from "../../../src/os/net/route6.ts";
import { enterNetns, ip, noNetns } from "../../kit/netns.ts";

describe.skipIf(noNetns !== undefined)(`IPv6 routes [${noNetns ?? "in a namespace of its own"}]`, () => {
  let leave = (): void => {};
  beforeAll(() => void (leave = enterNetns()));
  afterAll(() => leave());

  test("there is no default route, and no hardware address, where there is nothing but a loopback", () => {
    ip("link", "set", "lo", "up");
    expect(defaultRoutes6()).toEqual([]);
    expect(firstEthernetMac()).toBeUndefined();
  });

  test("default routes of every kind are found, the one in use first", () => {
    ip("link", "add", "eth0", "address", "00:50:b6:11:22:33", "type", "veth", "peer", "name", "far0");
    ip("link", "add", "eth1", "address", "00:50:b6:44:55:66", "type", "veth", "peer", "name", "far1");
    for (const name of ["eth0", "eth1", "far0", "far1"]) ip("link", "set", name, "up");
    ip("addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad");
    ip("-6", "route", "add", "default", "via", "2001:db8::1", "dev", "eth0", "metric", "300");
    ip("-6", "route", "add", "default", "dev", "eth1", "metric", "200");
    ip("-6", "route", "add", "default", "dev", "eth1", "table", "77");
    ip("-6", "route", "add", "unreachable", "default", "metric", "9999");
    const hop = (ifname: string): string[] => ["nexthop", "via", "2001:db8::1", "dev", ifname];
    ip("-6", "route", "add", "default", "metric", "400", ...hop("eth0"), ...hop("eth0").with(2, "2001:db8::9"));
    expect(defaultRoutes6().map(({ device, ...rest }) => ({ ifname: device.name, ...rest }))).toEqual([
      { ifname: "eth1", gateway: false, metric: 200 },
      { ifname: "eth0", gateway: true, metric: 300 },
      { ifname: "eth0", gateway: true, metric: 400 },
    ]);
  });

  test("the hardware address is that of the first Ethernet", () => {
    // The far end of a pair is made first.
    ip("link", "del", "eth0");
    ip("link", "set", "far1", "address", "00:50:b6:77:88:99");
    expect(toHex(firstEthernetMac()!)).toBe("0050b6778899");
    ip("link", "del", "eth1");
  });
});
