// LCP as pppd's debug lines show it.

import { u16, u32 } from "../bytes/be.ts";
import { toHex } from "../bytes/text.ts";
import { Code } from "../wire/control.ts";
import { ipv4Text } from "../wire/ip.ts";
import { CALLBACK_CBCP, ChapDigest, EndpointClass, LcpOption, MAX_ENDPOINT_LENGTH } from "../wire/lcp.ts";
import { Protocol } from "../wire/protocols.ts";
import { describeControl, describeOptions, describeReason, quoted, type Part } from "../wire/text-part.ts";

const CODES = [
  "ConfReq", "ConfAck", "ConfNak", "ConfRej", "TermReq", "TermAck", "CodeRej",
  "ProtRej", "EchoReq", "EchoRep", "DiscReq", "Ident", "TimeRem",
]; // prettier-ignore

/** Octets shown of data that means nothing to pppd. */
const SHOWN = 32;

export function describeLcp(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeControl(packet, start, end, CODES, body, SHOWN);
}

function body(code: number, packet: Uint8Array, at: number, end: number): Part {
  switch (code) {
    case Code.ConfReq:
    case Code.ConfAck:
    case Code.ConfNak:
    case Code.ConfRej:
      return describeOptions(packet, at, end, option);
    case Code.TermReq:
    case Code.TermAck:
      return describeReason(packet, at, end);
    case Code.EchoReq:
    case Code.EchoRep:
    case Code.DiscReq:
      return magic(packet, at, end);
    case Code.Ident:
      return message(packet, magic(packet, at, end), end);
    case Code.TimeRem: {
      const part = magic(packet, at, end);
      if (end - part.next < 4) return part;
      const seconds = `${part.text} seconds=${u32(packet, part.next)}`;
      return message(packet, { text: seconds, next: part.next + 4 }, end);
    }
    default:
      return { text: "", next: at };
  }
}

function magic(packet: Uint8Array, at: number, end: number): Part {
  if (end - at < 4) return { text: "", next: at };
  return { text: ` magic=0x${u32(packet, at).toString(16)}`, next: at + 4 };
}

function message(packet: Uint8Array, before: Part, end: number): Part {
  if (before.next === end) return before;
  return { text: `${before.text} ${quoted(packet, before.next, end)}`, next: end };
}

function option(type: number, packet: Uint8Array, at: number, length: number): Part | undefined {
  const end = at + length;
  switch (type) {
    case LcpOption.Mru:
      return length === 2 ? { text: `mru ${u16(packet, at)}`, next: end } : undefined;
    case LcpOption.Asyncmap:
      return length === 4 ? { text: `asyncmap 0x${u32(packet, at).toString(16)}`, next: end } : undefined;
    case LcpOption.Auth:
      return length >= 2 ? auth(packet, at, end) : undefined;
    case LcpOption.Quality: {
      if (length < 2) return undefined;
      const protocol = u16(packet, at);
      return { text: `quality ${protocol === Protocol.LQR ? "lqr" : hex(protocol)}`, next: at + 2 };
    }
    case LcpOption.Callback: {
      if (length < 1) return undefined;
      const operation = packet[at]!;
      return { text: `callback ${operation === CALLBACK_CBCP ? "CBCP" : hex(operation)}`, next: at + 1 };
    }
    case LcpOption.Magic:
      return length === 4 ? { text: `magic 0x${u32(packet, at).toString(16)}`, next: end } : undefined;
    case LcpOption.Pcomp:
      return length === 0 ? { text: "pcomp", next: end } : undefined;
    case LcpOption.Accomp:
      return length === 0 ? { text: "accomp", next: end } : undefined;
    case LcpOption.Mrru:
      return length === 2 ? { text: `mrru ${u16(packet, at)}`, next: end } : undefined;
    case LcpOption.Ssnhf:
      return length === 0 ? { text: "ssnhf", next: end } : undefined;
    case LcpOption.Endpoint:
      return length >= 1 ? endpoint(packet, at, end) : undefined;
    default:
      return undefined;
  }
}

const DIGESTS = new Map<number, string>([
  [ChapDigest.Md5, "MD5"],
  [ChapDigest.Ms, "MS"],
  [ChapDigest.MsV2, "MS-v2"],
]);

function auth(packet: Uint8Array, at: number, end: number): Part {
  const protocol = u16(packet, at);
  const next = at + 2;
  switch (protocol) {
    case Protocol.PAP:
      return { text: "auth pap", next };
    case Protocol.EAP:
      return { text: "auth eap", next };
    case Protocol.CHAP: {
      const digest = next < end ? DIGESTS.get(packet[next]!) : undefined;
      return digest === undefined ? { text: "auth chap", next } : { text: `auth chap ${digest}`, next: next + 1 };
    }
    default:
      return { text: `auth ${hex(protocol)}`, next };
  }
}

const ENDPOINT_CLASSES = ["null", "local", "IP", "MAC", "magic", "phone"];

function endpoint(packet: Uint8Array, at: number, end: number): Part {
  const next = Math.min(at + 1 + MAX_ENDPOINT_LENGTH, end);
  return { text: `endpoint [${endpointText(packet[at]!, packet, at + 1, next)}]`, next };
}

function endpointText(kind: number, packet: Uint8Array, at: number, end: number): string {
  const length = end - at;
  const name = ENDPOINT_CLASSES[kind] ?? `${kind}`;
  if (length === 0) return name;
  if (kind === EndpointClass.Ip && length === 4) return `${name}:${ipv4Text(u32(packet, at))}`;
  if (kind === EndpointClass.Mac && length === 6) return `${name}:${toHex(packet, at, end, ":")}`;
  // Magic numbers of 32 bits each.
  const group = kind === EndpointClass.Magic && length % 4 === 0 ? 4 : 1;
  const groups: string[] = [];
  for (; at < end; at += group) groups.push(toHex(packet, at, at + group));
  return `${name}:${groups.join(".")}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
