// The congestion window of connections that go on to other networks (RFC 5681), and that there is none on a line alone.

import { describe, expect, test } from "bun:test";
import { StackPeer } from "../kit/stack-peer.ts";

/** A connection with segments of 1000 octets, whose socket has as much as the peer's window of 60000 takes. */
function sending(leadsOn = true, options = "mss 1000"): StackPeer {
  const peer = new StackPeer({ leadsOn });
  peer.send(`S 0:0(0) win 60000 <${options}>`);
  peer.takes();
  peer.send(". 1:1(0) ack 1 win 60000");
  peer.sockets.last.give(new Uint8Array(1_000_000));
  return peer;
}

/** The first octets of the segments that it sends now. */
function sent(peer: StackPeer): number[] {
  return peer.takes().map((text) => Number(/ (\d+):/.exec(text)![1]));
}

function ack(peer: StackPeer, number: number, more = ""): void {
  peer.send(`. 1:1(0) ack ${number} win 60000${more}`);
}

test("a line alone carries the whole window", () => {
  expect(sent(sending(false))).toHaveLength(60);
});

test("ten segments go first; each one that arrives is worth two", () => {
  const peer = sending();
  expect(sent(peer)).toEqual(Array.from({ length: 10 }, (_, at) => 1 + at * 1000));
  ack(peer, 1001);
  expect(sent(peer)).toEqual([10_001, 11_001]);
  ack(peer, 3001);
  expect(sent(peer)).toHaveLength(4);
});

test("the peer's window limits as well", () => {
  const peer = sending();
  for (let at = 1001; at < 200_000; at += 1000) {
    sent(peer);
    ack(peer, at);
  }
  const before = sent(peer).length;
  ack(peer, 210_001);
  expect(before).toBeLessThanOrEqual(60);
  expect(sent(peer).length).toBeLessThanOrEqual(60);
});

describe.each(["mss 1000", "mss 1000,sackOK"])("with %s", (options) => {
  test("a loss halves it, and then it grows by a segment in a round", () => {
    const peer = sending(true, options);
    sent(peer);
    // The first segment is lost.
    const blocks = [2001, 3001, 4001].map((to) => (options.includes("sack") ? ` <sack 1001:${to}>` : ""));
    for (const more of blocks) ack(peer, 1, more);
    expect(sent(peer)[0]).toBe(1);
    ack(peer, 10_001);
    const first = sent(peer);
    expect(first.length).toBeLessThanOrEqual(6);
    for (let round = 0; round < 3; round++) {
      const last = first.at(-1)! + 1000;
      ack(peer, last);
      const next = sent(peer);
      expect(next.length).toBeGreaterThanOrEqual(first.length);
      expect(next.length).toBeLessThanOrEqual(first.length + 1);
      first.splice(0, Infinity, ...next);
    }
  });
});

test("after a timeout it begins with one segment", () => {
  const peer = sending();
  sent(peer);
  peer.wait(1500);
  expect(sent(peer)).toEqual([1]);
  ack(peer, 1001);
  expect(sent(peer)).toHaveLength(2);
  ack(peer, 3001);
  expect(sent(peer).length).toBeLessThanOrEqual(4);
});

test("a connection that loses much still ends, with every octet", () => {
  const peer = sending();
  let received = 1;
  let dropped = 0;
  for (let round = 0; round < 20_000 && received <= 1_000_000; round++) {
    const texts = peer.takes(1);
    if (texts.length === 0) {
      peer.wait(50);
      continue;
    }
    const [, first = "", , length = ""] = /(\d+):(\d+)\((\d+)\)/.exec(texts[0]!) ?? [];
    // Every eighth segment is lost.
    if (++dropped % 8 === 0) continue;
    if (Number(first) <= received) received = Math.max(received, Number(first) + Number(length));
    ack(peer, received);
  }
  expect(received).toBe(1_000_001);
});
