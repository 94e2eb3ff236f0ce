// EAP as pppd's debug lines show it (RFC 3748; MSCHAPv2 as in draft-kamath-pppext-eap-mschapv2).

import { toHex } from "../bytes/text.ts";
import { EapCode, EapType } from "../wire/eap.ts";
import { describeControl, octets, quoted, type Part } from "../wire/text-part.ts";

const CODES = ["Request", "Response", "Success", "Failure"];

/** Names of the types, from 1 on. */
const TYPES = [
  "Identity",
  "Notification",
  "Nak",
  "MD5-Challenge",
  "OTP",
  "Generic-Token",
  "",
  "",
  "RSA",
  "DSS",
  "KEA",
  "KEA-Validate",
  "TLS",
  "Defender",
  "Windows 2000",
  "Arcot",
  "Cisco",
  "Nokia",
  "SRP",
  "",
  "TTLS",
  "RAS",
  "AKA",
  "3COM",
  "PEAP",
  "MSCHAPv2",
];

/** Left-over octets are shown only up to this number. */
const REST_SHOWN = 8;

export function describeEap(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeControl(packet, start, end, CODES, (code, _, at, dataEnd) => {
    const { text, next } = data(code, packet, at, dataEnd);
    return dataEnd - next > REST_SHOWN ? { text: `${text}...`, next: dataEnd } : { text, next };
  });
}

function data(code: number, packet: Uint8Array, at: number, end: number): Part {
  if (code !== EapCode.Request && code !== EapCode.Response) return { text: "", next: at };
  if (at === end) return { text: code === EapCode.Request ? " <missing type>" : "", next: at };
  const type = packet[at]!;
  const { text, next } = method(code, type, packet, at + 1, end);
  return { text: ` ${TYPES[type - 1] || `type=0x${type.toString(16)}`}${text}`, next };
}

function method(code: number, type: number, packet: Uint8Array, at: number, end: number): Part {
  switch (type) {
    case EapType.Identity:
      if (code === EapCode.Request) return labelled("Message", packet, at, end);
      return at === end ? { text: "", next: at } : labelled("Name", packet, at, end);
    case EapType.Notification:
      return code === EapCode.Request ? labelled("Message", packet, at, end) : { text: "", next: at };
    case EapType.Nak:
      return code === EapCode.Response ? suggestion(packet, at, end) : { text: "", next: at };
    case EapType.Md5Challenge:
      return md5(code, packet, at, end);
    case EapType.Srp:
      return srp(code, packet, at, end);
    case EapType.Tls:
      return tls(packet, at, end);
    case EapType.MsChapV2:
      return mschap(code, packet, at, end);
    default:
      return { text: "", next: at };
  }
}

function labelled(label: string, packet: Uint8Array, at: number, end: number): Part {
  if (at === end) return { text: ` <No ${label.toLowerCase()}>`, next: end };
  return { text: ` <${label} ${quoted(packet, at, end)}>`, next: end };
}

function suggestion(packet: Uint8Array, at: number, end: number): Part {
  if (at === end) return { text: " <missing hint>", next: at };
  const type = packet[at]!;
  const name = TYPES[type - 1];
  return { text: ` <Suggested-type ${toHex(packet, at, at + 1)}${name ? ` (${name})` : ""}>`, next: at + 1 };
}

function md5(code: number, packet: Uint8Array, at: number, end: number): Part {
  if (at === end) return { text: code === EapCode.Request ? "" : " <missing length>", next: at };
  const name = at + 1 + packet[at]!;
  if (name > end) return { text: " <truncated>", next: at + 1 };
  const { text } = labelled("Name", packet, name, end);
  return { text: ` <Value${octets(packet, at + 1, name)}>${text}`, next: end };
}

const TLS_FLAGS: readonly (readonly [number, string])[] = [
  [0x80, "L"],
  [0x40, "M"],
  [0x20, "S"],
];

function tls(packet: Uint8Array, at: number, end: number): Part {
  if (at === end) return { text: "", next: at };
  const flags = packet[at]!;
  const next = at + 1;
  if (flags === 0 && next === end) return { text: " Ack", next };
  const shown = TLS_FLAGS.map(([bit, letter]) => ((flags & bit) === 0 ? "-" : letter)).join("");
  // pppd prints its own space after "no start".
  return { text: ` ${shown}${(flags & 0x20) === 0 ? " " : ""}`, next };
}

const MSCHAP_OPCODES = ["Challenge", "Response", "Success", "Failure"];
/** Opcode, MS-CHAPv2-ID and length. */
const MSCHAP_HEADER = 4;

function mschap(code: number, packet: Uint8Array, at: number, end: number): Part {
  if (at === end) return { text: "", next: at };
  const opcode = packet[at]!;
  const body = Math.min(at + MSCHAP_HEADER, end);
  const isRequest = code === EapCode.Request;
  switch (MSCHAP_OPCODES[opcode - 1]) {
    case isRequest ? "Challenge" : "Response": {
      const name = body + 1 + (packet[body] ?? 0);
      if (body === end || name > end) return { text: " <truncated>", next: Math.min(body + 1, end) };
      const { text } = labelled("Name", packet, name, end);
      return { text: ` ${MSCHAP_OPCODES[opcode - 1]} <${toHex(packet, body + 1, name)}>,${text}`, next: end };
    }
    case "Success":
    case "Failure": {
      const result = ` ${MSCHAP_OPCODES[opcode - 1]}`;
      if (!isRequest) return { text: result, next: at + 1 };
      // pppd does not count the message as shown, so its octets follow. The same holds for the next case.
      return { text: `${result} <Message ${quoted(packet, body, end)}>`, next: body };
    }
    default: {
      const next = isRequest ? body : at + 1;
      return { text: ` opcode=0x${opcode.toString(16)} <${octets(packet, next, end)}>`, next };
    }
  }
}

/** pppd up to 2.4.9 decodes SRP-SHA1. We show its octets after the subtype. */
function srp(code: number, packet: Uint8Array, at: number, end: number): Part {
  if (end - at < (code === EapCode.Request ? 3 : 1)) return { text: " <truncated>", next: at };
  return { text: `-${packet[at]}`, next: at + 1 };
}
