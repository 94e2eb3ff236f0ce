// Ports of our address that lead to a service of this program.

import { expect, test } from "bun:test";
import { udpPacket } from "../kit/segment-text.ts";
import { OUR, PEER, SERVER, StackPeer } from "../kit/stack-peer.ts";

test("a port of ours leads to its service, by the protocol that it is for, and to no other address", () => {
  const peer = new StackPeer();
  const at = { address: Uint8Array.of(127, 0, 0, 1), port: 40_137 };
  peer.stack.gateway.setService("udp", 137, at);
  const route = { from: PEER, to: OUR, fromPort: 137, toPort: 137 };
  const places = (): string[] => peer.sockets.all.map(({ address, port }) => `${address}:${port}`);
  peer.sendPacket(udpPacket(route, [1]));
  expect(places()).toEqual(["127.0.0.1:40137"]);
  peer.sockets.all[0]!.answer(Uint8Array.of(2, 2));
  expect(peer.takes()).toEqual(["udp 10.0.0.1:137 (2)"]);
  peer.sendPacket(udpPacket({ ...route, to: SERVER }, [1]));
  expect(places()).toEqual(["127.0.0.1:40137", "192.0.2.80:137"]);
  peer.route = route;
  peer.send("S 0:0(0) win 8000 <mss 1000>");
  expect(places()).toHaveLength(2);
  peer.stack.gateway.setService("udp", 137, undefined);
  peer.sendPacket(udpPacket({ ...route, fromPort: 138 }, [1]));
  expect(places()).toHaveLength(2);
});
