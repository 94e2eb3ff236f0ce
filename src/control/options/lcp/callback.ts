// Callback: we ask to be called back, by CBCP (RFC 1570 §2.3). A peer that asks for it is refused.

import { CALLBACK_CBCP, callbackOption, LcpOption } from "../../../wire/lcp.ts";
import type { LcpRow } from "./lcp-row.ts";

interface CallbackConfig {
  readonly callback: boolean;
}

interface CallbackOptions {
  callback: boolean;
}

export const callback: LcpRow<CallbackConfig, CallbackOptions> = {
  type: LcpOption.Callback,
  got: { callback: false },
  peer: { callback: false },
  describe(packet, at, length) {
    if (length < 1) return undefined;
    const operation = packet[at]!;
    return { text: `callback ${operation === CALLBACK_CBCP ? "CBCP" : `0x${operation.toString(16)}`}`, next: at + 1 };
  },
  start({ config, got }) {
    got.callback = config.callback;
  },
  ask: ({ got }) => (got.callback ? callbackOption(CALLBACK_CBCP) : undefined),
  naked(_, { got }) {
    got.callback = false;
  },
};
