// The header If: conditions on locks and ETags, of which one list must hold.

import { isTrouble, type Path } from "../folder.ts";
import { parsePlace, type Request } from "../http-request.ts";
import { etagOf } from "../ranges.ts";
import { type Reply, textReply } from "../reply.ts";
import type { Site } from "../site.ts";
import { type Condition, listsIn } from "./if-lists.ts";

/** Why the request's If does not let it go on. Undefined: it may. */
export function ifRefusal({ headers, path }: Request, site: Site): Reply | undefined {
  const text = headers.get("if");
  if (text === undefined) return undefined;
  const lists = listsIn(text);
  if (lists === undefined) return textReply(400, "The header If is damaged");
  const holds = lists.some(({ tag, conditions }) => {
    const about = tag === undefined ? path : parsePlace(tag)?.path;
    return about !== undefined && conditions.every((condition) => isMet(condition, about, site));
  });
  return holds ? undefined : textReply(412, "The condition in If does not hold");
}

function isMet({ isNot, token, etag }: Condition, path: Path, { folder, locks }: Site): boolean {
  if (token !== undefined) return locks.over(path).some((lock) => lock.token === token) !== isNot;
  const stat = folder.stat(path);
  return (!isTrouble(stat) && etagOf(stat) === etag?.replace(/^W\//, "")) !== isNot;
}
