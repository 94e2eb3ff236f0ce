// The options of a link that may join a bundle, or on which packets go in pieces: the longest packet that is reassembled,
// and short sequence numbers (RFC 1990 §5.1).

import { option0, option16, read16 } from "../../../wire/control.ts";
import { type Endpoint, LcpOption } from "../../../wire/lcp.ts";
import { flagText, text16 } from "../../../wire/text-part.ts";
import type { LcpRow } from "./lcp-row.ts";
import { MIN_MRU } from "./max-receive-unit.ts";

export interface MultilinkConfig {
  /** The longest packet that we can reassemble. */
  readonly mrru: number;
  /** Use sequence numbers of 12 bits. */
  readonly shortSequence: boolean;
  /** Identifies our system. "own": this link alone, so that the peer joins it with no other. Undefined: not sent. */
  readonly endpoint: Endpoint | "own" | undefined;
}

interface LinkConfig {
  /** What we ask for and agree to. Undefined: a single link. */
  readonly multilink: MultilinkConfig | undefined;
}

interface MrruOptions {
  mrru: number | undefined;
}

export const maxReconstructedUnit: LcpRow<LinkConfig, MrruOptions> = {
  type: LcpOption.Mrru,
  got: { mrru: undefined },
  peer: { mrru: undefined },
  describe: text16("mrru"),
  start({ config, got }) {
    got.mrru = config.multilink?.mrru;
  },
  ask: ({ got }) => (got.mrru === undefined ? undefined : option16(LcpOption.Mrru, got.mrru)),
  judge(value, { config, peer }) {
    const mrru = read16(value);
    if (mrru === undefined || config.multilink === undefined) return "reject";
    peer.mrru = mrru;
    return "ack";
  },
  understands: (value) => read16(value) !== undefined,
  naked(value, { got }) {
    const mrru = read16(value)!;
    if (got.mrru !== undefined && mrru >= MIN_MRU) got.mrru = Math.min(got.mrru, mrru);
  },
};

interface SequenceOptions {
  shortSequence: boolean;
}

export const shortSequence: LcpRow<LinkConfig, SequenceOptions> = {
  type: LcpOption.Ssnhf,
  got: { shortSequence: false },
  peer: { shortSequence: false },
  describe: flagText("ssnhf"),
  start({ config, got }) {
    got.shortSequence = config.multilink?.shortSequence ?? false;
  },
  ask: ({ got }) => (got.shortSequence ? option0(LcpOption.Ssnhf) : undefined),
  judge(value, { config, peer }) {
    if (value.length !== 0 || config.multilink === undefined) return "reject";
    peer.shortSequence = true;
    return "ack";
  },
};
