// Maximum-Receive-Unit: the longest packet that a side receives (RFC 1661 §6.1).

import { option16, read16 } from "../../../wire/control.ts";
import { LcpOption } from "../../../wire/lcp.ts";
import { text16 } from "../../../wire/text-part.ts";
import type { LcpRow } from "./lcp-row.ts";

/** The MRU when no side asks for another. */
export const DEFAULT_MRU = 1500;
/** pppd accepts no smaller MRU. */
export const MIN_MRU = 128;

interface MruConfig {
  /** The MRU to ask for. Undefined: neither ask nor agree (default-mru). */
  readonly mru: number | undefined;
}

interface MruOptions {
  mru: number | undefined;
}

export const maxReceiveUnit: LcpRow<MruConfig, MruOptions> = {
  type: LcpOption.Mru,
  got: { mru: undefined },
  peer: { mru: undefined },
  describe: text16("mru"),
  start({ config, got }) {
    got.mru = config.mru === DEFAULT_MRU ? undefined : config.mru;
  },
  ask: ({ got: { mru } }) => (mru === undefined ? undefined : option16(LcpOption.Mru, mru)),
  judge(value, { config, peer }) {
    const mru = read16(value);
    if (mru === undefined || config.mru === undefined) return "reject";
    if (mru < MIN_MRU) return option16(LcpOption.Mru, MIN_MRU);
    peer.mru = mru;
    return "ack";
  },
  understands: (value) => read16(value) !== undefined,
  naked(value, { config, got }) {
    const mru = read16(value)!;
    // We cannot receive packets longer than we asked for.
    if (mru >= MIN_MRU && mru <= Math.max(config.mru ?? 0, DEFAULT_MRU)) got.mru = mru;
  },
};
