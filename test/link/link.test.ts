import { expect, test } from "bun:test";
import type { AuthMethod } from "../../src/wire/auth-method.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng, withRng } from "../kit/rng.ts";

const A = 0xc0a80001; // 192.168.0.1
const B = 0xc0a80101; // 192.168.1.1

function ipcp(changes: Partial<NonNullable<LinkConfig["networks"]["ipcp"]>>): Partial<LinkConfig> {
  const { networks } = linkConfig();
  return { networks: { ...networks, ipcp: { ...networks.ipcp!, ...changes } } };
}

function lcp(changes: Partial<LinkConfig["lcp"]>): Partial<LinkConfig> {
  const authRequired = (changes.demand ?? []).length > 0;
  return { lcp: { ...linkConfig().lcp, authRequired, ...changes } };
}

const SERVER = ipcp({ our: A, peer: B, acceptLocal: false, acceptRemote: false });

function pair(a: Partial<LinkConfig>, b: Partial<LinkConfig>, rng = new Rng(1)): Pair {
  return new Pair(new Side(linkConfig(a), rng), new Side(linkConfig(b), rng));
}

function bothUp({ a, b }: Pair): boolean {
  return a.link.networks.ipv4Up && b.link.networks.ipv4Up;
}

function ipv4(length: number, rng: Rng): Uint8Array {
  const packet = rng.bytes(length);
  packet[0] = 0x45;
  return packet;
}

test("two links find each other, agree on the addresses one of them knows, and carry packets both ways", () => {
  const rng = new Rng(2);
  const link = pair(SERVER, {}, rng);
  link.open();
  expect(link.run(() => bothUp(link))).toBe(true);
  expect(link.a.find("ipv4-up")).toMatchObject({ our: A, peer: B });
  expect(link.b.find("ipv4-up")).toMatchObject({ our: B, peer: A });
  const there = ipv4(1500, rng);
  const back = ipv4(40, rng);
  expect(link.a.send(there, link.now)).toBe(true);
  expect(link.b.send(back, link.now)).toBe(true);
  link.run(() => link.a.packets.length === 1 && link.b.packets.length === 1, 100);
  expect(link.b.packets).toEqual([there]);
  expect(link.a.packets).toEqual([back]);
});

test("the packets are pppd's, word for word", () => {
  const link = pair({ ...SERVER, ...lcp({ demand: ["pap"], start: { silent: true } }) }, lcp({ accept: ["pap"] }));
  link.open();
  link.run(() => link.a.has("pap-request"));
  expect(link.a.find("pap-request")).toMatchObject({ user: "zaphod", password: "gargleBlaster" });
  link.a.link.papVerdict(true, "Login ok", link.now);
  expect(link.run(() => bothUp(link))).toBe(true);
  const lines = link.a.lines.map((line) => line.replace(/<magic 0x[0-9a-f]+>/, "<magic>"));
  expect(lines).toEqual([
    "rcvd [LCP ConfReq id=0x1 <asyncmap 0x0> <magic> <pcomp> <accomp>]",
    "sent [LCP ConfReq id=0x1 <asyncmap 0x0> <auth pap> <magic> <pcomp> <accomp>]",
    "sent [LCP ConfAck id=0x1 <asyncmap 0x0> <magic> <pcomp> <accomp>]",
    "rcvd [LCP ConfAck id=0x1 <asyncmap 0x0> <auth pap> <magic> <pcomp> <accomp>]",
    'rcvd [PAP AuthReq id=0x1 user="zaphod" password=<hidden>]',
    'sent [PAP AuthAck id=0x1 "Login ok"]',
    "PAP peer authentication succeeded for zaphod",
    "Peer zaphod authenticated with PAP",
    "sent [IPCP ConfReq id=0x1 <addr 192.168.0.1>]",
    "rcvd [IPCP ConfReq id=0x1 <addr 0.0.0.0>]",
    "sent [IPCP ConfNak id=0x1 <addr 192.168.1.1>]",
    "rcvd [IPCP ConfAck id=0x1 <addr 192.168.0.1>]",
    "rcvd [IPCP ConfReq id=0x2 <addr 192.168.1.1>]",
    "sent [IPCP ConfAck id=0x2 <addr 192.168.1.1>]",
  ]);
  expect(link.b.lines).toContain("Remote message: Login ok");
  expect(link.b.lines).toContain("PAP authentication succeeded");
  expect(link.a.lines.join()).not.toContain("gargle");
});

test("a wrong password ends the link on both sides, each saying why", () => {
  const link = pair({ ...SERVER, ...lcp({ demand: ["pap"] }) }, lcp({ accept: ["pap"] }));
  link.open();
  link.run(() => link.a.has("pap-request"));
  link.a.link.papVerdict(false, "Login incorrect", link.now);
  expect(link.run(() => link.a.has("terminated") && link.b.has("terminated"))).toBe(true);
  expect(link.a.find("failure")).toMatchObject({ failure: "peer-not-authenticated" });
  expect(link.b.find("failure")).toMatchObject({ failure: "we-not-authenticated" });
  expect(link.a.lines).toContain("PAP peer authentication failed for zaphod");
  expect(link.b.lines).toContain("Remote message: Login incorrect");
  expect(link.b.lines).toContain("PAP authentication failed");
  expect(link.a.find("terminated")).toMatchObject({ waited: false });
});

test("a peer that will not prove itself is turned away, unless strangers may come in", () => {
  for (const admits of [false, true]) {
    const rng = new Rng(5);
    const a = new Side(linkConfig({ ...SERVER, ...lcp({ demand: ["pap"] }) }), rng, { admitsStrangers: () => admits });
    const link = new Pair(a, new Side(linkConfig(), rng));
    link.open();
    link.run(() => bothUp(link) || a.has("terminated"));
    expect(a.link.networks.ipv4Up).toBe(admits);
    expect(a.lines.includes("peer refused to authenticate: terminating link")).toBe(!admits);
  }
});

test("an authentication request nobody answers is given up after ten, and one that never comes after 30 seconds", () => {
  const link = pair({ ...SERVER, ...lcp({ demand: ["pap"] }) }, lcp({ accept: ["pap"] }));
  link.open();
  link.run(() => link.a.has("pap-request"));
  expect(link.run(() => link.b.has("terminated"))).toBe(true);
  expect(link.b.lines).toContain("No response to PAP authenticate-requests");
  expect(link.b.lines.filter((line) => line.startsWith("sent [PAP AuthReq"))).toHaveLength(10);
  expect(link.now).toBeGreaterThan(27_000);
  const mute = pair({ ...SERVER, ...lcp({ demand: ["pap"] }) }, lcp({ accept: ["pap"] }));
  const password = new TextEncoder().encode("gargle");
  mute.wire.damage = (bytes) => (Buffer.from(bytes).includes(password) ? undefined : bytes);
  mute.open();
  expect(mute.run(() => mute.a.has("failure"))).toBe(true);
  expect(mute.now).toBeGreaterThanOrEqual(30_000);
});

test("methods are asked for in turn until the peer takes one", () => {
  const demand: AuthMethod[] = ["eap", "chap-md5", "pap"];
  const link = pair({ ...SERVER, ...lcp({ demand }) }, lcp({ accept: ["pap"] }));
  link.open();
  expect(link.run(() => link.a.has("pap-request"))).toBe(true);
});

test("both sides started together do not wait for a restart timer, whichever was heard first", () => {
  for (const gap of [1, 5, 31, 200, 2000]) {
    const link = pair(SERVER, {});
    link.a.link.open(0);
    link.a.collect();
    link.a.drain(0); // into a line nobody reads yet
    link.now = gap;
    link.b.link.open(gap);
    expect(link.run(() => bothUp(link))).toBe(true);
    expect(link.now - gap).toBeLessThan(100);
  }
});

test("without a peer: requests for the time of ten restart timers, then the end; passive and silent go on waiting", () => {
  const link = pair(SERVER, {});
  link.a.link.open(0);
  expect(link.run(() => link.a.has("terminated"))).toBe(true);
  expect(link.now).toBe(30_000);
  const requests = link.a.lines.filter((line) => line.startsWith("sent [LCP ConfReq"));
  // Ten are counted. The others come before the restart timer has ended for the first time.
  expect([requests.length, new Set(requests).size]).toEqual([15, 1]);
  expect(link.a.lines.at(-2)).toBe("LCP: timeout sending Config-Requests");
  expect(link.a.lines.at(-1)).toStartWith("Heard nothing at all");
  expect(link.a.find("terminated")).toMatchObject({ waited: true });
  for (const start of [{ passive: true }, { silent: true }]) {
    const waiting = pair({ ...SERVER, ...lcp({ start }) }, {});
    waiting.a.link.open(0);
    waiting.run(() => false, 100_000);
    expect(waiting.a.has("terminated")).toBe(false);
    waiting.b.link.open(waiting.now);
    expect(waiting.run(() => bothUp(waiting))).toBe(true);
  }
});

test("a link ends by Terminate-Request; the side that received it waits three seconds", () => {
  const link = pair(SERVER, {});
  link.open();
  link.run(() => bothUp(link));
  const began = link.now;
  link.a.link.close("User request", began);
  link.run(() => link.a.has("terminated"));
  expect(link.a.find("terminated")).toMatchObject({ waited: false });
  expect(link.now - began).toBeLessThan(10);
  expect(link.b.lines).toContain("LCP terminated by peer (User request)");
  link.run(() => link.b.has("terminated"));
  expect(link.b.find("terminated")).toMatchObject({ waited: true });
  expect(link.now - began).toBeWithin(3000, 3010);
  const order = link.a.events.map(({ type }) => type);
  expect(order.indexOf("ipv4-down")).toBeLessThan(order.indexOf("terminated"));
});

test("a peer that is gone: two Terminate-Requests, then the end", () => {
  const link = pair(SERVER, {});
  link.open();
  link.run(() => bothUp(link));
  link.wire.damage = () => undefined;
  const began = link.now;
  link.a.link.close("User request", began);
  link.run(() => link.a.has("terminated"));
  expect(link.now - began).toBe(6000);
  expect(link.a.lines.filter((line) => line.startsWith("sent [LCP TermReq"))).toHaveLength(2);
});

test("a peer counts as ready when it has answered all earlier packets, or after a second", () => {
  const link = pair(SERVER, { echo: { intervalMs: 1000, failure: 0, adaptive: false } });
  link.open();
  link.run(() => bothUp(link));
  const began = link.now;
  link.a.link.awaitPeer(began);
  expect(link.run(() => link.a.has("caught-up"))).toBe(true);
  expect(link.now - began).toBeLessThan(200);
  link.a.events.length = 0;
  link.wire.damage = () => undefined;
  const mute = link.now;
  link.a.link.awaitPeer(mute);
  link.run(() => link.a.has("caught-up"));
  expect(link.now - mute).toBe(1000);
  // Only once, and not after the end of the link.
  link.a.events.length = 0;
  link.a.link.awaitPeer(link.now);
  link.a.link.close("User request", link.now);
  link.run(() => link.a.has("terminated"));
  expect(link.a.has("caught-up")).toBe(false);
});

test("echoes: unanswered ones end the link, answered ones do not, adaptive ones are spared", () => {
  const echo = { intervalMs: 1000, failure: 3, adaptive: false };
  const link = pair({ ...SERVER, echo }, {});
  link.open();
  link.run(() => bothUp(link));
  link.run(() => link.a.has("failure"), 60_000);
  expect(link.a.has("failure")).toBe(false);
  link.wire.damage = () => undefined;
  const began = link.now;
  link.run(() => link.a.has("failure"));
  expect(link.now - began).toBeWithin(2000, 4001);
  expect(link.a.find("failure")).toMatchObject({ failure: "peer-dead" });
  expect(link.a.lines).toContain("No response to 3 echo-requests");
  expect(link.a.lines).toContain("Serial link appears to be disconnected.");

  const busy = pair({ ...SERVER, echo: { ...echo, adaptive: true }, debug: 2 }, {});
  busy.open();
  busy.run(() => bothUp(busy));
  for (let second = 0; second < 10; second++) {
    busy.b.send(ipv4(40, new Rng(second)), busy.now);
    busy.run(() => false, 1000);
  }
  expect(busy.a.lines.filter((line) => line.includes("EchoReq")).length).toBeLessThan(3);
});

test("a looped line is noticed after ten Naks", () => {
  const link = pair(SERVER, {});
  link.a.link.open(0);
  link.a.collect();
  for (let round = 0; round < 100 && !link.a.has("terminated"); round++) {
    link.a.take(link.a.drain(round), round);
    if (link.a.link.nextTimeout() <= round) link.a.link.handleTimeout(round);
  }
  expect(link.a.lines).toContain("Serial line is looped back.");
  expect(link.a.find("failure")).toMatchObject({ failure: "loopback" });
  expect(link.a.lines.filter((line) => line.startsWith("rcvd [LCP ConfNak"))).toHaveLength(10);
});

test("MRU and asyncmap: each side sends as the other asked", () => {
  const link = pair({ ...SERVER, ...lcp({ mru: 576, asyncmap: 0x000a0000 }) }, { mtu: 600 });
  link.open();
  link.run(() => bothUp(link));
  expect(link.a.find("lcp-up")).toMatchObject({ mtu: 576 });
  expect(link.b.find("lcp-up")).toMatchObject({ mtu: 576 });
  const packet = Uint8Array.from({ length: 256 }, (_, at) => at);
  packet[0] = 0x45;
  link.b.send(packet, link.now);
  const line = link.b.drain(link.now);
  for (const octet of [0x11, 0x13]) expect(line.includes(octet)).toBe(false);
  expect(line.includes(0x12)).toBe(true);
  link.a.take(line, link.now);
  expect(link.a.packets).toEqual([packet]);
});

test("with all options off the link comes up too", () => {
  const off = lcp({
    mru: undefined,
    asyncmap: undefined,
    allowAsyncmap: false,
    magic: false,
    pcomp: false,
    accomp: false,
    endpoint: false,
  });
  const link = pair(SERVER, off);
  link.open();
  expect(link.run(() => bothUp(link))).toBe(true);
  expect(link.b.lines).toContain("sent [LCP ConfReq id=0x1]");
});

test("address rules: both insist, neither knows, one is refused", () => {
  const insist = pair(SERVER, ipcp({ our: 0xac100001, peer: 0xac100002, acceptLocal: false, acceptRemote: false }));
  insist.open();
  insist.run(() => insist.a.has("terminated") && insist.b.has("terminated"));
  expect(insist.a.lines).toContain("Peer refused to agree to our IP address");
  expect(insist.a.lines).toContain(
    "Here 192.168.0.1 was given: ipcp-accept-local takes what the peer says, or give it :192.168.0.1",
  );
  expect(insist.a.lines).toContain('sent [IPCP TermReq id=0x66 "Refused our IP address"]');
  const ignorant = pair({}, {});
  ignorant.open();
  ignorant.run(() => ignorant.a.has("terminated") && ignorant.b.has("terminated"));
  expect(ignorant.a.lines).toContain("Could not determine local IP address");
  expect(ignorant.a.lines).toContain("Neither end said it: give ADDRESS: at this end, or :ADDRESS at the other");
  expect(ignorant.a.lines).toContain('sent [LCP TermReq id=0x2 "No network protocols running"]');
  // A refused address that neither side knows is not asked for later.
  expect(ignorant.a.lines).toContain("sent [IPCP ConfRej id=0x1 <addr 0.0.0.0>]");
  expect(ignorant.a.lines.join("\n")).not.toContain("ConfNak");
  // pppd counts the up time after these too.
  for (const side of [insist.a, ignorant.a, ignorant.b]) {
    expect(side.has("ipv4-up")).toBe(false);
    expect(side.has("ipv4-down")).toBe(true);
  }
  const rng = new Rng(9);
  const refused = new Pair(
    new Side(linkConfig(ipcp({ our: A })), rng, { peerMayUse: () => false }),
    new Side(linkConfig(ipcp({ our: B })), rng),
  );
  refused.open();
  refused.run(() => refused.a.has("terminated"));
  expect(refused.a.lines).toContain("Peer is not authorized to use remote address 192.168.1.1");
  expect(refused.b.lines).toContain("IPCP terminated by peer (Unauthorized remote IP address)");
});

test("after the line is gone, a link waits for nothing", () => {
  const up = pair({ ...SERVER, echo: { intervalMs: 1000, failure: 3, adaptive: false } }, {});
  up.open();
  expect(up.run(() => bothUp(up))).toBe(true);
  const young = pair(SERVER, {});
  young.a.link.open(0);
  const closing = pair(SERVER, {});
  closing.open();
  expect(closing.run(() => bothUp(closing))).toBe(true);
  closing.a.link.close("enough", closing.now);
  for (const { a, now } of [up, young, closing]) {
    expect(a.link.nextTimeout()).toBeLessThan(Infinity);
    a.link.hangup(now);
    a.collect();
    expect(a.link.nextTimeout()).toBe(Infinity);
  }
});

test("a side without an address takes the one that the peer names, without ipcp-accept-local too", () => {
  for (const acceptLocal of [true, false]) {
    const link = pair(SERVER, ipcp({ our: 0, acceptLocal }));
    link.open();
    expect(link.run(() => bothUp(link))).toBe(true);
    expect(link.b.find("ipv4-up")).toMatchObject({ our: B, peer: A });
  }
  // One that has an address insists on it.
  const link = pair(SERVER, ipcp({ our: 1, acceptLocal: false }));
  link.open();
  link.run(() => bothUp(link), 20_000);
  expect(link.b.find("ipv4-up")?.our).not.toBe(B);
});

test("a peer without an address gets an invented one, or none with noremoteip", () => {
  const link = pair(ipcp({ our: A }), ipcp({ sendAddress: false, our: B }));
  link.open();
  expect(link.run(() => link.a.link.networks.ipv4Up)).toBe(true);
  expect(link.a.find("ipv4-up")).toMatchObject({ our: A, peer: 0x0a404040 });
  expect(link.a.lines).toContain("Could not determine remote IP address: defaulting to 10.64.64.64");
  const none = pair(ipcp({ our: A, noRemote: true }), ipcp({ sendAddress: false, our: B }));
  none.open();
  expect(none.run(() => none.a.link.networks.ipv4Up)).toBe(true);
  expect(none.a.find("ipv4-up")).toMatchObject({ peer: 0 });
});

test("name servers are asked for, told and refused", () => {
  const dns = [0x0a000035, 0x0a000036];
  const link = pair(ipcp({ our: A, peer: B, dns, wins: [dns[0]!, dns[0]!] }), ipcp({ wantDns: true, wantWins: true }));
  link.open();
  link.run(() => bothUp(link));
  expect(link.b.find("ipv4-up")).toMatchObject({ dns, wins: [dns[0]!, dns[0]!] });
  const poor = pair(SERVER, ipcp({ wantDns: true }));
  poor.open();
  expect(poor.run(() => bothUp(poor))).toBe(true);
  expect(poor.b.find("ipv4-up")).toMatchObject({ dns: [0, 0] });
});

test("the old Addresses option serves a peer that knows no other", () => {
  const link = pair(SERVER, ipcp({ address: false }));
  link.open();
  expect(link.run(() => bothUp(link))).toBe(true);
  expect(link.b.find("ipv4-up")).toMatchObject({ our: B, peer: A });
});

test("packets of unknown protocols are rejected whole, and named in the log", () => {
  const link = pair(SERVER, {});
  link.open();
  link.run(() => bothUp(link));
  // A CCP Configure-Request, as any pppd sends it.
  const frame = new Uint8Array([0xff, 0x03, 0x80, 0xfd, 1, 1, 0, 8, 0x1a, 4, 0x78, 0]);
  link.a.take(framedBy(frame), link.now);
  expect(link.a.lines).toContain("Unsupported protocol 'Compression Control Protocol' (0x80fd) received");
  expect(link.a.lines.at(-1)).toStartWith("sent [LCP ProtRej id=0x2 80 fd 01 01 00 08 1a 04 78 00]");
});

/** The octets as a frame on the line, not written by the tested code. */
function framedBy(frame: Uint8Array): Uint8Array {
  const fcs = [...frame].reduce((sum, octet) => {
    sum ^= octet;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x8408 : sum >>> 1;
    return sum;
  }, 0xffff);
  const whole = [...frame, ~fcs & 0xff, (~fcs >>> 8) & 0xff];
  return Uint8Array.from([
    0x7e,
    ...whole.flatMap((o) => (o === 0x7d || o === 0x7e || o < 32 ? [0x7d, o ^ 0x20] : [o])),
    0x7e,
  ]);
}

test("a peer that restarts in the middle of a session gets a new session", () => {
  const rng = new Rng(11);
  const link = pair(SERVER, {}, rng);
  link.open();
  link.run(() => bothUp(link));
  const again = new Pair(link.a, new Side(linkConfig(), rng));
  again.now = link.now + 1000;
  again.b.link.open(again.now);
  expect(again.run(() => again.b.link.networks.ipv4Up && again.a.link.networks.ipv4Up)).toBe(true);
  expect(again.a.events.filter(({ type }) => type === "ipv4-up")).toHaveLength(2);
  expect(again.a.events.filter(({ type }) => type === "ipv4-down")).toHaveLength(1);
  expect(again.now - link.now - 1000).toBeLessThan(100);
});

test("on a line that loses and damages frames the link comes up in the end", () =>
  withRng((rng) => {
    for (let round = 0; round < 40; round++) {
      const link = pair({ ...SERVER, ...lcp({ demand: ["pap"] }) }, lcp({ accept: ["pap"] }), rng);
      link.wire.latency = rng.below(300);
      link.wire.damage = (bytes) => {
        if (rng.chance(0.15)) return undefined;
        if (rng.chance(0.2)) bytes[rng.below(bytes.length)]! ^= 1 << rng.below(8);
        return bytes;
      };
      link.open();
      const up = link.run(() => {
        if (link.a.events.at(-1)?.type === "pap-request") link.a.link.papVerdict(true, "", link.now);
        return bothUp(link) || link.a.has("terminated") || link.b.has("terminated");
      }, 300_000);
      expect(up).toBe(true);
    }
  }));

test("no octets make a link throw, grow or stop listening", () =>
  withRng((rng) => {
    for (let round = 0; round < 20; round++) {
      const link = pair(SERVER, {}, rng);
      link.open();
      link.run(() => bothUp(link));
      for (let piece = 0; piece < 200; piece++) {
        const bytes = rng.bytes(rng.below(300));
        const frame = Uint8Array.of(
          0xff,
          3,
          ...rng.pick([
            [0xc0, 0x21],
            [0x80, 0x21],
            [0xc0, 0x23],
            [0, 0x21],
          ]),
          ...bytes,
        );
        link.b.take(rng.chance(0.5) ? bytes : framedBy(frame), link.now);
        link.b.drain(link.now);
        link.now += rng.below(100);
        if (link.b.link.nextTimeout() <= link.now) link.b.link.handleTimeout(link.now);
      }
      // A link that lost its session accepts a new one.
      const fresh = new Pair(new Side(linkConfig(SERVER), rng), link.b);
      fresh.now = link.now;
      if (fresh.b.has("terminated")) continue;
      fresh.a.link.open(fresh.now);
      expect(fresh.run(() => bothUp(fresh) || fresh.b.has("terminated"), 300_000)).toBe(true);
    }
  }));
