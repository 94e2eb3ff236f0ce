// PROPFIND: the properties of a file or folder, and of what is in a folder (RFC 4918 §9.1).

import { entriesOf } from "../folder-entries.ts";
import { isTrouble, type Listing } from "../folder.ts";
import { addressOf, type Request } from "../http-request.ts";
import { type Receiver, type Reply, textReply, troubleReply } from "../reply.ts";
import type { Site } from "../site.ts";
import { TextSource } from "../text-source.ts";
import { isHidden } from "../uploads.ts";
import { propertiesOf, type Resource, type Wanted } from "./properties.ts";
import { conditionReply, XML_START, XML_TYPE, XmlBody } from "./xml-body.ts";
import { elementsIn, type XmlElement } from "./xml-reader.ts";

export function findProperties(request: Request, site: Site): Reply | Receiver {
  return new XmlBody((xml) => {
    const wanted = xml === "none" ? "all" : wantedIn(xml);
    return wanted === undefined ? textReply(400, "The XML asks for no properties") : found(request, wanted, site);
  });
}

function wantedIn(xml: XmlElement): Wanted | undefined {
  if (xml.space !== "DAV:" || xml.name !== "propfind") return undefined;
  const asked = elementsIn(xml).filter(({ space }) => space === "DAV:");
  const has = (name: string): boolean => asked.some((element) => element.name === name);
  const props = asked.find(({ name }) => name === "prop");
  if ([has("prop"), has("allprop"), has("propname")].filter(Boolean).length !== 1) return undefined;
  return props === undefined ? (has("allprop") ? "all" : "names") : elementsIn(props);
}

function found({ path, headers }: Request, wanted: Wanted, site: Site): Reply {
  if (path.some(isHidden)) return troubleReply("absent");
  const stat = site.folder.stat(path);
  if (isTrouble(stat)) return troubleReply(stat);
  const depth = (headers.get("depth") ?? "infinity").toLowerCase();
  if (!["0", "1", "infinity"].includes(depth)) return textReply(400, "Depth is 0, 1 or infinity");
  if (depth === "infinity" && stat.kind === "folder") return conditionReply(403, "<D:propfind-finite-depth/>");
  const listing = depth === "1" && stat.kind === "folder" ? site.folder.list(path) : undefined;
  if (isTrouble(listing)) return troubleReply(listing);
  const pieces = multistatus({ path, stat }, listing, wanted, site);
  return { status: 207, headers: [XML_TYPE], body: new TextSource(pieces, () => listing?.close()) };
}

function* multistatus(one: Resource, listing: Listing | undefined, wanted: Wanted, site: Site): Generator<string> {
  yield `${XML_START}<D:multistatus xmlns:D="DAV:">\n`;
  const asksForRoom = wanted !== "all" && (wanted === "names" || wanted.some(({ name }) => name.startsWith("quota-")));
  for (const _ of asksForRoom ? site.quota.prepare() : []) yield "";
  yield response(one, wanted, site);
  let count = 0;
  for (const { name, stat } of listing === undefined ? [] : entriesOf(listing)) {
    yield response({ path: [...one.path, name], stat }, wanted, site);
    if (++count % 256 === 0) yield "";
  }
  yield "</D:multistatus>\n";
}

function response(one: Resource, wanted: Wanted, site: Site): string {
  const address = addressOf(one.path, one.stat.kind === "folder");
  return `<D:response><D:href>${address}</D:href>${propertiesOf(one, wanted, site)}</D:response>\n`;
}
