// Scripts in the manner of packetdrill: what the peer sends, and the exact replies. The cases are RFC 9293's.

import { expect, test } from "bun:test";
import { Failure } from "../../src/stack/socket-side.ts";
import type { FakeSocket } from "../kit/fake-sockets.ts";
import { StackPeer } from "../kit/stack-peer.ts";

const SYN = "S 0:0(0) win 8000 <mss 1000>";
const SYN_ACK = "S. 0:0(0) ack 1 win 65535 <mss 1460>";

test("a SYN is answered when the host's connect has succeeded, and not before", () => {
  const peer = new StackPeer();
  peer.sockets.connecting = "later";
  peer.send(SYN);
  expect(peer.takes()).toEqual([]);
  // The peer repeats its SYN. There is still one connection.
  peer.send(SYN);
  expect(peer.takes()).toEqual([]);
  expect(peer.sockets.all.map(({ address, port }) => `${address}:${port}`)).toEqual(["192.0.2.80:80"]);
  peer.sockets.last.connected();
  expect(peer.takes()).toEqual([SYN_ACK]);
  peer.send(". 1:1(0) ack 1 win 8000");
  expect(peer.takes()).toEqual([]);
  expect([...peer.stack.connections.table].map(({ state }) => state)).toEqual(["ESTABLISHED"]);
});

test("what the peer offers in its SYN is answered, and nothing else", () => {
  for (const [offered, answered] of [
    ["mss 1460,sackOK,wscale 7", "mss 1460,wscale 3,sackOK"],
    ["mss 1460,sackOK", "mss 1460,sackOK"],
    ["mss 1460,wscale 0", "mss 1460,wscale 3"],
  ] as const) {
    const peer = new StackPeer();
    peer.send(`S 0:0(0) win 8000 <${offered}>`);
    expect(peer.takes()).toEqual([`S. 0:0(0) ack 1 win 65535 <${answered}>`]);
  }
});

test("our MSS fits the link, and a peer without the option gets segments of 536 octets", () => {
  const peer = new StackPeer();
  peer.stack.setMtu(576);
  peer.send("S 0:0(0) win 8000");
  expect(peer.takes()).toEqual(["S. 0:0(0) ack 1 win 65535 <mss 536>"]);
  const other = new StackPeer();
  other.send("S 0:0(0) win 8000", ". 1:1(0) ack 1 win 8000");
  other.takes();
  other.sockets.last.give(new Uint8Array(1000));
  expect(other.takes()).toEqual([". 1:537(536) ack 1 win 65535", "P. 537:1001(464) ack 1 win 65535"]);
});

test("a refused connection is reset, an unreachable host and a forbidden one reported by ICMP", () => {
  for (const [failure, answer] of [
    [Failure.REFUSED, "R. 0:0(0) ack 1 win 0"],
    [Failure.NET_UNREACHABLE, "icmp 3/0 from 10.0.0.1 to 10.0.0.2"],
    [Failure.HOST_UNREACHABLE, "icmp 3/1 from 10.0.0.1 to 10.0.0.2"],
    [Failure.PROHIBITED, "icmp 3/13 from 10.0.0.1 to 10.0.0.2"],
  ] as const) {
    const atOnce = new StackPeer();
    atOnce.sockets.connecting = failure;
    atOnce.send(SYN);
    const later = new StackPeer();
    later.sockets.connecting = "later";
    later.send(SYN);
    later.sockets.last.fail(failure);
    for (const peer of [atOnce, later]) {
      const isReset = failure === Failure.REFUSED;
      expect(peer.takes().map((text) => (isReset ? text.replace(/\d+:\d+/, "0:0") : text))).toEqual([answer]);
      expect([peer.stack.connections.table.size, peer.sockets.open.size]).toEqual([0, 0]);
    }
  }
});

test("an address that the rules deny is reported, and no socket is opened", () => {
  const peer = new StackPeer();
  peer.route = { ...peer.route, to: "169.254.169.254" };
  peer.send(SYN);
  expect(peer.takes()).toEqual(["icmp 3/13 from 10.0.0.1 to 10.0.0.2"]);
  expect([peer.sockets.all.length, peer.stack.connections.count.denied]).toEqual([0, 1]);
});

test("a segment without a connection is reset (RFC 9293 §3.10.7.1), a reset is not", () => {
  const peer = new StackPeer();
  peer.send(". 5:5(0) ack 77 win 100", "P. 5:8(3) ack 77 win 100", "P 5:8(3) win 100", "F 9:9(0) win 100");
  expect(peer.takes()).toEqual([
    "R 77:77(0) win 0",
    "R 77:77(0) win 0",
    "R. 16:16(0) ack 8 win 0",
    "R. 16:16(0) ack 10 win 0",
  ]);
  peer.send("R 5:5(0)", "R. 5:5(0) ack 9");
  expect(peer.takes()).toEqual([]);
});

test("data is acknowledged when the socket took it, and the window is what the socket has room for", () => {
  const peer = new StackPeer();
  peer.sockets.onConnect = (socket) => (socket.room = 3000);
  peer.send(SYN);
  expect(peer.takes()).toEqual(["S. 0:0(0) ack 1 win 3000 <mss 1460>"]);
  peer.send(". 1:1(0) ack 1 win 8000", "P. 1:1001(1000) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 1001 win 2000"]);
  peer.send("P. 1001:2001(1000) ack 1 win 8000", "P. 2001:3001(1000) ack 1 win 8000");
  // Only a socket that has refused something tells when it has room: the window stays open for one segment.
  expect(peer.takes()).toEqual([". 1:1(0) ack 3001 win 1000"]);
  peer.send("P. 3001:4001(1000) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 3001 win 1000"]);
  expect(peer.sockets.last.takenOctets).toBe(3000);
  peer.sockets.last.giveRoom(5000);
  expect(peer.takes()).toEqual([". 1:1(0) ack 4001 win 4000"]);
});

test("the window opens by an announcement when the socket has room again", () => {
  const peer = new StackPeer();
  peer.sockets.onConnect = (socket) => (socket.room = 65535);
  peer.send(SYN, ". 1:1(0) ack 1 win 8000");
  peer.takes();
  // The server stops reading: the socket takes less than the window promised.
  peer.sockets.last.room = 400;
  peer.send("P. 1:1001(1000) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 401 win 65135"]);
  peer.sockets.last.giveRoom(9000);
  // The octets that were kept have been written, and are acknowledged now.
  expect(peer.takes()).toEqual([". 1:1(0) ack 1001 win 64535"]);
  expect(peer.sockets.last.received()).toEqual(Uint8Array.from({ length: 1000 }, (_, at) => at + 1));
});

test("segments out of order are kept, reported by SACK and written when the gap is filled", () => {
  const peer = new StackPeer();
  peer.establish("mss 1000,sackOK");
  peer.send(". 101:201(100) ack 1 win 8000", ". 301:401(100) ack 1 win 8000", ". 101:201(100) ack 1 win 8000");
  const window = 65535;
  expect(peer.takes()).toEqual([
    `. 1:1(0) ack 1 win ${window} <sack 101:201 301:401>`,
    `. 1:1(0) ack 1 win ${window} <sack 101:201 301:401>`,
    `. 1:1(0) ack 1 win ${window} <sack 101:201 301:401>`,
  ]);
  // Overlaps both ranges, and begins with old octets.
  peer.send(". 1:51(50) ack 1 win 8000");
  peer.takes();
  peer.send(". 31:351(320) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 401 win 65535"]);
  expect(peer.sockets.last.received()).toEqual(Uint8Array.from({ length: 400 }, (_, at) => (at + 1) & 255));
});

test("three duplicate acknowledgments repeat the segment at once", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.sockets.last.give(new Uint8Array(5000));
  expect(peer.takes().length).toBe(5);
  peer.send(". 1:1(0) ack 1 win 8000", ". 1:1(0) ack 1 win 8000");
  expect(peer.takes()).toEqual([]);
  peer.send(". 1:1(0) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 1:1001(1000) ack 1 win 65535"]);
  // A partial acknowledgment: the next one is lost too (RFC 6582).
  peer.send(". 1:1(0) ack 2001 win 8000");
  expect(peer.takes()).toEqual([". 2001:3001(1000) ack 1 win 65535"]);
  peer.send(". 1:1(0) ack 5001 win 8000");
  expect(peer.takes()).toEqual([]);
});

test("SACK blocks repeat what is missing between them, and nothing else", () => {
  const peer = new StackPeer();
  peer.establish("mss 1000,sackOK");
  peer.sockets.last.give(new Uint8Array(7000));
  peer.takes();
  peer.send(". 1:1(0) ack 1 win 8000 <sack 1001:2001>", ". 1:1(0) ack 1 win 8000 <sack 3001:5001 1001:2001>");
  expect(peer.takes()).toEqual([". 1:1001(1000) ack 1 win 65535", ". 2001:3001(1000) ack 1 win 65535"]);
  peer.send(". 1:1(0) ack 7001 win 8000");
  expect(peer.takes()).toEqual([]);
});

test("the retransmission timeout doubles, and one answer ends it (RFC 6298)", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.sockets.last.give(new Uint8Array(2500));
  expect(peer.takes().length).toBe(3);
  for (const wait of [200, 400, 800, 1600]) {
    peer.wait(wait - 1);
    expect(peer.takes()).toEqual([]);
    peer.wait(1);
    expect(peer.takes()).toEqual([". 1:1001(1000) ack 1 win 65535"]);
  }
  peer.send(". 1:1(0) ack 1001 win 8000");
  expect(peer.takes()).toEqual([". 1001:2001(1000) ack 1 win 65535", "P. 2001:2501(500) ack 1 win 65535"]);
  peer.send(". 1:1(0) ack 2501 win 8000");
  peer.wait(100_000);
  expect(peer.takes()).toEqual([]);
});

test("a slow line's own time counts in the timeout", () => {
  const peer = new StackPeer();
  peer.stack.setRate(9600);
  peer.establish();
  peer.sockets.last.give(new Uint8Array(1000));
  expect(peer.takes().length).toBe(1);
  // 288 octets may wait in the line, and one segment goes: 1342 ms.
  peer.wait(1500);
  expect(peer.takes()).toEqual([]);
  peer.wait(100);
  expect(peer.takes().length).toBe(1);
});

test("a closed window is probed, ever more seldom, and filled when it opens", () => {
  const peer = new StackPeer();
  peer.send(SYN, ". 1:1(0) ack 1 win 0");
  peer.takes();
  peer.sockets.last.give(new Uint8Array(3000));
  expect(peer.takes()).toEqual([]);
  for (const wait of [200, 400, 800]) {
    peer.wait(wait - 1);
    expect(peer.takes()).toEqual([]);
    peer.wait(1);
    expect(peer.takes()).toEqual([". 1:2(1) ack 1 win 65535"]);
    peer.send(". 1:1(0) ack 1 win 0");
  }
  peer.send(". 1:1(0) ack 2 win 2000");
  expect(peer.takes()).toEqual([". 2:1002(1000) ack 1 win 65535", "P. 1002:2002(1000) ack 1 win 65535"]);
});

test("both ends probe a small window at once: each hears the other's acknowledgment", () => {
  const peer = new StackPeer();
  peer.send("S 0:0(0) win 8000 <mss 1000>", ". 1:1(0) ack 1 win 300");
  peer.takes();
  peer.sockets.last.give(new Uint8Array(1000));
  expect(peer.takes()).toEqual([]);
  peer.wait(200);
  expect(peer.takes()).toEqual([". 1:301(300) ack 1 win 65535"]);
  // The peer has not yet seen the probe. Our answer lies behind the octets that it has meanwhile.
  peer.send(". 1:11(10) ack 1 win 300");
  expect(peer.takes()).toEqual([". 301:301(0) ack 11 win 65535"]);
  // The peer states the place before its last octet, as if that had been a probe: its acknowledgment counts.
  peer.send(". 10:10(0) ack 301 win 2000");
  expect(peer.takes()).toEqual(["P. 301:1001(700) ack 11 win 65535"]);
});

test("the peer ends first: CLOSE-WAIT, LAST-ACK", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.send("F. 1:1(0) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 2 win 65534"]);
  expect(peer.sockets.last.isShut).toBe(true);
  const [flow] = peer.stack.connections.table;
  expect(flow!.state).toBe("CLOSE-WAIT");
  // Half-closed for three hours: data still goes to the peer. Keepalive asks whether it is there.
  peer.wait(7_200_000);
  expect(peer.takes()).toEqual([". 0:0(0) ack 2 win 65534"]);
  peer.send(". 2:2(0) ack 1 win 8000");
  peer.sockets.last.give(new Uint8Array(10));
  peer.sockets.last.finish();
  expect(peer.takes()).toEqual(["P. 1:11(10) ack 2 win 65534", "FP. 11:11(0) ack 2 win 65534"]);
  expect(flow!.state).toBe("LAST-ACK");
  peer.send(". 2:2(0) ack 12 win 8000");
  expect([peer.sockets.last.end, peer.stack.connections.table.size]).toEqual(["closed", 0]);
});

test("the server ends first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, which answers old segments", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.sockets.last.finish();
  expect(peer.takes()).toEqual(["FP. 1:1(0) ack 1 win 65535"]);
  const [flow] = peer.stack.connections.table;
  expect(flow!.state).toBe("FIN-WAIT-1");
  peer.send(". 1:1(0) ack 2 win 8000");
  expect(flow!.state).toBe("FIN-WAIT-2");
  peer.send("P. 1:11(10) ack 2 win 8000", "F. 11:11(0) ack 2 win 8000");
  expect(peer.takes()).toEqual([". 2:2(0) ack 12 win 65524"]);
  expect([flow!.state, peer.sockets.last.end]).toEqual(["TIME-WAIT", "closed"]);
  peer.wait(30_000);
  peer.send("F. 11:11(0) ack 2 win 8000");
  expect(peer.takes()).toEqual([". 2:2(0) ack 12 win 65524"]);
  peer.wait(59_000);
  expect(peer.stack.connections.table.size).toBe(1);
  peer.wait(1000);
  expect([peer.stack.connections.table.size, peer.stack.nextTimeout()]).toEqual([0, Infinity]);
});

test("both end at once: CLOSING", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.sockets.last.finish();
  peer.takes();
  peer.send("F. 1:1(0) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 2:2(0) ack 2 win 65534"]);
  const [flow] = peer.stack.connections.table;
  expect(flow!.state).toBe("CLOSING");
  peer.send(". 2:2(0) ack 2 win 8000");
  expect(flow!.state).toBe("TIME-WAIT");
});

test("a new SYN takes over a connection in TIME-WAIT", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.sockets.last.finish();
  peer.takes();
  peer.send("F. 1:1(0) ack 2 win 8000");
  peer.takes();
  peer.send("S 5000:5000(0) win 8000 <mss 1000>");
  expect(peer.takes()).toEqual(["S. 0:0(0) ack 5001 win 65535 <mss 1460>"]);
});

test("a lost FIN is repeated", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.sockets.last.give(new Uint8Array(10));
  peer.sockets.last.finish();
  expect(peer.takes()).toEqual(["P. 1:11(10) ack 1 win 65535", "FP. 11:11(0) ack 1 win 65535"]);
  peer.wait(200);
  expect(peer.takes()).toEqual(["FP. 1:11(10) ack 1 win 65535"]);
});

test("resets go both ways", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.sockets.last.fail(Failure.RESET);
  expect(peer.takes()).toEqual(["R. 1:1(0) ack 1 win 0"]);
  expect(peer.stack.connections.table.size).toBe(0);
  peer.route = { ...peer.route, fromPort: 40001 };
  peer.establish();
  peer.send("R 1:1(0)");
  expect(peer.takes()).toEqual([]);
  expect([peer.sockets.last.end, peer.stack.connections.table.size]).toEqual(["aborted", 0]);
});

test("a reset with another number in the window is asked about, one outside it ignored (RFC 5961)", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.send("R 500:500(0)");
  expect(peer.takes()).toEqual([". 1:1(0) ack 1 win 65535"]);
  peer.send("R 90000:90000(0)", "R 4294967200:4294967200(0)");
  expect(peer.takes()).toEqual([]);
  peer.send("S 500:500(0) win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 1 win 65535"]);
  expect(peer.stack.connections.table.size).toBe(1);
});

test("an acknowledgment of what was never sent is answered and changes nothing", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.send("P. 1:11(10) ack 500 win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 1 win 65535"]);
  expect(peer.sockets.last.takenOctets).toBe(0);
  // The same before the connection is established: RFC 9293 §3.10.7.4 wants a reset.
  const other = new StackPeer();
  other.send(SYN);
  other.takes();
  other.send(". 1:1(0) ack 77 win 8000");
  expect(other.takes()).toEqual(["R 77:77(0) win 0"]);
});

test("old and future segments are answered with the state of things", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.send("P. 1:101(100) ack 1 win 8000");
  peer.takes();
  peer.send("P. 1:101(100) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 101 win 65535"]);
  peer.send("P. 70000:70010(10) ack 1 win 8000");
  expect(peer.takes()).toEqual([". 1:1(0) ack 101 win 65535"]);
  expect(peer.sockets.last.takenOctets).toBe(100);
});

test("a SYN that is not acknowledged is answered again, and given up after a minute", () => {
  const peer = new StackPeer();
  peer.send(SYN);
  expect(peer.takes()).toEqual([SYN_ACK]);
  let answers = 0;
  for (let second = 0; second < 200; second++) {
    peer.wait(1000);
    for (const text of peer.takes()) if (text === SYN_ACK) answers++;
  }
  expect(answers).toBe(5);
  expect([peer.stack.connections.table.size, peer.sockets.open.size]).toEqual([0, 0]);
});

test("a peer that is gone is noticed by keepalive, and a socket that never ends is closed", () => {
  const peer = new StackPeer();
  peer.establish();
  peer.wait(7_200_000);
  let probes = peer.takes().length;
  for (let probe = 0; probe < 10; probe++) {
    peer.wait(75_000);
    probes += peer.takes().filter((text) => text === ". 0:0(0) ack 1 win 65535").length;
  }
  expect([probes, peer.sockets.open.size]).toEqual([9, 0]);
});

test("a peer that does not read stops no other connection", () => {
  const peer = new StackPeer();
  peer.send(SYN, ". 1:1(0) ack 1 win 0");
  peer.takes();
  peer.sockets.last.give(new Uint8Array(1_000_000));
  peer.route = { ...peer.route, fromPort: 40001 };
  peer.establish();
  peer.sockets.last.give(new Uint8Array(1000));
  expect(peer.takes()).toEqual(["P. 1:1001(1000) ack 1 win 65535"]);
});

test("connections share the line: each gives one packet in turn", () => {
  const peer = new StackPeer();
  for (const fromPort of [40001, 40002]) {
    peer.route = { ...peer.route, fromPort };
    peer.establish();
  }
  for (const socket of peer.sockets.all) socket.give(new Uint8Array(3000));
  const ports = peer.packets().map((packet) => packet[22]! * 256 + packet[23]!);
  expect(ports).toEqual([40001, 40002, 40001, 40002, 40001, 40002]);
});

test("a forwarded port: we send the SYN, and the peer may refuse", () => {
  const peer = new StackPeer();
  const socket = peer.sockets.accepted();
  const far = Uint8Array.of(192, 0, 2, 80);
  expect(
    peer.stack.openTo(socket.id, { far, farPort: 80, peer: Uint8Array.of(10, 0, 0, 2), peerPort: 40000 }, 1000),
  ).toBe(true);
  expect(peer.takes()).toEqual(["S 0:0(0) win 65535 <mss 1460,wscale 3,sackOK>"]);
  peer.send("S. 0:0(0) ack 1 win 8000 <mss 1000>");
  expect(peer.takes()).toEqual([". 1:1(0) ack 1 win 65535"]);
  socket.give(new Uint8Array(5));
  expect(peer.takes()).toEqual(["P. 1:6(5) ack 1 win 65535"]);
  const refused = peer.sockets.accepted();
  peer.route = { ...peer.route, fromPort: 40001 };
  peer.stack.openTo(refused.id, { far, farPort: 80, peer: Uint8Array.of(10, 0, 0, 2), peerPort: 40001 }, 1000);
  peer.takes();
  peer.send("R. 0:0(0) ack 1 win 0");
  expect(refused.end).toBe("aborted");
});

test("a connection of the host begins from the wanted port, or from another while that is in use", () => {
  const peer = new StackPeer({ random: () => 5 });
  const far = Uint8Array.of(10, 0, 0, 1);
  const ports = [40000, 40000, 40001].map((farPort) => {
    const { id } = peer.sockets.accepted();
    expect(peer.stack.openTo(id, { far, farPort, peer: Uint8Array.of(10, 0, 0, 2), peerPort: 22 }, 1000)).toBe(true);
    const [syn] = peer.packets();
    return syn![20]! * 256 + syn![21]!;
  });
  expect(ports).toEqual([40000, 49157, 40001]);
});

test("a connection of the host ends when the peer reports its SYN unreachable, but no other segment", () => {
  const peer = new StackPeer();
  const open = (farPort: number): [FakeSocket, number[]] => {
    const socket = peer.sockets.accepted();
    peer.stack.openTo(
      socket.id,
      { far: Uint8Array.of(10, 0, 0, 1), farPort, peer: Uint8Array.of(10, 0, 0, 2), peerPort: 40000 },
      1000,
    );
    return [socket, [...peer.packets()[0]!.subarray(0, 28)]];
  };
  const [refused, quoted] = open(80);
  peer.sendIcmp([3, 3, 0, 0, 0, 0, 0, 0, ...quoted.with(24, 7)]);
  expect(refused.end).toBe("open");
  peer.sendIcmp([3, 3, 0, 0, 0, 0, 0, 0, ...quoted]);
  expect(refused.end).toBe("aborted");
  const [made, other] = open(81);
  peer.route = { ...peer.route, to: "10.0.0.1", toPort: 81 };
  peer.send("S. 0:0(0) ack 1 win 8000 <mss 1000>");
  peer.sendIcmp([3, 3, 0, 0, 0, 0, 0, 0, ...other]);
  expect(made.end).toBe("open");
});

test("beyond the limit a SYN is not answered, and TIME-WAIT gives up its place", () => {
  const peer = new StackPeer({ mostFlows: 2 });
  for (const fromPort of [1, 2, 3]) {
    peer.route = { ...peer.route, fromPort };
    peer.send(SYN);
  }
  expect([peer.takes().length, peer.stack.connections.count.limited]).toEqual([2, 1]);
  peer.route = { ...peer.route, fromPort: 2 };
  peer.send(". 1:1(0) ack 1 win 8000");
  peer.sockets.last.finish();
  peer.takes();
  peer.send("F. 1:1(0) ack 2 win 8000");
  peer.takes();
  peer.route = { ...peer.route, fromPort: 3 };
  peer.send(SYN);
  expect(peer.takes()).toEqual([SYN_ACK]);
});

test("a router behind the peer limits the size of segments", () => {
  const peer = new StackPeer();
  peer.establish("mss 1460");
  peer.sockets.last.give(new Uint8Array(1400));
  const [sent] = peer.packets();
  const quoted = [...sent!.subarray(0, 28)];
  // An error about a segment that is not in flight is a lie (RFC 5927 §4.1).
  peer.sendIcmp([3, 4, 0, 0, 0, 0, 2, 88, ...quoted.with(24, 7)]);
  expect(peer.takes()).toEqual([]);
  peer.sendIcmp([3, 4, 0, 0, 0, 0, 2, 88, ...quoted]);
  // The segment is repeated at once.
  expect(peer.takes()).toEqual([". 1:561(560) ack 1 win 65535"]);
});

test("an MTU that LCP agrees on anew limits the segments of connections that exist, and the answers that wait", () => {
  const peer = new StackPeer();
  peer.establish("mss 1460");
  peer.sockets.last.give(new Uint8Array(4000));
  expect(peer.takes(2)).toEqual([". 1:1461(1460) ack 1 win 65535", ". 1461:2921(1460) ack 1 win 65535"]);
  const echo = [8, 0, 0, 0, 1, 2, 0, 1, ...Array.from({ length: 1000 }, () => 7)];
  peer.sendIcmp(echo);
  peer.sendIcmp(echo.slice(0, 100));
  peer.stack.setMtu(576);
  expect(peer.takes()).toEqual([
    "icmp 0/0 from 10.0.0.1 to 10.0.0.2",
    ". 2921:3457(536) ack 1 win 65535",
    ". 3457:3993(536) ack 1 win 65535",
    "P. 3993:4001(8) ack 1 win 65535",
  ]);
  // A repetition of what was sent in larger pieces.
  peer.wait(200);
  expect(peer.takes()).toEqual([". 1:537(536) ack 1 win 65535"]);
  peer.stack.setMtu(1500);
  peer.send(". 1:1(0) ack 4001 win 8000");
  peer.sockets.last.give(new Uint8Array(2000));
  expect(peer.takes()).toEqual([". 4001:5461(1460) ack 1 win 65535", "P. 5461:6001(540) ack 1 win 65535"]);
});

test("a loss after a long silence, or after a link that was away, does not end a connection", () => {
  const idle = new StackPeer();
  idle.establish();
  idle.wait(1_000_000);
  const away = new StackPeer();
  away.establish();
  const sends = (peer: StackPeer): string[] => {
    peer.sockets.last.give(new Uint8Array(10));
    return peer.takes();
  };
  expect(sends(idle)).toEqual(["P. 1:11(10) ack 1 win 65535"]);
  expect(sends(away)).toEqual(["P. 1:11(10) ack 1 win 65535"]);
  away.wait(200);
  // The line takes nothing for long.
  away.wait(1_000_000);
  idle.wait(200);
  for (const peer of [idle, away]) {
    expect(peer.takes()).toEqual(["P. 1:11(10) ack 1 win 65535"]);
    // The first repetition is lost too.
    peer.wait(peer.stack.nextTimeout() - peer.now);
    expect(peer.takes()).toEqual(["P. 1:11(10) ack 1 win 65535"]);
    peer.send(". 1:1(0) ack 11 win 8000");
    expect([peer.takes(), peer.sockets.open.size]).toEqual([[], 1]);
  }
});

test("a SYN without options inherits none of another connection", () => {
  const peer = new StackPeer();
  peer.establish("mss 1460,sackOK,wscale 7");
  peer.route = { ...peer.route, fromPort: 40001 };
  peer.send("S 0:0(0) win 2000");
  expect(peer.takes()).toEqual(["S. 0:0(0) ack 1 win 65535 <mss 1460>"]);
  peer.send(". 1:1(0) ack 1 win 2000");
  peer.sockets.last.give(new Uint8Array(10_000));
  expect(peer.takes().map((text) => /\((\d+)\)/.exec(text)![1])).toEqual(["536", "536", "536", "392"]);
});

test("a peer that dies with octets in flight, or behind a closed window, is given up, and the server's socket is reset", () => {
  const inFlight = new StackPeer();
  inFlight.establish();
  inFlight.sockets.last.give(new Uint8Array(1000));
  const probed = new StackPeer();
  probed.send("S 0:0(0) win 0 <mss 1000>", ". 1:1(0) ack 1 win 0");
  probed.sockets.last.give(new Uint8Array(1000));
  for (const [peer, most] of [
    [inFlight, 1_000_000],
    [probed, 8_000_000],
  ] as const) {
    const begin = peer.now;
    let packets: string[] = peer.takes();
    while (peer.sockets.open.size > 0 && peer.now - begin < 20_000_000) {
      peer.wait(Math.max(1, peer.stack.nextTimeout() - peer.now));
      packets = peer.takes();
    }
    expect(packets.map((text) => text[0])).toEqual(["R"]);
    expect([peer.sockets.last.end, peer.stack.connections.table.size, peer.stack.keptOctets]).toEqual([
      "aborted",
      0,
      0,
    ]);
    expect(peer.now - begin).toBeLessThan(most);
    expect(peer.now - begin).toBeGreaterThanOrEqual(900_000);
  }
});

test("after a loss the time to live changes from packet to packet, so that VJ sends whole headers, and not for ever", () => {
  const peer = new StackPeer();
  peer.establish();
  const hopsOf = (count: number): number[] => {
    peer.sockets.last.give(new Uint8Array(1000 * count));
    const packets = peer.packets();
    // Throws when a checksum is wrong.
    const last = peer.text(packets.at(-1)!).split(" ")[1]!.split(":")[1]!.split("(")[0]!;
    peer.send(`. 1:1(0) ack ${last} win 8000`);
    return packets.map((packet) => packet[8]!);
  };
  expect(hopsOf(4)).toEqual([64, 64, 64, 64]);
  peer.sockets.last.give(new Uint8Array(1000));
  peer.takes();
  peer.wait(200);
  expect(peer.packets().length).toBe(1);
  peer.send(". 1:1(0) ack 5001 win 8000");
  const [first = 0, ...others] = hopsOf(6);
  expect(others).toEqual([127 - first, first, 127 - first, first, 127 - first]);
  for (let more = 0; more < 50; more++) hopsOf(6);
  expect(new Set(hopsOf(6)).size).toBe(1);
});
