// Commands that open and close files: NT_CREATE_ANDX, OPEN_ANDX, and OPEN, CREATE, CREATE_NEW, CLOSE and FLUSH of the first dialects.

import { decoded } from "../../bytes/text.ts";
import { allocated, attributesOf, putNtTimes, short } from "./file-facts.ts";
import { type Opening, Share } from "./open-table.ts";
import { Action, Disposition, type Opened, openNamed, type OpenWish } from "./opening.ts";
import { isService } from "./pipes.ts";
import { closeHandle, type Handle, pathOf, type SmbClient } from "./smb-client.ts";
import type { Reply, Request } from "./smb-message.ts";
import { localSeconds, secondsOfLocal } from "./smb-time.ts";
import { readText, readTextOf } from "./smb-text.ts";
import { namesOfPath } from "./shown-names.ts";
import { Status, statusOf } from "./smb-status.ts";

/** Rights of NT that a client asks for. The generic ones stand for several. */
const ACCESS = { read: 0xb200_0021, write: 0x5200_0006, delete: 0x1201_0000 } as const;
const MAXIMUM = 0x0200_0000;
const OPTION = { FOLDER: 1, NO_FOLDER: 0x40, DELETES: 0x1000, BY_ID: 0x2000 } as const;
const PIPE = { type: 2, state: 0x05ff, attributes: 0x80 } as const;

export function ntCreate(client: SmbClient, request: Request): Reply | Status {
  const { words, data, isUnicode } = request;
  words.skip(1);
  const length = words.u16();
  words.skip(4);
  const root = words.u32();
  const access = words.u32();
  // The size and the attributes of a new file are not kept.
  words.skip(8 + 4);
  const shared = words.u32();
  const disposition = words.u32();
  const options = words.u32();
  const name = readTextOf(data, length, isUnicode);
  if (words.isShort) return Status.INVALID_SMB;
  if (client.trees.get(request.tid) === "pipes") return openPipe(client, request, name);
  const names = namesFrom(client, root, name);
  if (typeof names === "number") return names;
  if (disposition > Disposition.OVERWRITE_IF || (options & OPTION.BY_ID) !== 0) return Status.INVALID_PARAMETER;
  const kind = (options & OPTION.FOLDER) !== 0 ? "folder" : (options & OPTION.NO_FOLDER) !== 0 ? "file" : undefined;
  const wish: OpenWish = {
    names,
    disposition: disposition as Disposition,
    opening: openingOf(access, shared, client.site.isWritable),
    kind,
    isDoomed: (options & OPTION.DELETES) !== 0,
  };
  let opened = openNamed(client, request, wish);
  // As much as may be was asked for.
  if (opened === Status.ACCESS_DENIED && (access & MAXIMUM) !== 0)
    opened = openNamed(client, request, { ...wish, opening: openingOf(access, shared, false) });
  if (typeof opened === "number") return opened;
  request.opened = opened.fid;
  return { words: (out) => putOpened(out, opened) };
}

function openingOf(access: number, shared: number, isWritable: boolean): Opening {
  const asked = (access & MAXIMUM) !== 0 && !isWritable ? (access & ~MAXIMUM) | 1 : access;
  return {
    canRead: (asked & ACCESS.read) !== 0,
    canWrite: (asked & ACCESS.write) !== 0,
    canDelete: (asked & ACCESS.delete) !== 0,
    shared: shared & 7,
  };
}

function namesFrom(client: SmbClient, root: number, name: string): string[] | Status {
  const names = namesOfPath(name);
  if (names === undefined) return Status.OBJECT_NAME_INVALID;
  if (root === 0) return names;
  const folder = client.handles.get(root);
  return folder === undefined ? Status.INVALID_HANDLE : [...pathOf(folder.open).map(decoded), ...names];
}

type Out = Parameters<NonNullable<Reply["words"]>>[0];

function putOpened(out: Out, { fid, action, stat, path }: Opened): void {
  const isFolder = stat.kind === "folder";
  out.u8(0);
  out.u16(fid);
  out.u32(action);
  putNtTimes(out, stat.mtime);
  out.u32(attributesOf(path.at(-1) ?? "", stat));
  out.u64(isFolder ? 0 : allocated(stat.size), isFolder ? 0 : stat.size);
  out.u16(0, 0);
  out.u8(isFolder ? 1 : 0);
}

function openPipe(client: SmbClient, { tid }: Request, name: string): Reply | Status {
  if (!isService(name)) return Status.OBJECT_NAME_NOT_FOUND;
  if (client.isFull) return Status.TOO_MANY_OPENED_FILES;
  const fid = client.addPipe(tid);
  return {
    words(out) {
      out.u8(0);
      out.u16(fid);
      out.u32(Action.OPENED);
      out.zeros(32);
      out.u32(PIPE.attributes);
      out.u64(0, 0);
      out.u16(PIPE.type, PIPE.state);
      out.u8(0);
    },
  };
}

// ── older ways ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** What DOS lets others do, by the number in bits 4 to 6: compatibility, nothing, read, write, both. */
const SHARED = [Share.READ | Share.WRITE, 0, Share.READ, Share.WRITE, Share.READ | Share.WRITE] as const;
/** Read, write, both, execute. */
const MODES = [
  [true, false],
  [false, true],
  [true, true],
  [true, false],
] as const;

/** Undefined: DOS has no such mode. */
function openingOfDos(mode: number): Opening | undefined {
  // A file control block: as much as may be.
  if ((mode & 0xff) === 0xff) return { canRead: true, canWrite: true, canDelete: false, shared: SHARED[0] };
  const rights = MODES[mode & 7];
  const shared = SHARED[(mode >> 4) & 7];
  if (rights === undefined || shared === undefined) return undefined;
  return { canRead: rights[0], canWrite: rights[1], canDelete: false, shared };
}

/** By what to do with a file that is there, and whether one is made. */
function dispositionOfDos(mode: number): Disposition | undefined {
  const makes = (mode & 0x10) !== 0;
  if ((mode & 3) === 0) return makes ? Disposition.CREATE : undefined;
  if ((mode & 3) === 1) return makes ? Disposition.OPEN_IF : Disposition.OPEN;
  return makes ? Disposition.OVERWRITE_IF : Disposition.OVERWRITE;
}

function openAsDos(
  client: SmbClient,
  request: Request,
  mode: number,
  disposition: Disposition | undefined,
  name: string,
): Opened | Status {
  const opening = openingOfDos(mode);
  if (opening === undefined || disposition === undefined) return Status.INVALID_PARAMETER;
  const names = namesOfPath(name);
  if (names === undefined) return Status.OBJECT_NAME_INVALID;
  const wish: OpenWish = { names, disposition, opening, kind: "file", isDoomed: false };
  const opened = openNamed(client, request, wish);
  // What may only be read is given to a client of DOS that would like to write as well if it can.
  const canFall = opened === Status.ACCESS_DENIED && (mode & 0xff) === 0xff && disposition === Disposition.OPEN;
  return canFall ? openNamed(client, request, { ...wish, opening: { ...opening, canWrite: false } }) : opened;
}

export function openAndX(client: SmbClient, request: Request): Reply | Status {
  const { words, data, isUnicode } = request;
  words.skip(2);
  const mode = words.u16();
  words.skip(2 + 2 + 4);
  const disposition = dispositionOfDos(words.u16());
  const name = readText(data, isUnicode);
  if (words.isShort) return Status.INVALID_SMB;
  if (client.trees.get(request.tid) === "pipes") return openPipeAsDos(client, request, name);
  const opened = openAsDos(client, request, mode, disposition, name);
  if (typeof opened === "number") return opened;
  const { fid, stat, path, action } = opened;
  request.opened = fid;
  return {
    words(out) {
      out.u16(fid, attributesOf(path.at(-1) ?? "", stat));
      out.u32(
        localSeconds(stat.mtime, (at) => client.site.zoneAt(at)),
        short(stat.size),
      );
      out.u16(mode & 7, 0, 0, action === Action.OPENED ? 1 : action === Action.CREATED ? 2 : 3);
      out.u32(0);
      out.u16(0);
    },
  };
}

function openPipeAsDos(client: SmbClient, { tid }: Request, name: string): Reply | Status {
  if (!isService(name)) return Status.OBJECT_NAME_NOT_FOUND;
  if (client.isFull) return Status.TOO_MANY_OPENED_FILES;
  const fid = client.addPipe(tid);
  return {
    words(out) {
      out.u16(fid, PIPE.attributes);
      out.u32(0, 0);
      out.u16(2, PIPE.type, PIPE.state, 1);
      out.u32(0);
      out.u16(0);
    },
  };
}

export function open(client: SmbClient, request: Request): Reply | Status {
  const mode = request.words.u16();
  const opened = openAsDos(client, request, mode, Disposition.OPEN, nameAfterFormat(request));
  if (typeof opened === "number") return opened;
  const { fid, stat, path } = opened;
  return {
    words(out) {
      out.u16(fid, attributesOf(path.at(-1) ?? "", stat));
      out.u32(
        localSeconds(stat.mtime, (at) => client.site.zoneAt(at)),
        short(stat.size),
      );
      out.u16(mode & 7);
    },
  };
}

/** The octet before a name tells that it is one. */
export function nameAfterFormat({ data, isUnicode }: Request): string {
  data.skip(1);
  return readText(data, isUnicode);
}

export function create(client: SmbClient, request: Request): Reply | Status {
  return createAs(client, request, Disposition.OVERWRITE_IF);
}

export function createNew(client: SmbClient, request: Request): Reply | Status {
  return createAs(client, request, Disposition.CREATE);
}

function createAs(client: SmbClient, request: Request, disposition: Disposition): Reply | Status {
  const opened = openAsDos(client, request, 2, disposition, nameAfterFormat(request));
  return typeof opened === "number" ? opened : { words: (out) => out.u16(opened.fid) };
}

export function close(client: SmbClient, { words, tid }: Request): Reply | Status {
  const fid = words.u16();
  const time = words.u32();
  const pipe = client.pipes.get(fid);
  if (pipe?.tid === tid) {
    client.pipes.delete(fid);
    return {};
  }
  const handle = client.handles.get(fid);
  if (handle?.tid !== tid) return Status.INVALID_HANDLE;
  client.handles.delete(fid);
  if (client.carried?.handle === handle) client.carried = undefined;
  const seconds = secondsOfLocal(time, (at) => client.site.zoneAt(at));
  if (seconds !== undefined && handle.open.opening.canWrite) handle.file?.setTime(seconds);
  const trouble = closeHandle(client.site, handle);
  return trouble === undefined ? {} : statusOf(trouble);
}

export function flush(client: SmbClient, { words, tid }: Request): Reply | Status {
  const fid = words.u16();
  const all = fid === 0xffff ? [...client.handles.values()] : [client.handles.get(fid)];
  for (const handle of all) {
    if (handle?.tid !== tid) {
      if (fid === 0xffff) continue;
      return Status.INVALID_HANDLE;
    }
    const trouble = flushed(handle);
    if (trouble !== undefined) return trouble;
  }
  return {};
}

function flushed(handle: Handle): Status | undefined {
  const trouble = handle.isDirty ? handle.file?.sync() : undefined;
  if (trouble === undefined) handle.isDirty = false;
  return trouble && statusOf(trouble);
}
