// MOVE and COPY (RFC 4918 §9.8, §9.9). What comes to the destination is there as a whole or not at all: a copy is made under a
// hidden name beside it, and what was there leaves under another.

import { entriesOf } from "../folder-entries.ts";
import { isTrouble, type Path, type Stat, type Trouble } from "../folder.ts";
import { addressOf, parsePlace, type Request } from "../http-request.ts";
import { bareReply, type Receiver, type Reply, textReply, troubleReply } from "../reply.ts";
import type { Site } from "../site.ts";
import { hiddenTree, isHidden, Upload, type UploadEnd } from "../uploads.ts";
import { isWithin } from "./locks.ts";
import { troubleWith } from "./multistatus.ts";
import type { Work } from "../chores.ts";
import { type Failure, removeTree, WorkReceiver } from "./tree-work.ts";

const DEEPEST = 100;
const COPY_AT_ONCE = 1 << 18;

interface Carriage {
  readonly from: Path;
  readonly stat: Stat;
  readonly to: Path;
  /** Something is at the destination. */
  readonly replaces: boolean;
}

export function move(request: Request, site: Site): Reply | Receiver {
  const asked = carriageOf(request, site);
  if ("status" in asked) return asked;
  const refusal = site.locks.refusal(request, [
    { path: asked.from, isTree: true, isMember: true },
    { path: asked.to, isTree: true, isMember: true },
  ]);
  return refusal ?? new WorkReceiver(moved(asked, site));
}

function* moved(asked: Carriage, site: Site): Work<Reply> {
  const trouble = yield* place(asked.from, asked, site);
  if (trouble === "other-disk" && asked.stat.kind === "file") return yield* carried(asked, site);
  if (trouble !== undefined) return troubleReply(trouble);
  site.locks.forget(asked.from);
  return done(asked);
}

/** A file goes to another disk: it is copied, and removed where it was if nobody has changed it meanwhile. */
function* carried(asked: Carriage, site: Site): Work<Reply> {
  const reply = yield* copied(asked, true, site);
  if (reply.status >= 207) return reply;
  const now = site.folder.stat(asked.from);
  const isSame = !isTrouble(now) && now.version === asked.stat.version;
  const trouble = isSame ? site.folder.remove(asked.from) : "failed";
  if (trouble !== undefined) return troubleWith(asked.from, trouble);
  site.locks.forget(asked.from);
  return reply;
}

export function copy(request: Request, site: Site): Reply | Receiver {
  const asked = carriageOf(request, site);
  if ("status" in asked) return asked;
  const refusal = site.locks.refusal(request, [{ path: asked.to, isTree: true, isMember: true }]);
  return refusal ?? new WorkReceiver(copied(asked, request.headers.get("depth") !== "0", site));
}

function* copied(asked: Carriage, isDeep: boolean, site: Site): Work<Reply> {
  const { from, stat, to } = asked;
  const beside = hiddenBeside(to, site);
  if (isTrouble(beside)) return troubleReply(beside);
  const { hidden } = beside;
  let isPlaced = false;
  try {
    const failure = yield* copyTree({ path: from, stat }, hidden, isDeep ? 0 : DEEPEST, site);
    if (failure !== undefined)
      return failure.path.length === from.length
        ? troubleReply(failure.trouble)
        : troubleWith(failure.path, failure.trouble);
    const trouble = yield* place(hidden, asked, site);
    if (trouble !== undefined) return troubleReply(trouble);
    isPlaced = true;
    return done(asked);
  } finally {
    if (!isPlaced) site.chores.add(removeTree(site.folder, hidden));
  }
}

function done({ to, stat, replaces }: Carriage): Reply {
  return replaces ? bareReply(204) : bareReply(201, ["Location", addressOf(to, stat.kind === "folder")]);
}

/** What is to go where; or why it is not. */
function carriageOf({ path: from, headers, body }: Request, site: Site): Carriage | Reply {
  if (body !== 0) return textReply(415, "This request has no text");
  if (from.some(isHidden)) return troubleReply("absent");
  const destination = destinationOf(headers);
  if ("status" in destination) return destination;
  const to = destination.path;
  if (to.some(isHidden)) return textReply(409, "No file can have this name");
  const stat = site.folder.stat(from);
  if (isTrouble(stat)) return troubleReply(stat);
  if (isWithin(to, from) || isWithin(from, to)) return textReply(403, "One of the two is in the other");
  const parent = site.folder.stat(to.slice(0, -1));
  if (isTrouble(parent) || parent.kind !== "folder") return textReply(409, "There is no folder for it");
  const there = site.folder.stat(to);
  if (there === "bad-name") return troubleReply(there);
  const overwrite = (headers.get("overwrite") ?? "T").toUpperCase() !== "F";
  if (!overwrite && !isTrouble(there)) return textReply(412, "There is something of this name");
  return { from, stat, to, replaces: !isTrouble(there) };
}

function destinationOf(headers: Request["headers"]): { readonly path: Path } | Reply {
  const text = headers.get("destination");
  if (text === undefined) return textReply(400, "There is no Destination");
  const host = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1];
  if (host !== undefined && withoutPort(host) !== withoutPort(headers.get("host") ?? ""))
    return textReply(502, "The destination is another server's");
  const place = parsePlace(text);
  return place === undefined ? textReply(400, "The destination is no address of this server") : { path: place.path };
}

function withoutPort(host: string): string {
  return host.toLowerCase().replace(/:80$/, "");
}

/** A hidden name that is free. A trouble: none is, since nothing can be looked for there. */
function hiddenBeside(path: Path, site: Site): { readonly hidden: Path } | Trouble {
  for (let count = 0; ; count++) {
    const hidden = [...path.slice(0, -1), hiddenTree(site.wall(), count)];
    const there = site.folder.stat(hidden);
    if (there === "absent") return { hidden };
    if (isTrouble(there)) return there;
  }
}

/** Gives a file or a folder its new name. What had that name before is removed when it is done. */
function* place(from: Path, { to, stat }: Carriage, site: Site): Work<Trouble | undefined> {
  const { folder, locks } = site;
  const there = folder.stat(to);
  // A file takes the place of a file at once. What is no file and no folder is left alone.
  if (stat.kind === "file" && (isTrouble(there) || there.kind === "file"))
    return folder.rename(from, to, !isTrouble(there));
  if (isTrouble(there)) return folder.rename(from, to, false);
  const beside = hiddenBeside(to, site);
  if (isTrouble(beside)) return beside;
  const { hidden: old } = beside;
  const trouble = folder.rename(to, old, false);
  if (trouble !== undefined) return trouble;
  const wrong = folder.rename(from, to, false);
  if (wrong !== undefined) {
    folder.rename(old, to, false);
    return wrong;
  }
  locks.forget(to);
  site.chores.add(removeTree(folder, old));
  return undefined;
}

interface From {
  readonly path: Path;
  readonly stat: Stat;
}

/** Copies a file, or a folder with what is in it. Links to folders are left out, as in archives. */
function* copyTree({ path, stat }: From, to: Path, depth: number, site: Site): Work<Failure | undefined> {
  if (stat.kind === "file") {
    const trouble = yield* copyFile(path, to, site);
    return trouble && { path, trouble };
  }
  const made = site.folder.makeFolder(to);
  if (made !== undefined) return { path, trouble: made };
  if (depth >= DEEPEST) return undefined;
  const listing = site.folder.list(path);
  if (isTrouble(listing)) return { path, trouble: listing };
  try {
    for (const { name, stat: inside } of entriesOf(listing)) {
      yield;
      if (inside.kind === "folder" && inside.isLink) continue;
      const failure = yield* copyTree({ path: [...path, name], stat: inside }, [...to, name], depth + 1, site);
      if (failure !== undefined) return failure;
    }
    return undefined;
  } finally {
    listing.close();
  }
}

function* copyFile(path: Path, to: Path, { folder, uploads }: Site): Work<Trouble | undefined> {
  const file = folder.open(path);
  if (isTrouble(file)) return file;
  const { size, mtime } = file.stat();
  const begun = uploads.begin({
    path: to,
    token: undefined,
    piece: { from: 0, to: size, total: size },
    isNew: true,
    mtime,
  });
  try {
    if (!(begun instanceof Upload)) return troubleOf(begun);
    let ready = begun.prepare();
    for (; ready === false; ready = begun.prepare()) yield;
    if (ready !== true) return troubleOf(ready);
    const part = new Uint8Array(Math.min(COPY_AT_ONCE, size));
    for (let at = 0; at < size;) {
      const got = file.read(part, 0, Math.min(part.length, size - at), at);
      if (isTrouble(got) || got === 0) return "failed";
      const end = begun.take(part, 0, got);
      if (end !== undefined) return troubleOf(end);
      at += got;
      yield;
    }
    let end = begun.complete();
    for (; end === undefined; end = begun.complete()) yield;
    return end.type === "whole" ? undefined : troubleOf(end);
  } finally {
    if (begun instanceof Upload) begun.cut();
    file.close();
  }
}

function troubleOf(end: UploadEnd): Trouble {
  return end.type === "trouble" ? end.trouble : "failed";
}
