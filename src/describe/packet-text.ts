// A PPP packet as pppd's debug lines show it: `[LCP ConfReq id=0x1 <mru 1500>]`.

import { u16 } from "../bytes/be.ts";
import { describeCbcp, describeChap, describePap } from "./auth-text.ts";
import { describeEap } from "./eap-text.ts";
import { describeLcp } from "./lcp-text.ts";
import { describeLqr } from "./lqr-text.ts";
import { describeCcp, describeIpcp, describeIpv6cp, describeIpxcp } from "./ncp-text.ts";
import { octets, type Part } from "../wire/text-part.ts";
import { Protocol } from "../wire/protocols.ts";

export interface DescribeOptions {
  /** PAP passwords as `<hidden>` (hide-password). */
  hidePassword: boolean;
}

interface Known {
  name: string;
  describe: (packet: Uint8Array, start: number, end: number, hidePassword: boolean) => Part | undefined;
}

const nothing = (): undefined => undefined;

const KNOWN = new Map<number, Known>([
  [Protocol.LCP, { name: "LCP", describe: describeLcp }],
  [Protocol.PAP, { name: "PAP", describe: describePap }],
  [Protocol.CHAP, { name: "CHAP", describe: describeChap }],
  [Protocol.EAP, { name: "EAP", describe: describeEap }],
  [Protocol.CBCP, { name: "CBCP", describe: describeCbcp }],
  [Protocol.IPCP, { name: "IPCP", describe: describeIpcp }],
  [Protocol.IPV6CP, { name: "IPV6CP", describe: describeIpv6cp }],
  [Protocol.IPXCP, { name: "IPXCP", describe: describeIpxcp }],
  [Protocol.CCP, { name: "CCP", describe: describeCcp }],
  [Protocol.CCP_LINK, { name: "CCP-link", describe: describeCcp }],
  [Protocol.ECP, { name: "ECP", describe: nothing }],
]);

/** The data protocols that the control protocols above negotiate. */
const DATA_NAMES = new Map<number, string>([
  [Protocol.IP, "IP"],
  [Protocol.IPV6, "IPV6"],
  [Protocol.IPX, "IPX"],
  [Protocol.COMP, "Compressed"],
  [Protocol.ENCRYPTED, "Encrypted"],
]);

const DATA_SHOWN = 8;
const REST_SHOWN = 32;

/** Describes packet[start, end), which begins with the two-octet protocol. Returns a text for any octets. */
export function describePacket(packet: Uint8Array, start: number, end: number, options: DescribeOptions): string {
  if (end - start < 2) return octets(packet, start, end).trimStart();
  const protocol = u16(packet, start);
  const at = start + 2;
  const known = KNOWN.get(protocol);
  if (known !== undefined) {
    const part = known.describe(packet, at, end, options.hidePassword);
    return `[${known.name}${part?.text ?? ""}]${shown(packet, part?.next ?? at, end, REST_SHOWN)}`;
  }
  // A packet that is no report gets pppd's text.
  const report = protocol === Protocol.LQR ? describeLqr(packet, at, end) : undefined;
  if (report !== undefined) return `[LQR${report.text}]${shown(packet, report.next, end, REST_SHOWN)}`;
  const data = DATA_NAMES.get(protocol);
  if (data !== undefined) return `[${data} data]${shown(packet, at, end, DATA_SHOWN)}`;
  return `[proto=0x${protocol.toString(16)}]${shown(packet, at, end, REST_SHOWN)}`;
}

function shown(packet: Uint8Array, at: number, end: number, most: number): string {
  return end - at > most ? `${octets(packet, at, at + most)} ...` : octets(packet, at, end);
}
