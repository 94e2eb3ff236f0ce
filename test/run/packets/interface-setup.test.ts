import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { closeFd } from "../../../src/os/ffi/libc.ts";
import { openTun, type Tun } from "../../../src/os/net/tun.ts";
import { InterfaceSetup, type InterfaceWishes, QUEUE_LENGTH } from "../../../src/run/packets/interface-setup.ts";
import { enterNetns, ip, noNetns } from "../../kit/netns.ts";
import { until } from "../../kit/patience.ts";

const OUR = 0xc0a80001; // 192.168.0.1
const PEER = 0xc0a80101; // 192.168.1.1
const OUR_ID = { high: 0, low: 2 };
const PEER_ID = { high: 0xdcced780, low: 0xde4caa34 };
const NO_ID = { high: 0, low: 0 };
const FAILED = "Interface configuration failed";

describe.skipIf(noNetns !== undefined)(`InterfaceSetup [${noNetns ?? "in a namespace of its own"}]`, () => {
  let leave = (): void => {};
  let tun: Tun;
  let said: string[] = [];
  beforeAll(() => {
    leave = enterNetns();
    ip("link", "set", "lo", "up");
  });
  afterAll(() => leave());
  beforeEach(() => {
    tun = openTun();
    said = [];
  });
  afterEach(() => closeFd(tun.fd));

  function network(wishes: Partial<InterfaceWishes> = {}): InterfaceSetup {
    const none = { defaultroute: false, replacedefaultroute: false, defaultrouteMetric: 0, proxyarp: false };
    const all = { ...none, ktune: false, defaultroute6: false, defaultroute6Metric: 0, ...wishes };
    return new InterfaceSetup(
      thisMachine,
      tun,
      () => all,
      (level, text) => void said.push(`${level}: ${text}`),
    );
  }

  /** Whether it is up, and its addresses in the form of `ip addr`. */
  function shown(): string[] {
    const isUp = /<[^>]*\bUP\b/.test(ip("link", "show", "dev", tun.name));
    const lines = ip("-o", "addr", "show", "dev", tun.name).split("\n").filter(Boolean);
    return [isUp ? "up" : "down", ...lines.map((line) => /inet.*? scope \w+/.exec(line)![0])];
  }

  const IPV4 = "inet 192.168.0.1 peer 192.168.1.1/32 scope global";
  const IPV6 = "inet6 fe80::2 peer fe80::dcce:d780:de4c:aa34/128 scope link";

  test("link-local addresses and their routes are those of pppd's interface, ready at once, and are removed at the end", async () => {
    const it = network();
    expect(it.up6(OUR_ID, PEER_ID, 1500, 3)).toBeUndefined();
    // The kernel does not ask for duplicates here, but decides so only a moment later.
    await until("the address is not tentative", () => !ip("-6", "addr", "show", "dev", tun.name).includes("tentative"));
    expect(shown()).toEqual(["up", IPV6]);
    const address = ip("-6", "addr", "show", "dev", tun.name);
    expect(address).toContain("scope link \n"); // no flag such as tentative or nodad
    expect(address).toContain("valid_lft forever preferred_lft forever");
    const routes = ip("-6", "route", "show", "dev", tun.name)
      .split("\n")
      .map((line) => line.replace(/ pref.*/, ""));
    expect(routes.filter(Boolean).sort()).toEqual([
      "fe80::2 proto kernel metric 256",
      "fe80::dcce:d780:de4c:aa34 proto kernel metric 256",
    ]);
    expect(ip("link", "show", "dev", tun.name)).toMatch(/mtu 1500 .*qlen 3\b/);
    it.down6();
    expect(shown()).toEqual(["down"]);
    expect(ip("-6", "route", "show", "dev", tun.name)).toBe("");
    it.down();
    expect(said).toEqual([]);
  });

  test("the queue has the wanted length, until another program sets it", () => {
    const it = network();
    const queue = (): number => Number(/qlen (\d+)/.exec(ip("link", "show", "dev", tun.name))![1]);
    it.setAddresses(OUR, PEER);
    it.up(PEER, 1500, QUEUE_LENGTH);
    const seen = [3, 8].map((wanted) => {
      it.setQueue(wanted);
      return queue();
    });
    expect(seen).toEqual([3, 8]);
    ip("link", "set", "dev", tun.name, "txqueuelen", "77");
    for (const wanted of [3, 8]) it.setQueue(wanted);
    expect(queue()).toBe(77);
    it.down();
    expect(said).toEqual([]);
  });

  test("with a peer without an identifier we have our own address only", () => {
    const it = network();
    expect(it.up6(OUR_ID, NO_ID, 1500, 3)).toBeUndefined();
    expect(shown()).toEqual(["up", "inet6 fe80::2/128 scope link"]);
    it.down();
    expect(shown()).toEqual(["down"]);
  });

  test("IPv4 and IPv6 come and go independently; the interface is up from the first to the last", () => {
    for (const ipv6First of [false, true]) {
      const it = network({ defaultroute: true, defaultroute6: true });
      const up4 = (): void => {
        it.setAddresses(OUR, PEER);
        it.up(PEER, 1500, 3);
      };
      const up6 = (): void => expect(it.up6(OUR_ID, PEER_ID, 1500, 3)).toBeUndefined();
      if (ipv6First) up6();
      up4();
      if (!ipv6First) up6();
      expect(shown()).toEqual(["up", IPV4, IPV6]);
      it.down4();
      expect(shown()).toEqual(["up", IPV6]);
      expect(ip("route", "show", "default")).toBe("");
      expect(ip("-6", "route", "show", "default")).toContain(`default dev ${tun.name}`);
      up4();
      it.down6();
      expect(shown()).toEqual(["up", IPV4]);
      expect(ip("-6", "route", "show", "default")).toBe("");
      expect(ip("route", "show", "default")).toContain(`default dev ${tun.name}`);
      up6();
      it.down();
      expect(shown()).toEqual(["down"]);
      it.down();
    }
    expect(said).toEqual([]);
  });

  test("an interface that is renamed while it is set up has all addresses and routes, and all are removed", () => {
    const it = network({ defaultroute: true, defaultroute6: true });
    it.setAddresses(OUR, PEER);
    ip("link", "set", "dev", tun.name, "name", "wan7");
    tun.readName();
    it.up(PEER, 1500, 3);
    it.up6(OUR_ID, PEER_ID, 1500, 3);
    expect(shown()).toEqual(["up", IPV4, IPV6]);
    for (const family of ["-4", "-6"]) expect(ip(family, "route", "show", "default")).toContain("default dev wan7");
    it.down();
    expect(shown()).toEqual(["down"]);
    for (const family of ["-4", "-6"]) expect(ip(family, "route", "show", "default")).toBe("");
    expect(said).toEqual([]);
  });

  test("an interface that a script has set down goes up again with the second protocol", () => {
    const it = network();
    it.up6(OUR_ID, PEER_ID, 1500, 3);
    it.setAddresses(OUR, PEER);
    ip("link", "set", "dev", tun.name, "down");
    it.up(PEER, 1500, 3);
    expect(shown()[0]).toBe("up");
    it.down();
    expect(shown()).toEqual(["down"]);
    expect(said).toEqual([]);
  });

  /** Two sessions, each with its own interface. */
  function two(wishes: Partial<InterfaceWishes>): { first: InterfaceSetup; second: InterfaceSetup; close: () => void } {
    const first = network(wishes);
    const mine = tun;
    tun = openTun();
    const second = network(wishes);
    const theirs = tun;
    tun = mine;
    for (const [nth, each] of [first, second].entries()) {
      each.setAddresses(OUR + 256 * nth, PEER + 256 * nth);
      each.up(PEER + 256 * nth, 1500, 3);
    }
    return { first, second, close: () => closeFd(theirs.fd) };
  }
  const defaults = (): string[] =>
    [...ip("route", "show", "default").matchAll(/^default .*?dev (\w+)/gm)].map(([, dev]) => dev!.replace(/\d+$/, ""));

  test("two links that replace the default route may end in either order, and the first route is back at the end", () => {
    ip("link", "add", "eth7", "type", "veth", "peer", "name", "far7");
    ip("link", "set", "far7", "up");
    ip("addr", "add", "10.9.0.9/24", "dev", "eth7");
    ip("link", "set", "eth7", "up");
    ip("route", "add", "default", "via", "10.9.0.1");
    const before = ip("route", "show", "default");
    const using = (): string => /dev (\S+)/.exec(ip("route", "get", "198.51.100.1"))![1]!;
    const wishes = { defaultroute: true, replacedefaultroute: true };
    for (const order of ["first", "second"] as const) {
      const sessions = two(wishes);
      const last = using();
      expect([last !== tun.name, defaults()]).toEqual([true, ["ppp"]]);
      sessions[order].down();
      if (order === "first") expect([using(), defaults()]).toEqual([last, ["ppp", "eth"]]);
      else expect([using(), defaults()]).toEqual([tun.name, ["ppp"]]);
      sessions[order === "first" ? "second" : "first"].down();
      expect(ip("route", "show", "default")).toBe(before);
      sessions.close();
    }
    ip("link", "del", "eth7");
    expect(said).toEqual([]);
  });

  test("with an MTU below 1280 there is IPv4 and no IPv6", () => {
    const it = network();
    it.setAddresses(OUR, PEER);
    it.up(PEER, 1279, 3);
    expect(it.up6(OUR_ID, PEER_ID, 1279, 3)).toBe(FAILED);
    expect(said).toEqual([`warn: IPv6 needs an MTU of 1280 on ${tun.name}, and this link has 1279`]);
    it.down6();
    expect(shown()).toEqual(["up", IPV4]);
    it.down();
    expect(shown()).toEqual(["down"]);
    // The next link on the same interface may be better. There is still only our address.
    const next = network();
    expect(next.up6(OUR_ID, PEER_ID, 1280, 3)).toBeUndefined();
    expect(shown()).toEqual(["up", IPV6]);
    next.down();
  });

  test("a kernel without IPv6 is reported, and nothing is left behind", () => {
    Bun.spawnSync(["sh", "-c", `echo 1 >/proc/sys/net/ipv6/conf/${tun.name}/disable_ipv6`]);
    const it = network({ defaultroute6: true });
    expect(it.up6(OUR_ID, PEER_ID, 1500, 3)).toBe(FAILED);
    expect(said).toEqual(["error: Interface configuration failed for IPv6: Permission denied"]);
    expect(shown()).toEqual(["down"]);
    it.setAddresses(OUR, PEER);
    it.up(PEER, 1500, 3);
    expect(it.up6(OUR_ID, PEER_ID, 1500, 3)).toBe(FAILED);
    expect(shown()).toEqual(["up", IPV4]);
    it.down();
    expect(shown()).toEqual(["down"]);
  });

  test("after an interface was removed there is nothing to take back", () => {
    const it = network({ defaultroute: true, defaultroute6: true });
    it.setAddresses(OUR, PEER);
    it.up(PEER, 1500, 3);
    it.up6(OUR_ID, PEER_ID, 1500, 3);
    ip("link", "del", tun.name);
    it.down();
    expect(said).toEqual([]);
  });

  describe("with a default route that another program made", () => {
    beforeAll(() => {
      ip("link", "add", "eth0", "type", "veth", "peer", "name", "far0");
      for (const name of ["eth0", "far0"]) ip("link", "set", name, "up");
      ip("addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad");
    });
    afterAll(() => void ip("link", "del", "eth0"));

    test.each([
      [["via", "2001:db8::1", "metric", "300"], 0, "via gateway"],
      [["metric", "300"], -1, "through eth0"],
      [["metric", "300"], 300, "through eth0"],
      [["via", "2001:db8::1", "metric", "300"], 77, undefined],
    ] as const)("by %p, defaultroute6-metric %p is refused %p", (how, defaultroute6Metric, where) => {
      ip("-6", "route", "add", "default", "dev", "eth0", ...how);
      const before = ip("-6", "route", "show", "default");
      const it = network({ defaultroute6: true, defaultroute6Metric });
      expect(it.up6(OUR_ID, PEER_ID, 1500, 3)).toBeUndefined();
      const refused = where === undefined ? [] : [`error: not replacing existing default route ${where}`];
      expect(said).toEqual(refused);
      const after = ip("-6", "route", "show", "default");
      if (where === undefined) expect(after).toMatch(/^default dev ppp\d+ metric 77 /m);
      else expect(after).toBe(before);
      it.down();
      expect(ip("-6", "route", "show", "default")).toBe(before);
      ip("-6", "route", "del", "default", "metric", "300");
    });

    test("without another default route ours has the kernel's own metric, as in pppd", () => {
      const it = network({ defaultroute6: true });
      it.up6(OUR_ID, PEER_ID, 1500, 3);
      expect(ip("-6", "route", "show", "default")).toMatch(/^default dev ppp\d+ (proto boot )?metric 1024 /);
      it.down();
    });
  });
});
