// ICMP (RFC 792) and ICMPv6 (RFC 4443): echoes, and the errors that tell the peer why a packet of its did not arrive.

import { put16, put32, u16 } from "../bytes/be.ts";
import { IpProto } from "../wire/ip.ts";
import { checksumOf, sumOf } from "../bytes/checksum.ts";
import { type Ends, putIp } from "./ip-packet.ts";
import { Failure } from "./socket-side.ts";

export const ICMP_HEADER = 8;

export const Echo = {
  4: { protocol: IpProto.ICMP, request: 8, reply: 0 },
  6: { protocol: IpProto.ICMPV6, request: 128, reply: 129 },
} as const;

/** The type and code of each failure. */
const ERRORS = {
  4: {
    [Failure.REFUSED]: [3, 3],
    [Failure.NET_UNREACHABLE]: [3, 0],
    [Failure.HOST_UNREACHABLE]: [3, 1],
    [Failure.PROHIBITED]: [3, 13],
    [Failure.TOO_BIG]: [3, 4],
    [Failure.EXPIRED]: [11, 0],
    [Failure.UNSUPPORTED]: [3, 2],
  },
  6: {
    [Failure.REFUSED]: [1, 4],
    [Failure.NET_UNREACHABLE]: [1, 0],
    [Failure.HOST_UNREACHABLE]: [1, 3],
    [Failure.PROHIBITED]: [1, 1],
    [Failure.TOO_BIG]: [2, 0],
    [Failure.EXPIRED]: [3, 0],
    [Failure.UNSUPPORTED]: [4, 1],
  },
} as const;

/** Types of ICMP, and what the codes of Unreachable mean in both versions (RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1, RFC 4443 §3.1). */
const UNREACHABLE = 3;
const EXPIRED = 11;
const BAD_PARAMETER = 12;
const { NET_UNREACHABLE, HOST_UNREACHABLE, UNSUPPORTED, REFUSED, TOO_BIG, PROHIBITED } = Failure;
const CODES4: readonly Failure[] = [
  ...[NET_UNREACHABLE, HOST_UNREACHABLE, UNSUPPORTED, REFUSED, TOO_BIG, NET_UNREACHABLE],
  ...[NET_UNREACHABLE, HOST_UNREACHABLE, HOST_UNREACHABLE, PROHIBITED, PROHIBITED],
  ...[NET_UNREACHABLE, HOST_UNREACHABLE, PROHIBITED, PROHIBITED, PROHIBITED],
];
const CODES6: readonly Failure[] = [
  ...[NET_UNREACHABLE, PROHIBITED, NET_UNREACHABLE, HOST_UNREACHABLE, REFUSED, PROHIBITED, PROHIBITED],
];

/** The largest packet with an error (RFC 1812 §4.3.2.3, RFC 4443 §2.4). */
const LARGEST_ERROR = { 4: 576, 6: 1280 } as const;

/** An ICMP error about a packet, which it quotes. Undefined when there is no error for it. */
export function icmpError(failure: Failure, ends: Ends, about: Uint8Array, mtu: number): Uint8Array | undefined {
  if (failure === Failure.NONE || failure === Failure.RESET) return undefined;
  const family = ends.far.length === 4 ? 4 : 6;
  const quoted = Math.min(about.length, Math.min(mtu, LARGEST_ERROR[family]) - ends.headerSize - ICMP_HEADER);
  const packet = new Uint8Array(ends.headerSize + ICMP_HEADER + quoted);
  const at = putIp(packet, 0, ends, Echo[family].protocol, ICMP_HEADER + quoted);
  const [type, code] = ERRORS[family][failure];
  packet[at] = type;
  packet[at + 1] = code;
  if (failure === Failure.TOO_BIG) put32(packet, at + 4, mtu);
  packet.set(about.subarray(0, quoted), at + ICMP_HEADER);
  putIcmpChecksum(packet, at, packet.length, ends);
  return packet;
}

/** ICMPv6 has a pseudo header in its checksum, ICMP has not. */
export function putIcmpChecksum(packet: Uint8Array, at: number, end: number, ends: Ends): void {
  put16(packet, at + 2, 0);
  const pseudo = ends.far.length === 4 ? 0 : ends.sum + IpProto.ICMPV6 + end - at;
  put16(packet, at + 2, checksumOf(sumOf(packet, at, end, pseudo)));
}

/** True for the type of a message about a packet that did not arrive. */
export function isIcmpError(family: 4 | 6, type: number): boolean {
  return family === 6 ? type < Echo[6].request : type === UNREACHABLE || type === EXPIRED || type === BAD_PARAMETER;
}

/** What an error says. Undefined: nothing that matters to a flow. */
export function failureOf(family: 4 | 6, type: number, code: number): Failure | undefined {
  if (family === 4) return type === UNREACHABLE ? CODES4[code] : type === EXPIRED ? Failure.EXPIRED : undefined;
  if (type === 1) return CODES6[code];
  return type === 2 ? Failure.TOO_BIG : type === 3 ? Failure.EXPIRED : undefined;
}

export function echoId(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + 4);
}
