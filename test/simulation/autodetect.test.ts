// A port with the option autodetect in simulated time: who calls, who gets PPP, and what becomes of the caller's modem.

import { expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipv6", "noccp"];
const SERVER = [...LINE, "autodetect", "10.0.0.1:10.0.0.2"];

function callWith(words: readonly string[], serverWords: readonly string[] = SERVER) {
  const link = new Laplink({ seed: 1 });
  const { time, computers } = link;
  const server = computers[0].start(serverWords);
  time.run(1000);
  const client = computers[1].start([...LINE, "noipdefault", ...words]);
  return { link, time, server, client };
}

function endsWell({ link, time, server, client }: ReturnType<typeof callWith>): void {
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  client.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !client.isRunning, 10_000)).toBe(true);
  expect([server.exitCode, client.exitCode]).toEqual([16, 5]);
  expect([server.fault, client.fault]).toEqual([undefined, undefined]);
  expect([link.leftOn(0), link.leftOn(1)]).toEqual([[], []]);
}

for (const [name, words, recognised] of [
  ["PPP at once", [], "Recognised PPP"],
  ["Windows", ["connect", "chat '' CLIENT\\c CLIENTSERVER"], "Recognised Windows, which called CLIENT"],
  [
    "a modem program",
    ["connect", "chat ABORT ERROR '' ATZ OK 'AT&C1&D2' OK ATDT777 CONNECT"],
    "Recognised a modem program, which dialled",
  ],
] as const)
  test(`${name}: the link comes up, and ends`, () => {
    const call = callWith(words);
    endsWell(call);
    expect(call.server.lines.filter((line) => /^(Waiting|Recognised|Heard|Modem|Conn.*term)/.test(line))).toEqual([
      "Waiting for a caller on /dev/ttyUSB0: ppp, windows, modem",
      recognised,
      "Connection terminated.",
      "Modem hangup",
    ]);
  });

test("before there is a caller, a signal ends the wait, and nothing is left", () => {
  const link = new Laplink({ seed: 1 });
  const server = link.computers[0].start(SERVER);
  link.time.run(5000);
  server.signal("SIGTERM");
  expect(link.time.runUntil(() => !server.isRunning, 5000)).toBe(true);
  expect([server.exitCode, server.fault, link.leftOn(0)]).toEqual([5, undefined, []]);
  expect(server.lines.at(-1)).toBe("Connection terminated.");
});

test("a caller that is not listed is named, and the one after it is served", () => {
  const call = callWith(
    ["connect", "chat TIMEOUT 3 '' CLIENT\\c CLIENTSERVER"],
    [...SERVER, "autodetect", "ppp,modem"],
  );
  expect(call.time.runUntil(() => !call.client.isRunning, 10_000)).toBe(true);
  expect(call.client.exitCode).toBe(8);
  expect(call.server.lines).toContain(
    "Recognised Windows, which called CLIENT; the autodetect option does not list it",
  );
  const next = call.link.computers[1].start([...LINE, "noipdefault"]);
  endsWell({ ...call, client: next });
});

test("a modem program that drops its DTR ends the connection, and persist waits for the next caller", () => {
  const call = callWith(["modem", "connect", "chat '' ATDT777 CONNECT"], [...SERVER, "persist"]);
  const { link, time, server, client } = call;
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  time.run(1000);
  client.kill();
  expect(time.runUntil(() => server.lines.includes("Modem hangup"), 5000)).toBe(true);
  time.run(2000);
  const next = link.computers[1].start([...LINE, "noipdefault", "connect", "chat '' ATDT1 CONNECT"]);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  for (const one of [server, next]) one.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !next.isRunning, 10_000)).toBe(true);
  expect([server.fault, link.leftOn(0)]).toEqual([undefined, []]);
});

test("the modem's settings outlast a connection, and ATZ brings back what &W stored", () => {
  const dial = (script: string): string[] => ["modem", "connect", `chat TIMEOUT 5 ABORT ERROR ${script}`];
  const call = callWith(dial("'' 'ATE0&W' OK ATE1S7=33 OK ATDT1 CONNECT"), [...SERVER, "persist"]);
  const { link, time, server, computers } = { ...call, computers: call.link.computers };
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  call.client.kill();
  expect(time.runUntil(() => server.lines.includes("Modem hangup"), 5000)).toBe(true);
  time.run(2000);
  const next = computers[1].start([
    ...LINE,
    "noipdefault",
    ...dial("'' ATS7? 033 ATZ OK 'AT&FS7?' 050 ATDT1 \\r\\nCONNECT"),
  ]);
  expect(time.runUntil(() => link.isUp || !next.isRunning, 20_000)).toBe(true);
  expect(next.isRunning).toBe(true);
  for (const one of [server, next]) one.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !next.isRunning, 10_000)).toBe(true);
  expect([server.fault, link.leftOn(0)]).toEqual([undefined, []]);
});

test("a dialled caller goes to the command line and back, and the link comes up; ATH hangs up", () => {
  const [escape, back] = [`'\\d\\d+++\\d\\c' OK`, `ATO CONNECT`];
  endsWell(callWith(["connect", `chat '' ATDT777 CONNECT ${escape} ${back}`]));
  const { link, time, server, client } = callWith(["connect", `chat '' ATDT777 CONNECT ${escape} ATH OK`]);
  expect(time.runUntil(() => !server.isRunning, 20_000)).toBe(true);
  expect(server.lines.slice(-2)).toEqual(["Modem hangup", "Connection terminated."]);
  expect([server.exitCode, server.fault, link.leftOn(0)]).toEqual([16, undefined, []]);
  expect(time.runUntil(() => client.lines.includes("Serial connection established."), 5000)).toBe(true);
  client.signal("SIGTERM");
  expect(time.runUntil(() => !client.isRunning, 10_000)).toBe(true);
});

for (const [name, script] of [
  ["ATA", "'' ATE0 OK \\c RING ATA CONNECT"],
  ["S0, at the second ring", "'' 'AT&C1S0=2' OK \\c RING \\c CONNECT"],
  ["ATA, without an echo and in numbers", "'' ATE0V0 0 \\c 2 ATA 19"],
] as const)
  test(`modem-ring: the port rings until the program answers by ${name}`, () => {
    const call = callWith(["connect", `chat TIMEOUT 30 ${script}`], [...SERVER, "modem-ring"]);
    expect(call.time.runUntil(() => call.link.isUp, 40_000)).toBe(true);
    expect(call.server.lines).toContain("Recognised a modem program, which answered");
    endsWell(call);
  });

test("&C1 makes our DTR, which is the caller's carrier, follow the connection", () => {
  const call = callWith(["connect", "chat TIMEOUT 9 '' 'AT&C1' OK '' never"]);
  const { link, time } = call;
  const [port] = link.cables[0]!.ends;
  time.run(1000);
  expect(port.dtr).toBe(false);
  expect(time.runUntil(() => !call.client.isRunning, 20_000)).toBe(true);
  const next = link.computers[1].start([...LINE, "noipdefault", "connect", "chat '' ATDT1 CONNECT"]);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  expect(port.dtr).toBe(true);
  endsWell({ ...call, client: next });
});

test("with silent, a port that took the last frame of a dead link for PPP listens again after half a minute", () => {
  const { link, time, server } = callWith(["lcp-echo-interval", "1"], [...SERVER, "silent", "persist", "maxfail", "0"]);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  server.kill();
  const next = link.computers[0].start([...SERVER, "silent", "persist", "maxfail", "0"]);
  expect(time.runUntil(() => next.lines.includes("Recognised PPP"), 10_000)).toBe(true);
  link.cables[0]!.isCut = true;
  time.run(1000);
  expect(time.runUntil(() => next.lines.filter((line) => line.startsWith("Waiting")).length > 1, 40_000)).toBe(true);
});
