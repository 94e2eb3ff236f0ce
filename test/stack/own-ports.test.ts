// Connections and datagrams of this machine's own: what is told of a connection that cannot be made, and which datagrams reach a
// port of ours.

import { describe, expect, test } from "bun:test";
import { ipv4Octets } from "../../src/stack/destinations.ts";
import type { OwnDatagrams } from "../../src/stack/flow.ts";
import { Failure } from "../../src/stack/socket-side.ts";
import { ipv4Text, parseIpv4 } from "../../src/wire/ip.ts";
import { internetChecksum, ipv4Packet, udpPacket } from "../kit/segment-text.ts";
import { OUR, SERVER, StackPeer } from "../kit/stack-peer.ts";

const ADDRESS = ipv4Octets(parseIpv4(SERVER)!);
const FAR = ipv4Octets(parseIpv4(OUR)!);

/** A connection of ours to the server, and what was told of it. */
function opening(room = Infinity) {
  const peer = new StackPeer();
  const told: number[] = [];
  Object.assign(peer.sockets, { opened: (_: number, failure: number) => told.push(failure) });
  const port = peer.stack.freePort(FAR, ADDRESS, 80)!;
  peer.route = { from: SERVER, to: OUR, fromPort: 80, toPort: port };
  const socket = peer.sockets.accepted();
  socket.room = room;
  peer.stack.openTo(socket.id, { far: FAR, farPort: port, peer: ADDRESS, peerPort: 80 }, peer.now);
  return { peer, told, socket, port };
}

/** An ICMP error about our SYN. */
function reports(type: number, code: number, syn: Uint8Array): number[] {
  const message = [type, code, 0, 0, 0, 0, 0, 0, ...syn.subarray(0, 28)];
  const sum = internetChecksum(message);
  return [type, code, sum >>> 8, sum & 255, ...message.slice(4)];
}

describe("a connection that this machine opens", () => {
  test("is told of when it is made", () => {
    const { peer, told, socket } = opening();
    expect(peer.takes()).toEqual(["S 0:0(0) win 65535 <mss 1460,wscale 3,sackOK>"]);
    peer.send("S. 0:0(0) ack 1 win 8000 <mss 1000>");
    expect(told).toEqual([Failure.NONE]);
    peer.send("R. 1:1(0) ack 1 win 0");
    expect([told, socket.end]).toEqual([[Failure.NONE], "aborted"]);
  });

  test.each([
    // At least a segment.
    [100, 1460, 183],
    [2000, 2000, 250],
    [2005, 2005, 251],
    [70_000, 65_535, 8192],
  ])(
    "offers what a socket with room for %d octets takes, and does not take back any of it",
    (room, offered, scaled) => {
      for (const isFilled of [false, true]) {
        const { peer, socket } = opening(room);
        expect(peer.takes()).toEqual([`S 0:0(0) win ${offered} <mss 1460,wscale 3,sackOK>`]);
        // The program gets an answer before the first octet of the server.
        if (isFilled) socket.room = offered - 12;
        peer.send("S. 0:0(0) ack 1 win 8000 <mss 1000,wscale 0>");
        expect(peer.takes()[0]).toMatch(isFilled ? `. 1:1(0) ack 1 win ${scaled}` : /^\. 1:1\(0\) ack 1 win \d+$/);
      }
    },
  );

  test("is refused", () => {
    const { peer, told, socket } = opening();
    peer.takes();
    peer.send("R. 0:0(0) ack 1 win 0");
    expect([told, socket.end]).toEqual([[Failure.REFUSED], "aborted"]);
  });

  test.each([
    [3, 0, Failure.NET_UNREACHABLE],
    [3, 1, Failure.HOST_UNREACHABLE],
    [3, 3, Failure.REFUSED],
    [3, 13, Failure.PROHIBITED],
    [11, 0, Failure.EXPIRED],
  ])("ends with ICMP type %d code %d", (type, code, failure) => {
    const { peer, told, socket } = opening();
    const [syn] = peer.packets();
    const lie = syn!.slice();
    lie[24]! ^= 1;
    peer.sendPacket(ipv4Packet("192.0.2.1", OUR, 1, reports(type, code, lie)));
    expect(told).toEqual([]);
    peer.sendPacket(ipv4Packet("192.0.2.1", OUR, 1, reports(type, code, syn!)));
    expect([told, socket.end]).toEqual([[failure], "aborted"]);
  });

  test("ends when nothing answers", () => {
    const { peer, told, socket } = opening();
    for (let waited = 0; socket.end === "open" && waited < 200; waited++) {
      peer.takes();
      peer.wait(1000);
    }
    expect([told, socket.end]).toEqual([[Failure.HOST_UNREACHABLE], "aborted"]);
  });

  test("lasts when a report comes later", () => {
    const { peer, told, socket } = opening();
    const [syn] = peer.packets();
    peer.send("S. 0:0(0) ack 1 win 8000 <mss 1000>");
    peer.sendPacket(ipv4Packet("192.0.2.1", OUR, 1, reports(3, 1, syn!)));
    expect([told, socket.end]).toEqual([[Failure.NONE], "open"]);
  });

  test("has a port that no other connection to the same place has", () => {
    const { peer, port } = opening();
    expect(peer.stack.freePort(FAR, ADDRESS, 80)).toBe(port + 1);
    expect(peer.stack.freePort(FAR, ADDRESS, 81)).toBe(port);
  });
});

describe("datagrams", () => {
  test("to a port of ours reach it; others are answered as a closed port answers", () => {
    const heard: string[] = [];
    const own: OwnDatagrams = {
      receive(ends, ports, bytes, start, end) {
        heard.push(
          `${ipv4Text(parseIpv4(ends.peer.join("."))!)}:${ports & 0xffff} ${bytes.slice(start, end).join(" ")}`,
        );
        return ports >>> 16 === 5000;
      },
      failed: () => {},
    };
    const peer = new StackPeer({ own });
    const route = { from: SERVER, to: OUR, fromPort: 53, toPort: 5000 };
    peer.sendPacket(udpPacket(route, [1, 2, 3]));
    expect([heard, peer.takes()]).toEqual([["192.0.2.80:53 1 2 3"], []]);
    peer.sendPacket(udpPacket({ ...route, toPort: 5001 }, [4]));
    expect(peer.packets().map((packet) => [...packet.slice(20, 22)])).toEqual([[3, 3]]);
    // What goes to another address is not ours.
    peer.sendPacket(udpPacket({ ...route, to: SERVER, from: "10.0.0.2" }, [5]));
    expect(heard).toHaveLength(2);
  });

  test("are sent, in fragments if they are large", () => {
    const peer = new StackPeer();
    peer.stack.send({ far: FAR, farPort: 5000, peer: ADDRESS, peerPort: 53 }, Uint8Array.of(1, 2, 3));
    const [packet] = peer.packets();
    expect(packet!.slice(20)).toEqual(
      udpPacket({ from: OUR, to: SERVER, fromPort: 5000, toPort: 53 }, [1, 2, 3]).slice(20),
    );
    peer.stack.send({ far: FAR, farPort: 5000, peer: ADDRESS, peerPort: 53 }, new Uint8Array(3000));
    expect(peer.packets().map(({ length }) => length)).toEqual([1500, 1500, 68]);
  });

  test("that do not arrive are told of", () => {
    const failed: string[] = [];
    const own: OwnDatagrams = {
      receive: () => false,
      failed: (to, ports) => void failed.push(`${to.join(".")} ${ports >>> 16} ${ports & 0xffff}`),
    };
    const peer = new StackPeer({ own });
    peer.stack.send({ far: FAR, farPort: 5000, peer: ADDRESS, peerPort: 53 }, Uint8Array.of(1));
    const [packet] = peer.packets();
    peer.sendPacket(ipv4Packet(SERVER, OUR, 1, reports(3, 4, packet!)));
    const others = packet!.slice();
    others[15]! ^= 1;
    peer.sendPacket(ipv4Packet(SERVER, OUR, 1, reports(3, 3, others)));
    peer.sendPacket(ipv4Packet(SERVER, OUR, 1, reports(3, 3, packet!.slice(0, 24))));
    expect(failed).toEqual([]);
    peer.sendPacket(ipv4Packet(SERVER, OUR, 1, reports(3, 3, packet!)));
    expect(failed).toEqual(["192.0.2.80 5000 53"]);
  });
});
