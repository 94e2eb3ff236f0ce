// MKCOL makes a folder (RFC 4918 §9.3). DELETE removes a file or an empty folder (RFC 9110 §9.3.5).

import { isTrouble } from "./folder.ts";
import type { Request } from "./http-request.ts";
import { bareReply, type Reply, textReply, troubleReply } from "./reply.ts";
import type { Site } from "./site.ts";
import { isHidden } from "./uploads.ts";

export function makeFolder({ path, body }: Request, site: Site): Reply {
  if (body !== 0) return textReply(415, "A folder is made without a text");
  if (path.some(isHidden)) return textReply(409, "A folder cannot have this name");
  if (!isTrouble(site.folder.stat(path))) return textReply(405, "There is something of this name");
  const parent = site.folder.stat(path.slice(0, -1));
  if (isTrouble(parent) || parent.kind !== "folder") return textReply(409, "There is no folder for it");
  const trouble = site.folder.makeFolder(path);
  return trouble === undefined ? bareReply(201) : troubleReply(trouble);
}

export function remove({ path, isFolder }: Request, site: Site): Reply {
  if (path.length === 0) return textReply(403, "The folder itself stays");
  if (path.some(isHidden)) return troubleReply("absent");
  const stat = site.folder.stat(path);
  if (isTrouble(stat)) return troubleReply(stat);
  if (isFolder && stat.kind === "file") return troubleReply("absent");
  const trouble = site.folder.remove(path);
  return trouble === undefined ? bareReply(204) : troubleReply(trouble);
}
