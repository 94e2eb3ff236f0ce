// Two whole machines with the option interleave: small packets go between the pieces of long ones, in both directions, and
// with every peer that does not know it the link is as without.

import { expect, test } from "bun:test";
import { u32 } from "../../src/bytes/be.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "lock", "debug"];
const WORDS = [
  [...LINE, "10.0.0.1:10.0.0.2"],
  [...LINE, "noipdefault"],
] as const;
/** A payload begins with the number of its flow. */
const UDP_FLOW = 32;
const PROBE = 40;

/** The times that small packets take from the first machine to the second while long ones of noise fill the line. */
function delays(link: Laplink): number[] {
  const { time, traffic, computers } = link;
  const [{ flows }] = traffic;
  const took: number[] = [];
  let probedAt = 0;
  const { network } = computers[1];
  const { received } = network;
  network.received = (packet) => {
    if (packet.length === 28 + PROBE && u32(packet, UDP_FLOW) === flows[0]!.number) took.push(time.now - probedAt);
    received?.(packet);
  };
  const fill = (): void => {
    for (const flow of [flows[1]!, flows[3]!]) traffic[0].send(flow, 1400);
    time.after(100, fill);
  };
  fill();
  for (let n = 0; n < 60; n++) {
    time.run(290 + link.rng.below(60));
    probedAt = time.now;
    traffic[0].probe();
  }
  time.run(1000);
  expect(traffic.map(({ fault }) => fault)).toEqual([undefined, undefined]);
  return took.sort((one, other) => one - other).slice(0, -2);
}

test.each([
  ["both", ["interleave"], ["interleave"], 45],
  ["our end only, and the other has multilink", ["interleave"], ["multilink"], 45],
  ["our end only", ["interleave"], [], 160],
  ["none, but packets are small", ["interactive"], [], 60],
  ["the other end forbids it by its own words", ["interleave"], ["interleave", "nointerleave"], 160],
  ["an end that wants no endpoints", ["interleave", "noendpoint"], ["interleave"], 160],
] as const)("%s: a small packet waits for a piece, or for a packet", (_, ours, theirs, most) => {
  const link = new Laplink({ seed: 11 });
  const { time, computers } = link;
  const server = computers[0].start([...WORDS[0], ...ours]);
  const client = computers[1].start([...WORDS[1], ...theirs]);
  expect(time.runUntil(() => link.isUp, 5000)).toBe(true);
  time.run(1000);
  const took = delays(link);
  expect(took.length).toBeGreaterThan(50);
  expect(took.at(-1)).toBeLessThan(most);
  if (most > 100) expect(took.at(-1)).toBeGreaterThan(60);
  expect(server.lines).toContain("Deflate (15) compression enabled");
  expect(server.lines.some((line) => line.startsWith("sent [CCP-link ConfAck"))).toBe(
    theirs[0] === ours[0] && most < 100,
  );
  server.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !client.isRunning, 10_000)).toBe(true);
  expect([link.leftOn(0), link.leftOn(1)]).toEqual([[], []]);
});

test("each link has an endpoint of its own, so that no peer joins two of them", () => {
  const endpoints = [1, 2].map((seed) => {
    const link = new Laplink({ seed });
    const server = link.computers[0].start([...WORDS[0], "interleave"]);
    link.computers[1].start([...WORDS[1], "interleave"]);
    expect(link.time.runUntil(() => link.isUp, 5000)).toBe(true);
    const request = server.lines.find((line) => line.startsWith("sent [LCP ConfReq"));
    return /<mrru 1500> <ssnhf> <endpoint \[magic:([0-9a-f]{8})\]>/.exec(request ?? "")?.[1];
  });
  expect(endpoints[0]).toBeString();
  expect(endpoints[1]).toBeString();
  expect(endpoints[0]).not.toBe(endpoints[1]);
});
