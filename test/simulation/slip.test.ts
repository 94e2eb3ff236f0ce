// SLIP in simulated time: recognised, dialled, and started at once; with compressed headers, and under damage.

import { expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local"];
const NEAR = "10.0.0.1:10.0.0.2";
const FAR = "10.0.0.2:10.0.0.1";

function pair(server: readonly string[], client: readonly string[]) {
  const link = new Laplink({ seed: 3 });
  const { time, computers } = link;
  const programs = [
    computers[0].start([...LINE, ...server, NEAR]),
    computers[1].start([...LINE, ...client, FAR]),
  ] as const;
  return { link, time, programs };
}

/** Sends packets both ways until this many have come on each side. */
function talks({ link, time }: ReturnType<typeof pair>, packets = 40): void {
  for (let round = 0; round < 400 && link.traffic.some(({ received }) => received < packets); round++) {
    for (const traffic of link.traffic) traffic.send(undefined, 100);
    time.run(40);
  }
  for (const { received, fault, damaged } of link.traffic)
    expect([received >= packets, fault, damaged]).toEqual([true, undefined, 0]);
}

function ends({ link, time, programs }: ReturnType<typeof pair>): void {
  for (const program of programs) program.signal("SIGTERM");
  expect(time.runUntil(() => !programs[0].isRunning && !programs[1].isRunning, 10_000)).toBe(true);
  expect(programs.map(({ exitCode, fault }) => [exitCode, fault])).toEqual([
    [5, undefined],
    [5, undefined],
  ]);
  expect([link.leftOn(0), link.leftOn(1)]).toEqual([[], []]);
}

for (const [name, server, client] of [
  ["both at once", ["slip"], ["slip"]],
  ["compressed by one, then by both", ["slip"], ["cslip"]],
  ["compressed by both", ["cslip"], ["cslip"]],
  ["without compression", ["slip", "novj"], ["slip"]],
  ["recognised", ["autodetect", "ppp,slip"], ["slip"]],
  ["recognised with compressed headers", ["autodetect", "ppp,cslip"], ["cslip"]],
  ["dialled", ["autodetect", "ppp,modem,slip"], ["slip", "connect", "chat '' ATDTslip CONNECT"]],
] as const)
  test(`SLIP: ${name}`, () => {
    const play = pair(server, client);
    talks(play);
    expect(play.programs[0].lines).toContain("local  IP address 10.0.0.1");
    expect(play.link.computers.map(({ network }) => network.tuns[0]?.mtu)).toEqual([1006, 1006]);
    for (const { processes } of play.link.computers) {
      const { phase, framesReceived, framesSent } = JSON.parse([...processes.publications.values()][0]!.text())
        .lines[0];
      expect([phase, framesReceived >= 40, framesSent >= 40]).toEqual(["network", true, true]);
    }
    ends(play);
  });

test("mtu sets the largest packet, and the limits of time end the link", () => {
  const play = pair(["slip", "mtu", "296", "maxconnect", "20"], ["slip", "mtu", "296", "idle", "30"]);
  talks(play, 5);
  expect(play.link.computers.map(({ network }) => network.tuns[0]?.mtu)).toEqual([296, 296]);
  expect(play.time.runUntil(() => play.programs.every(({ isRunning }) => !isRunning), 90_000)).toBe(true);
  expect(play.programs.map(({ exitCode }) => exitCode)).toEqual([13, 12]);
  expect([play.link.leftOn(0), play.link.leftOn(1)]).toEqual([[], []]);
});

test("a caller that has dialled SLIP escapes to its modem, comes back, and hangs up", () => {
  const script = "chat '' ATDTslip CONNECT '\\d\\d+++\\d\\c' OK ATO CONNECT";
  const play = pair(["autodetect", "ppp,modem,slip"], ["slip", "connect", script]);
  expect(play.time.runUntil(() => play.link.isUp, 20_000)).toBe(true);
  talks(play);
  ends(play);
});

test("damage costs packets, and nothing else", () => {
  const play = pair(["cslip"], ["cslip"]);
  talks(play, 10);
  play.link.cables[0]!.damage = 1e-3;
  for (let round = 0; round < 100; round++) {
    for (const traffic of play.link.traffic) traffic.send(undefined, 60);
    play.time.run(40);
  }
  play.link.cables[0]!.damage = 0;
  const before = play.link.traffic.map(({ received }) => received);
  for (let round = 0; round < 60; round++) {
    for (const traffic of play.link.traffic) traffic.send(undefined, 60);
    play.time.run(40);
  }
  for (const [at, { received }] of play.link.traffic.entries()) expect(received - before[at]!).toBeGreaterThan(30);
  ends(play);
});

for (const [why, words, text] of [
  ["auth", ["slip", "auth"], "SLIP has no authentication, and auth demands it; give noauth"],
  ["no addresses", ["slip"], "SLIP wants both addresses, such as 10.0.0.1:10.0.0.2"],
  ["noip", ["slip", "noip"], "SLIP carries nothing but IPv4; leave out noip"],
] as const)
  test(`SLIP is refused: ${why}`, () => {
    const link = new Laplink({ seed: 1 });
    link.computers[0].files.put("/etc/ppp/pap-secrets", "them * secret *\n", 0o600);
    const line = LINE.filter((word) => word !== "noauth" || why !== "auth");
    const program = link.computers[0].start([
      ...line,
      ...words,
      ...(why === "no addresses" ? ["noipdefault"] : [NEAR]),
    ]);
    expect(link.time.runUntil(() => !program.isRunning, 5000)).toBe(true);
    expect(program.lines).toContain(text);
    expect([program.exitCode, program.fault, link.leftOn(0)]).toEqual([2, undefined, []]);
  });

test("with auth, a caller with SLIP is named and not served", () => {
  const link = new Laplink({ seed: 1 });
  link.computers[0].files.put("/etc/ppp/pap-secrets", "them * secret *\n", 0o600);
  const server = link.computers[0].start([
    ...LINE.filter((word) => word !== "noauth"),
    "auth",
    "autodetect",
    "ppp,slip",
    NEAR,
  ]);
  const client = link.computers[1].start([...LINE, "slip", FAR]);
  link.time.run(2000);
  for (let round = 0; round < 5; round++) {
    link.traffic[1].send(undefined, 50);
    link.time.run(100);
  }
  expect(server.lines).toContain(
    "Callers with SLIP are not answered: SLIP has no authentication, and auth demands it; give noauth",
  );
  expect(server.lines).toContain("Recognised SLIP; the autodetect option does not list it");
  expect(link.traffic[1].received).toBe(0);
  for (const one of [server, client]) one.signal("SIGTERM");
  link.time.run(5000);
  expect([server.fault, client.fault]).toEqual([undefined, undefined]);
});
