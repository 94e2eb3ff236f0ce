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
