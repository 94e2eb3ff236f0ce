// Connections in masses: a thousand at once, and many that were opened and closed, leave nothing behind and cost little.

import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { ManyConnections } from "../kit/many-connections.ts";
import { StackPeer } from "../kit/stack-peer.ts";

/** Octets of the heap after a collection. */
function heap(): number {
  for (let turn = 0; turn < 2; turn++) Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}

test("a connection costs 2 kB at most, and a thousand are open at once", () => {
  const COUNT = 10_000;
  // The code that is compiled meanwhile is not counted.
  const first = new ManyConnections(COUNT);
  for (let opened = 0; opened < 1000; opened++) first.openAndClose("peer");
  const many = new ManyConnections(COUNT);
  const before = heap();
  for (let opened = 0; opened < COUNT; opened++) many.open();
  const each = (heap() - before) / COUNT;
  expect([many.stack.connections.table.size, many.sockets.open, many.stack.keptOctets]).toEqual([COUNT, COUNT, 0]);
  expect(each).toBeLessThan(2048);
});

test("connections that were opened and closed leave nothing behind", () => {
  const many = new ManyConnections(4096);
  let before = NaN;
  for (let done = 0; done < 30_000; done++) {
    if (done === 10_000) before = heap();
    many.openAndClose((["peer", "server", "reset"] as const)[done % 3]!);
    if (done % 100 === 99) many.wait(50);
  }
  many.wait(120_000);
  const { stack, sockets } = many;
  expect([stack.connections.table.size, sockets.open, stack.keptOctets, stack.nextTimeout()]).toEqual([
    0,
    0,
    0,
    Infinity,
  ]);
  expect([stack.connections.count.opened, stack.connections.count.limited]).toEqual([30_000, 0]);
  expect(heap()).toBeLessThan(before + 500_000);
});

test("on a slow line a connection keeps what the line takes in 300 ms, and what is on its way", () => {
  const peer = new StackPeer();
  peer.stack.setRate(115_200);
  for (let fromPort = 40_000; fromPort < 40_050; fromPort++) {
    peer.route = { ...peer.route, fromPort };
    peer.establish();
  }
  for (const socket of peer.sockets.all) socket.give(new Uint8Array(100_000));
  // Each has read 3456 octets, and has one segment on its way.
  expect(peer.takes(50).length).toBe(50);
  expect(peer.stack.keptOctets).toBe(50 * 4096);
});
