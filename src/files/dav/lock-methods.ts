// LOCK and UNLOCK (RFC 4918 §9.10, §9.11).

import { isTrouble } from "../folder.ts";
import type { Request } from "../http-request.ts";
import { bareReply, type Receiver, type Reply, textReply, troubleReply } from "../reply.ts";
import type { Site } from "../site.ts";
import { isHidden } from "../uploads.ts";
import { tokensIn } from "./if-lists.ts";
import { type Lock, locksText, timeoutOf } from "./locks.ts";
import { conditionReply, XmlBody, xmlReply } from "./xml-body.ts";
import { elementsIn, type XmlElement, xmlOf } from "./xml-reader.ts";

/** What a client says of itself. Longer texts are not kept. */
const MOST_OWNER = 1000;

export function lock(request: Request, site: Site): Reply | Receiver {
  return new XmlBody((xml) => (xml === "none" ? refreshed(request, site) : locked(request, xml, site)));
}

function refreshed({ path, headers }: Request, site: Site): Reply {
  const tokens = tokensIn(headers.get("if") ?? "");
  const old = site.locks.over(path).find(({ token }) => tokens.includes(token));
  if (old === undefined) return conditionReply(412, "<D:lock-token-matches-request-uri/>");
  const fresh = site.locks.refresh(old, timeoutOf(headers.get("timeout")));
  return fresh === undefined ? textReply(412, "The lock is over") : lockReply(200, fresh, site);
}

function locked(request: Request, xml: XmlElement, site: Site): Reply {
  const { path, headers } = request;
  const parts = new Map(elementsIn(xml).map((element) => [`${element.space}${element.name}`, element]));
  const [scope, type, owner] = ["DAV:lockscope", "DAV:locktype", "DAV:owner"].map((name) => parts.get(name));
  if (xml.space !== "DAV:" || xml.name !== "lockinfo" || scope === undefined || type === undefined)
    return textReply(400, "The XML describes no lock");
  const kinds = [...elementsIn(scope), ...elementsIn(type)].map(({ space, name }) => `${space}${name}`);
  if (kinds.join(" ") !== "DAV:exclusive DAV:write") return textReply(403, "Only exclusive write locks are given");
  const depth = (headers.get("depth") ?? "infinity").toLowerCase();
  if (depth !== "0" && depth !== "infinity") return textReply(400, "Depth is 0 or infinity");
  if (path.some(isHidden)) return textReply(409, "No file can have this name");
  const stat = site.folder.stat(path);
  if (isTrouble(stat) && stat !== "absent") return troubleReply(stat);
  const isNew = isTrouble(stat);
  const refusal = isNew ? site.locks.refusal(request, [{ path, isMember: true }]) : undefined;
  if (refusal !== undefined) return refusal;
  const isDeep = depth === "infinity" && (isNew || stat.kind === "folder");
  const ownerText = owner === undefined ? "" : xmlOf(owner);
  const seconds = timeoutOf(headers.get("timeout"));
  const given = site.locks.add(path, isDeep, ownerText.length > MOST_OWNER ? "" : ownerText, seconds);
  if (given === undefined) return textReply(503, "There are too many locks");
  if (given === "taken") return conditionReply(423, "<D:no-conflicting-lock/>");
  const failure = isNew ? emptyFile(request, site) : undefined;
  if (failure === undefined) return lockReply(isNew ? 201 : 200, given, site);
  site.locks.remove(given);
  return failure;
}

/** A name that is locked before its file is there gets an empty file (§7.3). */
function emptyFile({ path, isFolder }: Request, { folder }: Site): Reply | undefined {
  const parent = folder.stat(path.slice(0, -1));
  if (isFolder || isTrouble(parent) || parent.kind !== "folder") return textReply(409, "There is no folder for it");
  const file = folder.create(path);
  if (isTrouble(file)) return troubleReply(file);
  file.close();
  return undefined;
}

function lockReply(status: number, given: Lock, site: Site): Reply {
  const active = `<D:lockdiscovery>${locksText([given], site.now())}</D:lockdiscovery>`;
  const token = ["Lock-Token", `<${given.token}>`] as const;
  return xmlReply(status, `<D:prop xmlns:D="DAV:">${active}</D:prop>`, token);
}

export function unlock({ path, headers }: Request, { locks }: Site): Reply {
  const token = /^\s*<([^<>]+)>\s*$/.exec(headers.get("lock-token") ?? "")?.[1];
  if (token === undefined) return textReply(400, "There is no Lock-Token");
  const given = locks.over(path).find((one) => one.token === token);
  if (given === undefined) return conditionReply(409, "<D:lock-token-matches-request-uri/>");
  locks.remove(given);
  return bareReply(204);
}
