// The options of LCP, in the order of our Configure-Request. A new option is a file in lcp/ and a line here.

import { asyncmap } from "./lcp/asyncmap.ts";
import { authProtocol } from "./lcp/auth-protocol.ts";
import { callback } from "./lcp/callback.ts";
import { endpointDiscriminator } from "./lcp/endpoint-discriminator.ts";
import { fcsAlternatives } from "./lcp/fcs-alternatives.ts";
import { accomp, pcomp } from "./lcp/field-compression.ts";
import { magicNumber } from "./lcp/magic-number.ts";
import { maxReceiveUnit } from "./lcp/max-receive-unit.ts";
import { maxReconstructedUnit, shortSequence } from "./lcp/multilink.ts";
import { qualityProtocol } from "./lcp/quality-protocol.ts";
import type { RowsConfig, RowsGot, RowsPeer } from "./option-row.ts";

export const LCP_OPTIONS = [
  maxReceiveUnit,
  asyncmap,
  authProtocol,
  qualityProtocol,
  callback,
  magicNumber,
  pcomp,
  accomp,
  fcsAlternatives,
  maxReconstructedUnit,
  shortSequence,
  endpointDiscriminator,
] as const;

export type LcpOptionsConfig = RowsConfig<typeof LCP_OPTIONS>;
/** One side's options. A field that is undefined or false has its default. */
export type LcpOptions = RowsPeer<typeof LCP_OPTIONS>;
/** Our options, and the other fields that a request needs. */
export type LcpAsked = RowsGot<typeof LCP_OPTIONS>;
