// The rest of a packet in pieces when its network protocol goes down, and when the link that is left is another one.

import { expect, test } from "bun:test";
import { FCS_ROOM } from "../../src/frame/fcs.ts";
import type { Member, Terms } from "../../src/link/bundle-member.ts";
import { Bundle } from "../../src/link/bundle.ts";
import { PLAIN_SIZE } from "../../src/link/datapath.ts";
import { PIECE_ROOM } from "../../src/link/pieces.ts";
import { Code } from "../../src/wire/control.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { interleaving } from "../kit/load-with-pings.ts";
import { PacedPair, type PacedSide } from "../kit/paced-pair.ts";
import { linkConfig } from "../kit/pair.ts";
import { withRng } from "../kit/rng.ts";
import { TcpFlow } from "../kit/tcp-flow.ts";

const A = 0x0a000001;
const B = 0x0a000002;

function cut(carrier: Pick<Bundle, "cut">, packet: Uint8Array, now: number): boolean {
  const buf = new Uint8Array(PIECE_ROOM + packet.length + FCS_ROOM);
  buf.set(packet, PIECE_ROOM);
  return carrier.cut(buf, PIECE_ROOM, PIECE_ROOM + packet.length, now);
}

/** IPCP of that side goes down, and comes up again. */
function renegotiate({ carrier: { networks } }: PacedSide, now: number): void {
  networks.receiveControl(Protocol.IPCP, Uint8Array.of(Code.ConfReq, 200, 0, 4), 0, 4, now);
}

test("IPCP goes down after the first piece of a packet: the rest is not sent, and the next packets arrive, header compression included", () =>
  withRng((rng) => {
    const configs = [interleaving(A, B), interleaving(B, A)] as const;
    // Side b is a bundle.
    const pair = new PacedPair(configs, rng, 115_200, true);
    pair.run(3000);
    for (const [from, to, route] of [
      [pair.a, pair.b, [A, B]],
      [pair.b, pair.a, [B, A]],
    ] as [PacedSide, PacedSide, [number, number]][]) {
      const { carrier } = from;
      const { networks } = carrier;
      expect(networks.ipv4Up).toBe(true);
      const flow = new TcpFlow(...route, [20, 4000]);
      const received: Uint8Array[] = [];
      to.received = (packet) => void received.push(packet);
      const packets = Array.from({ length: 4 }, () => flow.next(rng.bytes(1400)));
      expect(cut(carrier, packets[0]!, pair.now)).toBe(true);
      carrier.sendPiece(pair.now);
      expect(carrier.hasPieces).toBe(true);
      renegotiate(from, pair.now);
      expect([networks.ipv4Up, carrier.hasPieces]).toEqual([false, false]);
      pair.run(pair.now + 3000);
      expect(networks.ipv4Up).toBe(true);
      const rest = packets.slice(1);
      from.bulk = () => rest.shift();
      pair.run(pair.now + 3000);
      from.bulk = undefined;
      expect(received).toEqual(packets.slice(1));
      expect(networks.datapath.counters().sent.vjCompressed).toBeGreaterThan(0);
    }
  }));

const TERMS: Terms = {
  peerName: "x",
  endpoint: undefined,
  multilink: true,
  ourMrru: 1500,
  peerMrru: 1500,
  peerMru: 1500,
  ourShortSequence: true,
  peerShortSequence: true,
  keys: undefined,
};

test("the first link of a bundle leaves, and the peer's MRU of the one that is left is small: no piece is longer", () => {
  const bundle = new Bundle(
    { networks: linkConfig().networks, hidePassword: true, ifname: "ppp0" },
    { plain: new Uint8Array(PLAIN_SIZE), random32: () => 1, peerMayUse: () => true, madeUpPeerAddress: () => 0 },
    0,
  );
  const pieces: number[] = [];
  const member = (): Member =>
    ({
      // Fast enough for pieces of 720 octets.
      load: () => ({ rate: 45, backlog: 0 }),
      hasRoom: () => true,
      sendPacket: (protocol: number, _: Uint8Array, start: number, end: number) => {
        if (protocol === Protocol.MP) pieces.push(end - start);
      },
    }) as unknown as Member;
  const [first, second] = [member(), member()];
  bundle.join(first, TERMS, 0);
  bundle.join(second, { ...TERMS, peerMru: 576 }, 0);
  bundle.leave(first, 0);
  bundle.networks.ipv4Up = true;
  const packet = new Uint8Array(1500);
  packet[0] = 0x45;
  pieces.length = 0;
  expect(cut(bundle, packet, 1)).toBe(true);
  while (bundle.hasPieces) bundle.sendPiece(1);
  expect(pieces.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(1500);
  expect(Math.max(...pieces)).toBeLessThanOrEqual(576);
});
