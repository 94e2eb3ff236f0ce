// IPCP, IPv6CP, IPXCP and CCP as pppd's debug lines show them.

import { u16, u32 } from "../bytes/be.ts";
import { toHex } from "../bytes/text.ts";
import { METHODS } from "../compress/methods.ts";
import { IPCP_OPTIONS } from "../control/options/ipcp-options.ts";
import { IPV6CP_OPTIONS } from "../control/options/ipv6cp-options.ts";
import { Code } from "../wire/control.ts";
import { textOfRows } from "../wire/option-rows.ts";
import {
  describeControl,
  describeOptions,
  describeReason,
  isPrintable,
  type OptionText,
  type Part,
} from "../wire/text-part.ts";

const CODES = ["ConfReq", "ConfAck", "ConfNak", "ConfRej", "TermReq", "TermAck", "CodeRej"];
const CCP_CODES = [...CODES, "", "", "", "", "", "", "ResetReq", "ResetAck"];

export function describeIpcp(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeControl(packet, start, end, CODES, body(textOfRows(IPCP_OPTIONS)));
}

export function describeIpv6cp(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeControl(packet, start, end, CODES, body(textOfRows(IPV6CP_OPTIONS)));
}

export function describeIpxcp(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeControl(packet, start, end, CODES, body(ipxcpOption));
}

export function describeCcp(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeControl(packet, start, end, CCP_CODES, body(textOfRows(METHODS), ""));
}

/** For CCP, pppd prints no space before the reason of a termination. */
function body(option: OptionText, gap = " ") {
  return (code: number, packet: Uint8Array, at: number, end: number): Part => {
    switch (code) {
      case Code.ConfReq:
      case Code.ConfAck:
      case Code.ConfNak:
      case Code.ConfRej:
        return describeOptions(packet, at, end, option);
      case Code.TermReq:
      case Code.TermAck:
        return describeReason(packet, at, end, gap);
      default:
        return { text: "", next: at };
    }
  };
}

/** RFC 1552 §3: network, node, compression protocol, routing protocol, router name, configuration complete. */
function ipxcpOption(type: number, packet: Uint8Array, at: number, length: number): Part | undefined {
  const end = at + length;
  if (type === 1 && length === 4) return { text: `network ${u32(packet, at).toString(16)}`, next: end };
  if (type === 2 && length === 6) return { text: `node ${toHex(packet, at, end)}`, next: end };
  if (type === 3 && length === 2) return { text: `compression ${u16(packet, at)}`, next: end };
  if (type === 4 && length === 2) return { text: `router proto ${u16(packet, at)}`, next: end };
  if (type === 5 && length >= 1) return { text: `router name "${routerName(packet, at, end)}"`, next: end };
  if (type === 6 && length === 0) return { text: "complete", next: end };
  return undefined;
}

/** The only text with a quoting of its own. */
function routerName(packet: Uint8Array, at: number, end: number): string {
  let text = "";
  for (; at < end; at++)
    text += isPrintable(packet[at]!) ? String.fromCharCode(packet[at]!) : ` \\${toHex(packet, at, at + 1)}`;
  return text;
}
