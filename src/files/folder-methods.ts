// MKCOL makes a folder (RFC 4918 §9.3). DELETE removes a file, or a folder with all that is in it (§9.6).

import { troubleWith } from "./dav/multistatus.ts";
import type { Work } from "./chores.ts";
import { removeTree, WorkReceiver } from "./dav/tree-work.ts";
import { isTrouble, type Path } from "./folder.ts";
import type { Request } from "./http-request.ts";
import { bareReply, type Receiver, type Reply, textReply, troubleReply } from "./reply.ts";
import type { Site } from "./site.ts";
import { isHidden } from "./uploads.ts";

export function makeFolder(request: Request, site: Site): Reply {
  const { path, body } = request;
  if (body !== 0) return textReply(415, "A folder is made without a text");
  if (path.some(isHidden)) return textReply(409, "A folder cannot have this name");
  if (!isTrouble(site.folder.stat(path))) return textReply(405, "There is something of this name");
  const parent = site.folder.stat(path.slice(0, -1));
  if (isTrouble(parent) || parent.kind !== "folder") return textReply(409, "There is no folder for it");
  const locked = site.locks.refusal(request, [{ path, isMember: true }]);
  if (locked !== undefined) return locked;
  const trouble = site.folder.makeFolder(path);
  return trouble === undefined ? bareReply(201) : troubleReply(trouble);
}

export function remove(request: Request, site: Site): Reply | Receiver {
  const { path, isFolder } = request;
  if (path.length === 0) return textReply(403, "The folder itself stays");
  if (path.some(isHidden)) return troubleReply("absent");
  const stat = site.folder.stat(path);
  if (isTrouble(stat)) return troubleReply(stat);
  if (isFolder && stat.kind === "file") return troubleReply("absent");
  const locked = site.locks.refusal(request, [{ path, isTree: true, isMember: true }]);
  if (locked !== undefined) return locked;
  // WebDAV has no such Depth here. Our own clients use it to remove a folder only if it is empty.
  if (request.headers.get("depth") !== "0") return new WorkReceiver(removed(path, site));
  const trouble = site.folder.remove(path);
  return trouble === undefined ? bareReply(204) : troubleReply(trouble);
}

function* removed(path: Path, site: Site): Work<Reply> {
  const failure = yield* removeTree(site.folder, path);
  if (failure === undefined) {
    site.locks.forget(path);
    return bareReply(204);
  }
  return failure.path.length === path.length
    ? troubleReply(failure.trouble)
    : troubleWith(failure.path, failure.trouble);
}
