// The options of IPv6CP, in the order of our Configure-Request. A new option is a file in ipv6cp/ and a line here.

import { interfaceIdentifier } from "./ipv6cp/interface-identifier.ts";
import { packetCompression } from "./ipv6cp/packet-compression.ts";
import type { RowsConfig, RowsGot, RowsPeer } from "./option-row.ts";

export const IPV6CP_OPTIONS = [interfaceIdentifier, packetCompression] as const;

export type Ipv6cpOptionsConfig = RowsConfig<typeof IPV6CP_OPTIONS>;
export type Ipv6cpAsked = RowsGot<typeof IPV6CP_OPTIONS>;
export type Ipv6cpHeard = RowsPeer<typeof IPV6CP_OPTIONS>;
