// Datagrams, echoes, errors, fragments and rules, with exact replies.

import { expect, test } from "bun:test";
import { parsePrefix } from "../../src/bytes/prefix.ts";
import { Destinations } from "../../src/stack/destinations.ts";
import { Failure } from "../../src/stack/socket-side.ts";
import type { FakeSocket } from "../kit/fake-sockets.ts";
import { internetChecksum, ipv4Packet, udpPacket } from "../kit/segment-text.ts";
import { OUR, PEER, SERVER, StackPeer } from "../kit/stack-peer.ts";

const route = { from: PEER, to: SERVER, fromPort: 5000, toPort: 7000 };

test("datagrams go through a socket of their own, and answers come back", () => {
  const peer = new StackPeer();
  peer.sendPacket(udpPacket(route, [1, 2, 3]));
  peer.sendPacket(udpPacket(route, [4], 17));
  peer.sendPacket(udpPacket({ ...route, fromPort: 5001 }, []));
  expect(peer.sockets.all.map(({ address, port }) => `${address}:${port}`)).toEqual([
    "192.0.2.80:7000",
    "192.0.2.80:7000",
  ]);
  // The far end counts one hop less.
  expect(peer.sockets.all[0]!.datagrams).toEqual([
    { bytes: Uint8Array.of(1, 2, 3), ttl: 63 },
    { bytes: Uint8Array.of(4), ttl: 16 },
  ]);
  peer.sockets.all[0]!.answer(Uint8Array.of(9, 9));
  expect(peer.takes()).toEqual(["udp 192.0.2.80:7000 (2)"]);
});

test("a flow of datagrams ends after 180 s without traffic, a name query after 10 s", () => {
  const resolvers = [Uint8Array.of(192, 0, 2, 53), Uint8Array.of(192, 0, 2, 54)];
  const peer = new StackPeer({ resolvers });
  peer.sendPacket(udpPacket(route, [1]));
  peer.sendPacket(udpPacket({ ...route, to: OUR, toPort: 53 }, [1]));
  expect(peer.sockets.last.address).toBe("192.0.2.53");
  peer.wait(9999);
  expect(peer.sockets.open.size).toBe(2);
  peer.wait(1);
  expect(peer.sockets.open.size).toBe(1);
  // The resolver has not answered: the next query goes to the next one. One that answers stays.
  for (const address of ["192.0.2.54", "192.0.2.54"]) {
    peer.sendPacket(udpPacket({ ...route, to: OUR, toPort: 53 }, [1]));
    expect(peer.sockets.last.address).toBe(address);
    peer.sockets.last.answer(Uint8Array.of(1));
    expect(peer.takes()).toEqual(["udp 10.0.0.1:53 (1)"]);
    peer.wait(10_000);
  }
  peer.wait(160_000);
  expect([peer.sockets.open.size, peer.stack.nextTimeout()]).toEqual([0, Infinity]);
});

test("a caller of the host is a flow of its own: 30 s until the peer answers, then 180 s", () => {
  const peer = new StackPeer();
  const open = (farPort: number): FakeSocket => {
    const socket = peer.sockets.accepted();
    peer.stack.openDatagramsTo(
      socket.id,
      { far: Uint8Array.of(10, 0, 0, 1), farPort, peer: Uint8Array.of(10, 0, 0, 2), peerPort: 53 },
      peer.now,
    );
    return socket;
  };
  const [one, other] = [open(4000), open(4000)];
  // What came before the caller had its socket, and what comes through it.
  peer.stack.deliver(one.id, Uint8Array.of(0, 1, 2, 0), 1, 3, peer.now);
  one.answer(Uint8Array.of(3));
  peer.stack.deliver(other.id, new Uint8Array(3000), 0, 3000, peer.now);
  const texts = peer.takes();
  expect(texts.filter((text) => text.startsWith("udp"))).toEqual(["udp 10.0.0.1:4000 (2)", "udp 10.0.0.1:4000 (1)"]);
  expect(texts.filter((text) => text.startsWith("fragment")).length).toBe(3);
  peer.sendPacket(udpPacket({ from: PEER, to: OUR, fromPort: 53, toPort: 4000 }, [9, 9]));
  expect(one.datagrams.map(({ bytes }) => [...bytes])).toEqual([[9, 9]]);
  peer.wait(30_000);
  expect([one.end, other.end]).toEqual(["open", "closed"]);
  peer.wait(149_999);
  expect(one.end).toBe("open");
  peer.wait(1);
  expect([one.end, peer.stack.datagrams.udpCount]).toMatchObject(["closed", { opened: 2, toPeer: 30 + 29 + 3028 }]);
});

test("no kind of flow takes all places", () => {
  const peer = new StackPeer({ mostFlows: 8 });
  for (let port = 1; port <= 8; port++) peer.sendPacket(udpPacket({ ...route, fromPort: port }, [1]));
  for (const id of [1, 2]) peer.sendIcmp([8, 0, 0, 0, 0, id, 0, 1], SERVER);
  for (let port = 1; port <= 8; port++) {
    peer.route = { ...peer.route, fromPort: port };
    peer.send("S 0:0(0) win 8000 <mss 1000>");
  }
  const { connections, datagrams } = peer.stack;
  expect([datagrams.udpCount, datagrams.echoCount, connections.count]).toMatchObject([
    { opened: 8, limited: 2 },
    { opened: 2, limited: 1 },
    { opened: 1, limited: 7 },
  ]);
  expect([datagrams.size, connections.table.size]).toEqual([7, 1]);
});

test("a flood of datagrams leaves room for queries, and ends neither what is answered and in use nor a caller", () => {
  const peer = new StackPeer({ mostFlows: 8 });
  const begin = (fromPort: number): FakeSocket => {
    peer.sendPacket(udpPacket({ ...route, fromPort }, [1]));
    return peer.sockets.last;
  };
  const caller = peer.sockets.accepted();
  const ends = { far: Uint8Array.of(10, 0, 0, 1), farPort: 4000, peer: Uint8Array.of(10, 0, 0, 2), peerPort: 53 };
  expect(peer.stack.openDatagramsTo(caller.id, ends, peer.now)).toBe(true);
  const used = begin(1);
  used.answer(Uint8Array.of(2));
  peer.takes();
  for (let port = 100; port < 200; port++) begin(port);
  const last = peer.sockets.last;
  const query = begin(2);
  expect([query === last, last.end]).toEqual([false, "open"]);
  query.answer(Uint8Array.of(3));
  expect(peer.takes()).toEqual(["udp 192.0.2.80:7000 (1)"]);
  expect([caller.end, used.end, query.end]).toEqual(["open", "open", "open"]);
  expect([peer.stack.datagrams.size, peer.sockets.open.size]).toEqual([6, 6]);
});

test("a scan of addresses where nobody is stops no connection that is made, and no new one", () => {
  const peer = new StackPeer({ mostFlows: 8 });
  const begin = (fromPort: number): FakeSocket => {
    peer.route = { ...peer.route, fromPort };
    peer.send("S 0:0(0) win 8000 <mss 1000>");
    return peer.sockets.last;
  };
  const made = begin(1);
  peer.send(". 1:1(0) ack 1 win 8000");
  peer.sockets.connecting = "later";
  for (let port = 100; port < 200; port++) begin(port);
  peer.sockets.connecting = "at-once";
  const last = begin(2);
  expect([made.end, last.end, last.isConnected]).toEqual(["open", "open", true]);
  // The scan has no more than its places, and each of those is given up for another one.
  const { count, table } = peer.stack.connections;
  expect([table.size, peer.sockets.open.size, count.opened]).toEqual([6, 6, 102]);
  // A caller of the host gets no place of the peer's.
  const caller = peer.sockets.accepted();
  const ends = { far: Uint8Array.of(10, 0, 0, 1), farPort: 4000, peer: Uint8Array.of(10, 0, 0, 2), peerPort: 53 };
  expect(peer.stack.openTo(caller.id, ends, peer.now)).toBe(false);
});

test("the host's own services follow the rules for our address of the link, and for the address that they have", () => {
  const home = Uint8Array.of(192, 168, 1, 5);
  const reached = (allow: readonly string[], deny: readonly string[], to = OUR, toPort = 22): string => {
    const prefixes = (texts: readonly string[]) => texts.map((text) => parsePrefix(text)!);
    const peer = new StackPeer({
      destinations: new Destinations(prefixes(allow), prefixes(deny)),
      ownAddresses: () => [home],
      resolvers: [Uint8Array.of(192, 0, 2, 53)],
    });
    peer.route = { ...peer.route, to, toPort };
    peer.send("S 0:0(0) win 8000 <mss 1000>");
    const [answer = ""] = peer.takes();
    const { denied } = peer.stack.connections.count;
    return peer.sockets.all.length > 0 ? peer.sockets.last.address : `${answer.split(" ")[0]} denied ${denied}`;
  };
  expect(reached([], [])).toBe("192.168.1.5");
  for (const prefix of ["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "192.168.1.5", "192.168.0.0/16"])
    expect(reached([], [prefix])).toBe("R. denied 1");
  expect(reached(["192.0.2.0/24"], [])).toBe("R. denied 1");
  expect(reached(["10.0.0.1"], ["0.0.0.0/0", "192.0.0.0/8"])).toBe("R. denied 1");
  expect(reached(["10.0.0.1"], ["10.0.0.0/8"])).toBe("192.168.1.5");
  // Another address of the peer's choice is not ours, and names can be asked for in any case.
  expect(reached([], ["10.0.0.1"], SERVER)).toBe(SERVER);
  expect(reached([], ["10.0.0.1"], OUR, 53)).toBe("192.0.2.53");
});

test("names are asked by TCP as well", () => {
  const peer = new StackPeer({ resolvers: [Uint8Array.of(192, 0, 2, 53)] });
  peer.route = { ...peer.route, to: OUR, toPort: 53 };
  peer.establish();
  expect(`${peer.sockets.last.address}:${peer.sockets.last.port}`).toBe("192.0.2.53:53");
});

test("a socket's error becomes ICMP, and the flow goes on", () => {
  const peer = new StackPeer();
  for (const [failure, text] of [
    [Failure.REFUSED, "icmp 3/3 from 192.0.2.80 to 10.0.0.2"],
    [Failure.HOST_UNREACHABLE, "icmp 3/1 from 10.0.0.1 to 10.0.0.2"],
    [Failure.TOO_BIG, "icmp 3/4 from 10.0.0.1 to 10.0.0.2"],
    [Failure.EXPIRED, "icmp 11/0 from 10.0.0.1 to 10.0.0.2"],
  ] as const) {
    const packet = udpPacket(route, [1, 2, 3, 4]);
    peer.sendPacket(packet);
    peer.sockets.last.fail(failure);
    const [error, ...more] = peer.packets();
    expect(more).toEqual([]);
    peer.sockets.last.answer(Uint8Array.of(1));
    expect(peer.takes()).toEqual(["udp 192.0.2.80:7000 (1)"]);
    // The error quotes the packet whole.
    expect(error!.subarray(28)).toEqual(packet);
    peer.sockets.last.fail(failure);
    expect(peer.takes()).toEqual([text]);
  }
  expect(peer.sockets.all.length).toBe(1);
});

test("traceroute: a packet whose time to live ends here is reported from our address", () => {
  const peer = new StackPeer();
  peer.sendPacket(udpPacket({ ...route, toPort: 33434 }, [1], 1));
  peer.sendIcmp([8, 0, 0, 0, 0, 1, 0, 1], SERVER, 1);
  expect(peer.takes()).toEqual(["icmp 11/0 from 10.0.0.1 to 10.0.0.2", "icmp 11/0 from 10.0.0.1 to 10.0.0.2"]);
  // An error is never the answer to an error.
  peer.sendIcmp([11, 0, 0, 0, 0, 0, 0, 0], SERVER, 1);
  expect(peer.takes()).toEqual([]);
  // It ends with us, and has arrived.
  peer.sendPacket(udpPacket({ ...route, to: OUR, toPort: 33434 }, [1], 1));
  expect(peer.takes()).toEqual(["icmp 3/3 from 10.0.0.1 to 10.0.0.2"]);
  expect(peer.sockets.all.length).toBe(0);
});

test("traceroute: a router beyond us reports by its own address", () => {
  const peer = new StackPeer();
  peer.sendPacket(udpPacket({ ...route, toPort: 33434 }, [1], 3));
  expect(peer.sockets.last.datagrams[0]!.ttl).toBe(2);
  peer.sockets.last.reporter = Uint8Array.of(198, 51, 100, 7);
  peer.sockets.last.fail(Failure.EXPIRED);
  expect(peer.takes()).toEqual(["icmp 11/0 from 198.51.100.7 to 10.0.0.2"]);
});

test("an echo to our address is answered here, others through a socket, and without the right to it as filtered", () => {
  const peer = new StackPeer();
  const data = Array.from({ length: 2000 }, (_, at) => at & 255);
  peer.sendIcmp([8, 0, 0, 0, 1, 2, 0, 1, 42]);
  const [reply] = peer.packets();
  expect([...reply!.subarray(20, 22), ...reply!.subarray(24)]).toEqual([0, 0, 1, 2, 0, 1, 42]);
  peer.sendIcmp([8, 0, 0, 0, 1, 2, 0, 1, ...data.slice(0, 1400)], SERVER);
  const sent = peer.sockets.last.datagrams[0]!.bytes;
  expect(sent.length).toBe(1408);
  // The kernel gives the answer its own identifier. The peer gets that of its request.
  peer.sockets.last.answer(Uint8Array.of(0, 0, 0, 0, 77, 77, 0, 1, 5));
  const [answer] = peer.packets();
  expect([...answer!.subarray(24)]).toEqual([1, 2, 0, 1, 5]);
  expect(internetChecksum([...answer!.subarray(20)])).toBe(0);
  // An answer without its header is no answer.
  peer.sockets.last.answer(Uint8Array.of(0, 0, 0));
  expect(peer.packets()).toEqual([]);
  const other = new StackPeer();
  other.sockets.echoes = "not-allowed";
  other.sendIcmp([8, 0, 0, 0, 1, 2, 0, 1], SERVER);
  expect(other.takes()).toEqual(["icmp 3/13 from 10.0.0.1 to 10.0.0.2"]);
});

/** The fragments of a packet, each with at most `size` octets of payload. */
function fragments(packet: Uint8Array, size: number): Uint8Array[] {
  const payload = [...packet.subarray(20)];
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += size) {
    const piece = ipv4Packet(PEER, SERVER, packet[9]!, payload.slice(at, at + size));
    piece[6] = (at + size < payload.length ? 0x20 : 0) | (at >> 11);
    piece[7] = (at >> 3) & 255;
    const sum = (piece[10]! * 256 + piece[11]! + 0xffff - (piece[6]! * 256 + piece[7]!)) % 0xffff;
    piece[10] = sum >> 8;
    piece[11] = sum & 255;
    pieces.push(piece);
  }
  return pieces;
}

test("fragments of the peer are put together in any order, once each or twice", () => {
  const data = Array.from({ length: 4000 }, (_, at) => (at * 7) & 255);
  const [first, second, third] = fragments(udpPacket(route, data), 1480) as [Uint8Array, Uint8Array, Uint8Array];
  for (const order of [
    [first, second, third],
    [third, second, first],
    [second, second, third, third, first],
  ]) {
    const peer = new StackPeer();
    for (const piece of order) peer.sendPacket(piece);
    expect(peer.sockets.last.datagrams.map(({ bytes }) => [...bytes])).toEqual([data]);
  }
});

test("fragments that overlap, contradict each other or come too late end their datagram", () => {
  const [first, second] = fragments(
    udpPacket(
      route,
      Array.from({ length: 1000 }, () => 1),
    ),
    600,
  ) as [Uint8Array, Uint8Array];
  const overlapping = second.slice();
  overlapping[7]! -= 1;
  overlapping[11]! += 1;
  const late = new StackPeer();
  late.sendPacket(first);
  late.wait(31_000);
  late.sendPacket(second);
  const lying = new StackPeer();
  lying.sendPacket(first);
  lying.sendPacket(overlapping);
  lying.sendPacket(second);
  expect([late.sockets.all.length, lying.sockets.all.length]).toEqual([0, 0]);
});

test("thousands of unfinished datagrams take no more than their limit", () => {
  const peer = new StackPeer();
  const [first] = fragments(
    udpPacket(
      route,
      Array.from({ length: 2000 }, () => 1),
    ),
    1480,
  ) as [Uint8Array];
  for (let id = 0; id < 5000; id++) {
    const piece = first.slice();
    piece[5] = id & 255;
    piece[4] = id >> 8;
    const old = first[4]! * 256 + first[5]!;
    const sum = (first[10]! * 256 + first[11]! + old + 0xffff - id) % 0xffff;
    piece[10] = sum >> 8;
    piece[11] = sum & 255;
    peer.sendPacket(piece);
  }
  expect(peer.stack.bad).toBe(0);
  expect(peer.stack.keptFragments).toBeLessThanOrEqual(32);
});

test("an answer larger than the MTU comes in fragments", () => {
  const peer = new StackPeer();
  peer.stack.setMtu(576);
  peer.sendPacket(udpPacket(route, [1]));
  const answer = Uint8Array.from({ length: 1500 }, (_, at) => at & 255);
  peer.sockets.last.answer(answer);
  const packets = peer.packets();
  expect(packets.map((packet) => packet.length)).toEqual([572, 572, 424]);
  const payload: number[] = [];
  for (const packet of packets) {
    expect(internetChecksum([...packet.subarray(0, 20)])).toBe(0);
    expect(((packet[6]! & 0x1f) * 256 + packet[7]!) * 8).toBe(payload.length);
    expect((packet[6]! & 0x20) !== 0).toBe(packet !== packets.at(-1));
    payload.push(...packet.subarray(20));
  }
  expect(payload.slice(8)).toEqual([...answer]);
  expect(new Set(packets.map((packet) => packet[4]! * 256 + packet[5]!)).size).toBe(1);
});

test("our own address leads to the host's services only where they are offered", () => {
  const closed = new StackPeer();
  closed.route = { ...closed.route, to: OUR, toPort: 22 };
  closed.send("S 0:0(0) win 8000");
  expect(closed.takes()).toEqual(["R. 16:16(0) ack 1 win 0"]);
  const open = new StackPeer({ ownAddresses: () => [Uint8Array.of(127, 0, 0, 1)] });
  open.route = { ...open.route, to: OUR, toPort: 22 };
  open.establish();
  expect(open.sockets.last.address).toBe("127.0.0.1");
});

test("packets from impossible addresses, to groups and of other protocols open no socket", () => {
  const peer = new StackPeer();
  for (const from of ["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", OUR])
    peer.sendPacket(udpPacket({ ...route, from }, [1]));
  for (const to of ["224.0.0.251", "255.255.255.255"]) peer.sendPacket(udpPacket({ ...route, to }, [1]));
  expect(peer.takes()).toEqual([]);
  peer.sendPacket(ipv4Packet(PEER, SERVER, 47, [0, 0, 8, 0]));
  expect(peer.takes()).toEqual(["icmp 3/2 from 10.0.0.1 to 10.0.0.2"]);
  expect(peer.sockets.all.length).toBe(0);
});

test("the longest prefix decides where traffic may go, and the loopback is never open", () => {
  const octets = (text: string): Uint8Array => parsePrefix(text)!.address;
  const rules = (allow: string[], deny: string[]): Destinations =>
    new Destinations(
      allow.map((text) => parsePrefix(text)!),
      deny.map((text) => parsePrefix(text)!),
    );
  for (const [allow, deny, open, shut] of [
    [[], [], ["8.8.8.8", "2001:db8::1"], ["169.254.169.254", "fe80::1", "fd00:ec2::254"]],
    [["10.0.0.0/8"], [], ["10.1.2.3"], ["8.8.8.8", "2001:db8::1"]],
    [[], ["10.0.0.0/8"], ["8.8.8.8"], ["10.1.2.3"]],
    [["10.1.0.0/16"], ["10.0.0.0/8"], ["10.1.2.3"], ["10.2.2.3", "8.8.8.8"]],
    [["0.0.0.0/0", "169.254.169.254"], [], ["169.254.169.254", "8.8.8.8"], ["169.254.1.1"]],
    [["10.0.0.0/8"], ["10.0.0.0/8"], [], ["10.1.2.3"]],
    [
      [],
      ["10.0.0.0/8"],
      ["64:ff9b::808:808"],
      ["64:ff9b::a01:203", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1"],
    ],
    [
      ["0.0.0.0/0", "::/0", "127.0.0.0/8", "127.0.0.1", "::1", "0.0.0.0/8"],
      [],
      [],
      ["127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1"],
    ],
  ] as const) {
    const destinations = rules([...allow], [...deny]);
    for (const address of open) expect(`${address} ${destinations.allows(octets(address))}`).toBe(`${address} true`);
    for (const address of shut) expect(`${address} ${destinations.allows(octets(address))}`).toBe(`${address} false`);
  }
  for (const text of ["10.0.0.0/33", "10.0.0/8", "1::2::3", "fd00::/129", "x", "1:2:3:4:5:6:7", "10.0.0.0/8/9", "::/"])
    expect(parsePrefix(text)).toBeUndefined();
});

test("10^5 connections opened and closed leave nothing behind", () => {
  const peer = new StackPeer();
  const { sockets, stack } = peer;
  sockets.keepsAll = false;
  let socket: FakeSocket | undefined;
  sockets.onConnect = (opened) => (socket = opened);
  const room = new Uint8Array(2000);
  const drain = (): void => {
    while (stack.take(room, 0, peer.now) > 0);
  };
  // The same packets again and again: each connection has gone before the next one with its ports.
  const segments = (...texts: string[]): Uint8Array[] => texts.map((text) => peer.segment(text));
  const [syn, ack, data, fin, last, reset] = segments(
    "S 0:0(0) win 8000 <mss 1000>",
    ". 1:1(0) ack 1 win 8000",
    "P. 1:101(100) ack 1 win 8000",
    "F. 101:101(0) ack 1 win 8000",
    ". 102:102(0) ack 2 win 8000",
    "R 101:101(0)",
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  for (let count = 0; count < 100_000; count++) {
    for (const packet of [syn, ack, data]) {
      peer.sendPacket(packet);
      drain();
    }
    if (count % 2 === 0) peer.sendPacket(reset);
    else {
      socket!.finish();
      peer.sendPacket(fin);
      drain();
      peer.sendPacket(last);
    }
    if (stack.connections.table.size !== 0) throw new Error(`connection ${count} did not end`);
  }
  expect([stack.connections.count.opened, sockets.open.size, stack.hasPackets, stack.nextTimeout()]).toEqual([
    100_000,
    0,
    false,
    Infinity,
  ]);
  expect(stack.keptOctets).toBe(0);
}, 60_000);
