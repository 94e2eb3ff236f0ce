// Stac LZS (RFC 1974 §2). pppd has no words for it, so its option is shown as octets.

import { u16 } from "../../bytes/be.ts";
import { CcpOption } from "../../wire/ccp.ts";
import type { ConfOption } from "../../wire/control.ts";
import { LzsCheck, LzsCompressor, LzsDecompressor } from "../lzs.ts";
import type { MethodRow, Wish } from "../method-row.ts";

const HISTORIES = 1;

interface LzsConfig {
  readonly lzs: Wish;
}

/** The number of histories, and the check mode. */
interface LzsValue {
  readonly histories: number;
  readonly mode: number;
}

export const lzs: MethodRow<LzsConfig> = {
  type: CcpOption.Stac,
  // RFC 1974 §2.3 recommends sequence numbers.
  ask: (config) => (config.lzs === "request" ? lzsOption(HISTORIES, LzsCheck.Sequence) : undefined),
  judge(value, config) {
    const asked = config.lzs === "no" ? undefined : readLzs(value);
    if (asked === undefined) return "reject";
    return fits(asked) ? "ack" : lzsOption(HISTORIES, LzsCheck.Sequence);
  },
  better(_, offer) {
    const value = readLzs(offer);
    return value !== undefined && fits(value) ? lzsOption(value.histories, value.mode) : undefined;
  },
  parse(value) {
    const asked = readLzs(value);
    if (asked === undefined || !isMode(asked.mode)) return undefined;
    const { mode } = asked;
    const histories = asked.histories === 0 ? 0 : 1;
    return {
      kind: "lzs",
      name: "Stac LZS",
      compressor: () => new LzsCompressor(mode, histories),
      decompressor: () => new LzsDecompressor(mode, histories),
    };
  },
};

function fits({ histories, mode }: LzsValue): boolean {
  return histories <= HISTORIES && isMode(mode);
}

function isMode(mode: number): mode is LzsCheck {
  return mode >= LzsCheck.None && mode <= LzsCheck.Extended;
}

function readLzs(value: Uint8Array): LzsValue | undefined {
  return value.length === 3 ? { histories: u16(value, 0), mode: value[2]! & 7 } : undefined;
}

function lzsOption(histories: number, mode: number): ConfOption {
  return { type: CcpOption.Stac, value: Uint8Array.of(histories >>> 8, histories, mode) };
}
