// What a client of SMB has: its dialect, its session, the trees that it is connected to, its open files and its searches.

import type { OpenFile, Path } from "../folder.ts";
import { octetsFreed } from "../quota.ts";
import type { Open } from "./open-table.ts";
import type { ShownName } from "./shown-names.ts";
import type { PendingTransaction } from "./pending-transaction.ts";
import type { Request } from "./smb-message.ts";
import { SHARE, type SmbSite } from "./smb-site.ts";
import type { Matcher } from "./wildcards.ts";

/** In the order of their age. */
export const Dialect = { CORE: 0, LANMAN1: 1, LANMAN2: 2, NT: 3 } as const;
export type Dialect = (typeof Dialect)[keyof typeof Dialect];

/** A share that a client is connected to. */
export type Tree = "disk" | "pipes";

export interface Handle {
  readonly tid: number;
  readonly pid: number;
  readonly open: Open;
  /** Undefined: a folder, or a file whose attributes alone are wanted. */
  readonly file: OpenFile | undefined;
  readonly isFolder: boolean;
  /** Octets have been written that may not be on the disk yet. */
  isDirty: boolean;
  isDoomed: boolean;
  /** Where a client of DOS reads next. */
  position: number;
}

/** A pipe of IPC$: what the service has to say to the client. */
export interface Pipe {
  readonly tid: number;
  unread: Uint8Array;
}

export interface Search {
  readonly tid: number;
  readonly pid: number;
  readonly folder: Path;
  readonly matches: Matcher;
  readonly attributes: number;
  readonly names: readonly ShownName[];
  at: number;
}

const CHALLENGE = 8;
const HIGHEST_ID = 0xfffe;
const MOST_HANDLES = 128;
const MOST_SEARCHES = 16;
const MOST_TREES = 64;
const MOST_SESSIONS = 32;
/** Names that the searches of all clients may hold, and those of one client, unless a single search has more. */
const MOST_HELD = 400_000;
const MOST_OWN = 40_000;
/**
 * The largest message that a client sends or asks for. Clients give up a request after 20 s (smbclient) or 45 s (Windows XP), also
 * when it is still being answered: at 9600 bit/s two of these take 9 s. Windows NT has the same size.
 */
export const OUR_BUFFER = 4356;

export class SmbClient {
  readonly site: SmbSite;
  readonly challenge = new Uint8Array(CHALLENGE);
  /** Undefined: not negotiated yet. */
  dialect: Dialect | undefined;
  /** The largest message that the client takes. */
  peerBuffer = OUR_BUFFER;
  readonly sessions = new Set<number>();
  readonly trees = new Map<number, Tree>();
  readonly handles = new Map<number, Handle>();
  readonly pipes = new Map<number, Pipe>();
  readonly searches = new Map<number, Search>();
  pending: PendingTransaction | undefined;
  /** The file that was read or written last. */
  carried: { readonly handle: Handle; readonly to: "peer" | "us" } | undefined;
  #last = 0;

  constructor(site: SmbSite) {
    this.site = site;
    site.random(this.challenge);
  }

  /** These two are set by each request. */
  isUnicode = false;
  isDos = false;

  get isOem(): boolean {
    return !this.isUnicode;
  }

  /** A number that is not in use. */
  #newId(used: { has(id: number): boolean }, alsoUsed = used): number {
    do this.#last = (this.#last % HIGHEST_ID) + 1;
    while (used.has(this.#last) || alsoUsed.has(this.#last));
    return this.#last;
  }

  /** Undefined: it has too many. */
  addSession(): number | undefined {
    if (this.sessions.size >= MOST_SESSIONS) return undefined;
    const uid = this.#newId(this.sessions);
    this.sessions.add(uid);
    return uid;
  }

  addTree(tree: Tree): number | undefined {
    if (this.trees.size >= MOST_TREES) return undefined;
    const tid = this.#newId(this.trees);
    this.trees.set(tid, tree);
    return tid;
  }

  get isFull(): boolean {
    return this.handles.size + this.pipes.size >= MOST_HANDLES || this.site.opens.isFull;
  }

  addHandle(handle: Handle): number {
    const fid = this.#newId(this.handles, this.pipes);
    this.handles.set(fid, handle);
    return fid;
  }

  addPipe(tid: number): number {
    const fid = this.#newId(this.handles, this.pipes);
    this.pipes.set(fid, { tid, unread: new Uint8Array(0) });
    return fid;
  }

  /** The oldest search makes room. Undefined: all clients together hold too many names. */
  addSearch(search: Search): number | undefined {
    const size = search.names.length;
    let own = 0;
    for (const { names } of this.searches.values()) own += names.length;
    for (const [sid, { names }] of this.searches) {
      const hasRoom = own + size <= MOST_OWN && this.site.held + size <= MOST_HELD;
      if (this.searches.size < MOST_SEARCHES && hasRoom) break;
      own -= names.length;
      this.endSearch(sid);
    }
    if (this.site.held + size > MOST_HELD) return undefined;
    const sid = this.#newId(this.searches);
    this.searches.set(sid, search);
    this.site.held += size;
    return sid;
  }

  endSearch(sid: number): void {
    const search = this.searches.get(sid);
    if (search === undefined) return;
    this.searches.delete(sid);
    this.site.held -= search.names.length;
  }

  /** Closes what belongs to a tree, to a process, or all. Nobody waits for the outcome. */
  closeAll(isIts: (one: { readonly tid: number; readonly pid?: number }) => boolean): void {
    for (const [fid, handle] of [...this.handles]) {
      if (!isIts(handle)) continue;
      this.handles.delete(fid);
      if (this.carried?.handle === handle) this.carried = undefined;
      closeHandle(this.site, handle);
    }
    for (const [fid, pipe] of [...this.pipes]) if (isIts(pipe)) this.pipes.delete(fid);
    for (const [sid, search] of [...this.searches]) if (isIts(search)) this.endSearch(sid);
  }

  end(): void {
    this.closeAll(() => true);
    this.trees.clear();
    this.sessions.clear();
    this.pending = undefined;
  }
}

/** An open file of the tree that a request names. */
export function handleOf({ handles }: SmbClient, { tid }: Pick<Request, "tid">, fid: number): Handle | undefined {
  const handle = handles.get(fid);
  return handle?.tid === tid ? handle : undefined;
}

/** Who holds a lock: a process of the client, by the half of its number that all commands have. */
export function ownerOf({ pid }: Pick<Request, "pid">): number {
  return pid & 0xffff;
}

/** The path of an open file. */
export function pathOf({ key }: Open): Path {
  return key === "" ? [] : key.split("/");
}

/** Closes an open file, and removes it if that was asked for. Returns what went wrong. */
export function closeHandle({ folder, opens, quota }: SmbSite, handle: Handle): ReturnType<OpenFile["sync"]> {
  const { file, open, isDoomed } = handle;
  const trouble = handle.isDirty && !isDoomed ? file?.sync() : undefined;
  file?.close();
  opens.close(open);
  if (!isDoomed || !opens.mayMove(open.key)) return trouble;
  const freed = octetsFreed(folder, pathOf(open));
  const gone = folder.remove(pathOf(open));
  if (gone === undefined) quota.add(-freed);
  return gone;
}

/** `\\SERVER\FILES`, `FILES`, or the pipes. Undefined: there is no such share. */
export function treeOf(path: string): Tree | undefined {
  const name = (path.split(/[\\/]/).at(-1) ?? "").toUpperCase();
  return name === SHARE ? "disk" : name === "IPC$" ? "pipes" : undefined;
}
