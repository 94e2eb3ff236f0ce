// The TCP/IP stack: a peer whose packets are damaged, or lie with right checksums. Whatever comes, what the stack sends is well
// formed, a new connection works after it, and hours later nothing is left.

import { ipv4HeaderChecksum } from "../../src/wire/ip.ts";
import { Failure } from "../../src/stack/socket-side.ts";
import { Rng } from "../kit/rng.ts";
import { ipv4Packet, pseudoChecksum, udpPacket } from "../kit/segment-text.ts";
import { OUR, PEER, SERVER, StackPeer } from "../kit/stack-peer.ts";
import type { FuzzInput, Mutation, Target } from "./target.ts";

const PIECES = 60;
const MOST_FLOWS = 20;
const HOURS_MS = 12 * 3_600_000;

/** A packet that a sane peer might send. Its numbers are near the windows of both ends, in order or not. */
function saneFrom(peer: StackPeer, rng: Rng): Uint8Array {
  peer.route = { from: PEER, to: rng.pick([SERVER, OUR]), fromPort: 40000 + rng.below(3), toPort: rng.pick([80, 53]) };
  const first = rng.pick([1, 1, 1, rng.below(3000)]);
  const length = rng.pick([0, 0, 10, 500, 1400]);
  const ack = `ack ${rng.pick([1, 1, rng.below(5000)])} win ${rng.pick([0, 100, 8000, 65535])}`;
  const text = rng.pick([
    `S 0:0(0) win 8000 <mss ${rng.pick([0, 1, 536, 1460])},sackOK,wscale ${rng.below(20)}>`,
    `S 0:0(0) win 8000`,
    `. 1:1(0) ack 1 win 8000`,
    `P. ${first}:${first + length}(${length}) ${ack}`,
    `. ${first}:${first}(0) ${ack} <sack ${rng.below(3000)}:${rng.below(3000)} ${rng.below(3000)}:${rng.below(3000)}>`,
    `F. ${first}:${first + length}(${length}) ${ack}`,
    `R ${first}:${first}(0)`,
  ]);
  const data = Array.from({ length: rng.below(600) }, () => 7);
  return rng.pick([
    () => peer.segment(text),
    () => peer.segment(text),
    () => udpPacket(peer.route, data, rng.pick([1, 64])),
    () => ipv4Packet(PEER, peer.route.to, 1, [8, 0, 0xf7, 0xff, 0, 0, 0, 0], rng.pick([1, 64])),
    () => ipv4Packet(PEER, peer.route.to, rng.pick([1, 6, 17, 47]), data),
  ])();
}

/** Makes the checksums right. */
function believable(packet: Uint8Array): Uint8Array {
  const header = (packet[0]! & 15) * 4;
  if (packet[0]! >>> 4 !== 4 || header < 20 || packet.length < header) return packet;
  const sum = ipv4HeaderChecksum(packet, 0, header);
  packet[10] = sum >>> 8;
  packet[11] = sum & 255;
  const at = header + (packet[9] === 6 ? 16 : 6);
  if ((packet[9] !== 6 && packet[9] !== 17) || packet.length < at + 2) return packet;
  packet[at] = packet[at + 1] = 0;
  const [from, to] = [packet.slice(12, 16).join("."), packet.slice(16, 20).join(".")];
  const own = pseudoChecksum(from, to, packet[9]!, [...packet.subarray(header)]);
  packet[at] = own >>> 8;
  packet[at + 1] = own & 255;
  return packet;
}

function changed(packet: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  for (const { kind, a, b } of mutations) {
    const at = a % packet.length;
    if (kind === "flip") packet[at]! ^= 1 << (b & 7);
    else if (kind === "cut") packet = packet.slice(0, Math.max(1, at));
    else if (kind === "noise") packet = Uint8Array.from([...packet, ...new Rng(b).bytes(a % 200)]);
    else if (kind === "lie") {
      // A field of a header, mostly.
      packet[a % Math.min(packet.length, 60)] = b & 255;
      packet = believable(packet);
    }
  }
  return packet;
}

/** What the servers do. */
function serve(peer: StackPeer, rng: Rng): void {
  const socket = rng.pick([...peer.sockets.open.values()]);
  const act = rng.below(6);
  if (act === 0) socket.give(rng.bytes(rng.below(4000)));
  else if (act === 1) socket.finish();
  else if (act === 2) socket.room = rng.below(2000);
  else if (act === 3) socket.giveRoom(5000);
  else if (act === 4) socket.answer(rng.bytes(rng.below(3000)));
  else if (rng.chance(0.2)) socket.fail(rng.pick([Failure.RESET, Failure.REFUSED, Failure.HOST_UNREACHABLE]));
}

export const STACK: Target = {
  name: "stack",
  kinds: ["flip", "cut", "noise", "lie", "lie"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const peer = new StackPeer({
      mostFlows: MOST_FLOWS,
      resolvers: [Uint8Array.of(192, 0, 2, 53)],
      ownAddresses: () => [Uint8Array.of(192, 168, 0, 1)],
    });
    peer.sockets.onConnect = (socket) => (socket.room = rng.pick([Infinity, 1000]));
    let octets = 0;
    for (let piece = 0; piece < PIECES; piece++) {
      const hits = mutations.filter((one) => one.piece === piece);
      const packet = changed(saneFrom(peer, rng).slice(), hits);
      octets += packet.length;
      peer.sendPacket(packet);
      if (peer.sockets.open.size > 0 && rng.chance(0.3)) serve(peer, rng);
      if (peer.sockets.open.size > MOST_FLOWS) throw new Error("more flows than allowed");
      // Throws when a packet is malformed.
      if (rng.chance(0.7)) peer.takes();
      peer.wait(rng.pick([0, 0, 1, 50, 250, 5000]));
    }
    peer.takes();
    peer.route = { from: PEER, to: "192.0.2.99", fromPort: 50000, toPort: 80 };
    peer.send("S 0:0(0) win 8000");
    const answers = peer.takes();
    if (!answers.some((text) => text.startsWith("S. 0:0(0) ack 1")))
      throw new Error("a new connection is not answered");
    for (let waited = 0; waited < HOURS_MS && peer.sockets.open.size > 0;) {
      const ms = Math.max(1, Math.min(60_000, peer.stack.nextTimeout() - peer.now));
      peer.wait(ms);
      peer.takes();
      waited += ms;
    }
    if (peer.sockets.open.size > 0 || peer.stack.keptOctets > 0) throw new Error("something is left of silent peers");
    return octets;
  },
};
