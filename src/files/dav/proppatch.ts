// PROPPATCH (RFC 4918 §9.2). No properties of others are kept. Windows sets times and attributes after each file that it copies,
// and takes a refusal for a failed copy: its time of the last change becomes the file's, and the others are let pass.

import { isTrouble } from "../folder.ts";
import { parseHttpDate } from "../http-date.ts";
import { addressOf, type Request } from "../http-request.ts";
import { type Receiver, type Reply, textReply, troubleReply } from "../reply.ts";
import type { Site } from "../site.ts";
import { isHidden } from "../uploads.ts";
import { emptyElement, propstat } from "./properties.ts";
import { XmlBody, xmlReply } from "./xml-body.ts";
import { elementsIn, textIn, type XmlElement } from "./xml-reader.ts";

const WINDOWS = "urn:schemas-microsoft-com:";
const LET_PASS = ["Win32CreationTime", "Win32LastAccessTime", "Win32FileAttributes"];
const CHANGE_TIME = "Win32LastModifiedTime";

interface Setting {
  readonly isRemoval: boolean;
  readonly property: XmlElement;
}

export function changeProperties(request: Request, site: Site): Reply | Receiver {
  const { path } = request;
  const refusal = site.locks.refusal(request, [{ path }]);
  if (refusal !== undefined) return refusal;
  return new XmlBody((xml) => {
    const settings = xml === "none" ? undefined : settingsIn(xml);
    return settings === undefined ? textReply(400, "The XML sets no properties") : changed(request, settings, site);
  });
}

function settingsIn(xml: XmlElement): Setting[] | undefined {
  if (xml.space !== "DAV:" || xml.name !== "propertyupdate") return undefined;
  const isAction = ({ space, name }: XmlElement): boolean => space === "DAV:" && (name === "set" || name === "remove");
  const settings = elementsIn(xml)
    .filter(isAction)
    .flatMap((action) =>
      elementsIn(action)
        .filter(({ space, name }) => space === "DAV:" && name === "prop")
        .flatMap(elementsIn)
        .map((property) => ({ isRemoval: action.name === "remove", property })),
    );
  return settings.length === 0 ? undefined : settings;
}

/** A property that is not there can be removed by anyone. */
function isPossible({ isRemoval, property: { space, name, children } }: Setting): boolean {
  if (isRemoval) return space !== "DAV:";
  if (space !== WINDOWS) return false;
  return (
    LET_PASS.includes(name) || (name === CHANGE_TIME && parseHttpDate(textIn({ space, name, children })) !== undefined)
  );
}

/** All or none of them are set. */
function changed({ path }: Request, settings: readonly Setting[], site: Site): Reply {
  const stat = path.some(isHidden) ? "absent" : site.folder.stat(path);
  if (isTrouble(stat)) return troubleReply(stat);
  const wrong = settings.filter((setting) => !isPossible(setting));
  if (wrong.length === 0 && stat.kind === "file") {
    const time = settings.findLast(({ isRemoval, property }) => !isRemoval && property.name === CHANGE_TIME);
    const file = time === undefined ? undefined : site.folder.reopen(path);
    if (isTrouble(file)) return troubleReply(file);
    const trouble = file?.setTime(parseHttpDate(textIn(time!.property))!);
    file?.close();
    if (trouble !== undefined) return troubleReply(trouble);
  }
  const names = (some: readonly Setting[]): string =>
    some.map(({ property: { space, name } }) => emptyElement(space, name)).join("");
  const rest = settings.filter((setting) => !wrong.includes(setting));
  const stats =
    (wrong.length === 0 ? "" : propstat(names(wrong), "403 Forbidden")) +
    (rest.length === 0 ? "" : propstat(names(rest), wrong.length === 0 ? "200 OK" : "424 Failed Dependency"));
  const href = `<D:href>${addressOf(path, stat.kind === "folder")}</D:href>`;
  return xmlReply(207, `<D:multistatus xmlns:D="DAV:"><D:response>${href}${stats}</D:response></D:multistatus>`);
}
