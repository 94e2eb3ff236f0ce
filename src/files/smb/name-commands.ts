// Commands about names: folders are made and removed, files deleted and renamed, and attributes told.

import { encoded } from "../../bytes/text.ts";
import { isTrouble, type Path, type Stat } from "../folder.ts";
import { octetsFreed } from "../quota.ts";
import { Attribute, attributesOf, isWanted, short } from "./file-facts.ts";
import { nameAfterFormat } from "./open-commands.ts";
import type { SmbClient } from "./smb-client.ts";
import type { Reply, Request } from "./smb-message.ts";
import type { SmbSite } from "./smb-site.ts";
import { localSeconds, secondsOfLocal } from "./smb-time.ts";
import { findPath, namesOfPath, shownNames } from "./shown-names.ts";
import { Dialect } from "./smb-client.ts";
import { Status, statusOf } from "./smb-status.ts";
import { hasWildcard, matcherOf, patternOfDos } from "./wildcards.ts";

interface There {
  readonly path: Path;
  readonly stat: Stat;
}

/** What is there under a client's name. */
export function thereUnder({ site }: SmbClient, text: string): There | Status {
  const names = namesOfPath(text);
  if (names === undefined) return Status.OBJECT_NAME_INVALID;
  const found = findPath(site.folder, names);
  if (found === undefined) return Status.OBJECT_PATH_NOT_FOUND;
  const stat = found.isThere ? site.folder.stat(found.path) : "absent";
  return isTrouble(stat) ? statusOf(stat) : { path: found.path, stat };
}

export function makeFolder(client: SmbClient, request: Request): Reply | Status {
  return makeFolderNamed(client, nameAfterFormat(request));
}

export function makeFolderNamed({ site }: SmbClient, text: string): Reply | Status {
  const names = namesOfPath(text);
  if (names === undefined) return Status.OBJECT_NAME_INVALID;
  const found = findPath(site.folder, names);
  if (found === undefined) return Status.OBJECT_PATH_NOT_FOUND;
  if (found.isThere) return Status.OBJECT_NAME_COLLISION;
  if (!site.isWritable) return Status.ACCESS_DENIED;
  const trouble = site.quota.allows(0) ? site.folder.makeFolder(found.path) : "full";
  return trouble === undefined ? {} : statusOf(trouble);
}

export function removeFolder(client: SmbClient, request: Request): Reply | Status {
  const { site } = client;
  const there = thereUnder(client, nameAfterFormat(request));
  if (typeof there === "number") return there;
  if (there.stat.kind !== "folder") return Status.NOT_A_DIRECTORY;
  return removeThere(site, there) ?? {};
}

/** Undefined: it is gone. */
function removeThere({ folder, isWritable, opens, quota }: SmbSite, { path }: There): Status | undefined {
  if (!isWritable) return Status.ACCESS_DENIED;
  if (!opens.mayMove(path.join("/"))) return Status.SHARING_VIOLATION;
  const freed = octetsFreed(folder, path);
  const trouble = folder.remove(path);
  if (trouble === undefined) quota.add(-freed);
  return trouble && statusOf(trouble);
}

/** DELETE of one file, or of all that a pattern means. */
export function remove(client: SmbClient, request: Request): Reply | Status {
  const wanted = request.words.u16();
  const text = nameAfterFormat(request);
  const names = namesOfPath(text, true);
  if (names === undefined) return Status.OBJECT_NAME_INVALID;
  if (!hasWildcard(names.at(-1) ?? "")) {
    const there = thereUnder(client, text);
    if (typeof there === "number") return there;
    if (there.stat.kind === "folder") return Status.FILE_IS_A_DIRECTORY;
    return removeThere(client.site, there) ?? {};
  }
  if (!client.site.isWritable) return Status.ACCESS_DENIED;
  return removeAll(client, names, wanted);
}

function removeAll(client: SmbClient, names: readonly string[], wanted: number): Reply | Status {
  const { site } = client;
  const parent = findPath(site.folder, names.slice(0, -1));
  if (parent?.isThere !== true) return Status.OBJECT_PATH_NOT_FOUND;
  const matches = matcherOf(patternOf(client, names.at(-1)!));
  let count = 0;
  for (const { real, long } of shownNames(site.folder, parent.path, client)) {
    if (!matches(long)) continue;
    const path = [...parent.path, real];
    const stat = site.folder.stat(path);
    if (isTrouble(stat) || stat.kind === "folder" || !isWanted(attributesOf(real, stat), wanted)) continue;
    const status = removeThere(site, { path, stat });
    if (status !== undefined) return status;
    count++;
  }
  return count === 0 ? Status.NO_SUCH_FILE : {};
}

/** Clients before NT mean by "*.*" and "?" what DOS does. NT translates before it asks. */
export function patternOf({ dialect }: SmbClient, pattern: string): string {
  return dialect === Dialect.NT && pattern !== "*.*" ? pattern : patternOfDos(pattern);
}

export function rename(client: SmbClient, request: Request): Reply | Status {
  // What is renamed need not be a normal file.
  request.words.skip(2);
  const from = nameAfterFormat(request);
  return renameNamed(client, from, nameAfterFormat(request));
}

const NT_RENAME = 0x104;

/** NT_RENAME also makes hard links, which this does not. */
export function ntRename(client: SmbClient, request: Request): Reply | Status {
  request.words.skip(2);
  if (request.words.u16() !== NT_RENAME) return Status.NOT_SUPPORTED;
  const from = nameAfterFormat(request);
  return renameNamed(client, from, nameAfterFormat(request));
}

function renameNamed(client: SmbClient, from: string, to: string): Reply | Status {
  const { site } = client;
  const there = thereUnder(client, from);
  if (typeof there === "number") return there;
  const names = namesOfPath(to);
  const name = names?.at(-1);
  if (names === undefined || name === undefined) return Status.OBJECT_NAME_INVALID;
  const found = findPath(site.folder, names);
  if (found === undefined) return Status.OBJECT_PATH_NOT_FOUND;
  if (!site.isWritable || there.path.length === 0) return Status.ACCESS_DENIED;
  const [oldKey, foundKey] = [there.path.join("/"), found.path.join("/")];
  // The same file by another case of its letters.
  const isSame = found.isThere && foundKey === oldKey;
  if (found.isThere && !isSame) return Status.OBJECT_NAME_COLLISION;
  const target = isSame ? [...there.path.slice(0, -1), encoded(name)] : found.path;
  const newKey = target.join("/");
  if (newKey === oldKey) return {};
  if (newKey.startsWith(`${oldKey}/`)) return Status.ACCESS_DENIED;
  if (!site.opens.mayMove(oldKey)) return Status.SHARING_VIOLATION;
  const trouble = site.folder.rename(there.path, target, false);
  if (trouble !== undefined) return statusOf(trouble);
  site.opens.move(oldKey, newKey);
  return {};
}

// ── attributes ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** QUERY_INFORMATION. */
export function getAttributes(client: SmbClient, request: Request): Reply | Status {
  const there = thereUnder(client, nameAfterFormat(request));
  if (typeof there === "number") return there;
  const { path, stat } = there;
  return {
    words(out) {
      out.u16(attributesOf(path.at(-1) ?? "", stat));
      out.u32(
        localSeconds(stat.mtime, (at) => client.site.zoneAt(at)),
        stat.kind === "folder" ? 0 : short(stat.size),
      );
      out.zeros(10);
    },
  };
}

/** SET_INFORMATION: the time is kept, the attributes are not. */
export function setAttributes(client: SmbClient, request: Request): Reply | Status {
  request.words.skip(2);
  const seconds = secondsOfLocal(request.words.u32(), (at) => client.site.zoneAt(at));
  const there = thereUnder(client, nameAfterFormat(request));
  if (typeof there === "number") return there;
  return setTime(client.site, there, seconds) ?? {};
}

/** Undefined: it is done. A folder's time cannot be set, and its attributes follow from its name. */
export function setTime(
  { folder, isWritable }: SmbSite,
  { path, stat }: There,
  seconds: number | undefined,
): Status | undefined {
  if (!isWritable) return Status.ACCESS_DENIED;
  if (seconds === undefined || stat.kind === "folder") return undefined;
  const file = folder.reopen(path);
  if (isTrouble(file)) return statusOf(file);
  const trouble = file.setTime(seconds);
  file.close();
  return trouble && statusOf(trouble);
}

/** CHECK_DIRECTORY. */
export function checkFolder(client: SmbClient, request: Request): Reply | Status {
  const there = thereUnder(client, nameAfterFormat(request));
  if (typeof there === "number") return there === Status.OBJECT_NAME_NOT_FOUND ? Status.OBJECT_PATH_NOT_FOUND : there;
  return (attributesOf("", there.stat) & Attribute.FOLDER) === 0 ? Status.NOT_A_DIRECTORY : {};
}
