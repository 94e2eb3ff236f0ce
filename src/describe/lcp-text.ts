// LCP as pppd's debug lines show it.

import { u32 } from "../bytes/be.ts";
import { describeClimb } from "./climb-text.ts";
import { LCP_OPTIONS } from "../control/options/lcp-options.ts";
import { Code } from "../wire/control.ts";
import { textOfRows } from "../wire/option-rows.ts";
import { describeControl, describeOptions, describeReason, quoted, type Part } from "../wire/text-part.ts";

const CODES = [
  "ConfReq", "ConfAck", "ConfNak", "ConfRej", "TermReq", "TermAck", "CodeRej",
  "ProtRej", "EchoReq", "EchoRep", "DiscReq", "Ident", "TimeRem",
]; // prettier-ignore

const optionText = textOfRows(LCP_OPTIONS);

/** How many octets are shown of data that pppd does not know. */
const SHOWN = 32;

export function describeLcp(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeClimb(packet, start, end) ?? describeControl(packet, start, end, CODES, body, SHOWN);
}

function body(code: number, packet: Uint8Array, at: number, end: number): Part {
  switch (code) {
    case Code.ConfReq:
    case Code.ConfAck:
    case Code.ConfNak:
    case Code.ConfRej:
      return describeOptions(packet, at, end, optionText);
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
