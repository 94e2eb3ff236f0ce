// PAP, CHAP and CBCP as pppd's debug lines show them.

import { toHex } from "../bytes/text.ts";
import { ChapCode } from "../wire/chap.ts";
import { PapCode } from "../wire/pap.ts";
import { describeControl, describeOptions, quoted, type Part } from "../wire/text-part.ts";

const PAP_CODES = ["AuthReq", "AuthAck", "AuthNak"];

export function describePap(packet: Uint8Array, start: number, end: number, hidePassword: boolean): Part | undefined {
  return describeControl(packet, start, end, PAP_CODES, (code, _, at, dataEnd) => {
    if (code === PapCode.AuthReq) {
      const user = counted(packet, at, dataEnd);
      const password = user && counted(packet, user.next, dataEnd);
      if (!user || !password) return { text: "", next: at };
      return {
        text: ` user=${user.text} password=${hidePassword ? "<hidden>" : password.text}`,
        next: password.next,
      };
    }
    const message = code === PapCode.AuthAck || code === PapCode.AuthNak ? counted(packet, at, dataEnd) : undefined;
    return message ? { text: ` ${message.text}`, next: message.next } : { text: "", next: at };
  });
}

function counted(packet: Uint8Array, at: number, end: number): Part | undefined {
  if (at >= end || at + 1 + packet[at]! > end) return undefined;
  const next = at + 1 + packet[at]!;
  return { text: quoted(packet, at + 1, next), next };
}

const CHAP_CODES = ["Challenge", "Response", "Success", "Failure"];

export function describeChap(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeControl(packet, start, end, CHAP_CODES, (code, _, at, dataEnd) => {
    switch (code) {
      case ChapCode.Challenge:
      case ChapCode.Response: {
        const name = at + 1 + (packet[at] ?? 0);
        // A packet with a wrong length is not shown.
        if (at === dataEnd || name > dataEnd) return { text: "", next: dataEnd };
        return { text: ` <${toHex(packet, at + 1, name)}>, name = ${quoted(packet, name, dataEnd)}`, next: dataEnd };
      }
      case ChapCode.Success:
      case ChapCode.Failure:
        return { text: ` ${quoted(packet, at, dataEnd)}`, next: dataEnd };
      default:
        return { text: "", next: at };
    }
  });
}

const CBCP_CODES = ["Request", "Response", "Ack"];
const CBCP_OPTIONS = ["NoCallback", "UserDefined", "AdminDefined", "List"];

export function describeCbcp(packet: Uint8Array, start: number, end: number): Part | undefined {
  return describeControl(packet, start, end, CBCP_CODES, (code, _, at, dataEnd) =>
    CBCP_CODES[code - 1] === undefined ? { text: "", next: at } : describeOptions(packet, at, dataEnd, callback),
  );
}

// pppd's own text is garbled after a telephone number. This one shows the actual content.
function callback(type: number, packet: Uint8Array, at: number, length: number): Part {
  const name = CBCP_OPTIONS[type - 1] ?? `option=0x${type.toString(16)}`;
  const delay = length > 0 ? ` delay = ${packet[at]}` : "";
  const number = length > 1 ? ` number = ${telephone(packet, at + 2, at + length)}` : "";
  return { text: ` ${name}${delay}${number}`, next: at + length };
}

function telephone(packet: Uint8Array, at: number, end: number): string {
  const last = packet[end - 1] === 0 ? end - 1 : end;
  return quoted(packet, at, last).slice(1, -1);
}
