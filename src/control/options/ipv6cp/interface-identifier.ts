// Interface-Identifier: the lower 64 bits of a link-local address (RFC 5072 §4.1). The rules of pppd decide which
// side's identifier wins.

import { u32 } from "../../../bytes/be.ts";
import type { ConfOption } from "../../../wire/control.ts";
import {
  type InterfaceId,
  interfaceIdOption,
  Ipv6cpOption,
  linkLocalText,
  readInterfaceId,
} from "../../../wire/ipv6cp.ts";
import type { OptionRow, Talk } from "../option-row.ts";

export interface Ipv6cpHost {
  random32(): number;
}

interface IdentifierConfig {
  /** Our identifier. {@link NO_ID}: a random one is used, and the peer may name another. */
  readonly our: InterfaceId;
  /** The peer's identifier. {@link NO_ID}: the peer names it. */
  readonly peer: InterfaceId;
  /** Accept the identifier that the peer names for us, even if we have one. */
  readonly acceptLocal: boolean;
  /** Accept the identifier that the peer names for itself, even if we have one for it. */
  readonly acceptRemote: boolean;
  /** Do not send our identifier (ipv6cp-nosend). */
  readonly noSend: boolean;
}

interface OurIdentifier {
  our: InterfaceId;
  /** Our request has the option. */
  asks: boolean;
  /** The identifier that we last proposed to the peer. Undefined: none yet. */
  proposed: InterfaceId | undefined;
}

interface TheirIdentifier {
  /** The identifier in the peer's request. Undefined: it had none. */
  id: InterfaceId | undefined;
}

export const NO_ID: InterfaceId = { high: 0, low: 0 };

/** RFC 5072 §4.1 allows this bit only in an identifier that is unique in the world. */
const UNIVERSAL = 0x02000000;

type IdentifierTalk = Talk<IdentifierConfig, OurIdentifier, TheirIdentifier, Ipv6cpHost>;

export const interfaceIdentifier: OptionRow<IdentifierConfig, OurIdentifier, TheirIdentifier, Ipv6cpHost> = {
  type: Ipv6cpOption.InterfaceId,
  got: { our: NO_ID, asks: true, proposed: undefined },
  peer: { id: undefined },
  describe(packet, at, length) {
    if (length !== 8) return undefined;
    const id = { high: u32(packet, at), low: u32(packet, at + 4) };
    return { text: `addr ${linkLocalText(id)}`, next: at + length };
  },
  start({ config, got, host }) {
    got.our = isNone(config.our) ? newId(NO_ID, host) : config.our;
    got.asks = !config.noSend;
  },
  ask: ({ got }) => (got.asks ? interfaceIdOption(got.our) : undefined),
  judge(value, talk) {
    const { config, got, peer, host } = talk;
    const id = readInterfaceId(value);
    if (id === undefined) return "reject";
    const wanted = config.peer;
    const first = got.proposed === undefined;
    // pppd proposes its own identifier once. A peer that insists keeps its own.
    if (first && !isNone(wanted) && !config.acceptRemote && !isSame(id, wanted)) return propose(wanted, talk);
    if (isNone(id) || isSame(id, got.our)) {
      const idea = first ? wanted : NO_ID;
      return propose(isNone(idea) || isSame(idea, got.our) ? newId(got.our, host) : idea, talk);
    }
    peer.id = id;
    return "ack";
  },
  understands: (value) => readInterfaceId(value) !== undefined,
  naked(value, { config, got, host }, asReject) {
    const id = readInterfaceId(value)!;
    if (got.asks && asReject) {
      got.asks = false;
      return;
    }
    // A Nak of an option that our request left out asks for it, and we add it. With nosend we add it only when the Nak
    // names an identifier.
    if (!got.asks && config.noSend && isNone(id)) return;
    got.asks = true;
    if (!config.acceptLocal && !isNone(config.our)) return;
    const proposed = got.proposed ?? NO_ID;
    got.our = isNone(id) || isSame(id, proposed) ? newId(proposed, host) : id;
  },
  /** The value in a Reject is not compared: pppd's Rejects contain the identifier that it prefers. */
  rejected({ got }) {
    got.asks = false;
  },
};

function propose(id: InterfaceId, { got }: IdentifierTalk): ConfOption {
  got.proposed = id;
  return interfaceIdOption(id);
}

/** A random identifier that is neither {@link NO_ID} nor `other`. */
function newId(other: InterfaceId, host: Ipv6cpHost): InterfaceId {
  const high = (host.random32() & ~UNIVERSAL) >>> 0;
  let low = host.random32();
  while ((high === 0 && low === 0) || (high === other.high && low === other.low)) low = (low + 1) >>> 0;
  return { high, low };
}

export function isNone({ high, low }: InterfaceId): boolean {
  return high === 0 && low === 0;
}

export function isSame(one: InterfaceId, other: InterfaceId): boolean {
  return one.high === other.high && one.low === other.low;
}
