// Commands that read, write and seek in open files, of all dialects, and those for the times of an open file.

import { isTrouble } from "../folder.ts";
import type { Fields } from "./fields.ts";
import { askService } from "./pipes.ts";
import { type Handle, handleOf, ownerOf, type SmbClient } from "./smb-client.ts";
import type { Reply, Request } from "./smb-message.ts";
import type { SmbSite } from "./smb-site.ts";
import { secondsOfDos, secondsOfLocal, dosTime } from "./smb-time.ts";
import { allocated, attributesOf, short } from "./file-facts.ts";
import { close } from "./open-commands.ts";
import { Status, statusOf } from "./smb-status.ts";

/** The most that is read at once. */
const MOST_READ = 0xf000;
/** A data block's kind, before its length. */
const FORMAT = 1;
/** Larger files have no place on a disk, and a number above 2 ** 53 is not exact. */
const MOST_SIZE = 2 ** 50;
/** A message begins, and it is written as such. */
const RAW_MESSAGE = 8 | 4;

interface Place {
  readonly handle: Handle;
  readonly offset: number;
}

/** Octets of a file. Empty at its end. */
function octetsAt(client: SmbClient, request: Request, { handle, offset }: Place, count: number): Uint8Array | Status {
  const { file, open } = handle;
  if (handle.isFolder) return Status.INVALID_DEVICE_REQUEST;
  if (file === undefined || !open.opening.canRead) return Status.ACCESS_DENIED;
  if (client.site.opens.isLocked(open, ownerOf(request), offset, offset + count, false))
    return Status.FILE_LOCK_CONFLICT;
  if (offset > MOST_SIZE) return new Uint8Array(0);
  const octets = new Uint8Array(Math.min(count, MOST_READ));
  const got = file.read(octets, 0, octets.length, offset);
  if (isTrouble(got)) return statusOf(got);
  handle.position = offset + got;
  client.carried = { handle, to: "peer" };
  return octets.subarray(0, got);
}

/** The file that a chain has opened, or the one that is named. */
function fidOf({ words, opened }: Request): number {
  const fid = words.u16();
  return opened ?? fid;
}

export function readAndX(client: SmbClient, request: Request): Reply | Status {
  const { words, wordCount } = request;
  const fid = fidOf(request);
  const low = words.u32();
  const count = words.u16();
  // The least that is wanted, a time to wait, how many more octets will be asked for.
  words.skip(2 + 4 + 2);
  const offset = low + (wordCount >= 12 ? words.u32() : 0) * 2 ** 32;
  if (words.isShort) return Status.INVALID_SMB;
  const pipe = client.pipes.get(fid);
  if (pipe?.tid === request.tid) {
    const part = pipe.unread.subarray(0, count);
    pipe.unread = pipe.unread.subarray(part.length);
    return readReply(part);
  }
  const handle = handleOf(client, request, fid);
  if (handle === undefined) return Status.INVALID_HANDLE;
  const octets = octetsAt(client, request, { handle, offset }, count);
  return typeof octets === "number" ? octets : readReply(octets);
}

function readReply(octets: Uint8Array): Reply {
  return {
    words(out) {
      out.u16(0xffff, 0, 0, octets.length);
      // After this come five words and the count of octets, and one to align them.
      const dataAt = out.length + 2 + 10 + 2;
      out.u16(dataAt + (dataAt % 2));
      out.zeros(10);
    },
    data(out) {
      out.align(2);
      out.put(octets);
    },
  };
}

/** READ, and LOCK_AND_READ with a lock before it. */
export function read(client: SmbClient, request: Request): Reply | Status {
  return readSome(client, request, false);
}

export function lockAndRead(client: SmbClient, request: Request): Reply | Status {
  return readSome(client, request, true);
}

function readSome(client: SmbClient, request: Request, locks: boolean): Reply | Status {
  const { words } = request;
  const handle = handleOf(client, request, words.u16());
  const count = words.u16();
  const offset = words.u32();
  if (handle === undefined) return Status.INVALID_HANDLE;
  const range = { owner: ownerOf(request), from: offset, to: offset + count, isShared: false };
  if (locks && !client.site.opens.lock(handle.open, range)) return Status.LOCK_NOT_GRANTED;
  const octets = octetsAt(client, request, { handle, offset }, count);
  if (typeof octets === "number") {
    if (locks) client.site.opens.unlock(handle.open, range);
    return octets;
  }
  return {
    words(out) {
      out.u16(octets.length);
      out.zeros(8);
    },
    data(out) {
      out.u8(FORMAT);
      out.u16(octets.length);
      out.put(octets);
    },
  };
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Writes all. */
function writeAt(
  client: SmbClient,
  request: Request,
  { handle, offset }: Place,
  octets: Uint8Array,
): Status | undefined {
  const { file, open } = handle;
  if (file === undefined || !open.opening.canWrite) return Status.ACCESS_DENIED;
  const end = offset + octets.length;
  if (client.site.opens.isLocked(open, ownerOf(request), offset, end, true)) return Status.FILE_LOCK_CONFLICT;
  const room = roomFor(client.site, handle, end);
  if (room !== undefined) return room;
  const before = file.stat().size;
  handle.isDirty = true;
  let trouble: Status | undefined;
  for (let at = 0; at < octets.length && trouble === undefined;) {
    const count = file.write(octets, at, octets.length, offset + at);
    if (isTrouble(count)) trouble = statusOf(count);
    else if (count === 0) trouble = Status.DISK_FULL;
    else at += count;
  }
  client.site.quota.add(file.stat().size - before);
  handle.position = end;
  client.carried = { handle, to: "us" };
  return trouble;
}

/** Undefined: the file may grow to this size. */
function roomFor(site: SmbSite, { file }: Handle, size: number): Status | undefined {
  if (size > MOST_SIZE) return Status.DISK_FULL;
  const grown = size - (file?.stat().size ?? 0);
  if (grown <= 0 || site.quota.allows(grown)) return undefined;
  site.missing = grown;
  return Status.DISK_FULL;
}

/** Makes the file this long. */
export function setSize(site: SmbSite, handle: Handle, size: number): Status | undefined {
  const { file, open } = handle;
  if (file === undefined || !open.opening.canWrite) return Status.ACCESS_DENIED;
  const full = roomFor(site, handle, size);
  if (full !== undefined) return full;
  const before = file.stat().size;
  const trouble = file.truncate(size);
  handle.isDirty = true;
  site.quota.add(file.stat().size - before);
  return trouble && statusOf(trouble);
}

export function writeAndX(client: SmbClient, request: Request): Reply | Status {
  const { words, wordCount, message, tid } = request;
  const fid = fidOf(request);
  const low = words.u32();
  // A time to wait.
  words.skip(4);
  const mode = words.u16();
  // How much more will follow.
  words.skip(2);
  const high = words.u16();
  const count = words.u16() + high * 0x10000;
  const dataAt = words.u16();
  const offset = low + (wordCount >= 14 ? words.u32() : 0) * 2 ** 32;
  const octets = message.part(dataAt, count).take(count);
  if (words.isShort || octets.length !== count) return Status.INVALID_SMB;
  const pipe = client.pipes.get(fid);
  if (pipe?.tid === tid) {
    // NT may put the message's length before it.
    const isRaw = (mode & RAW_MESSAGE) === RAW_MESSAGE;
    pipe.unread = askService(client.site, octets.subarray(isRaw ? 2 : 0));
    return writeReply(count);
  }
  const handle = handleOf(client, request, fid);
  if (handle === undefined) return Status.INVALID_HANDLE;
  return writeAt(client, request, { handle, offset }, octets) ?? writeReply(count);
}

function writeReply(count: number): Reply {
  return { words: (out) => out.u16(count & 0xffff, 0xffff, count >>> 16, 0) };
}

/** WRITE, also to make a file shorter or longer; with more after it WRITE_AND_UNLOCK and WRITE_AND_CLOSE. */
export function write(client: SmbClient, request: Request): Reply | Status {
  return writeSome(client, request, readBlock);
}

function readBlock(data: Fields): void {
  data.skip(3);
}

function writeSome(client: SmbClient, request: Request, before: (data: Fields) => void): Reply | Status {
  const { words, data } = request;
  const handle = handleOf(client, request, words.u16());
  const count = words.u16();
  const offset = words.u32();
  before(data);
  const octets = data.take(count);
  if (handle === undefined) return Status.INVALID_HANDLE;
  if (words.isShort || data.isShort) return Status.INVALID_SMB;
  const status =
    count === 0 ? setSize(client.site, handle, offset) : writeAt(client, request, { handle, offset }, octets);
  return status ?? { words: (out) => out.u16(count) };
}

export function writeAndUnlock(client: SmbClient, request: Request): Reply | Status {
  const { words } = request;
  const at = words.at;
  const written = write(client, request);
  if (typeof written === "number") return written;
  words.at = at;
  const handle = handleOf(client, request, words.u16());
  const count = words.u16();
  const from = words.u32();
  if (
    handle !== undefined &&
    !client.site.opens.unlock(handle.open, { owner: ownerOf(request), from, to: from + count })
  )
    return Status.RANGE_NOT_LOCKED;
  return written;
}

export function writeAndClose(client: SmbClient, request: Request): Reply | Status {
  const { words } = request;
  const at = words.at;
  const written = writeSome(client, request, (data) => data.skip(1));
  if (typeof written === "number") return written;
  const time = words.u32();
  words.at = at;
  const fid = words.u16();
  const handle = client.handles.get(fid);
  const seconds = secondsOfLocal(time, (when) => client.site.zoneAt(when));
  if (seconds !== undefined) handle?.file?.setTime(seconds);
  words.at = at;
  const closed = close(client, { ...request, words: words.part(at - words.base, 2) });
  return typeof closed === "number" ? closed : written;
}

export function seek(client: SmbClient, request: Request): Reply | Status {
  const { words } = request;
  const handle = handleOf(client, request, words.u16());
  const mode = words.u16();
  const moved = words.u32() | 0;
  if (handle === undefined) return Status.INVALID_HANDLE;
  if (mode > 2) return Status.INVALID_PARAMETER;
  const from = [0, handle.position, handle.file?.stat().size ?? 0][mode]!;
  handle.position = Math.max(0, Math.min(0xffff_ffff, from + moved));
  return { words: (out) => out.u32(handle.position) };
}

// ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** SET_INFORMATION2: creation, access, and the change that alone is kept. */
export function setTimes(client: SmbClient, request: Request): Reply | Status {
  const { words } = request;
  const handle = handleOf(client, request, words.u16());
  words.skip(8);
  const seconds = secondsOfDos(words.u16(), words.u16(), (at) => client.site.zoneAt(at));
  if (handle === undefined) return Status.INVALID_HANDLE;
  if (!handle.open.opening.canWrite) return Status.ACCESS_DENIED;
  const trouble = seconds === undefined ? undefined : handle.file?.setTime(seconds);
  return trouble === undefined ? {} : statusOf(trouble);
}

/** QUERY_INFORMATION2. */
export function getTimes(client: SmbClient, request: Request): Reply | Status {
  const handle = handleOf(client, request, request.words.u16());
  const stat = handle?.file?.stat();
  if (handle === undefined || stat === undefined) return Status.INVALID_HANDLE;
  const time = dosTime(stat.mtime, (at) => client.site.zoneAt(at));
  return {
    words(out) {
      out.u16(...time, ...time, ...time);
      out.u32(short(stat.size), short(allocated(stat.size)));
      out.u16(attributesOf("", stat));
    },
  };
}
