// The methods that requests may have. A row adds one.

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
  ["PUT", put],
  ["POST", post],
  ["MKCOL", makeFolder],
  ["DELETE", remove],
  ["OPTIONS", () => bareReply(204, ["Allow", allowed()])],
]);

function allowed(): string {
  return [...METHODS.keys()].join(", ");
}

const READING = ["GET", "HEAD", "OPTIONS"];

export function answer(request: Request, site: Site): Reply | Receiver {
  const method = METHODS.get(request.method);
  if (method === undefined) return textReply(405, "The server has no such method", ["Allow", allowed()]);
  if (!READING.includes(request.method) && isForeign(request)) return textReply(403, "Another site asks for this");
  return method(request, site);
}
