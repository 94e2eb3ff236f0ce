// The methods that requests may have. A row adds one.

import { ifRefusal } from "./dav/if-header.ts";
import { lock, unlock } from "./dav/lock-methods.ts";
import { copy, move } from "./dav/move.ts";
import { findProperties } from "./dav/propfind.ts";
import { changeProperties } from "./dav/proppatch.ts";
import { makeFolder, remove } from "./folder-methods.ts";
import { isForeign, post } from "./form.ts";
import { get } from "./get.ts";
import { put } from "./put.ts";
import { bareReply, type Receiver, type Reply, textReply } from "./reply.ts";
import type { Request } from "./http-request.ts";
import type { Site } from "./site.ts";

export type Method = (request: Request, site: Site) => Reply | Receiver;

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["GET", get],
  ["HEAD", get],
  ["OPTIONS", options],
  ["PROPFIND", findProperties],
  ["PUT", put],
  ["POST", post],
  ["MKCOL", makeFolder],
  ["DELETE", remove],
  ["PROPPATCH", changeProperties],
  ["MOVE", move],
  ["COPY", copy],
  ["LOCK", lock],
  ["UNLOCK", unlock],
]);

const READING = ["GET", "HEAD", "OPTIONS", "PROPFIND"];

function allowed({ isWritable }: Site): string {
  return isWritable ? [...METHODS.keys()].join(", ") : READING.join(", ");
}

/** Windows asks for this before it mounts a folder, and wants the last header. */
function options(_: Request, site: Site): Reply {
  return bareReply(200, ["Allow", allowed(site)], ["DAV", site.isWritable ? "1, 2" : "1"], ["MS-Author-Via", "DAV"]);
}

export function answer(request: Request, site: Site): Reply | Receiver {
  const method = METHODS.get(request.method);
  if (method === undefined) return textReply(405, "The server has no such method", ["Allow", allowed(site)]);
  const isChange = !READING.includes(request.method);
  if (isChange && !site.isWritable) return textReply(403, "Files can only be read here");
  if (isChange && isForeign(request)) return textReply(403, "Another site asks for this");
  return ifRefusal(request, site) ?? method(request, site);
}
