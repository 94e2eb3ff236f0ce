// Turns a record file into a pcapng capture for Wireshark: the packets of its good frames with times and directions.

import { fcs32Over, FCS32_GOOD, FCS32_INIT, FCS_GOOD, FCS_INIT, fcsOver } from "../frame/fcs.ts";
import { addressEnd, protocolEnd } from "../frame/header.ts";
import { interfaceBlock, packetBlock, sectionBlock } from "./pcapng.ts";
import type { RecordItem } from "./pppdump-file.ts";
import { Unframer } from "./unframer.ts";
import { Unpacker } from "./unpacker.ts";

export interface CaptureOptions {
  /** Swap sent and received. */
  reverse: boolean;
  /** Decompress the packets as CCP agreed. */
  decompress: boolean;
}

/** The result of a capture so far. */
export interface CaptureCounts {
  packets: number;
  /** Frames with a wrong FCS, cut short or aborted. They are left out. */
  badFrames: number;
  /** Octets of the file that belong to no item. */
  nonsense: number;
  /** Files that end within an item. */
  cut: number;
}

interface Side {
  readonly isSent: boolean;
  readonly frame: Unframer;
  readonly unpacker: Unpacker | undefined;
}

/** Turns items into octets of the capture. The state is kept from file to file. */
export class Capture {
  readonly counts: CaptureCounts = { packets: 0, badFrames: 0, nonsense: 0, cut: 0 };
  readonly #sent: Side;
  readonly #received: Side;
  /** Milliseconds since 1970. */
  #now = 0;

  constructor({ reverse, decompress }: CaptureOptions) {
    const side = (isSent: boolean): Side => ({
      isSent,
      frame: new Unframer(),
      unpacker: decompress ? new Unpacker() : undefined,
    });
    this.#sent = side(!reverse);
    this.#received = side(reverse);
  }

  /** The octets at the start of the capture. */
  header(): Uint8Array {
    const [section, line] = [sectionBlock(), interfaceBlock("record", "the line of a record file")];
    const header = new Uint8Array(section.length + line.length);
    header.set(section);
    header.set(line, section.length);
    return header;
  }

  /** The octets for one item: a block for each packet that ends in it. */
  item(item: RecordItem): Uint8Array[] {
    switch (item.type) {
      case "start":
        this.#now = item.time * 1000;
        return [];
      case "time":
        this.#now += item.tenths * 100;
        return [];
      case "sent":
      case "received":
        if (item.cut) this.counts.cut++;
        return this.#octets(item.type === "sent" ? this.#sent : this.#received, item.data);
      case "end-sent":
      case "end-received":
        return [];
      case "unknown":
        this.counts.nonsense++;
        return [];
      case "cut":
        this.counts.cut++;
        return [];
      default:
        return item satisfies never;
    }
  }

  #octets(side: Side, data: Uint8Array): Uint8Array[] {
    const blocks: Uint8Array[] = [];
    side.frame.push(data, (octets, aborted) => {
      const block = this.#frame(side, octets, aborted);
      if (block !== undefined) blocks.push(block);
    });
    return blocks;
  }

  #frame({ isSent, unpacker }: Side, octets: Uint8Array, aborted: boolean): Uint8Array | undefined {
    const length = aborted ? 0 : packetLength(octets);
    if (length === 0) {
      this.counts.badFrames++;
      return undefined;
    }
    let packet = octets.subarray(0, length);
    if (unpacker?.take(packet) === "unpacked") packet = unpacker.packet;
    this.counts.packets++;
    return packetBlock({ line: 0, isSent, time: this.#now, octets: packet });
  }
}

/** The octets of a frame without its FCS of either length. 0: the FCS is wrong, or the protocol is incomplete. */
export function packetLength(octets: Uint8Array): number {
  const fcs = fcsLength(octets);
  const length = octets.length - fcs;
  return fcs === 0 || protocolEnd(octets, addressEnd(octets, 0, length), length) < 0 ? 0 : length;
}

/** 0: the FCS is wrong. */
function fcsLength(octets: Uint8Array): number {
  const { length } = octets;
  if (length > 2 && fcsOver(FCS_INIT, octets, 0, length) === FCS_GOOD) return 2;
  return length > 4 && fcs32Over(FCS32_INIT, octets, 0, length) === FCS32_GOOD ? 4 : 0;
}
