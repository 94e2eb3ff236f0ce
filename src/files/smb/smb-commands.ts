// The commands of SMB, a row each, and messages with one of them or a chain (ANDX).

import { endFind, findClose, findUnique, search } from "./core-search.ts";
import { diskOfDos } from "./disk-facts.ts";
import { lockingAndX, lockRange, unlockRange } from "./lock-commands.ts";
import {
  checkFolder,
  getAttributes,
  makeFolder,
  ntRename,
  remove,
  removeFolder,
  rename,
  setAttributes,
} from "./name-commands.ts";
import { negotiate } from "./negotiate.ts";
import { Octets } from "./octets.ts";
import { close, create, createNew, flush, ntCreate, open, openAndX } from "./open-commands.ts";
import {
  echo,
  logoff,
  processExit,
  sessionSetup,
  treeConnect,
  treeConnectAndX,
  treeDisconnect,
} from "./session-commands.ts";
import type { SmbClient } from "./smb-client.ts";
import {
  completeHeader,
  HEADER,
  nextInChain,
  parseMessage,
  putHeader,
  type Reply,
  type Request,
} from "./smb-message.ts";
import { Status } from "./smb-status.ts";
import { ntTransaction, secondary, transaction } from "./transaction.ts";
import { performOfNt, performOnFiles, performOnPipe } from "./transactions.ts";
import {
  getTimes,
  lockAndRead,
  read,
  readAndX,
  seek,
  setTimes,
  write,
  writeAndClose,
  writeAndUnlock,
  writeAndX,
} from "./transfer-commands.ts";

/** Undefined: nothing is answered. */
type Perform = (client: SmbClient, request: Request) => Reply | Status | undefined;

interface Command {
  /** The least words of parameters. */
  readonly words: number;
  /** What must be there before it. A session also for a disk and for a tree of any kind. */
  readonly needs: "nothing" | "session" | "disk" | "tree";
  /** Another command may follow in the same message. */
  readonly isChained?: boolean;
  readonly perform: Perform;
}

const disk = (words: number, perform: Perform): Command => ({ words, needs: "disk", perform });
const tree = (words: number, perform: Perform): Command => ({ words, needs: "tree", perform });
const chained = (words: number, needs: Command["needs"], perform: Perform): Command => ({
  words,
  needs,
  isChained: true,
  perform,
});

const COMMANDS: ReadonlyMap<number, Command> = new Map<number, Command>([
  [0x00, disk(0, makeFolder)],
  [0x01, disk(0, removeFolder)],
  [0x02, disk(2, open)],
  [0x03, disk(3, create)],
  [0x04, tree(3, close)],
  [0x05, tree(1, flush)],
  [0x06, disk(1, remove)],
  [0x07, disk(1, rename)],
  [0x08, disk(0, getAttributes)],
  [0x09, disk(8, setAttributes)],
  [0x0a, disk(5, read)],
  [0x0b, disk(5, write)],
  [0x0c, disk(5, lockRange)],
  [0x0d, disk(5, unlockRange)],
  [0x0f, disk(3, createNew)],
  [0x10, disk(0, checkFolder)],
  [0x11, { words: 0, needs: "session", perform: processExit }],
  [0x12, disk(4, seek)],
  [0x13, disk(5, lockAndRead)],
  [0x14, disk(5, writeAndUnlock)],
  [0x22, disk(7, setTimes)],
  [0x23, disk(1, getTimes)],
  [0x24, chained(8, "disk", lockingAndX)],
  [0x25, tree(14, (client, request) => transaction(client, request, performOnPipe))],
  [0x26, tree(8, (client, request) => secondary(client, request, performOnPipe))],
  [0x2b, { words: 1, needs: "nothing", perform: echo }],
  [0x2c, disk(6, writeAndClose)],
  [0x2d, chained(15, "tree", openAndX)],
  [0x2e, chained(10, "tree", readAndX)],
  [0x2f, chained(12, "tree", writeAndX)],
  [0x32, tree(14, (client, request) => transaction(client, request, performOnFiles))],
  [0x33, tree(8, (client, request) => secondary(client, request, performOnFiles))],
  [0x34, disk(1, endFind)],
  [0x70, { words: 0, needs: "nothing", perform: treeConnect }],
  [0x71, { words: 0, needs: "session", perform: treeDisconnect }],
  [0x72, { words: 0, needs: "nothing", perform: negotiate }],
  [0x73, chained(10, "nothing", sessionSetup)],
  [0x74, chained(2, "session", logoff)],
  [0x75, chained(4, "nothing", treeConnectAndX)],
  [0x80, disk(0, diskOfDos)],
  [0x81, disk(2, search)],
  [0x82, disk(2, search)],
  [0x83, disk(2, findUnique)],
  [0x84, disk(2, findClose)],
  [0xa0, tree(19, (client, request) => ntTransaction(client, request, performOfNt))],
  [0xa1, tree(18, (client, request) => secondary(client, request, performOfNt))],
  [0xa2, chained(24, "tree", ntCreate)],
  // What would be cancelled has been answered.
  [0xa4, { words: 0, needs: "nothing", perform: () => undefined }],
  [0xa5, disk(4, ntRename)],
]);

const NEGOTIATE = 0x72;
const NO_MORE = 0xff;
const MOST_CHAINED = 16;
/** The length of a message has 17 bits, and where a command of a chain begins in it has 16. */
const MOST_REPLY = 0x1ffff;
const MOST_OFFSET = 0xffff;
/** A write has its octets behind its words, so an answer is never larger than what was asked for and this. */
const FIRST_SIZE = 1024;

/** Answers a message. "bad": it is none, and the connection cannot go on. Undefined: nothing is answered. */
export function answerMessage(
  client: SmbClient,
  bytes: Uint8Array,
  start: number,
  end: number,
): Octets | "bad" | undefined {
  let request: Request | undefined = parseMessage(bytes, start, end);
  if (request === undefined || (client.dialect === undefined && request.command !== NEGOTIATE)) return "bad";
  client.isUnicode = request.isUnicode;
  client.isDos = !request.knowsLongNames;
  const out = new Octets(FIRST_SIZE);
  putHeader(out, request);
  /** Where the last command tells of the next one. */
  let link: number | undefined;
  /** Where the request's blocks begin. */
  let blocksAt = HEADER;
  for (let count = 0; ; count++) {
    const command = COMMANDS.get(request.command);
    const next: ReturnType<typeof chainOf> | undefined = command?.isChained === true ? chainOf(request) : undefined;
    const outcome = count < MOST_CHAINED ? perform(client, request, command) : Status.INVALID_SMB;
    if (count > 0) client.site.missing = 0;
    if (outcome === undefined) return count === 0 ? undefined : finished(out, request, Status.OK);
    const reply: Reply = typeof outcome === "number" ? { status: outcome } : outcome;
    const status = reply.status ?? Status.OK;
    const before = out.length;
    if (link !== undefined) {
      out.align(4);
      out.setU8(link, request.command);
      out.setU16(link + 2, out.length);
    }
    const linkBefore = link;
    const isChained = typeof outcome !== "number" && command?.isChained === true;
    link = isChained ? out.length + 1 : undefined;
    const isPlaced = out.length <= MOST_OFFSET;
    putBlocks(out, reply, isChained);
    if (linkBefore !== undefined && (!isPlaced || out.length > MOST_REPLY)) {
      out.cutTo(before);
      out.setU8(linkBefore, NO_MORE);
      out.setU16(linkBefore + 2, 0);
      return finished(out, request, Status.INSUFFICIENT_RESOURCES);
    }
    if (link === undefined || next === undefined || next.command === NO_MORE) return finished(out, request, status);
    // A chain that goes back could go on for ever.
    const isForward: boolean = next.offset > blocksAt;
    const following: Request | undefined = isForward ? nextInChain(request, next.command, next.offset) : undefined;
    if (following === undefined) return finished(out, request, Status.INVALID_SMB);
    blocksAt = next.offset;
    request = following;
  }
}

function finished(out: Octets, request: Request, status: Status): Octets {
  completeHeader(out, request, status);
  return out;
}

/** Reads what follows in the message, which is before a command's own words. */
function chainOf({ words }: Request): { readonly command: number; readonly offset: number } {
  const command = words.u8();
  words.skip(1);
  return { command, offset: words.u16() };
}

function perform(client: SmbClient, request: Request, command: Command | undefined): Reply | Status | undefined {
  if (command === undefined) return Status.SMB_BAD_COMMAND;
  if (request.wordCount < command.words) return Status.INVALID_SMB;
  if (command.needs === "nothing") return command.perform(client, request);
  const { site, sessions, trees } = client;
  if (site.prover !== undefined && !sessions.has(request.uid)) return Status.SMB_BAD_UID;
  if (command.needs === "session") return command.perform(client, request);
  const tree = trees.get(request.tid);
  if (tree === undefined) return Status.SMB_BAD_TID;
  if (command.needs === "disk" && tree !== "disk") return Status.NOT_SUPPORTED;
  return command.perform(client, request);
}

function putBlocks(out: Octets, reply: Reply, isChained: boolean): void {
  const wordsAt = out.length;
  out.u8(0);
  if (isChained) {
    out.u8(NO_MORE, 0);
    out.u16(0);
  }
  reply.words?.(out);
  out.setU8(wordsAt, (out.length - wordsAt - 1) / 2);
  const countAt = out.length;
  out.u16(0);
  reply.data?.(out);
  out.setU16(countAt, out.length - countAt - 2);
}
