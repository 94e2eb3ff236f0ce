// Async-Control-Character-Map: the control characters a side wants escaped (RFC 1662 §7.1).

import { ACCM_ALL } from "../../../frame/accm.ts";
import { option32, read32 } from "../../../wire/control.ts";
import { LcpOption } from "../../../wire/lcp.ts";
import { text32 } from "../../../wire/text-part.ts";
import type { LcpRow } from "./lcp-row.ts";

interface AsyncmapConfig {
  /** The receive ACCM to ask for; undefined: do not ask. */
  readonly asyncmap: number | undefined;
  /** True when the peer may ask for an ACCM; and the control characters that we always escape. */
  readonly allowAsyncmap: boolean;
  readonly escapedAsyncmap: number;
}

interface AsyncmapOptions {
  asyncmap: number | undefined;
}

export const asyncmap: LcpRow<AsyncmapConfig, AsyncmapOptions> = {
  type: LcpOption.Asyncmap,
  got: { asyncmap: undefined },
  peer: { asyncmap: undefined },
  describe: text32("asyncmap"),
  start({ config, got }) {
    got.asyncmap = config.asyncmap === ACCM_ALL ? undefined : config.asyncmap;
  },
  ask: ({ got }) => (got.asyncmap === undefined ? undefined : option32(LcpOption.Asyncmap, got.asyncmap)),
  judge(value, { config, peer }) {
    const accm = read32(value);
    if (accm === undefined || !config.allowAsyncmap) return "reject";
    const least = (accm | config.escapedAsyncmap) >>> 0;
    if (accm !== least) return option32(LcpOption.Asyncmap, least);
    peer.asyncmap = accm;
    return "ack";
  },
  understands: (value) => read32(value) !== undefined,
  naked(value, { got }) {
    if (got.asyncmap !== undefined) got.asyncmap = (got.asyncmap | read32(value)!) >>> 0;
  },
};
