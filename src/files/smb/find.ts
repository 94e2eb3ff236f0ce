// TRANS2_FIND_FIRST2 and TRANS2_FIND_NEXT2: what is in a folder, in parts that the client takes (MS-CIFS §2.2.6.2, §2.8.1).

import { decoded } from "../../bytes/text.ts";
import { isTrouble, type Stat } from "../folder.ts";
import { allocated, attributesOf, isWanted, putDosTimes, putNtTimes, short } from "./file-facts.ts";
import { patternOf } from "./name-commands.ts";
import { Octets } from "./octets.ts";
import type { Search, SmbClient } from "./smb-client.ts";
import type { Request } from "./smb-message.ts";
import { findPath, MOST_NAMES, namesOfPath, type ShownName, shownNames } from "./shown-names.ts";
import { readText, textOctets, unicodeOctets } from "./smb-text.ts";
import { Status } from "./smb-status.ts";
import type { Transaction, TransactionAnswer } from "./transaction.ts";
import { hasWildcard, matcherOf } from "./wildcards.ts";

const FLAG = { CLOSES: 1, CLOSES_AT_END: 2, KEYS: 4 } as const;
const SHORT_NAME = 24;

export interface FoundEntry {
  readonly name: ShownName;
  readonly stat: Stat;
}

/** Begins a search. The pattern is the last name of the path. */
export function beginSearch(client: SmbClient, request: Request, text: string, attributes: number): Search | Status {
  const names = namesOfPath(text, true);
  if (names === undefined) return Status.OBJECT_NAME_INVALID;
  const { folder } = client.site;
  const last = names.at(-1) ?? "";
  const parent = findPath(folder, names.slice(0, -1));
  const stat = parent?.isThere === true ? folder.stat(parent.path) : "absent";
  if (parent === undefined || isTrouble(stat)) return Status.OBJECT_PATH_NOT_FOUND;
  if (stat.kind !== "folder") return Status.OBJECT_PATH_NOT_FOUND;
  const rest = { tid: request.tid, pid: request.pid, folder: parent.path, attributes, at: 0 };
  if (hasWildcard(last))
    return { ...rest, matches: matcherOf(patternOf(client, last)), names: searchNames(client, parent.path, last) };
  const one = findPath(folder, names);
  if (one?.isThere !== true) return Status.NO_SUCH_FILE;
  const real = one.path.at(-1);
  // The folder itself: it has no name here.
  if (real === undefined) return { ...rest, matches: () => true, names: [{ real: ".", long: ".", short: undefined }] };
  const shown = shownNames(folder, parent.path, client).find((name) => name.real === real);
  const name = shown ?? { real, long: decoded(real), short: undefined };
  return { ...rest, matches: () => true, names: [name] };
}

function searchNames(client: SmbClient, path: Search["folder"], pattern: string): ShownName[] {
  const names = shownNames(client.site.folder, path, client);
  // DOS wants these two, and not in the root.
  const dots = /^[*?<>".]+$/.test(pattern) && path.length > 0 ? [".", ".."] : [];
  return [...dots.map((dot) => ({ real: dot, long: dot, short: undefined })), ...names];
}

/** The next entry that the search wants. Undefined: there are no more. */
export function nextEntry(client: SmbClient, search: Search): FoundEntry | undefined {
  const { folder } = client.site;
  for (let name; (name = search.names[search.at]) !== undefined;) {
    search.at++;
    const { real, long, short: alias } = name;
    if (!search.matches(long) && (alias === undefined || !search.matches(alias))) continue;
    const path = real === "." ? search.folder : real === ".." ? search.folder.slice(0, -1) : [...search.folder, real];
    const stat = folder.stat(path);
    const attributes = isTrouble(stat) ? 0 : attributesOf(real === "." || real === ".." ? "" : real, stat);
    if (!isTrouble(stat) && isWanted(attributes, search.attributes)) return { name, stat };
  }
  return undefined;
}

export function findFirst(client: SmbClient, request: Request, ask: Transaction): TransactionAnswer | Status {
  const { parameters } = ask;
  const attributes = parameters.u16();
  const count = parameters.u16();
  const flags = parameters.u16();
  const level = parameters.u16();
  parameters.skip(4);
  const path = readText(parameters, client.isUnicode);
  if (parameters.isShort) return Status.INVALID_PARAMETER;
  const layout = LAYOUTS.get(level);
  if (layout === undefined) return Status.INVALID_LEVEL;
  const search = beginSearch(client, request, path, attributes);
  if (typeof search === "number") return search;
  const sid = client.addSearch(search);
  if (sid === undefined) return Status.INSUFFICIENT_RESOURCES;
  const part = putEntries(client, search, { layout, count, flags, most: ask.mostData });
  if (part.count === 0) {
    client.endSearch(sid);
    // The first entry alone is longer than what the client takes.
    return part.isEnd ? Status.NO_SUCH_FILE : Status.INVALID_PARAMETER;
  }
  if ((flags & FLAG.CLOSES) !== 0 || (part.isEnd && (flags & FLAG.CLOSES_AT_END) !== 0)) client.endSearch(sid);
  const answer = new Octets();
  answer.u16(sid, part.count, part.isEnd ? 1 : 0, 0, part.last);
  return { parameters: answer, data: part.out };
}

const CONTINUES = 8;

export function findNext(client: SmbClient, request: Request, ask: Transaction): TransactionAnswer | Status {
  const { parameters } = ask;
  const sid = parameters.u16();
  const count = parameters.u16();
  const level = parameters.u16();
  const key = parameters.u32();
  const flags = parameters.u16();
  const name = readText(parameters, client.isUnicode);
  const search = client.searches.get(sid);
  const layout = LAYOUTS.get(level);
  if (search?.tid !== request.tid) return Status.INVALID_HANDLE;
  if (layout === undefined) return Status.INVALID_LEVEL;
  if ((flags & CONTINUES) === 0) resume(search, key, name);
  const part = putEntries(client, search, { layout, count, flags, most: ask.mostData });
  if (part.count === 0 && !part.isEnd) return Status.INVALID_PARAMETER;
  if ((flags & FLAG.CLOSES) !== 0 || (part.isEnd && (flags & FLAG.CLOSES_AT_END) !== 0)) client.endSearch(sid);
  const answer = new Octets();
  answer.u16(part.count, part.isEnd ? 1 : 0, 0, part.last);
  return { parameters: answer, data: part.out };
}

/** Goes on after an entry: by the name that it was shown with, or else by the key that it had. */
function resume(search: Search, key: number, name: string): void {
  const at = name === "" ? -1 : search.names.findIndex(({ long, short: alias }) => long === name || alias === name);
  if (at >= 0) search.at = at + 1;
  else if (key > 0 && key <= search.names.length) search.at = key;
}

interface PartWish {
  readonly layout: Layout;
  readonly count: number;
  readonly flags: number;
  readonly most: number;
}

interface PartOfSearch {
  readonly out: Octets;
  readonly count: number;
  readonly isEnd: boolean;
  /** Where the last entry begins. */
  readonly last: number;
}

function putEntries(client: SmbClient, search: Search, { layout, count, flags, most }: PartWish): PartOfSearch {
  const out = new Octets();
  let [put, last] = [0, 0];
  const wanted = Math.max(1, Math.min(count, MOST_NAMES));
  for (;;) {
    const before = search.at;
    const entry = put <= wanted ? nextEntry(client, search) : undefined;
    if (entry === undefined) return { out, count: put, isEnd: true, last };
    const start = out.length;
    if (put < wanted) {
      if (layout.isChained) out.align(8);
      const from = out.length;
      layout.put(out, entry, { client, key: search.at, hasKeys: (flags & FLAG.KEYS) !== 0 });
      if (out.length <= most) {
        if (layout.isChained && put > 0) out.setU32(last, from - last);
        last = from;
        put++;
        continue;
      }
    }
    // It comes with the next part.
    out.cutTo(start);
    search.at = before;
    return { out, count: put, isEnd: false, last };
  }
}

// ── the forms of an entry ────────────────────────────────────────────────────────────────────────────────────────────

interface EntryContext {
  readonly client: SmbClient;
  /** Where a search goes on after the entry. */
  readonly key: number;
  readonly hasKeys: boolean;
}

interface Layout {
  /** Each entry begins with the way to the next one. */
  readonly isChained: boolean;
  put(out: Octets, entry: FoundEntry, context: EntryContext): void;
}

const LAYOUTS: ReadonlyMap<number, Layout> = new Map<number, Layout>([
  [1, { isChained: false, put: (out, entry, context) => putOfDos(out, entry, context, false) }],
  [2, { isChained: false, put: (out, entry, context) => putOfDos(out, entry, context, true) }],
  [0x101, { isChained: true, put: putOfNt({ hasEas: false, hasShort: false }) }],
  [0x102, { isChained: true, put: putOfNt({ hasEas: true, hasShort: false }) }],
  [0x103, { isChained: true, put: putName }],
  [0x104, { isChained: true, put: putOfNt({ hasEas: true, hasShort: true }) }],
]);

function sizeOf({ kind, size }: Stat): number {
  return kind === "folder" ? 0 : size;
}

function attributes({ name, stat }: FoundEntry): number {
  return attributesOf(name.real === "." || name.real === ".." ? "" : name.real, stat);
}

function putOfDos(out: Octets, entry: FoundEntry, { client, key, hasKeys }: EntryContext, hasEas: boolean): void {
  const { name, stat } = entry;
  const { isUnicode, site } = client;
  const size = sizeOf(stat);
  const octets = textOctets(name.long, isUnicode);
  if (hasKeys) out.u32(key);
  putDosTimes(out, stat.mtime, site);
  out.u32(short(size), short(allocated(size)));
  out.u16(attributes(entry));
  if (hasEas) out.u32(0);
  out.u8(octets.length);
  if (isUnicode && !hasEas) out.align(2);
  out.put(octets);
  out.zeros(isUnicode ? 2 : 1);
}

function putOfNt({ hasEas, hasShort }: { readonly hasEas: boolean; readonly hasShort: boolean }): Layout["put"] {
  return (out, entry, { client, key }) => {
    const { name, stat } = entry;
    const size = sizeOf(stat);
    const octets = textOctets(name.long, client.isUnicode);
    out.u32(0, key);
    putNtTimes(out, stat.mtime);
    out.u64(size, allocated(size));
    out.u32(attributes(entry), octets.length);
    if (hasEas) out.u32(0);
    if (hasShort) {
      // It is of UTF-16 for all clients.
      const alias = unicodeOctets(name.short ?? "").subarray(0, SHORT_NAME);
      out.u8(alias.length, 0);
      out.put(alias);
      out.zeros(SHORT_NAME - alias.length);
    }
    out.put(octets);
  };
}

function putName(out: Octets, { name }: FoundEntry, { client, key }: EntryContext): void {
  const octets = textOctets(name.long, client.isUnicode);
  out.u32(0, key, octets.length);
  out.put(octets);
}
