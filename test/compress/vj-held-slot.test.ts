// A packet that arrives later than the packets sent after it: its slot is held, and all packets name their slots.

import { expect, test } from "bun:test";
import { VJ_HEADROOM, VjCompressor, VjDecompressor } from "../../src/compress/vj.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { TcpFlow } from "../kit/tcp-flow.ts";

interface Sent {
  readonly protocol: number;
  readonly packet: Uint8Array;
  readonly whole: Uint8Array;
}

const NAMED = 0x40;
const data = new Uint8Array(10).fill(7);

class Ends {
  readonly compressor = new VjCompressor(3, true);
  readonly #decompressor = new VjDecompressor(3, true);

  send(whole: Uint8Array): Sent {
    const copy = whole.slice();
    const protocol = this.compressor.compress(copy, 0, copy.length);
    return { protocol, packet: copy.slice(protocol === Protocol.VJ_COMP ? this.compressor.start : 0), whole };
  }

  /** The packet arrives and is the one that was sent. */
  arrives({ protocol, packet, whole }: Sent): void {
    const buf = new Uint8Array(VJ_HEADROOM + packet.length);
    buf.set(packet, VJ_HEADROOM);
    const vj = this.#decompressor;
    vj.start = VJ_HEADROOM;
    if (protocol === Protocol.VJ_UNCOMP) expect(vj.uncompressed(buf, VJ_HEADROOM, buf.length)).toBe(true);
    else if (protocol === Protocol.VJ_COMP) expect(vj.compressed(buf, VJ_HEADROOM, buf.length)).toBe(true);
    expect(buf.slice(vj.start)).toEqual(new Uint8Array(whole));
  }
}

test("packets overtake one whose slot is held, of its own connection and of more others than there are slots", () => {
  const ends = new Ends();
  const flows = [1, 2, 3, 4, 5].map((port) => new TcpFlow(0x0a000001, 0x0a000002, [port, 80]));
  const [bulk] = flows;
  for (const flow of [...flows, bulk!, bulk!]) ends.arrives(ends.send(flow.next(data)));
  for (let round = 0; round < 3; round++) {
    ends.compressor.name();
    const slow = ends.send(bulk!.next(data));
    expect(slow.protocol).toBe(Protocol.VJ_COMP);
    expect(slow.packet[0]! & NAMED).toBe(NAMED);
    ends.compressor.hold();
    const between = [bulk!, ...flows, ...flows].map((flow) => ends.send(flow.next(data)));
    for (const sent of between) {
      if (sent.protocol === Protocol.VJ_COMP) expect(sent.packet[0]! & NAMED).toBe(NAMED);
      ends.arrives(sent);
    }
    // Those of the held connection go without compression.
    expect([between[0], between[1], between[6]].map((sent) => sent!.protocol)).toEqual(Array(3).fill(Protocol.IP));
    ends.arrives(slow);
    ends.compressor.release();
    const next = [bulk!, bulk!, flows[1]!, bulk!, bulk!].map((flow) => ends.send(flow.next(data)));
    for (const sent of next) ends.arrives(sent);
    // The first one names its slot. Then everything is as before.
    expect(next[0]!.packet[0]! & NAMED).toBe(NAMED);
    expect(next[1]!.packet[0]! & NAMED).toBe(0);
  }
});
