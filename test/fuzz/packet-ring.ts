// The ring of the latest packets and the captures made of it: packets of every protocol, damaged anywhere. Nothing throws,
// the items are those of a simple model, a capture of them is well-formed, and no password is in it.

import { type Kept, NETWORK, PacketRing } from "../../src/record/packet-ring.ts";
import { PcapngStream } from "../../src/record/pcapng-stream.ts";
import { putAuthReq } from "../../src/wire/pap.ts";
import { blocksOf } from "../kit/pcapng-text.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 400;
const PASSWORD = "gargleBlaster";
const LONGEST = 3000;
const HEADS = [
  [0xff, 3, 0xc0, 0x23], [0xc0, 0x23], [0xff, 3, 0xc0, 0x21, 8, 1, 0, 40, 0xc0, 0x23], [0xff, 3, 0xc0, 0x21, 9],
  [0x21, 0x45], [0, 0x57, 0x60], [0xfd], [0, 0x3d, 0xc0], [0x2d, 0x0b], [0xff, 3, 0x80, 0xfd, 1],
]; // prettier-ignore

export const PACKET_RING: Target = {
  name: "packet-ring",
  kinds: ["flip", "cut", "long", "note"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const ring = new PacketRing();
    const model: (string | number)[] = [];
    let octets = 0;
    for (let piece = 0; piece < PIECES; piece++) {
      const { packet, flipFrom, flipTo } = packetOf(rng);
      let end = packet.length;
      for (const { kind, a, b } of mutations.filter((one) => one.piece % PIECES === piece)) {
        if (kind === "flip") packet[flipFrom + (a % (flipTo - flipFrom))]! ^= 1 << (b & 7);
        else if (kind === "cut") end = Math.max(1, a % (end + 1));
        else if (kind === "note") ring.note(b & 255, piece, "x".repeat(a % LONGEST));
      }
      if (mutations.some(({ kind, piece: at }) => kind === "note" && at % PIECES === piece)) continue;
      if (rng.u32() & 1) ring.sent(rng.below(4), piece, packet, 0, end, 0);
      else ring.received(rng.below(4), piece, packet, 0, end, rng.u32());
      model.push(piece);
      octets += end;
    }
    const items = [...ring.items()];
    const kept = items.flatMap((item) => (item.type === "packet" ? [item.time] : []));
    if (kept.join() !== model.slice(model.length - kept.length).join()) throw new Error("the ring has a gap");
    check(items);
    return octets;
  },
};

/** Of a request of PAP, only the lengths and the name are damaged: another protocol or code has no password. */
function packetOf(rng: Rng): { packet: Uint8Array; flipFrom: number; flipTo: number } {
  const head = HEADS[rng.below(HEADS.length)]!;
  const packet = new Uint8Array(head.length + 64 + (rng.below(8) === 0 ? rng.below(LONGEST) : 0));
  packet.set(head);
  const isPap = head.at(-1) === 0x23;
  if (!isPap) return { packet, flipFrom: 0, flipTo: packet.length };
  const end = putAuthReq(packet, head.length, 1, "zaphod", PASSWORD);
  return { packet: packet.slice(0, end), flipFrom: head.length + 2, flipTo: end - PASSWORD.length };
}

function check(items: readonly Kept[]): void {
  const blocks: Uint8Array[] = [];
  const stream = new PcapngStream({
    epoch: 0,
    hidePassword: true,
    name: (line) => (line === NETWORK ? "ppp0" : `line ${line}`),
    put: (block) => blocks.push(block) > 0,
  });
  for (const item of items) stream.add(item);
  const whole = Buffer.concat(blocks);
  if (blocksOf(whole).length !== blocks.length) throw new Error("the blocks cannot be told apart");
  if (whole.includes(PASSWORD)) throw new Error("a password is in the capture");
}
