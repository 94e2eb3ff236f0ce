// Calls of the server service (MS-SRVS §3.1.4): NetrShareEnum, NetrShareGetInfo and NetrServerGetInfo, in NDR.

import type { Fields } from "./fields.ts";
import { Octets } from "./octets.ts";
import { SERVER_TYPE, shareNamed, SHARES, type ShownShare, VERSION } from "./shares.ts";
import { REMARK, type SmbSite } from "./smb-site.ts";
import { unicodeOctets, unicodeText } from "./smb-text.ts";

/** Undefined: the arguments are wrong. */
type Call = (site: SmbSite, stub: Fields) => Octets | undefined;

export const SERVER_CALLS: ReadonlyMap<number, Call> = new Map<number, Call>([
  [15, shareEnum],
  [16, shareInfo],
  [21, serverInfo],
]);

const ERROR = { LEVEL: 124, NO_SHARE: 2310 } as const;
const NT = 500;
const MOST_TEXT = 1024;
/** Any numbers but 0 say that something follows. */
const REFERENCE = 0x0002_0000;

function skipServer(stub: Fields): void {
  if (stub.u32() !== 0) readString(stub);
}

function readString(stub: Fields): string {
  stub.align(4);
  stub.skip(8);
  const length = stub.u32();
  if (length > MOST_TEXT) stub.isShort = true;
  const text = unicodeText(stub.take(2 * Math.min(length, MOST_TEXT)));
  stub.align(4);
  return text.replace(/\0.*$/s, "");
}

function putString(out: Octets, text: string): void {
  const length = text.length + 1;
  out.align(4);
  out.u32(length, 0, length);
  out.put(unicodeOctets(`${text}\0`));
  out.align(4);
}

/** The fixed part of each share; the texts follow all of them. */
function putShares(out: Octets, shares: readonly ShownShare[], level: number): void {
  let reference = REFERENCE + 0x100;
  for (const { type } of shares) {
    out.u32((reference += 4));
    if (level === 1) out.u32(type, (reference += 4));
  }
  for (const { name, remark } of shares) {
    putString(out, name);
    if (level === 1) putString(out, remark);
  }
}

function shareEnum(_site: SmbSite, stub: Fields): Octets | undefined {
  skipServer(stub);
  const level = stub.u32();
  if (stub.isShort) return undefined;
  const isKnown = level <= 1;
  const out = new Octets();
  out.u32(level, level, REFERENCE);
  if (isKnown) {
    out.u32(SHARES.length, REFERENCE + 4, SHARES.length);
    putShares(out, SHARES, level);
  } else out.u32(0, 0);
  out.align(4);
  // How many there are, no place to go on from, and the outcome.
  out.u32(isKnown ? SHARES.length : 0, 0, isKnown ? 0 : ERROR.LEVEL);
  return out;
}

function shareInfo(_site: SmbSite, stub: Fields): Octets | undefined {
  skipServer(stub);
  const name = readString(stub);
  const level = stub.u32();
  if (stub.isShort) return undefined;
  const share = shareNamed(name);
  const out = new Octets();
  if (share === undefined || level > 1) out.u32(level, 0, share === undefined ? ERROR.NO_SHARE : ERROR.LEVEL);
  else {
    out.u32(level, REFERENCE);
    putShares(out, [share], level);
    out.align(4);
    out.u32(0);
  }
  return out;
}

function serverInfo({ name }: SmbSite, stub: Fields): Octets | undefined {
  skipServer(stub);
  const level = stub.u32();
  if (stub.isShort) return undefined;
  const out = new Octets();
  if (level !== 100 && level !== 101) {
    out.u32(level, 0, ERROR.LEVEL);
    return out;
  }
  out.u32(level, REFERENCE, NT, REFERENCE + 4);
  if (level === 101) out.u32(...VERSION, SERVER_TYPE, REFERENCE + 8);
  putString(out, name);
  if (level === 101) putString(out, REMARK);
  out.u32(0);
  return out;
}
