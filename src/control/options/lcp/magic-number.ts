// Magic-Number: distinguishes our own packets from the peer's, which reveals a looped line (RFC 1661 §6.4).

import { option32, read32 } from "../../../wire/control.ts";
import { LcpOption } from "../../../wire/lcp.ts";
import { text32 } from "../../../wire/text-part.ts";
import type { LcpHost, LcpRow } from "./lcp-row.ts";

interface MagicConfig {
  readonly magic: boolean;
}

interface MagicOptions {
  magic: number | undefined;
}

export const magicNumber: LcpRow<MagicConfig, MagicOptions> = {
  type: LcpOption.Magic,
  got: { magic: undefined },
  peer: { magic: undefined },
  describe: text32("magic"),
  start({ config, got, host }) {
    got.magic = config.magic ? newMagic(host) : undefined;
  },
  ask: ({ got }) => (got.magic === undefined ? undefined : option32(LcpOption.Magic, got.magic)),
  judge(value, { config, got, peer, host }) {
    const magic = read32(value);
    if (magic === undefined || !config.magic) return "reject";
    // The peer's number equals ours: either our own request came back, or both sides chose the same number.
    if (magic === got.magic) return option32(LcpOption.Magic, newMagic(host));
    peer.magic = magic;
    return "ack";
  },
  understands: (value) => read32(value) !== undefined,
  naked(_, { got, host }) {
    got.magic = newMagic(host);
  },
};

/** A random number that is not zero, because zero means no magic number (RFC 1661 §6.4). */
function newMagic(host: LcpHost): number {
  return host.random32() || 1;
}
