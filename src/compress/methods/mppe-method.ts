// MPPC and MPPE, which share an option: its bits name compression, encryption or both (RFC 2118 §2, RFC 3078 §2).

import { u32 } from "../../bytes/be.ts";
import { CcpOption } from "../../wire/ccp.ts";
import { type ConfOption, option32, type Verdict } from "../../wire/control.ts";
import { octets } from "../../wire/text-part.ts";
import type { Complain, Method, MethodRow, Wish } from "../method-row.ts";
import { MppcCompressor, MppcDecompressor } from "../mppc.ts";
import { MppeCompressor, MppeDecompressor } from "../mppe.ts";

/** Encryption is required. No other method is negotiated then. */
export interface MppeConfig {
  readonly bits40: boolean;
  readonly bits56: boolean;
  readonly bits128: boolean;
  /** The key may stay the same for 256 packets. */
  readonly stateful: boolean;
}

interface MppcConfig {
  readonly mppc: Wish;
  readonly mppe: MppeConfig | undefined;
}

export const mppe: MethodRow<MppcConfig> = {
  type: CcpOption.Mppe,
  encrypts: true,
  describe: (packet, at, length) => (length >= 4 ? { text: bitsText(packet, at), next: at + 4 } : undefined),
  ask(config) {
    const compress = config.mppc === "request";
    if (config.mppe !== undefined) return mppeOption(wantedBits(config.mppe, compress));
    return compress ? mppeOption(MppeBit.Mppc) : undefined;
  },
  judge(value, config, complain) {
    const bits = readMppe(value);
    if (bits === undefined) return "reject";
    if (config.mppe !== undefined) return judgeEncryption(bits, config.mppe, config.mppc === "request", complain);
    if (config.mppc === "no" || (bits & MppeBit.Mppc) === 0) return "reject";
    // A peer that also asks for encryption is offered compression alone.
    return bits === MppeBit.Mppc ? "ack" : mppeOption(MppeBit.Mppc);
  },
  better(askedValue, offerValue, config, complain) {
    const asked = readMppe(askedValue)!;
    const offer = readMppe(offerValue);
    if (offer === undefined) return undefined;
    if (config.mppe === undefined) return offer === MppeBit.Mppc ? mppeOption(offer) : undefined;
    if (isRefusedStateful(offer, config.mppe, complain)) return undefined;
    const { bits56 } = config.mppe;
    const allowed = wantedBits(config.mppe, (asked & MppeBit.Mppc) !== 0) | (bits56 ? MppeBit.Bits56 : 0);
    return (offer & KEY_BITS) !== 0 && (offer & ~allowed) === 0 ? mppeOption(offer) : undefined;
  },
  parse(value) {
    const bits = readMppe(value) ?? 0;
    if ((bits & KEY_BITS) !== 0) return encryption(bits);
    if ((bits & MppeBit.Mppc) === 0) return undefined;
    return {
      kind: "mppc",
      name: "MPPC",
      compressor: () => new MppcCompressor(),
      decompressor: () => new MppcDecompressor(),
    };
  },
};

function encryption(option: number): Method {
  const bits = option & MppeBit.Bits128 ? 128 : option & MppeBit.Bits56 ? 56 : 40;
  const stateless = (option & MppeBit.Stateless) !== 0;
  const compress = (option & MppeBit.Mppc) !== 0;
  return {
    kind: "mppe",
    name: `MPPE ${bits}-bit ${stateless ? "stateless" : "stateful"}${compress ? " MPPC" : ""}`,
    encryption: { bits, stateless },
    compressor: (keys) => keys && new MppeCompressor({ bits, stateless, compress, key: keys.transmit }),
    decompressor: (keys) => keys && new MppeDecompressor({ bits, stateless, compress, key: keys.receive }),
  };
}

function judgeEncryption(bits: number, config: MppeConfig, mayCompress: boolean, complain: Complain): Verdict {
  if ((bits & KEY_BITS) !== 0 && isRefusedStateful(bits, config, complain)) return "reject";
  const strength = strongest(bits, config);
  if (strength === undefined) return (bits & KEY_BITS) === 0 ? mppeOption(wantedBits(config, false)) : "reject";
  const compress = mayCompress ? bits & MppeBit.Mppc : 0;
  const good = (strength | compress | (bits & MppeBit.Stateless)) >>> 0;
  return good === bits ? "ack" : mppeOption(good);
}

function isRefusedStateful(bits: number, { stateful }: MppeConfig, complain: Complain): boolean {
  if ((bits & MppeBit.Stateless) !== 0 || stateful) return false;
  complain("Refusing MPPE stateful mode offered by peer");
  return true;
}

/**
 * The bits that we ask for. Stateless mode is asked for first, even if stateful mode is allowed. 56 bits are asked for
 * only when no other strength is allowed.
 */
function wantedBits({ bits40, bits56, bits128 }: MppeConfig, compress: boolean): number {
  let bits: number = MppeBit.Stateless;
  if (bits40) bits |= MppeBit.Bits40;
  if (bits128) bits |= MppeBit.Bits128;
  if (bits56 && !bits40 && !bits128) bits |= MppeBit.Bits56;
  if (compress) bits |= MppeBit.Mppc;
  return bits >>> 0;
}

/** The strongest of the offered strengths that is allowed. */
function strongest(bits: number, { bits40, bits56, bits128 }: MppeConfig): number | undefined {
  if (bits128 && bits & MppeBit.Bits128) return MppeBit.Bits128;
  if (bits56 && bits & MppeBit.Bits56) return MppeBit.Bits56;
  return bits40 && bits & MppeBit.Bits40 ? MppeBit.Bits40 : undefined;
}

/** The supported bits of the option (RFC 3078 §2). */
export const MppeBit = {
  /** H: the key changes with every packet. */
  Stateless: 0x01000000,
  /** M */
  Bits56: 0x80,
  /** S */
  Bits128: 0x40,
  /** L */
  Bits40: 0x20,
  /** D */
  Obsolete: 0x10,
  /** C */
  Mppc: 0x01,
} as const;

const KEY_BITS = MppeBit.Bits40 | MppeBit.Bits56 | MppeBit.Bits128;

export function readMppe(value: Uint8Array): number | undefined {
  return value.length === 4 ? u32(value, 0) : undefined;
}

export function mppeOption(bits: number): ConfOption {
  return option32(CcpOption.Mppe, bits);
}

const FLAGS: readonly (readonly [number, string])[] = [
  [MppeBit.Stateless, "H"],
  [MppeBit.Bits56, "M"],
  [MppeBit.Bits128, "S"],
  [MppeBit.Bits40, "L"],
  [MppeBit.Obsolete, "D"],
  [MppeBit.Mppc, "C"],
];
const KNOWN_BITS = FLAGS.reduce((bits, [bit]) => bits | bit, 0);

function bitsText(packet: Uint8Array, at: number): string {
  const bits = u32(packet, at);
  const flags = FLAGS.map(([bit, name]) => ((bits & bit) === 0 ? `-${name}` : `+${name}`)).join(" ");
  const strange = (bits & ~KNOWN_BITS) === 0 ? "" : ` +U (${octets(packet, at, at + 4).trim()})`;
  return `mppe ${flags}${strange}`;
}
