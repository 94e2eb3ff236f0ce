// SEARCH, FIND, FIND_UNIQUE and FIND_CLOSE: what is in a folder, for clients of DOS (MS-CIFS §2.2.4.58). Names are short ones. The
// client sends the last entry's key to get the next ones.

import { bytesOf } from "../../bytes/text.ts";
import { attributesOf, short } from "./file-facts.ts";
import { beginSearch, type FoundEntry, nextEntry } from "./find.ts";
import { Octets } from "./octets.ts";
import type { Search, SmbClient } from "./smb-client.ts";
import type { Reply, Request } from "./smb-message.ts";
import { SHARE } from "./smb-site.ts";
import { dosTime } from "./smb-time.ts";
import { oemOctets, readText } from "./smb-text.ts";
import { Status } from "./smb-status.ts";

/** A key: what DOS keeps for itself, the pattern, our numbers, and what the client keeps. */
const KEY = 21;
const SID_AT = 12;
const NAME = 13;
const ENTRY = KEY + 1 + 2 + 2 + 4 + NAME;
const VOLUME = 8;
const BLOCK = 5;
/** The blocks of octets of the answer. */
const FRAME = 100;

export function search(client: SmbClient, request: Request): Reply | Status {
  return searched(client, request, false);
}

/** It is not continued. */
export function findUnique(client: SmbClient, request: Request): Reply | Status {
  return searched(client, request, true);
}

function searched(client: SmbClient, request: Request, isUnique: boolean): Reply | Status {
  const { words, data, isUnicode } = request;
  const count = words.u16();
  const attributes = words.u16();
  data.skip(1);
  const path = readText(data, isUnicode);
  data.skip(1);
  const key = data.take(data.u16());
  if (words.isShort || data.isShort) return Status.INVALID_SMB;
  if (key.length === 0 && attributes === VOLUME) return labelReply();
  const begun = key.length === 0 ? begin(client, request, path, attributes) : continued(client, key);
  if (typeof begun === "number") return begun;
  const { sid, found } = begun;
  const out = new Octets();
  const room = Math.floor((client.peerBuffer - FRAME) / ENTRY);
  let put = 0;
  for (let entry; put < Math.min(count, room) && (entry = nextEntry(client, found)) !== undefined; put++)
    putEntry(out, client, sid, found, entry);
  if (put === 0 || isUnique) client.endSearch(sid);
  if (put === 0) return Status.NO_MORE_FILES;
  return entriesReply(put, out);
}

interface Begun {
  readonly sid: number;
  readonly found: Search;
}

function begin(client: SmbClient, request: Request, path: string, attributes: number): Begun | Status {
  const found = beginSearch(client, request, path, attributes);
  if (typeof found === "number") return found === Status.NO_SUCH_FILE ? Status.NO_MORE_FILES : found;
  const sid = client.addSearch(found);
  return sid === undefined ? Status.INSUFFICIENT_RESOURCES : { sid, found };
}

function continued(client: SmbClient, key: Uint8Array): Begun | Status {
  if (key.length !== KEY) return Status.INVALID_PARAMETER;
  const sid = key[SID_AT]! | (key[SID_AT + 1]! << 8);
  const found = client.searches.get(sid);
  if (found === undefined) return Status.NO_MORE_FILES;
  found.at = Math.min(found.names.length, key[SID_AT + 2]! | (key[SID_AT + 3]! << 8));
  return { sid, found };
}

function putEntry(out: Octets, { site }: SmbClient, sid: number, { at }: Search, { name, stat }: FoundEntry): void {
  const shown = oemOctets((name.short ?? name.long).toUpperCase()).subarray(0, NAME - 1);
  const [date, time] = dosTime(stat.mtime, (when) => site.zoneAt(when));
  const isDot = name.real === "." || name.real === "..";
  out.zeros(SID_AT);
  out.u16(sid, at);
  out.zeros(KEY - SID_AT - 4);
  out.u8(attributesOf(isDot ? "" : name.real, stat));
  out.u16(time, date);
  out.u32(stat.kind === "folder" ? 0 : short(stat.size));
  out.put(shown);
  out.zeros(NAME - shown.length);
}

function entriesReply(count: number, entries: Octets): Reply {
  return {
    words: (out) => out.u16(count),
    data(out) {
      out.u8(BLOCK);
      out.u16(entries.length);
      out.put(entries.written);
    },
  };
}

/** The disk's name, which DIR shows. */
function labelReply(): Reply {
  const out = new Octets();
  out.zeros(KEY);
  out.u8(VOLUME);
  out.zeros(8);
  out.put(bytesOf(SHARE.padEnd(NAME, "\0")));
  return entriesReply(1, out);
}

export function findClose(client: SmbClient, { data, isUnicode }: Request): Reply {
  data.skip(1);
  readText(data, isUnicode);
  data.skip(1);
  const key = data.take(data.u16());
  if (key.length === KEY) client.endSearch(key[SID_AT]! | (key[SID_AT + 1]! << 8));
  return { words: (out) => out.u16(0) };
}

/** FIND_CLOSE2. */
export function endFind(client: SmbClient, { words, tid }: Request): Reply | Status {
  const sid = words.u16();
  if (client.searches.get(sid)?.tid !== tid) return Status.INVALID_HANDLE;
  client.endSearch(sid);
  return {};
}
