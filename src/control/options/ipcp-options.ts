// The options of IPCP, in the order of our Configure-Request. A new option is a file in ipcp/ and a line here.

import { headerCompression } from "./ipcp/header-compression.ts";
import { ipAddress, ipAddresses } from "./ipcp/ip-addresses.ts";
import { dns1, dns2, wins1, wins2 } from "./ipcp/server-addresses.ts";
import type { RowsConfig, RowsGot, RowsPeer } from "./option-row.ts";

export const IPCP_OPTIONS = [ipAddresses, headerCompression, ipAddress, dns1, dns2, wins1, wins2] as const;

export type IpcpOptionsConfig = RowsConfig<typeof IPCP_OPTIONS>;
export type IpcpAsked = RowsGot<typeof IPCP_OPTIONS>;
export type IpcpHeard = RowsPeer<typeof IPCP_OPTIONS>;
