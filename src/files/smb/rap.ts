// The remote calls of LAN Manager over the pipe \PIPE\LANMAN (MS-RAP): what is shared, and who serves. Windows 95 asks so.

import type { Fields } from "./fields.ts";
import { Octets } from "./octets.ts";
import { SERVER_TYPE, shareNamed, SHARES, type ShownShare, VERSION } from "./shares.ts";
import type { SmbClient } from "./smb-client.ts";
import { REMARK, WORKGROUP } from "./smb-site.ts";
import { oemOctets, readText } from "./smb-text.ts";
import { Status } from "./smb-status.ts";
import type { Transaction, TransactionAnswer } from "./transaction.ts";

const CALL = { SHARE_ENUM: 0, SHARE_INFO: 1, SERVER_INFO: 13, WORKSTATION_INFO: 63, SERVER_ENUM: 104 } as const;
const ERROR = { UNSUPPORTED: 50, LEVEL: 124, MORE: 234, NO_SHARE: 2310 } as const;
const SHARE_NAME = 13;
const SERVER_NAME = 16;
/** A domain is looked for, and not its machines. */
const DOMAINS = 0x8000_0000;

/** An answer: fixed parts, then the texts that they point to, by their offset from the data's start. */
class Table {
  readonly #fixed = new Octets();
  readonly #texts: { readonly at: number; readonly text: string }[] = [];

  /** A text of so many octets with its zeros. */
  name(text: string, size: number): void {
    const octets = oemOctets(text).subarray(0, size - 1);
    this.#fixed.put(octets);
    this.#fixed.zeros(size - octets.length);
  }

  u8(...values: readonly number[]): void {
    this.#fixed.u8(...values);
  }

  u16(...values: readonly number[]): void {
    this.#fixed.u16(...values);
  }

  u32(...values: readonly number[]): void {
    this.#fixed.u32(...values);
  }

  text(text: string): void {
    this.#texts.push({ at: this.#fixed.length, text });
    this.#fixed.u32(0);
  }

  octets(): Octets {
    for (const { at, text } of this.#texts) {
      this.#fixed.setU32(at, this.#fixed.length);
      this.#fixed.put(oemOctets(`${text}\0`));
    }
    return this.#fixed;
  }
}

export function lanManCall(client: SmbClient, { parameters, mostData }: Transaction): TransactionAnswer | Status {
  const call = parameters.u16();
  readText(parameters, false);
  readText(parameters, false);
  if (parameters.isShort) return Status.INVALID_PARAMETER;
  switch (call) {
    case CALL.SHARE_ENUM:
      return shareEnum(parameters, mostData);
    case CALL.SHARE_INFO:
      return shareInfo(parameters, mostData);
    case CALL.SERVER_INFO:
      return serverInfo(client, parameters, mostData);
    case CALL.WORKSTATION_INFO:
      return workstationInfo(client, parameters, mostData);
    case CALL.SERVER_ENUM:
      return serverEnum(client, parameters, mostData);
    default:
      return failure(ERROR.UNSUPPORTED);
  }
}

function failure(error: number): TransactionAnswer {
  const out = new Octets();
  out.u16(error, 0, 0, 0);
  return { parameters: out };
}

/** `counts` follow the outcome: how many entries there are, or how long the answer is. */
function answer(table: Table, most: number, ...counts: readonly number[]): TransactionAnswer {
  const data = table.octets();
  if (data.length > most) return failure(ERROR.MORE);
  const out = new Octets();
  out.u16(0, 0, ...(counts.length === 0 ? [data.length] : counts));
  return { parameters: out, data };
}

function putShare(table: Table, { name, type, remark }: ShownShare, level: number): void {
  table.name(name, SHARE_NAME);
  if (level === 0) return;
  table.u8(0);
  table.u16(type & 0xffff);
  table.text(remark);
}

function shareEnum(parameters: Fields, mostData: number): TransactionAnswer {
  const level = parameters.u16();
  const most = Math.min(parameters.u16(), mostData);
  if (level > 1) return failure(ERROR.LEVEL);
  const table = new Table();
  for (const share of SHARES) putShare(table, share, level);
  return answer(table, most, SHARES.length, SHARES.length);
}

function shareInfo(parameters: Fields, mostData: number): TransactionAnswer {
  const share = shareNamed(readText(parameters, false));
  const level = parameters.u16();
  const most = Math.min(parameters.u16(), mostData);
  if (share === undefined) return failure(ERROR.NO_SHARE);
  if (level > 1) return failure(ERROR.LEVEL);
  const table = new Table();
  putShare(table, share, level);
  return answer(table, most);
}

function putServer(table: Table, name: string, level: number): void {
  table.name(name, SERVER_NAME);
  if (level === 0) return;
  table.u8(...VERSION);
  table.u32(SERVER_TYPE);
  table.text(REMARK);
}

function serverInfo({ site }: SmbClient, parameters: Fields, mostData: number): TransactionAnswer {
  const level = parameters.u16();
  const most = Math.min(parameters.u16(), mostData);
  if (level > 1) return failure(ERROR.LEVEL);
  const table = new Table();
  putServer(table, site.name, level);
  return answer(table, most);
}

function workstationInfo({ site }: SmbClient, parameters: Fields, mostData: number): TransactionAnswer {
  const level = parameters.u16();
  const most = Math.min(parameters.u16(), mostData);
  if (level !== 10) return failure(ERROR.LEVEL);
  const table = new Table();
  for (const text of [site.name, "", WORKGROUP]) table.text(text);
  table.u8(...VERSION);
  for (const text of [WORKGROUP, ""]) table.text(text);
  return answer(table, most);
}

/** Machines and workgroups that we know of: ourselves. */
function serverEnum({ site }: SmbClient, parameters: Fields, mostData: number): TransactionAnswer {
  const level = parameters.u16();
  const most = Math.min(parameters.u16(), mostData);
  const wanted = parameters.u32();
  if (level > 1) return failure(ERROR.LEVEL);
  const table = new Table();
  putServer(table, wanted === DOMAINS ? WORKGROUP : site.name, level);
  return answer(table, most, 1, 1);
}
