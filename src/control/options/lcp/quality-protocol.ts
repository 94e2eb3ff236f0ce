// Quality-Protocol: the reports on the line's quality that a side wants to receive (RFC 1661 §6.3, RFC 1989 §2.4).

import { u16 } from "../../../bytes/be.ts";
import { LcpOption, qualityOption, readQuality } from "../../../wire/lcp.ts";
import { Protocol } from "../../../wire/protocols.ts";
import type { LcpRow } from "./lcp-row.ts";

/** The shortest period that we agree to, in hundredths of a second. More frequent reports tell nothing more. */
const LEAST_PERIOD = 100;

interface QualityConfig {
  /**
   * Hundredths of a second between the reports that we ask for. 0: ask for none, but let the peer ask. -1: allow none.
   */
  readonly qualityPeriod: number;
}

interface QualityOptions {
  /** Hundredths of a second between the reports that the side wants to receive. */
  quality: number | undefined;
}

export const qualityProtocol: LcpRow<QualityConfig, QualityOptions> = {
  type: LcpOption.Quality,
  got: { quality: undefined },
  peer: { quality: undefined },
  describe(packet, at, length) {
    if (length < 2) return undefined;
    const protocol = u16(packet, at);
    return { text: `quality ${protocol === Protocol.LQR ? "lqr" : `0x${protocol.toString(16)}`}`, next: at + 2 };
  },
  start({ config, got }) {
    got.quality = config.qualityPeriod > 0 ? config.qualityPeriod : undefined;
  },
  ask: ({ got }) => (got.quality === undefined ? undefined : qualityOption(Protocol.LQR, got.quality)),
  judge(value, { config, peer }) {
    const quality = readQuality(value);
    if (quality === undefined || config.qualityPeriod < 0) return "reject";
    // No other quality protocol is known here.
    if (quality.protocol !== Protocol.LQR || quality.period === undefined)
      return qualityOption(Protocol.LQR, quality.period ?? 0);
    if (quality.period > 0 && quality.period < LEAST_PERIOD) return qualityOption(Protocol.LQR, LEAST_PERIOD);
    peer.quality = quality.period;
    return "ack";
  },
  understands: (value) => readQuality(value) !== undefined,
  naked(value, { got }) {
    const quality = readQuality(value);
    const fits = quality?.protocol === Protocol.LQR && quality.period !== undefined;
    if (got.quality !== undefined) got.quality = fits ? quality.period : undefined;
  },
};
