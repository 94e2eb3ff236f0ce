// Deflate (RFC 1979 §2), and Deflate under its number in the draft, which is assigned to Magnalink.

import { CcpOption } from "../../wire/ccp.ts";
import type { ConfOption } from "../../wire/control.ts";
import { DeflateCompressor, DeflateDecompressor } from "../deflate.ts";
import type { MethodRow, Sizes } from "../method-row.ts";

/** The smallest window that we agree to is 2^9 octets. zlib's largest is 2^15. */
const LEAST_WINDOW = 9;
const MOST_WINDOW = 15;

interface DeflateConfig {
  readonly deflate: Sizes;
  /** Ask for Deflate by its draft's number too, and accept that number. */
  readonly deflateDraft: boolean;
}

export const deflate = deflateRow(CcpOption.Deflate, "deflate", "Deflate");
export const deflateDraft = deflateRow(CcpOption.DeflateDraft, "deflate(old#)", "Deflate(old#)");

function deflateRow(type: number, word: string, name: string): MethodRow<DeflateConfig> {
  const isWanted = (config: DeflateConfig): boolean => type === CcpOption.Deflate || config.deflateDraft;
  return {
    type,
    inLists: true,
    describe: (packet, at, length) =>
      length >= 2 ? { text: `${word} ${valueText(packet[at]!, packet[at + 1]!)}`, next: at + 2 } : undefined,
    ask: (config) =>
      config.deflate.receive > 0 && isWanted(config) ? deflateOption(type, config.deflate.receive) : undefined,
    judge(value, config) {
      const most = config.deflate.transmit;
      if (most === 0 || !isWanted(config) || value.length !== 2) return "reject";
      const window = readDeflate(value);
      const fits = window !== undefined && window >= LEAST_WINDOW && window <= most;
      return fits ? "ack" : deflateOption(type, most);
    },
    better(asked, offer) {
      const window = readDeflate(offer);
      if (window === undefined || window < LEAST_WINDOW) return undefined;
      return deflateOption(type, Math.min(window, readDeflate(asked)!));
    },
    parse(value) {
      const window = readDeflate(value);
      if (window === undefined || window > MOST_WINDOW) return undefined;
      return {
        kind: name,
        name,
        size: window,
        compressor: () => new DeflateCompressor(window),
        decompressor: () => new DeflateDecompressor(window),
      };
    },
  };
}

const DEFLATE_METHOD = 8;
const CHECK_SEQUENCE = 0;

/**
 * The window of a Deflate option as a power of two: the field allows 8 to 23. Undefined for another method or check.
 */
export function readDeflate(value: Uint8Array): number | undefined {
  if (value.length !== 2 || (value[0]! & 0xf) !== DEFLATE_METHOD || value[1] !== CHECK_SEQUENCE) return undefined;
  return (value[0]! >>> 4) + 8;
}

/** `type` is CcpOption.Deflate or CcpOption.DeflateDraft. */
export function deflateOption(type: number, window: number): ConfOption {
  return { type, value: Uint8Array.of(((window - 8) << 4) | DEFLATE_METHOD, CHECK_SEQUENCE) };
}

function valueText(window: number, check: number): string {
  const method = window & 0xf;
  return [
    (window >>> 4) + 8,
    ...(method === DEFLATE_METHOD ? [] : ["method", method]),
    ...(check === CHECK_SEQUENCE ? [] : ["check", check]),
  ].join(" ");
}
