// Files that others send. Octets go to a file of a hidden name beside the target. When all are there and their hash is right,
// the file is written to the disk and takes the target's name. So a target is always whole: the old file or the new one.
//
// With a token of the client, a part that has come stays when the connection breaks, and a later request continues it.

import { bytesOf, toHex } from "../bytes/text.ts";
import type { Chores, Work } from "./chores.ts";
import { removeTree } from "./dav/tree-work.ts";
import { type Folder, isTrouble, type OpenFile, type Path, type Trouble } from "./folder.ts";
import { FileHash } from "./hash-source.ts";
import { octetsFreed, type Quota } from "./quota.ts";
import type { Piece } from "./ranges.ts";

const HIDDEN = ".nullmodem-part-";
/** Partial files of this age are removed. */
const LONGEST_SECONDS = 7 * 86400;
/** A folder is searched for them this often at most. */
const SWEEP_SECONDS = 3600;
const MOST_SWEPT = 1000;
const NAMES_AT_ONCE = 2000;
const COPY_AT_ONCE = 1 << 18;
/** So much of the old file is copied in a step. */
const SLICE = 1 << 20;
/** What follows {@link HIDDEN} in the name of a tree. */
const TREE = /^([0-9a-z]+)-tree-\d+$/;

/** True for the name of a partial file. It is neither listed nor given. */
export function isHidden(name: string): boolean {
  return name.startsWith(HIDDEN);
}

/** A name that is neither listed nor given either, for a file or a tree that takes or took another name. `seconds`: now, since 1970. */
export function hiddenTree(seconds: number, count: number): string {
  return `${HIDDEN}${seconds.toString(36)}-tree-${count}`;
}

export interface UploadRequest {
  readonly path: Path;
  /** The client's token. Undefined: it will not continue a broken upload. */
  readonly token: string | undefined;
  /** Where the octets go, and how many there are in all. Undefined: from the start, to an end that nobody knows yet. */
  readonly piece: Piece | undefined;
  /** Octets [from, to) of the present file to be put before those of the request. */
  readonly copied?: { readonly from: number; readonly to: number } | undefined;
  /** "exists" when there is a file of the name at the end. */
  readonly isNew: boolean;
  /** The SHA-256 that the whole file must have, in hex. */
  readonly sha256?: string | undefined;
  /** The time that the file gets, in seconds. */
  readonly mtime?: number | undefined;
}

/** Why an upload does not go on, or how it ended. */
export type UploadEnd =
  | { readonly type: "trouble"; readonly trouble: Trouble }
  /** The octets do not follow those that are there. */
  | { readonly type: "offset"; readonly offset: number }
  /** A newer request continues the same upload. */
  | { readonly type: "superseded" }
  | { readonly type: "wrong-hash" }
  /** A piece has come, and more are missing. */
  | { readonly type: "part"; readonly offset: number }
  | { readonly type: "whole"; readonly isNew: boolean };

export interface UploadsHost {
  readonly folder: Folder;
  readonly quota: Quota;
  readonly chores: Chores;
  /** Seconds since 1970. */
  wall(): number;
  /** Seconds, which never run backwards. */
  now(): number;
}

export class Uploads {
  readonly #host: UploadsHost;
  /** The running upload of each partial file. */
  readonly #running = new Map<string, Upload>();
  readonly #sweptAt = new Map<string, number>();
  #count = 0;

  constructor(host: UploadsHost) {
    this.#host = host;
  }

  /** How much of an upload has come. Undefined: nothing. */
  offsetOf(path: Path, token: string): number | undefined {
    const stat = this.#host.folder.stat(partialOf(path, token));
    return isTrouble(stat) ? undefined : stat.size;
  }

  begin(request: UploadRequest): Upload | UploadEnd {
    const { path, token } = request;
    const { folder, quota } = this.#host;
    const old = folder.stat(path);
    if (old === "bad-name") return { type: "trouble", trouble: old };
    if (!isTrouble(old) && old.kind === "folder") return { type: "trouble", trouble: "is-folder" };
    if (!isTrouble(old) && request.isNew) return { type: "trouble", trouble: "exists" };
    this.#sweep(path.slice(0, -1));
    const partial = token === undefined ? this.#unusedPartial(path) : partialOf(path, token);
    const key = partial.join("/");
    this.#running.get(key)?.supersede();
    const file = this.#openPartial(partial);
    if (isTrouble(file)) return { type: "trouble", trouble: file };
    const upload = new Upload(folder, quota, request, { file, partial }, () => {
      if (this.#running.get(key) === upload) this.#running.delete(key);
    });
    this.#running.set(key, upload);
    return upload;
  }

  #openPartial(partial: Path): OpenFile | Trouble {
    const { folder } = this.#host;
    const file = folder.create(partial);
    return file === "exists" ? folder.reopen(partial) : file;
  }

  #unusedPartial(path: Path): Path {
    for (;;) {
      const partial = partialOf(path, `${this.#host.wall().toString(36)}-${this.#count++}`);
      if (isTrouble(this.#host.folder.stat(partial))) return partial;
    }
  }

  /** Has old partial files of a folder looked for and removed. */
  #sweep(path: Path): void {
    const now = this.#host.now();
    const key = path.join("/");
    if (now - (this.#sweptAt.get(key) ?? -Infinity) < SWEEP_SECONDS) return;
    if (this.#sweptAt.size >= MOST_SWEPT) this.#sweptAt.clear();
    this.#sweptAt.set(key, now);
    this.#host.chores.add(this.#swept(path));
  }

  *#swept(path: Path): Work<void> {
    const { folder } = this.#host;
    const listing = folder.list(path);
    if (isTrouble(listing)) return;
    const old: string[] = [];
    let count = 0;
    for (let name; (name = listing.next()) !== undefined;) {
      if (++count % NAMES_AT_ONCE === 0) yield;
      const stat = isHidden(name) ? listing.stat(name) : "absent";
      if (!isTrouble(stat) && this.#host.wall() - bornAt(name, stat.mtime) > LONGEST_SECONDS) old.push(name);
    }
    listing.close();
    for (const name of old) {
      yield;
      if (!this.#running.has([...path, name].join("/"))) yield* removeTree(folder, [...path, name]);
    }
  }
}

/** When a hidden name was made. A folder that left its place keeps the time of its last change, which may be long ago. */
function bornAt(name: string, mtime: number): number {
  const [, seconds] = TREE.exec(name.slice(HIDDEN.length)) ?? [];
  return seconds === undefined ? mtime : Math.max(mtime, parseInt(seconds, 36));
}

/** The token is kept from the file's name by its hash's first digits: a client may choose the same one for two files. */
function partialOf(path: Path, token: string): Path {
  return [...path.slice(0, -1), `${HIDDEN}${token}-${shortHash(path.at(-1) ?? "")}`];
}

/** FNV-1a. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const octet of bytesOf(text)) hash = Math.imul(hash ^ octet, 0x01000193) >>> 0;
  return hash.toString(36);
}

interface Place {
  readonly file: OpenFile;
  readonly partial: Path;
}

export class Upload {
  readonly #folder: Folder;
  readonly #quota: Quota;
  readonly #request: UploadRequest;
  readonly #place: Place;
  readonly #ended: () => void;
  #at: number;
  #preparation: Work<UploadEnd | undefined> | undefined;
  #completion: Work<UploadEnd> | undefined;
  #state: "open" | "superseded" | "over" = "open";

  /** `ended` is called once. */
  constructor(folder: Folder, quota: Quota, request: UploadRequest, place: Place, ended: () => void) {
    this.#folder = folder;
    this.#quota = quota;
    this.#request = request;
    this.#place = place;
    this.#ended = ended;
    this.#at = place.file.stat().size;
  }

  /** To be called before the first octets. True: they may come. False: there is more work; call again. */
  prepare(): UploadEnd | boolean {
    if (this.#state !== "open") return { type: "superseded" };
    const { done, value } = (this.#preparation ??= this.#prepared()).next();
    return done === true ? (value ?? true) : false;
  }

  /** Checks that the piece continues what is there. Undefined: it does. */
  *#prepared(): Work<UploadEnd | undefined> {
    const { piece } = this.#request;
    const trouble = yield* this.#copy();
    if (trouble !== undefined) return this.#fail(trouble);
    if ((piece?.from ?? 0) !== this.#at) {
      if (this.#at === 0) this.#discard();
      return this.#close({ type: "offset", offset: this.#at });
    }
    const missing = (piece?.total ?? this.#at) - this.#at;
    return (yield* this.#hasRoom(missing)) ? undefined : this.#fail("full");
  }

  *#hasRoom(octets: number): Work<boolean> {
    yield* this.#quota.prepare(octets, this.#credit);
    return octets === 0 || (octets <= this.#folder.room() && this.#quota.allows(octets, this.#credit));
  }

  /** Octets that become free when the target is replaced, as it is now: it may be gone, or another upload's, since the start. */
  readonly #credit = (): number => octetsFreed(this.#folder, this.#request.path);

  /** The present file has octets that the new one has too. */
  *#copy(): Work<Trouble | undefined> {
    const { copied, path } = this.#request;
    if (copied === undefined || copied.from !== this.#at) return undefined;
    if (!(yield* this.#hasRoom(copied.to - copied.from))) return "full";
    const old = this.#folder.open(path);
    if (isTrouble(old)) return undefined;
    const part = new Uint8Array(COPY_AT_ONCE);
    let trouble: Trouble | undefined;
    try {
      while (this.#at < copied.to && trouble === undefined) {
        const got = old.read(part, 0, Math.min(part.length, copied.to - this.#at), this.#at);
        if (isTrouble(got) || got === 0) break;
        trouble = this.#write(part, 0, got);
        if ((this.#at - copied.from) % SLICE === 0) yield;
      }
    } finally {
      old.close();
    }
    return trouble;
  }

  /** Takes the next octets, when all is prepared. Undefined: go on. */
  take(bytes: Uint8Array, start: number, end: number): UploadEnd | undefined {
    if (this.#state !== "open") return { type: "superseded" };
    const trouble = this.#quota.allows(end - start, this.#credit) ? this.#write(bytes, start, end) : "full";
    return trouble === undefined ? undefined : this.#fail(trouble);
  }

  #write(bytes: Uint8Array, start: number, end: number): Trouble | undefined {
    for (let at = start; at < end;) {
      const count = this.#place.file.write(bytes, at, end, this.#at);
      if (isTrouble(count)) return count;
      if (count === 0) return "full";
      this.#quota.add(count);
      at += count;
      this.#at += count;
    }
    return undefined;
  }

  /** The request's octets are there. Undefined: the hash is being computed, or files counted; call again. */
  complete(): UploadEnd | undefined {
    if (this.#state !== "open") return { type: "superseded" };
    const { done, value } = (this.#completion ??= this.#completed()).next();
    return done === true ? value : undefined;
  }

  *#completed(): Work<UploadEnd> {
    const { piece, sha256 } = this.#request;
    if (piece !== undefined && this.#at < piece.total) return this.#close({ type: "part", offset: this.#at });
    if (sha256 !== undefined) {
      const { file } = this.#place;
      const hash = new FileHash(0, this.#at);
      let digest: ReturnType<FileHash["step"]>;
      while ((digest = hash.step(file)) === undefined) yield;
      if (digest === "failed" || toHex(digest) !== sha256) {
        this.#discard();
        return this.#close(digest === "failed" ? { type: "trouble", trouble: "failed" } : { type: "wrong-hash" });
      }
    }
    yield* this.#quota.prepare(0, this.#credit);
    return this.finish();
  }

  /** The octets are there, and have no hash. By the last count it is known whether they may stay. */
  finish(): UploadEnd {
    const { path, isNew, mtime } = this.#request;
    const { file, partial } = this.#place;
    if (mtime !== undefined) file.setTime(mtime);
    const old = this.#folder.stat(path);
    const freed = this.#credit();
    // What the target would have freed may be gone since the octets came.
    const full = this.#quota.allows(0, () => freed) ? undefined : "full";
    const trouble = full ?? file.sync() ?? this.#folder.rename(partial, path, !isNew);
    if (trouble !== undefined) return this.#fail(trouble);
    this.#quota.add(-freed);
    return this.#close({ type: "whole", isNew: isTrouble(old) });
  }

  /** The rest will not come with this request. */
  cut(): void {
    if (this.#state !== "open") return;
    this.#giveUp();
    if (this.#request.token === undefined || this.#at === 0) this.#discard();
    this.#close({ type: "superseded" });
  }

  /** Another request continues this upload. */
  supersede(): void {
    this.#giveUp();
    this.#close({ type: "superseded" });
    this.#state = "superseded";
  }

  /** What the work has open is closed. */
  #giveUp(): void {
    this.#preparation?.return(undefined);
  }

  /** With a token, what has come, if anything, may be continued when there is room again. */
  #fail(trouble: Trouble): UploadEnd {
    if (this.#request.token === undefined || trouble !== "full" || this.#at === 0) this.#discard();
    return this.#close({ type: "trouble", trouble });
  }

  #discard(): void {
    if (this.#folder.remove(this.#place.partial) === undefined) this.#quota.add(-this.#at);
  }

  #close(end: UploadEnd): UploadEnd {
    if (this.#state !== "open") return end;
    this.#state = "over";
    this.#place.file.close();
    this.#ended();
    return end;
  }
}
