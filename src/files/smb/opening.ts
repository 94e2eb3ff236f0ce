// Opens files and folders by their names, whatever the command and its dialect.

import { isTrouble, type OpenFile, type Path, type Stat, type Trouble } from "../folder.ts";
import { type Handle, type SmbClient } from "./smb-client.ts";
import type { Open, Opening } from "./open-table.ts";
import type { Request } from "./smb-message.ts";
import { findPath } from "./shown-names.ts";
import { Status, statusOf } from "./smb-status.ts";

/** What is done with a file that is there, or is not (CreateDisposition of NT). */
export const Disposition = { SUPERSEDE: 0, OPEN: 1, CREATE: 2, OPEN_IF: 3, OVERWRITE: 4, OVERWRITE_IF: 5 } as const;
export type Disposition = (typeof Disposition)[keyof typeof Disposition];

/** What was done (CreateAction of NT). */
export const Action = { SUPERSEDED: 0, OPENED: 1, CREATED: 2, OVERWRITTEN: 3 } as const;
type Action = (typeof Action)[keyof typeof Action];

export interface OpenWish {
  readonly names: readonly string[];
  readonly disposition: Disposition;
  readonly opening: Opening;
  /** Undefined: either. */
  readonly kind: "file" | "folder" | undefined;
  readonly isDoomed: boolean;
}

export interface Opened {
  readonly fid: number;
  readonly handle: Handle;
  readonly action: Action;
  readonly stat: Stat;
  readonly path: Path;
}

type Made = Pick<Opened, "action" | "stat"> & { readonly open: Open; readonly file: OpenFile | undefined };

export function openNamed(client: SmbClient, request: Request, wish: OpenWish): Opened | Status {
  if (client.isFull) return Status.TOO_MANY_OPENED_FILES;
  const { site } = client;
  const found = findPath(site.folder, wish.names);
  if (found === undefined) return Status.OBJECT_PATH_NOT_FOUND;
  const { path } = found;
  const { canWrite, canDelete } = wish.opening;
  const changes = canWrite || canDelete || wish.isDoomed || overwrites(wish.disposition);
  if (found.isThere && wish.disposition === Disposition.CREATE) return Status.OBJECT_NAME_COLLISION;
  if (!found.isThere && (wish.disposition === Disposition.OPEN || wish.disposition === Disposition.OVERWRITE))
    return Status.OBJECT_NAME_NOT_FOUND;
  if (!site.isWritable && (changes || !found.isThere)) return Status.ACCESS_DENIED;
  if (wish.isDoomed && !canDelete) return Status.ACCESS_DENIED;
  const made = found.isThere ? openThere(client, path, wish) : makeNew(client, path, wish);
  if (typeof made === "number") return made;
  const { open, file, action, stat } = made;
  const handle: Handle = {
    tid: request.tid,
    pid: request.pid,
    open,
    file,
    isFolder: stat.kind === "folder",
    isDirty: action !== Action.OPENED,
    isDoomed: wish.isDoomed,
    position: 0,
  };
  return { fid: client.addHandle(handle), handle, action, stat, path };
}

function overwrites(disposition: Disposition): boolean {
  return disposition === 0 || disposition === Disposition.OVERWRITE || disposition === Disposition.OVERWRITE_IF;
}

function openThere({ site }: SmbClient, path: Path, wish: OpenWish): Made | Status {
  const { folder, opens, quota } = site;
  const stat = folder.stat(path);
  if (isTrouble(stat)) return statusOf(stat);
  const isNew = overwrites(wish.disposition);
  if (stat.kind === "folder") {
    if (wish.kind === "file") return Status.FILE_IS_A_DIRECTORY;
    if (isNew) return Status.OBJECT_NAME_COLLISION;
  } else if (wish.kind === "folder") return Status.NOT_A_DIRECTORY;
  const open = opens.open(path.join("/"), isNew ? { ...wish.opening, canWrite: true } : wish.opening);
  if (open === undefined) return Status.SHARING_VIOLATION;
  const { canRead, canWrite } = wish.opening;
  if (stat.kind === "folder" || (!canRead && !canWrite && !isNew))
    return { open, file: undefined, action: Action.OPENED, stat };
  const file = canWrite || isNew ? forWriting(folder.reopen(path)) : folder.open(path);
  const trouble = isTrouble(file) ? file : isNew ? file.truncate(0) : undefined;
  if (isTrouble(file) || trouble !== undefined) {
    if (!isTrouble(file)) file.close();
    opens.close(open);
    return statusOf(trouble ?? "failed");
  }
  if (isNew) quota.add(-stat.size);
  const action = wish.disposition === Disposition.SUPERSEDE ? Action.SUPERSEDED : Action.OVERWRITTEN;
  return { open, file, action: isNew ? action : Action.OPENED, stat: file.stat() };
}

/** A link that can be read cannot be written. */
function forWriting(file: OpenFile | Trouble): OpenFile | Trouble {
  return file === "absent" ? "denied" : file;
}

function makeNew({ site }: SmbClient, path: Path, wish: OpenWish): Made | Status {
  const { folder, opens, quota } = site;
  // A quota that is used up lets no name come in either.
  if (!quota.allows(0)) return Status.DISK_FULL;
  // A file of this name that was removed may still be open.
  const open = opens.open(path.join("/"), wish.opening);
  if (open === undefined) return Status.SHARING_VIOLATION;
  const file = wish.kind === "folder" ? folder.makeFolder(path) : folder.create(path);
  const stat = isTrouble(file) ? file : (file?.stat() ?? folder.stat(path));
  if (isTrouble(file) || isTrouble(stat)) {
    opens.close(open);
    if (!isTrouble(file)) file?.close();
    return statusOf(isTrouble(stat) ? stat : "failed");
  }
  return { open, file, action: Action.CREATED, stat };
}
