// Functions that the descriptions of all protocols are built from.

import { u16, u32 } from "../bytes/be.ts";
import { toHex } from "../bytes/text.ts";
import { HEADER_LENGTH, parseControl } from "./control.ts";

/** The text for a part of a packet, and the place where the octets without a text begin. */
export interface Part {
  text: string;
  next: number;
}

/** The octets of packet[at, end), each after a space. */
export function octets(packet: Uint8Array, at: number, end: number): string {
  return at < end ? ` ${toHex(packet, at, end, " ")}` : "";
}

const ESCAPES = new Map([
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x09, "\\t"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

/** packet[at, end) in quotes. Unprintable octets are escaped as in C. */
export function quoted(packet: Uint8Array, at: number, end: number): string {
  let text = '"';
  for (; at < end; at++) {
    const octet = packet[at]!;
    const escape = ESCAPES.get(octet);
    if (escape !== undefined) text += escape;
    else if (isPrintable(octet)) text += String.fromCharCode(octet);
    else text += `\\${octet.toString(8).padStart(3, "0")}`;
  }
  return `${text}"`;
}

export function isPrintable(octet: number): boolean {
  return octet >= 0x20 && octet < 0x7f;
}

/** Describes the data of a control packet that begins at `at`. */
export type Body = (code: number, packet: Uint8Array, at: number, end: number) => Part;

/**
 * Code, id and data of a control packet in packet[start, end), ` ConfReq id=0x1 …`. Undefined when its length is wrong.
 * Data without a text is shown as octets, at most `limit` of them. `next` is where the packet ends and padding begins.
 */
export function describeControl(
  packet: Uint8Array,
  start: number,
  end: number,
  names: readonly string[],
  body: Body,
  limit = Infinity,
): Part | undefined {
  const control = parseControl(packet, start, end);
  if (control === undefined) return undefined;
  const { code, id, dataEnd } = control;
  const name = names[code - 1] || `code=0x${code.toString(16)}`;
  const { text, next } = body(code, packet, start + HEADER_LENGTH, dataEnd);
  const shown = Math.min(dataEnd, next + limit);
  const more = shown < dataEnd ? " ..." : "";
  return { text: ` ${name} id=0x${id.toString(16)}${text}${octets(packet, next, shown)}${more}`, next: dataEnd };
}

/**
 * Describes the option of this type whose value is packet[at, at + length). Undefined: the type is unknown, or the
 * length is wrong.
 */
export type OptionText = (type: number, packet: Uint8Array, at: number, length: number) => Part | undefined;

/** Describes the value packet[at, at + length) of an option. Undefined: the type cannot have such a value. */
export type ValueText = (packet: Uint8Array, at: number, length: number) => Part | undefined;

/** The texts of values: 16 bits in decimal, 32 bits in hex, and no value. */
export function text16(name: string): ValueText {
  return (packet, at, length) => (length === 2 ? { text: `${name} ${u16(packet, at)}`, next: at + 2 } : undefined);
}

export function text32(name: string): ValueText {
  return (packet, at, length) =>
    length === 4 ? { text: `${name} 0x${u32(packet, at).toString(16)}`, next: at + 4 } : undefined;
}

export function flagText(name: string): ValueText {
  return (_, at, length) => (length === 0 ? { text: name, next: at } : undefined);
}

/** The options of packet[at, end), ` <mru 1500> <pcomp>`, up to the first with a wrong length. */
export function describeOptions(packet: Uint8Array, at: number, end: number, describe: OptionText): Part {
  let text = "";
  while (at + 2 <= end) {
    const length = packet[at + 1]!;
    if (length < 2 || at + length > end) break;
    const known = describe(packet[at]!, packet, at + 2, length - 2) ?? { text: "", next: at };
    text += ` <${known.text}${octets(packet, known.next, at + length)}>`;
    at += length;
  }
  return { text, next: at };
}

/**
 * The reason in a Terminate-Request or -Ack. It is shown as octets when it does not begin with printable characters.
 */
export function describeReason(packet: Uint8Array, at: number, end: number, gap = " "): Part {
  if (at < end && isPrintable(packet[at]!)) return { text: gap + quoted(packet, at, end), next: end };
  return { text: "", next: at };
}
