// A capture that somebody reads while the link runs. It goes on over all attempts of the session. A reader that is too slow
// loses packets, and the capture says how many.

import { addressEnd, protocolAt, protocolEnd } from "../../frame/header.ts";
import { type Kept, NETWORK } from "../../record/packet-ring.ts";
import { PcapngStream } from "../../record/pcapng-stream.ts";
import type { CaptureSource, CaptureTarget, CaptureWish } from "./capture-wish.ts";
import type { PacketReader } from "./packet-log.ts";

const FIRST_CONTROL = 0x4000;

export class LiveCapture implements PacketReader {
  readonly wantsNetwork: boolean;
  readonly #wantsData: boolean;
  readonly #stream: PcapngStream;
  readonly #target: CaptureTarget;
  #detach = (): void => {};

  constructor({ packetLog, clock, hidePassword }: CaptureSource, wish: CaptureWish, target: CaptureTarget) {
    this.wantsNetwork = wish.packets !== "line";
    this.#wantsData = wish.packets !== "decompressed";
    this.#target = target;
    this.#stream = new PcapngStream({
      epoch: clock.wall() - clock.now(),
      hidePassword,
      name: (line) => packetLog.nameOf(line),
      put: (block) => target.send(block),
      room: () => target.room,
    });
    this.#stream.begin();
    if (wish.sinceMs > 0) for (const item of packetLog.ring.items(clock.now() - wish.sinceMs)) this.#stream.add(item);
    this.#detach = packetLog.attach(this);
  }

  add(item: Kept): void {
    if (item.type === "packet" && !this.#wantsData && item.line !== NETWORK && isData(item.octets)) return;
    this.#stream.add(item);
  }

  /** The session is over. */
  ended(): void {
    this.stop();
    this.#target.end();
  }

  /** The reader has left. */
  stop(): void {
    this.#detach();
  }
}

function isData(octets: Uint8Array): boolean {
  const address = addressEnd(octets, 0, octets.length);
  const at = protocolEnd(octets, address, octets.length);
  return at >= 0 && protocolAt(octets, address, at) < FIRST_CONTROL;
}
