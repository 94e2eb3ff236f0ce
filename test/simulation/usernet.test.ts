// A whole machine with `usernet` and a laptop behind a cable, in simulated time: downloads and uploads over a line that damages
// octets and is cut, compared octet for octet.

import { expect, test } from "bun:test";
import { Browser } from "./browser.ts";
import { Internet } from "./internet.ts";
import { Laplink } from "./laplink.ts";

/** Of an octet on the line, of ten bits, at a bit error rate of 1e-5. */
const DAMAGE = 1 - (1 - 1e-5) ** 10;

/** The two machines, when the link is up. */
function linked(seed: number, speed: number, words: readonly string[] = []) {
  const link = new Laplink({ seed });
  const { time, rng, computers } = link;
  const internet = (computers[0].network.internet = new Internet(time, rng));
  const line = ["/dev/ttyUSB0", String(speed), "noauth", "nodetach", "lock", "noccp", ...words];
  const server = computers[0].start([...line, "usernet", "10.0.0.1:10.0.0.2"]);
  const client = computers[1].start([...line, "noipdefault", "defaultroute"]);
  const browser = new Browser(computers[1], internet, rng);
  expect(time.runUntil(() => computers[1].network.tuns.some(({ isUp }) => isUp), 10_000)).toBe(true);
  time.run(100);
  return { link, time, internet, browser, server, client };
}

function end({ link, time, internet, browser, server, client }: ReturnType<typeof linked>): void {
  expect([internet.fault, browser.fault, server.fault, client.fault]).toEqual(Array(4).fill(undefined));
  server.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !client.isRunning, 10_000)).toBe(true);
  expect([link.leftOn(0), link.leftOn(1)]).toEqual([[], []]);
}

test.each([
  ["down", [0, 10_000_000], "novj"],
  ["down, with headers compressed", [0, 1_000_000], "vj-max-slots 16"],
  ["up", [2_000_000, 0], "novj"],
  ["both ways", [500_000, 500_000], "mtu 576"],
] as const)(
  "octets come whole at a bit error rate of 1e-5 and with the cable cut for 5 s in the middle: %s",
  (_name, [upload, download], words) => {
    const game = linked(11, 921_600, words.split(" "));
    const { time, browser, link, internet } = game;
    const cable = link.cables[0]!;
    cable.damage = DAMAGE;
    expect(browser.begin(upload, download)).toBe(true);
    time.run(4000);
    expect(browser.open).toBe(1);
    cable.isCut = true;
    time.run(5000);
    cable.isCut = false;
    expect(time.runUntil(() => browser.open === 0, 600_000)).toBe(true);
    expect([browser.whole, browser.broken, internet.whole]).toEqual([1, 0, 1]);
    cable.damage = 0;
    end(game);
  },
  120_000,
);

/** Octets a second of a download at 921600 baud, of which 1 of 7 packets is lost. */
function lossyRate(words: readonly string[]): number {
  const game = linked(11, 921_600, words);
  game.link.cables[0]!.damage = DAMAGE;
  expect(game.browser.begin(0, 10_000_000)).toBe(true);
  game.time.run(30_000);
  const rate = game.browser.received / 30;
  game.link.cables[0]!.damage = 0;
  end(game);
  return rate;
}

test("with header compression a lost packet costs little more than without", () => {
  const without = lossyRate(["novj"]);
  // The line takes 92160 octets a second, and the losses leave 6 of 7.
  expect(without).toBeGreaterThan(70_000);
  expect(lossyRate([]) / without).toBeGreaterThan(0.9);
});

const BAUD = 115_200;
const MTU = 1500;
/** What the line takes of a connection's octets in a second: each frame has two octets of header, FCS and a flag, and 2 of 256 are escaped. */
const LIMIT = ((BAUD / 10) * (MTU - 40)) / (((MTU + 2) * 258) / 256 + 3);
/** A packet of full size on the line. */
const PACKET_MS = ((MTU + 12) * 10_000) / BAUD;

/** Octets a second of the downloads within a minute. */
function rateOf({ time, browser }: ReturnType<typeof linked>, each?: () => void): number {
  time.run(5000);
  const before = browser.received;
  for (let second = 0; second < 60; second++) {
    each?.();
    time.run(1000);
  }
  return (browser.received - before) / 60;
}

test("at 115200 a download takes 99 % of what the line can carry, and pings wait for 300 ms of other packets at most", () => {
  const game = linked(3, BAUD, ["novj"]);
  const { browser, time } = game;
  browser.ping();
  time.run(1000);
  const [alone = NaN] = browser.pings.splice(0);
  expect(browser.begin(0, 10_000_000)).toBe(true);
  const rate = rateOf(game, () => browser.ping());
  expect(rate / LIMIT).toBeGreaterThan(0.99);
  expect(browser.pings.length).toBeGreaterThan(58);
  expect(Math.max(...browser.pings)).toBeLessThan(alone + 300 + PACKET_MS);
  end(game);
});

test("programs and servers that read nothing stop no other connection", () => {
  const game = linked(5, BAUD, ["novj"]);
  const { browser, time, internet } = game;
  for (let count = 0; count < 3; count++) expect(browser.begin(0, 1_000_000, 0)).toBe(true);
  internet.isDeaf = true;
  for (let count = 0; count < 3; count++) expect(browser.begin(1_000_000, 0)).toBe(true);
  // Until the buffers of both machines are full.
  time.run(60_000);
  internet.isDeaf = false;
  expect(browser.open).toBe(6);
  expect(browser.begin(0, 10_000_000)).toBe(true);
  expect(rateOf(game) / LIMIT).toBeGreaterThan(0.98);
  const { whole } = internet;
  expect(browser.begin(100_000, 0)).toBe(true);
  expect(time.runUntil(() => internet.whole > whole, 15_000)).toBe(true);
  end(game);
});
