// Transactions (MS-CIFS §2.2.4.33, §2.2.4.46, §2.2.4.62): requests with parameters and data that may come in several messages.
// What answers one always fits in one message of the client.

import { Fields } from "./fields.ts";
import { Octets } from "./octets.ts";
import { OUR_BUFFER, type SmbClient } from "./smb-client.ts";
import { HEADER, type Reply, type Request } from "./smb-message.ts";
import type { PendingTransaction, TransactionHead } from "./pending-transaction.ts";
import { readText } from "./smb-text.ts";
import { Status } from "./smb-status.ts";

export interface Transaction {
  /** The function of TRANSACTION2 and of NT_TRANSACT; for TRANSACTION what to do with a pipe. */
  readonly setup: Fields;
  /** Of TRANSACTION: the pipe. */
  readonly name: string;
  readonly parameters: Fields;
  readonly data: Fields;
  /** The most that the client takes of each. */
  readonly mostParameters: number;
  readonly mostData: number;
}

export interface TransactionAnswer {
  readonly parameters: Octets;
  readonly data?: Octets;
  readonly status?: Status;
}

interface Part {
  readonly count: number;
  readonly offset: number;
  readonly displacement: number;
}

/** The largest transaction that is kept. */
const MOST = 66_000;

type Perform = (client: SmbClient, request: Request, transaction: Transaction) => TransactionAnswer | Status;

/** TRANSACTION and TRANSACTION2. */
export function transaction(client: SmbClient, request: Request, perform: Perform): Reply | Status | undefined {
  const { words, data, isUnicode, command } = request;
  const [totalParameters, totalData] = [words.u16(), words.u16()];
  const [mostParameters, mostData] = [words.u16(), words.u16()];
  // The most words of setup, flags, a time to wait.
  words.skip(2 + 2 + 4 + 2);
  const parameters = { count: words.u16(), offset: words.u16(), displacement: 0 };
  const block = { count: words.u16(), offset: words.u16(), displacement: 0 };
  const setupCount = words.u8();
  words.skip(1);
  const setup = words.take(2 * setupCount);
  const name = command === TRANSACTION ? readText(data, isUnicode) : "";
  if (words.isShort) return Status.INVALID_SMB;
  const head = { setup, name, totalParameters, totalData, mostParameters, mostData };
  return begin(client, request, head, [parameters, block], perform);
}

const TRANSACTION = 0x25;

/** NT_TRANSACT has larger numbers, and its function before the words of setup. */
export function ntTransaction(client: SmbClient, request: Request, perform: Perform): Reply | Status | undefined {
  const { words } = request;
  words.skip(3);
  const [totalParameters, totalData] = [words.u32(), words.u32()];
  const [mostParameters, mostData] = [words.u32(), words.u32()];
  const parameters = { count: words.u32(), offset: words.u32(), displacement: 0 };
  const block = { count: words.u32(), offset: words.u32(), displacement: 0 };
  const setupCount = words.u8();
  const setup = words.take(2 + 2 * setupCount);
  if (words.isShort) return Status.INVALID_SMB;
  const head = { setup, name: "", totalParameters, totalData, mostParameters, mostData };
  return begin(client, request, head, [parameters, block], perform);
}

function begin(
  client: SmbClient,
  request: Request,
  head: TransactionHead,
  parts: readonly [Part, Part],
  perform: Perform,
): Reply | Status | undefined {
  if (head.totalParameters + head.totalData > MOST) return Status.INSUFFICIENT_RESOURCES;
  const pending: PendingTransaction = {
    request,
    head: { ...head, setup: head.setup.slice() },
    parameters: new Uint8Array(head.totalParameters),
    data: new Uint8Array(head.totalData),
    parametersLeft: head.totalParameters,
    dataLeft: head.totalData,
  };
  if (!take(pending, request.message, parts)) return Status.INVALID_SMB;
  if (isWhole(pending)) return performed(client, request, pending, perform);
  client.pending = pending;
  // The client is told to go on.
  return {};
}

/** More of a transaction. Nothing is answered until all is there. */
export function secondary(client: SmbClient, request: Request, perform: Perform): Reply | Status | undefined {
  const { pending } = client;
  const { words, command } = request;
  if (pending === undefined || pending.request.command !== command - 1 || pending.request.mid !== request.mid)
    return undefined;
  const isNt = command === NT_SECONDARY;
  const number = (): number => (isNt ? words.u32() : words.u16());
  if (isNt) words.skip(3);
  // The totals may have become less, which no client does.
  number();
  number();
  const [parameters, block] = [0, 1].map(() => ({ count: number(), offset: number(), displacement: number() }));
  const isGood = !words.isShort && take(pending, request.message, [parameters!, block!]);
  if (isGood && !isWhole(pending)) return undefined;
  client.pending = undefined;
  if (!isGood) return Status.INVALID_SMB;
  const reply = performed(client, pending.request, pending, perform);
  if (client.site.missing > 0) {
    // The same part is taken again when the quota that refused it has been counted.
    pending.parametersLeft += parameters!.count;
    pending.dataLeft += block!.count;
    client.pending = pending;
  }
  return reply;
}

const NT_SECONDARY = 0xa1;

function take(pending: PendingTransaction, message: Fields, [parameters, data]: readonly [Part, Part]): boolean {
  const areGood = copied(message, parameters, pending.parameters) && copied(message, data, pending.data);
  pending.parametersLeft -= parameters.count;
  pending.dataLeft -= data.count;
  return areGood && pending.parametersLeft >= 0 && pending.dataLeft >= 0;
}

function copied(message: Fields, { count, offset, displacement }: Part, into: Uint8Array): boolean {
  if (count === 0) return true;
  if (displacement + count > into.length) return false;
  const octets = message.part(offset, count).take(count);
  into.set(octets, displacement);
  return octets.length === count;
}

function isWhole({ parametersLeft, dataLeft }: PendingTransaction): boolean {
  return parametersLeft === 0 && dataLeft === 0;
}

function performed(
  client: SmbClient,
  request: Request,
  { head, parameters, data }: PendingTransaction,
  perform: Perform,
): Reply | Status {
  const isNt = request.command === NT_TRANSACT;
  // The words, both paddings, and some more.
  const room = Math.min(client.peerBuffer, OUR_BUFFER) - HEADER - 64;
  const answer = perform(client, request, {
    setup: new Fields(head.setup),
    name: head.name,
    parameters: new Fields(parameters),
    data: new Fields(data),
    mostParameters: Math.min(head.mostParameters, room),
    mostData: Math.max(0, Math.min(head.mostData, room - Math.min(head.mostParameters, 32))),
  });
  return typeof answer === "number" ? answer : replyOf(answer, isNt);
}

const NT_TRANSACT = 0xa0;

function replyOf({ parameters, data = new Octets(0), status }: TransactionAnswer, isNt: boolean): Reply {
  const reply: Reply = {
    words(out) {
      const wordsLeft = isNt ? 3 + 8 * 4 + 1 : 20;
      const parametersAt = aligned(out.length + wordsLeft + 2);
      const dataAt = aligned(parametersAt + parameters.length);
      const [one, other] = [parameters.length, data.length];
      if (isNt) {
        out.zeros(3);
        out.u32(one, other, one, parametersAt, 0, other, dataAt, 0);
        out.u8(0);
      } else {
        out.u16(one, other, 0, one, parametersAt, 0, other, dataAt, 0);
        out.u16(0);
      }
    },
    data(out) {
      out.align(4);
      out.put(parameters.written);
      out.align(4);
      out.put(data.written);
    },
  };
  return status === undefined ? reply : { ...reply, status };
}

function aligned(at: number): number {
  return Math.ceil(at / 4) * 4;
}
