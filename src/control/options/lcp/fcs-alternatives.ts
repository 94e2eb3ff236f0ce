// FCS-Alternatives: the frame check sequence that a side wants in the frames it receives (RFC 1570 §2.1).

import type { FcsBits } from "../../../frame/fcs.ts";
import type { ConfOption } from "../../../wire/control.ts";
import { LcpOption } from "../../../wire/lcp.ts";
import type { LcpRow } from "./lcp-row.ts";

/** The sequences and their bits in the option, the strongest first. */
const FCS_BITS: readonly [readonly [FcsBits, number], readonly [FcsBits, number], readonly [FcsBits, number]] = [
  [32, 4],
  [16, 2],
  [0, 1],
];

interface FcsConfig {
  /** Bits (0, 16 or 32) of the FCS that we ask the peer to send. Undefined: FCS-16 both ways, without this option. */
  readonly fcs: FcsBits | undefined;
}

interface FcsOptions {
  fcs: FcsBits | undefined;
}

export const fcsAlternatives: LcpRow<FcsConfig, FcsOptions> = {
  type: LcpOption.FcsAlternatives,
  got: { fcs: undefined },
  peer: { fcs: undefined },
  start({ config, got }) {
    got.fcs = config.fcs === 16 ? undefined : config.fcs;
  },
  ask: ({ got }) => (got.fcs === undefined ? undefined : fcsOption(got.fcs)),
  judge(value, { config, peer }) {
    if (value.length !== 1 || config.fcs === undefined) return "reject";
    const bits = value[0]!;
    const one = FCS_BITS.find(([, bit]) => bit === bits);
    // The RFC allows two sequences in one frame. The stronger of them is named instead.
    if (one === undefined) return fcsOption((FCS_BITS.find(([, bit]) => bits & bit) ?? FCS_BITS[1])[0]);
    peer.fcs = one[0];
    return "ack";
  },
  naked(_, { got }) {
    got.fcs = undefined;
  },
};

function fcsOption(fcs: FcsBits): ConfOption {
  return { type: LcpOption.FcsAlternatives, value: Uint8Array.of(fcs === 32 ? 4 : fcs === 16 ? 2 : 1) };
}
