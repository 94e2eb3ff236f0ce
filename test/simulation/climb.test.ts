// `climb` on whole machines in simulated time: the line gets faster while the link is up, and no link is lost.

import { expect, test } from "bun:test";
import { joinWords, pppdWords } from "../../src/commands/join.ts";
import { Laplink } from "./laplink.ts";
import { Served } from "./served.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipv6", "climb"];
const SERVER = [...LINE, "10.0.0.1:10.0.0.2"];
const CLIENT = [...LINE, "noipdefault"];

function speedsOf(link: Laplink): number[] {
  return link.computers.map(({ ports }) => ports[0]!.tty?.speed ?? 0);
}

test("two machines climb to the highest speed that their ports take, and no packet is lost", () => {
  const link = new Laplink({ seed: 1 });
  const { time, computers, traffic } = link;
  const [server, client] = [computers[0].start(SERVER), computers[1].start(CLIENT)];
  expect(time.runUntil(() => link.isUp, 5000)).toBe(true);
  for (const one of traffic) one.start(100, 1);
  expect(time.runUntil(() => speedsOf(link).every((speed) => speed === 3_000_000), 3000)).toBe(true);
  time.run(5000);
  for (const one of traffic) one.stop();
  time.run(5000);
  expect(speedsOf(link)).toEqual([3_000_000, 3_000_000]);
  for (const { fault, sent, received } of traffic) expect([fault, received]).toEqual([undefined, sent]);
  for (const one of [server, client]) one.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !client.isRunning, 10_000)).toBe(true);
  expect([server.fault, client.fault, link.leftOn(0), link.leftOn(1)]).toEqual([undefined, undefined, [], []]);
  // Packets that wait for the end of a trial keep no loop busy.
  expect([server.process.trouble, client.process.trouble]).toEqual([undefined, undefined]);
});

test("a link that ends while a speed is tried ends in good order", () => {
  for (const wait of [200, 220, 240, 260, 280, 320]) {
    const link = new Laplink({ seed: 1 });
    const { time, computers } = link;
    const words = ["lcp-max-terminate", "1", "debug"];
    const [server, client] = [computers[0].start([...SERVER, ...words]), computers[1].start([...CLIENT, ...words])];
    expect(time.runUntil(() => link.isUp, 5000)).toBe(true);
    time.run(wait);
    server.signal("SIGTERM");
    expect(time.runUntil(() => !server.isRunning, 2000)).toBe(true);
    expect(client.lines).toContain("LCP terminated by peer (User request)");
    expect(time.runUntil(() => !client.isRunning, 10_000)).toBe(true);
  }
});

test("a machine that is stopped, killed and started again is found at the speed of the files", () => {
  const link = new Laplink({ seed: 2 });
  const { time, computers, traffic } = link;
  const echoes = ["persist", "holdoff", "1", "lcp-echo-interval", "5", "lcp-echo-failure", "4"];
  const [server, client] = [computers[0].start([...SERVER, ...echoes]), computers[1].start([...CLIENT, ...echoes])];
  const climbs = (within: number): boolean =>
    time.runUntil(() => link.isUp && speedsOf(link).every((speed) => speed === 3_000_000), within);
  expect(climbs(5000)).toBe(true);
  time.run(5000);
  client.process.stop();
  time.run(8000);
  // The server has returned, and the client has not had its turn.
  expect(speedsOf(link)).toEqual([115200, 3_000_000]);
  client.process.continue();
  time.run(5000);
  expect(traffic[0].send() && traffic[1].send()).toBe(true);
  expect(climbs(60_000)).toBe(true);
  expect(server.lines.filter((line) => line.startsWith("Connection terminated"))).toEqual([]);
  client.kill();
  time.run(2000);
  const next = computers[1].start([...CLIENT, ...echoes]);
  expect(climbs(30_000)).toBe(true);
  for (const one of [server, next]) one.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !next.isRunning, 10_000)).toBe(true);
});

test("the disconnect script has the speed of the files", () => {
  const link = new Laplink({ seed: 3 });
  const { time, computers } = link;
  const server = computers[0].start([...SERVER, "disconnect", "sleep 5"]);
  computers[1].start(CLIENT);
  expect(time.runUntil(() => link.isUp && speedsOf(link)[0] === 3_000_000, 5000)).toBe(true);
  time.run(1000);
  server.signal("SIGTERM");
  time.run(3000);
  expect([server.isRunning, speedsOf(link)[0]]).toEqual([true, 115200]);
});

test("a line with a connect script, and one with a limit, keep their speed; an option that is explicit changes it", () => {
  for (const [words, speed] of [
    [["climb-if-cable"], 3_000_000],
    [["climb-if-cable", "connect", "true"], 115200],
    [["climb", "connect", "true"], 3_000_000],
    [["climb", "noclimb"], 115200],
    [["climb", "record", "/var/log/record", "datarate", "11520"], 115200],
  ] as const) {
    const link = new Laplink({ seed: 4 });
    link.computers[0].start([...SERVER, ...words]);
    link.computers[1].start(CLIENT);
    expect(link.time.runUntil(() => link.isUp, 20_000)).toBe(true);
    link.time.run(4000);
    expect([words, speedsOf(link)]).toEqual([words, [speed, speed]]);
  }
});

test("both lines of a bundle climb, and so does a single line with multilink", () => {
  for (const cables of [1, 2] as const) {
    const link = new Laplink({ seed: 5, cables });
    const { time, computers, traffic } = link;
    const more = cables === 2 ? ["mpdevice", "/dev/ttyUSB1"] : [];
    const bundle = [...more, "multilink", "persist", "holdoff", "2"];
    computers[0].start([...SERVER, ...bundle]);
    computers[1].start([...CLIENT, ...bundle]);
    const speeds = (): number[] => computers.flatMap(({ ports }) => ports.map(({ tty }) => tty?.speed ?? 0));
    expect(time.runUntil(() => speeds().every((speed) => speed === 3_000_000), 60_000)).toBe(true);
    time.run(2000);
    for (const one of traffic) one.start(50, 1);
    time.run(10_000);
    for (const one of traffic) one.stop();
    time.run(5000);
    for (const { fault, sent, received } of traffic) expect([fault, received]).toEqual([undefined, sent]);
    expect(speeds().every((speed) => speed === 3_000_000)).toBe(true);
  }
});

test("serve and join climb by themselves, and noclimb keeps them from it", () => {
  for (const [words, speed] of [
    [[], 3_000_000],
    [["noclimb"], 115200],
  ] as const) {
    const link = new Laplink({ seed: 6 });
    const [serves, joins] = link.computers;
    serves.installNft();
    const served = new Served(serves, "ttyUSB0");
    link.time.run(100);
    const asked = joinWords(["ttyUSB0", "--", ...words]);
    if (typeof asked === "string") throw new Error(asked);
    joins.start(pppdWords(asked));
    expect(link.time.runUntil(() => link.isUp, 20_000)).toBe(true);
    link.time.run(4000);
    expect([words, speedsOf(link)]).toEqual([words, [speed, speed]]);
    expect(served.state).toContain("up: ");
    // What is remembered for the adapter is the speed at which the other end was found.
    const memory = [serves, joins].map(({ files }) => files.text("/var/lib/nullmodem-speeds"));
    for (const text of memory) expect(text).toEndWith(" 115200\n");
  }
});
