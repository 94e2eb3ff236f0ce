// BSD-Compress (RFC 1977 §3).

import { CcpOption } from "../../wire/ccp.ts";
import type { ConfOption } from "../../wire/control.ts";
import { BsdCompressor, BsdDecompressor } from "../bsd.ts";
import type { MethodRow, Sizes } from "../method-row.ts";

const LEAST_BITS = 9;
const MOST_BITS = 15;

interface BsdConfig {
  readonly bsd: Sizes;
}

export const bsdCompress: MethodRow<BsdConfig> = {
  type: CcpOption.BsdCompress,
  inLists: true,
  describe: (packet, at, length) =>
    length >= 1 ? { text: `bsd v${packet[at]! >>> 5} ${packet[at]! & 0x1f}`, next: at + 1 } : undefined,
  ask: ({ bsd }) => (bsd.receive > 0 ? bsdOption(bsd.receive) : undefined),
  judge(value, { bsd }) {
    if (bsd.transmit === 0 || value.length !== 1) return "reject";
    const bits = readBsd(value);
    return bits !== undefined && bits >= LEAST_BITS && bits <= bsd.transmit ? "ack" : bsdOption(bsd.transmit);
  },
  better(asked, offer) {
    const bits = readBsd(offer);
    return bits === undefined || bits < LEAST_BITS ? undefined : bsdOption(Math.min(bits, readBsd(asked)!));
  },
  parse(value) {
    const bits = readBsd(value);
    if (bits === undefined || bits < LEAST_BITS || bits > MOST_BITS) return undefined;
    return {
      kind: "bsd",
      name: "BSD-Compress",
      size: bits,
      compressor: () => new BsdCompressor(bits),
      decompressor: () => new BsdDecompressor(bits),
    };
  },
};

const VERSION = 1;

/** The code size of a BSD-Compress option: 9 to 15 bits. Undefined for another version or length. */
export function readBsd(value: Uint8Array): number | undefined {
  if (value.length !== 1 || value[0]! >>> 5 !== VERSION) return undefined;
  return value[0]! & 0x1f;
}

export function bsdOption(bits: number): ConfOption {
  return { type: CcpOption.BsdCompress, value: Uint8Array.of((VERSION << 5) | bits) };
}
