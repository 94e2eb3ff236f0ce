// The configuration of a network phase, and what it works with.

import type { CcpConfig } from "../control/ccp-dialect.ts";
import type { Lower } from "../control/dialect.ts";
import type { IpcpConfig, IpcpResult } from "../control/ipcp-dialect.ts";
import type { Ipv6cpConfig } from "../control/ipv6cp-dialect.ts";
import type { CompressionHost } from "./compression.ts";
import type { Filters } from "./filters.ts";
import type { NetworkTap } from "./link-tap.ts";
import type { Timer } from "./timers.ts";

export interface NetworksConfig {
  /** Undefined: no IPv4 (noip), no IPv6 (noipv6), no compression (noccp). */
  readonly ipcp: IpcpConfig | undefined;
  readonly ipv6cp: Ipv6cpConfig | undefined;
  readonly ccp: CcpConfig | undefined;
  /** pass-filter and active-filter; undefined: neither. */
  readonly filters?: Filters | undefined;
}

export interface NetworksHost extends CompressionHost {
  lower(timer: Timer): Lower;
  random32(): number;
  peerMayUse(address: number): boolean;
  madeUpPeerAddress(): number;
  /** Packets of this protocol, IP or IPV6, may pass no longer. */
  ended(protocol: number): void;
  readonly tap?: NetworkTap | undefined;
}

/** What nothing negotiates. */
export type GivenTerms = Pick<IpcpResult, "our" | "peer" | "vjReceive" | "vjTransmit">;
