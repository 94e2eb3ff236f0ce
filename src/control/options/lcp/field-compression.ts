// Protocol-Field-Compression, and Address-and-Control-Field-Compression (RFC 1661 §6.5, §6.6).

import { LcpOption } from "../../../wire/lcp.ts";
import { flagRow } from "./lcp-row.ts";

export const pcomp = flagRow(LcpOption.Pcomp, "pcomp", { pcomp: false });
export const accomp = flagRow(LcpOption.Accomp, "accomp", { accomp: false });
