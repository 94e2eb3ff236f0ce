// An endpoint discriminator as pppd prints it (RFC 1990 §5.1.3; pppd(8)).

import { Code, HEADER_LENGTH, putConfigure } from "../wire/control.ts";
import { describeLcp } from "../describe/lcp-text.ts";
import { type Endpoint, endpointOption } from "../wire/lcp.ts";

/** CLASS:VALUE as in pppd's log and dump and in the name of a bundle. */
export function endpointText(endpoint: Endpoint): string {
  const option = endpointOption(endpoint);
  const packet = new Uint8Array(HEADER_LENGTH + 2 + option.value.length);
  const text = describeLcp(packet, 0, putConfigure(packet, 0, Code.ConfReq, 0, [option]))?.text ?? "";
  return text.slice(text.indexOf("[") + 1, text.indexOf("]"));
}
