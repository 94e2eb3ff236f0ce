// `share` where the kernel forwards: what a session asks of the packet filter, and what is left of it.

import { expect, test } from "bun:test";
import { parseAddress } from "../../src/bytes/prefix.ts";
import type { Pppd } from "./computer.ts";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import { udpPacket } from "../kit/segment-text.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["115200", "noauth", "nodetach", "local", "noipv6", "noccp"];

/** Two computers with as many cables as servers with these words. */
function scene(...servers: readonly (readonly string[])[]) {
  const link = new Laplink({ seed: 1, cables: servers.length });
  const [near, far] = link.computers;
  near.installNft();
  const running = servers.map((words, at) =>
    near.start([`/dev/ttyUSB${at}`, ...LINE, `10.0.${at}.1:10.0.${at}.2`, ...words]),
  );
  const clients = servers.map((_, at) => far.start([`/dev/ttyUSB${at}`, ...LINE, "noipdefault", "persist"]));
  const sharing = (): number => near.network.nft.tables.size;
  return { ...link, link, near, servers: running, clients, sharing };
}

function comeUp({ link, near, servers }: ReturnType<typeof scene>): void {
  const tuns = near.network.tuns;
  const isUp = (): boolean =>
    tuns.length === servers.length && tuns.every((tun) => tun.isUp && tun.addresses.length > 0);
  expect(link.time.runUntil(isUp, 60_000)).toBe(true);
  link.time.run(1000);
}

function terminate({ link }: ReturnType<typeof scene>, ...programs: readonly Pppd[]): void {
  for (const program of programs) program.signal("SIGTERM");
  expect(link.time.runUntil(() => programs.every(({ isRunning }) => !isRunning), 20_000)).toBe(true);
  expect(programs.map(({ fault }) => fault)).toEqual(programs.map(() => undefined));
}

test("a link that shares has a table of its own and forwarding, and leaves neither", () => {
  const play = scene(["share", "share-deny", "10.1.0.0/16"]);
  comeUp(play);
  const { near, servers, clients, link } = play;
  const [[name, rules = ""] = []] = [...near.network.nft.tables];
  expect(name).toBe(`ip nullmodem-${near.network.tuns[0]!.index}`);
  expect(rules).toContain('ip saddr 10.0.0.2 oifname != "ppp0" masquerade');
  expect(rules).toContain("ip daddr 10.1.0.0/16 reject");
  expect(near.network.sysctls.get("net/ipv4/ip_forward")).toBe("1");
  expect(servers[0]!.lines).toContain(`share: 10.0.0.2 uses this machine's network by nft's table ${name}`);
  const [publication] = near.processes.publications.values();
  expect(parseStatus(publication!.text())?.sharing).toMatchObject({ way: "kernel", by: `nft's table ${name}` });
  expect(servers[0]!.lines).toContain("share: net.ipv4.ip_forward is on now; it was off");
  terminate(play, ...servers, ...clients);
  expect(link.leftOn(0)).toEqual([]);
});

test("a rule that closes an address of this machine closes its services at the link's address, also when the address is new", () => {
  const closed = "ip daddr 10.0.0.1 ct state != { established, related } reject";
  const rulesOf = ({ near }: ReturnType<typeof scene>): string => [...near.network.nft.tables.values()].join();
  for (const [words, isClosed] of [
    [["share-deny", "198.51.100.2"], true],
    [["share-deny", "198.51.100.3"], false],
    [["share-allow", "198.51.100.0/24"], true],
    [["share-allow", "10.0.0.1"], false],
    [["share-allow", "10.0.0.1", "share-deny", "198.51.100.0/24"], true],
    [["share=loopback", "share-deny", "198.51.100.2"], false],
    [["share=loopback", "share-deny", "127.0.0.1"], true],
  ] as const) {
    const play = scene(["share", ...words]);
    play.near.network.ownAddresses = [Uint8Array.of(192, 0, 2, 9), Uint8Array.of(198, 51, 100, 2)];
    comeUp(play);
    expect([words, rulesOf(play).includes(closed)]).toEqual([words, isClosed]);
    terminate(play, ...play.servers, ...play.clients);
    expect(play.link.leftOn(0)).toEqual([]);
  }
  const play = scene(["share", "share-deny", "198.51.100.2"]);
  comeUp(play);
  expect(rulesOf(play)).toContain("ip daddr 10.0.0.1 accept");
  play.near.network.ownAddresses = [Uint8Array.of(198, 51, 100, 2)];
  play.link.traffic[1].start(500, 2);
  expect(play.link.time.runUntil(() => rulesOf(play).includes(closed), 120_000)).toBe(true);
  play.link.traffic[1].stop();
  terminate(play, ...play.servers, ...play.clients);
  expect(play.link.leftOn(0)).toEqual([]);
});

test("an interface that a script renames keeps its rules under the new name", () => {
  const link = new Laplink({ seed: 1 });
  const [near, far] = link.computers;
  near.installNft();
  const own = parseAddress("2001:db8::5")!;
  const line = ["/dev/ttyUSB0", ...LINE.filter((word) => word !== "noipv6"), "+ipv6"];
  const server = near.start([...line, "10.0.0.1:10.0.0.2", "share", "share-deny", "2001:db8::5"]);
  const client = far.start([...line, "noipdefault"]);
  const until = (isSo: () => boolean): void => expect(link.time.runUntil(isSo, 120_000)).toBe(true);
  const rules = (): string => near.network.nft.tables.get(`ip6 nullmodem-${near.network.tuns[0]?.index}`) ?? "";
  until(() => server.lines.some((text) => text.startsWith("local  LL address")));
  const [tun] = near.network.tuns;
  // IPv4 comes up later, and then the name is read again.
  expect(tun!.addresses).toEqual([]);
  tun!.name = "cable";
  until(() => rules().includes('iifname "cable"'));
  near.network.ownAddresses = [own];
  link.traffic[1].start(500, 2);
  until(() => /ip6 daddr fd\S+ ct state .* reject/.test(rules()));
  link.traffic[1].stop();
  expect(rules()).not.toContain("ppp0");
  for (const program of [server, client]) program.signal("SIGTERM");
  until(() => !server.isRunning && !client.isRunning);
  expect([server.fault, client.fault, link.leftOn(0)]).toEqual([undefined, undefined, []]);
});

test("without rules no port leads to the peer, and the log says so", () => {
  const play = scene(["forward", "8080=80/tcp"]);
  play.near.network.nft.complaint = "Error: Could not process rule: Operation not supported\n";
  comeUp(play);
  expect(play.servers[0]!.lines).toContain(
    "forward: there are no rules, so no port leads to the peer; for user-mode networking, give usernet",
  );
  expect(play.servers[0]!.lines.filter((line) => line.includes("leads to port"))).toEqual([]);
  play.near.network.nft.complaint = "";
  terminate(play, ...play.servers, ...play.clients);
});

test("of two links that share, the last one switches forwarding off", () => {
  const play = scene(["share"], ["share"]);
  comeUp(play);
  const { near, servers, clients, link } = play;
  expect(play.sharing()).toBe(2);
  terminate(play, servers[0]!);
  expect([play.sharing(), near.network.sysctls.get("net/ipv4/ip_forward")]).toEqual([1, "1"]);
  terminate(play, servers[1]!, ...clients);
  expect(link.leftOn(0)).toEqual([]);
});

test("forwarding that was on stays on", () => {
  const play = scene(["share"]);
  play.near.network.sysctls.set("net/ipv4/ip_forward", "1");
  comeUp(play);
  terminate(play, ...play.servers, ...play.clients);
  expect(play.near.network.sysctls.get("net/ipv4/ip_forward")).toBe("1");
});

test("what a killed session has left, the next one removes", () => {
  const play = scene(["share"]);
  comeUp(play);
  const { near, servers, clients, link } = play;
  servers[0]!.kill();
  link.time.run(1000);
  expect(play.sharing()).toBe(1);
  const next = near.start(["/dev/ttyUSB0", ...LINE, "10.0.0.1:10.0.0.2"]);
  expect(link.time.runUntil(() => play.sharing() === 0, 20_000)).toBe(true);
  expect(near.network.sysctls.get("net/ipv4/ip_forward")).toBe("0");
  expect(next.lines).toContainEqual(expect.stringMatching(/^Removed nft's table ip nullmodem-\d+ of a killed pppd$/));
  terminate(play, next, ...clients);
  expect(link.leftOn(0)).toEqual([]);
});

test("a packet filter that refuses is named, and the link goes on without sharing", () => {
  const play = scene(["share"]);
  const { near, servers, clients, link } = play;
  near.network.nft.complaint = "Error: Could not process rule: Operation not supported\ntable ip x {\n";
  comeUp(play);
  expect(servers[0]!.lines).toContain("share: nft failed: Error: Could not process rule: Operation not supported");
  expect(servers[0]!.lines).toContain(
    "share: there are no rules, so nothing is shared; for user-mode networking, give usernet",
  );
  expect(near.network.sysctls.get("net/ipv4/ip_forward")).toBe("0");
  near.network.nft.complaint = "";
  terminate(play, ...servers, ...clients);
  expect(link.leftOn(0)).toEqual([]);
});

/** Sends datagrams from the peer, and returns where those go that have reached the kernel. */
function reached({ link, near }: ReturnType<typeof scene>, ...addresses: readonly string[]): string[] {
  const seen: string[] = [];
  const before = near.network.received;
  near.network.received = (packet) => void seen.push(packet.subarray(16, 20).join("."));
  const [tun] = link.computers[1].network.tuns;
  for (const to of addresses) tun!.transmit(udpPacket({ from: "10.0.0.2", to, fromPort: 1, toPort: 2 }, []));
  link.time.run(1000);
  near.network.received = before;
  return seen;
}

test("without rules, the kernel gets no packet that it could forward, whoever has switched forwarding on", () => {
  for (const [words, passing, line] of [
    [[], ["10.0.0.1"], "share: without rules, packets of the peer are dropped (IPv4), except those to 10.0.0.1"],
    [["share-deny", "192.0.2.0/24"], [], "share: without rules, packets of the peer are dropped (IPv4)"],
  ] as const) {
    const play = scene(["share", ...words]);
    const { near, servers } = play;
    near.network.sysctls.set("net/ipv4/ip_forward", "1");
    near.network.nft.complaint = "Error: Could not process rule: Operation not supported\n";
    comeUp(play);
    expect(servers[0]!.lines).toContain(line);
    expect(reached(play, "192.0.2.1", "169.254.169.254", "10.0.0.1")).toEqual([...passing]);
    near.network.nft.complaint = "";
    terminate(play, ...servers, ...play.clients);
  }
  const play = scene(["share"]);
  comeUp(play);
  expect(reached(play, "192.0.2.1", "10.0.0.1")).toEqual(["192.0.2.1", "10.0.0.1"]);
  terminate(play, ...play.servers, ...play.clients);
});

test("rules that somebody has removed and that cannot be made again: the peer's packets are dropped", () => {
  const play = scene(["share"]);
  comeUp(play);
  const { near, servers, clients, link } = play;
  near.network.nft.tables.clear();
  near.network.nft.complaint = "Error: Could not process rule: Operation not supported\n";
  link.traffic[1].start(500, 2);
  const isTold = (): boolean => servers[0]!.lines.some((line) => line.includes("packets of the peer are dropped"));
  expect(link.time.runUntil(isTold, 120_000)).toBe(true);
  link.traffic[1].stop();
  link.time.run(1000);
  expect(reached(play, "192.0.2.1", "10.0.0.1")).toEqual(["10.0.0.1"]);
  expect(near.network.sysctls.get("net/ipv4/ip_forward")).toBe("0");
  near.network.nft.complaint = "";
  terminate(play, ...servers, ...clients);
  expect(link.leftOn(0)).toEqual([]);
});

test("a forward of IPv6 that cannot work is told of", () => {
  const forwards = ["[::1]:53=53/udp", "[2001:db8::1]:80=80/tcp", "127.0.0.1:53=53/udp"];
  const play = scene(forwards.flatMap((text) => ["forward", text]));
  comeUp(play);
  expect(play.servers[0]!.lines.filter((line) => line.includes("is not forwarded"))).toEqual([
    "Port [::1]:53/udp is not forwarded: no kernel leads packets of ::1 to an interface; give usernet",
    "Port [2001:db8::1]:80/tcp is not forwarded: IPv6 is off",
  ]);
  terminate(play, ...play.servers, ...play.clients);
});

test("somebody flushes all rules: they are made again, and nothing fails at the end", () => {
  const play = scene(["share"]);
  comeUp(play);
  const { near, servers, clients, link } = play;
  const [rules] = near.network.nft.tables;
  near.network.nft.tables.clear();
  // The rules are looked after while something happens on the line.
  link.traffic[1].start(500, 2);
  expect(link.time.runUntil(() => play.sharing() === 1, 120_000)).toBe(true);
  link.time.run(120_000);
  link.traffic[1].stop();
  expect([...near.network.nft.tables]).toEqual([rules!]);
  const renewals = servers[0]!.lines.filter((line) => line.startsWith("share: other firewalls have changed"));
  expect(renewals).toHaveLength(1);
  near.network.nft.tables.clear();
  terminate(play, ...servers, ...clients);
  expect(servers[0]!.lines.filter((line) => line.includes("failed"))).toEqual([]);
  expect(link.leftOn(0)).toEqual([]);
});

/** firewalld's tool, as far as we use it. Returns the interfaces with their zones. */
function installFirewalld({ near }: ReturnType<typeof scene>): Map<string, string> {
  const zones = new Map<string, string>();
  const answer = (words: string): string | undefined => {
    const [, asked = ""] = /^--get-zone-of-interface=(.*)/.exec(words) ?? [];
    const [, zone = "", step = "", ifname = ""] = /^--zone=(\S+) --(add|remove)-interface=(\S+)$/.exec(words) ?? [];
    if (step === "add") zones.set(ifname, zone);
    if (step === "remove") zones.delete(ifname);
    return words === "--get-zones" ? "nm-shared public trusted" : asked === "" ? "success" : zones.get(asked);
  };
  near.network.firewallTools = { ...near.network.firewallTools, firewallCmd: "/usr/bin/firewall-cmd" };
  near.processes.tools.set("/usr/bin/firewall-cmd", ([, ...words]) => {
    const output = answer(words.join(" "));
    return {
      exitCode: output === undefined ? 2 : 0,
      output: `${output ?? ""}\n`,
      complaint: output === undefined ? "no zone\n" : "",
    };
  });
  return zones;
}

test("firewalld's zone of a killed session's interface is left by the next one, which gets it too", () => {
  const play = scene(["share"]);
  const zones = installFirewalld(play);
  comeUp(play);
  const { near, servers, clients, link } = play;
  expect([...zones]).toEqual([["ppp0", "nm-shared"]]);
  servers[0]!.kill();
  link.time.run(1000);
  const next = near.start(["/dev/ttyUSB0", ...LINE, "10.0.0.1:10.0.0.2", "share"]);
  expect(link.time.runUntil(() => zones.size === 0, 20_000)).toBe(true);
  expect(next.lines).toContain("Removed ppp0 of a killed pppd from firewalld's zone nm-shared");
  expect(link.time.runUntil(() => zones.size === 1 && play.sharing() === 1, 60_000)).toBe(true);
  terminate(play, next, ...clients);
  expect([zones.size, link.leftOn(0)]).toEqual([0, []]);
});

test("a firewalld that is slow to take a killed session's interface out of its zone does not take the next one's", () => {
  const play = scene(["share"]);
  const zones = installFirewalld(play);
  comeUp(play);
  const { near, servers, clients, link } = play;
  servers[0]!.kill();
  link.time.run(1000);
  const tool = "/usr/bin/firewall-cmd";
  const answer = near.processes.tools.get(tool)!;
  near.processes.tools.set(tool, (argv, input) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    link.time.after(5000, resolve);
    return promise.then(() => answer(argv, input));
  });
  const next = near.start(["/dev/ttyUSB0", ...LINE, "10.0.0.1:10.0.0.2", "share"]);
  const isShared = (): boolean => next.lines.some((line) => line.startsWith("share: 10.0.0.2 uses"));
  expect(link.time.runUntil(isShared, 120_000)).toBe(true);
  link.time.run(30_000);
  expect([...zones]).toEqual([["ppp0", "nm-shared"]]);
  near.processes.tools.set(tool, answer);
  terminate(play, next, ...clients);
  expect([zones.size, link.leftOn(0)]).toEqual([0, []]);
});

test("ports lead to the peer, except those that a program has, and nothing else is shared without share", () => {
  const play = scene(["forward", "8080=80/tcp", "forward", "22=22/tcp"]);
  play.near.network.takenPorts.add(22);
  const zones = installFirewalld(play);
  comeUp(play);
  expect(zones.size).toBe(0);
  const { near, servers, clients, link } = play;
  const [rules = ""] = near.network.nft.tables.values();
  expect(rules).toContain("tcp dport 8080 dnat to 10.0.0.2:80");
  expect(rules).not.toContain("dport 22");
  expect(rules).not.toContain("ip saddr 10.0.0.2");
  const said = servers[0]!.lines.filter((line) => line.startsWith("Port") || line.startsWith("forward"));
  expect(said).toEqual([
    expect.stringContaining("Port 22/tcp is not forwarded: Address already in use"),
    "Port 8080/tcp leads to port 80 of the peer",
    expect.stringContaining("forward: ports of this machine lead to 10.0.0.2 by nft's table ip nullmodem-"),
  ]);
  terminate(play, ...servers, ...clients);
  expect(link.leftOn(0)).toEqual([]);
});

test("a firewalld of another container is left alone", () => {
  const play = scene(["share"]);
  installFirewalld(play);
  const asked: string[] = [];
  play.near.processes.tools.set("/usr/bin/firewall-cmd", (argv) => {
    asked.push(argv.join(" "));
    return { exitCode: 252, output: "", complaint: "FirewallD is not running\n" };
  });
  comeUp(play);
  expect(asked).toEqual(["/usr/bin/firewall-cmd --get-zone-of-interface=ppp0"]);
  expect(play.servers[0]!.lines.filter((line) => line.includes("failed"))).toEqual([]);
  terminate(play, ...play.servers, ...play.clients);
  expect(play.link.leftOn(0)).toEqual([]);
});
