// Runs the data path over dummy packets, so that its code is compiled before the first real packet. On a quiet line the
// interpreter would otherwise carry every packet, which doubles the program's part in a ping.

import { Ring } from "../../bytes/ring.ts";
import { Deframer } from "../../frame/deframer.ts";
import { Framer } from "../../frame/framer.ts";
import { HEADROOM, putHeader } from "../../frame/header.ts";
import { Protocol } from "../../wire/protocols.ts";

const ROUNDS = 400;
const LENGTH = 84;

/** Takes a few milliseconds and has no other effect. */
export function warmUp(): void {
  const ring = new Ring(new Uint8Array(4096));
  const framer = new Framer(ring);
  const deframer = new Deframer(new Uint8Array(2048));
  framer.accm = deframer.accm = 0;
  const packet = Uint8Array.from({ length: HEADROOM + LENGTH + 2 }, (_, at) => at);
  for (let round = 0; round < ROUNDS; round++) {
    const start = putHeader(packet, HEADROOM, Protocol.IP, true, true);
    framer.write(packet, start, HEADROOM + LENGTH, false, round);
    while (ring.length > 0) {
      const at = ring.readAt;
      ring.consume(deframer.push(ring.bytes, at, at + ring.readable) - at);
    }
  }
}
