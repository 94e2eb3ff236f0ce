// Measures what the ring of the latest packets costs a link: two links in memory send packets to each other, with the ring
// at both ends and without it in turns. A system call for each packet, which a real link also has, is not part of it.

import { consola } from "consola";
import { PacketLog } from "../../src/run/live/packet-log.ts";
import { linkConfig, Pair, Side } from "../../test/kit/pair.ts";
import { Rng } from "../../test/kit/rng.ts";
import { HEADROOM } from "../../src/frame/header.ts";
import { FCS_ROOM } from "../../src/frame/fcs.ts";
import { table } from "./table.ts";

const LENGTHS = [52, 576, 1500];
const PACKETS = 1000;
const BUFFERS = 64;
const OUR = 0x0a000001;
const PEER = 0x0a000002;

/** Two links that are up. */
class Ends {
  readonly #pair: Pair;
  #now: number;

  constructor(hasRing: boolean) {
    const rng = new Rng(5);
    const side = (our: number, peer: number): Side => {
      const { networks } = linkConfig();
      const config = linkConfig({ networks: { ...networks, ipcp: { ...networks.ipcp!, our, peer } } });
      return new Side(config, rng, hasRing ? { tap: new PacketLog().line(0, "bench") } : {});
    };
    this.#pair = new Pair(side(OUR, PEER), side(PEER, OUR));
    this.#pair.open();
    if (!this.#pair.run(() => this.#pair.a.has("ipv4-up") && this.#pair.b.has("ipv4-up")))
      throw new Error("the links did not come up");
    this.#now = this.#pair.now;
  }

  /** Microseconds for a packet from one link to the other. */
  cost(packets: readonly Uint8Array[], end: number): number {
    const { a, b } = this.#pair;
    const now = ++this.#now;
    let received = 0;
    const begin = performance.now();
    for (let count = 0; count < PACKETS; count++) {
      a.link.send(packets[count % packets.length]!, HEADROOM, end, now);
      const { output } = a;
      b.input.put(output.bytes.subarray(output.readAt, output.readAt + output.readable));
      output.consume(output.readable);
      if (output.length > 0) {
        b.input.put(output.bytes.subarray(output.readAt, output.readAt + output.readable));
        output.consume(output.readable);
      }
      while (b.link.receive(b.input, now)) received++;
    }
    const spent = performance.now() - begin;
    if (received !== PACKETS) throw new Error(`${received} packets arrived of ${PACKETS}`);
    return (spent * 1000) / PACKETS;
  }
}

/** An IPv4 packet of TCP with random data. */
function packetOf(length: number): Uint8Array {
  const rng = new Rng(length);
  const packet = new Uint8Array(HEADROOM + length + FCS_ROOM);
  for (let at = HEADROOM; at < HEADROOM + length; at++) packet[at] = rng.u32();
  packet.set([0x45, 0, length >>> 8, length & 255, 0, 0, 0x40, 0, 64, 6], HEADROOM);
  packet[HEADROOM + 32] = 0x80;
  return packet;
}

export function benchPacketRing(quick: boolean): void {
  const rounds = quick ? 50 : 400;
  const [without, withRing] = [new Ends(false), new Ends(true)];
  const rows = LENGTHS.map((length) => {
    const packet = packetOf(length);
    // Packets come from many buffers, as those of the queue do.
    const packets = Array.from({ length: BUFFERS }, () => packet.slice());
    const end = HEADROOM + length;
    // The least of many rounds: what else the machine does only adds to the others.
    const least = { without: Infinity, withRing: Infinity };
    for (let round = 0; round < rounds; round++) {
      least.without = Math.min(least.without, without.cost(packets, end));
      least.withRing = Math.min(least.withRing, withRing.cost(packets, end));
    }
    const ratio = least.withRing / least.without;
    return [`${length} octets`, least.without.toFixed(3), least.withRing.toFixed(3), ratio.toFixed(3)];
  });
  console.log(table(["packet sent and received", "µs without", "µs with the ring", "ratio"], rows));
}

if (import.meta.main) {
  consola.start("What the ring of the latest packets costs a link in memory");
  benchPacketRing(process.argv.includes("--quick"));
}
