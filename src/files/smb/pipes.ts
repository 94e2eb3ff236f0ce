// Pipes of IPC$: remote calls of the server service (DCE/RPC, MS-RPCE §2.2.2), by which Windows NT and later ask what is shared.

import { fromHex } from "../../bytes/text.ts";
import { isSame } from "../../auth/digest.ts";
import { Fields } from "./fields.ts";
import { Octets } from "./octets.ts";
import { SERVER_CALLS } from "./server-service.ts";
import type { SmbSite } from "./smb-site.ts";

/** The pipe of the server service. Others are not here. */
export function isService(name: string): boolean {
  return /^(?:\\?pipe)?\\?srvsvc$/i.test(name);
}

const TYPE = { REQUEST: 0, RESPONSE: 2, FAULT: 3, BIND: 11, BIND_ACK: 12 } as const;
/** The first part and the last one. */
const WHOLE = 3;
const LITTLE_ENDIAN = 0x10;
const MOST_FRAGMENT = 4280;
const GROUP = 0x6e6d;
const SERVER_SERVICE = fromHex("c84f324b 7016 d301 1278 5a47bf6ee188 03000000");
const NDR = fromHex("045d888a eb1c c911 9fe8 08002b104860 02000000");
const SYNTAX = 20;
const MOST_CONTEXTS = 16;
/** The interface is another one; none of the syntaxes is NDR. */
const REFUSED = { INTERFACE: [2, 1], SYNTAX: [2, 2] } as const;
const NO_SUCH_CALL = 0x1c01_0002;
const BAD_CALL = 0x1c01_000b;

/** What a message to the pipe is answered with. Empty: it is none. */
export function askService(site: SmbSite, message: Uint8Array): Uint8Array {
  const fields = new Fields(message);
  const [version, minor, type, flags, order] = [fields.u8(), fields.u8(), fields.u8(), fields.u8(), fields.u8()];
  fields.skip(3 + 2 + 2);
  const call = fields.u32();
  if (fields.isShort || version !== 5 || minor > 1 || order !== LITTLE_ENDIAN) return new Uint8Array(0);
  const out = new Octets();
  if (type === TYPE.BIND) putPart(out, TYPE.BIND_ACK, call, () => putBound(out, fields));
  else if (type === TYPE.REQUEST) putCalled(out, site, fields, call, (flags & WHOLE) === WHOLE);
  return out.written.slice();
}

function putPart(out: Octets, type: number, call: number, putBody: () => void): void {
  out.u8(5, 0, type, WHOLE, LITTLE_ENDIAN, 0, 0, 0);
  out.u16(0, 0);
  out.u32(call);
  putBody();
  out.setU16(8, out.length);
}

function putBound(out: Octets, fields: Fields): void {
  // Sizes, and a group that the client wants to belong to.
  fields.skip(2 + 2 + 4);
  const count = Math.min(fields.u8(), MOST_CONTEXTS);
  fields.skip(3);
  out.u16(MOST_FRAGMENT, MOST_FRAGMENT);
  out.u32(GROUP);
  const name = "\\PIPE\\srvsvc\0";
  out.u16(name.length);
  out.put(Uint8Array.from(name, (char) => char.charCodeAt(0)));
  out.align(4);
  out.u8(count, 0, 0, 0);
  for (let at = 0; at < count; at++) {
    fields.skip(2);
    const syntaxes = fields.u8();
    fields.skip(1);
    const isOurs = isSame(fields.take(SYNTAX), SERVER_SERVICE);
    let isNdr = false;
    for (let one = 0; one < syntaxes && fields.left >= SYNTAX; one++) isNdr ||= isSame(fields.take(SYNTAX), NDR);
    const isGood = isOurs && isNdr;
    out.u16(...(isGood ? [0, 0] : isOurs ? REFUSED.SYNTAX : REFUSED.INTERFACE));
    out.put(isGood ? NDR : new Uint8Array(SYNTAX));
  }
}

function putCalled(out: Octets, site: SmbSite, fields: Fields, call: number, isWhole: boolean): void {
  fields.skip(4);
  const context = fields.u16();
  const number = fields.u16();
  // Texts are aligned to the arguments' start.
  const stub = new Fields(fields.bytes, fields.at, fields.end);
  const answer = fields.isShort || !isWhole ? undefined : SERVER_CALLS.get(number)?.(site, stub);
  const isKnown = SERVER_CALLS.has(number);
  putPart(out, answer === undefined ? TYPE.FAULT : TYPE.RESPONSE, call, () => {
    out.u32(answer?.length ?? 0);
    out.u16(context, 0);
    if (answer !== undefined) out.put(answer.written);
    else out.u32(isKnown ? BAD_CALL : NO_SUCH_CALL, 0);
  });
}
