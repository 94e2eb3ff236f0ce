// The properties that files and folders have (RFC 4918 §15, quota: RFC 4331). All come from the file; clients cannot store others.

import { httpDate, momentOf } from "../http-date.ts";
import type { Path, Stat } from "../folder.ts";
import { mediaTypeOf } from "../media-types.ts";
import { shownName } from "../page-text.ts";
import { etagOf } from "../ranges.ts";
import type { Site } from "../site.ts";
import { locksText } from "./locks.ts";
import { type XmlElement, xmlText } from "./xml-reader.ts";

export interface Resource {
  readonly path: Path;
  readonly stat: Stat;
}

interface Property {
  readonly name: string;
  /** It is told only when it is asked for by name. */
  readonly isExtra?: boolean;
  /** What stands in its element. Undefined: this file or folder has none. */
  value(resource: Resource, site: Site): string | undefined;
}

function octets(count: number | undefined): string | undefined {
  return count === undefined || count === Infinity ? undefined : String(Math.max(0, count));
}

/** A row adds a property. */
const PROPERTIES: readonly Property[] = [
  { name: "resourcetype", value: ({ stat }) => (stat.kind === "folder" ? "<D:collection/>" : "") },
  { name: "displayname", value: ({ path }) => shownName(path.at(-1) ?? "", "utf-8") },
  { name: "getlastmodified", value: ({ stat }) => httpDate(stat.mtime) },
  // When a file was made is not known on every disk. It was there when it was changed last.
  { name: "creationdate", value: ({ stat }) => isoDate(stat.mtime) },
  { name: "getcontentlength", value: ({ stat }) => (stat.kind === "file" ? String(stat.size) : undefined) },
  { name: "getcontenttype", value: ({ stat, path }) => (stat.kind === "file" ? mediaTypeOf(path.at(-1)!) : undefined) },
  { name: "getetag", value: ({ stat }) => (stat.kind === "file" ? xmlText(etagOf(stat)) : undefined) },
  {
    name: "supportedlock",
    value: (_, { isWritable }) =>
      isWritable
        ? "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
        : "",
  },
  { name: "lockdiscovery", value: ({ path }, site) => locksText(site.locks.over(path), site.now()) },
  {
    name: "quota-available-bytes",
    isExtra: true,
    value: ({ stat }, { quota }) => (stat.kind === "folder" ? octets(quota.available()) : undefined),
  },
  {
    name: "quota-used-bytes",
    isExtra: true,
    value: ({ stat }, { quota }) => (stat.kind === "folder" ? octets(quota.used()) : undefined),
  },
];

const BY_NAME = new Map(PROPERTIES.map((property) => [property.name, property]));

/** "1997-12-01T17:42:21Z" (RFC 3339) */
function isoDate(seconds: number): string {
  const { year, month, day, hour, minute, second } = momentOf(seconds);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`;
}

/** Which properties a client wants: all common ones, their names only, or these. */
export type Wanted = "all" | "names" | readonly XmlElement[];

/** The propstat elements of a resource. */
export function propertiesOf(resource: Resource, wanted: Wanted, site: Site): string {
  let found = "";
  let missing = "";
  const known = wanted === "all" || wanted === "names" ? PROPERTIES : [];
  for (const { name, isExtra, value } of known) {
    const inside = isExtra === true && wanted === "all" ? undefined : value(resource, site);
    if (inside !== undefined) found += wanted === "names" ? `<D:${name}/>` : elementOf(name, inside);
  }
  for (const { space, name } of typeof wanted === "string" ? [] : wanted) {
    const inside = space === "DAV:" ? BY_NAME.get(name)?.value(resource, site) : undefined;
    if (inside !== undefined) found += elementOf(name, inside);
    else missing += emptyElement(space, name);
  }
  // A response has at least one (§14.24).
  const isFound = found !== "" || missing === "";
  return (isFound ? propstat(found, "200 OK") : "") + (missing === "" ? "" : propstat(missing, "404 Not Found"));
}

function elementOf(name: string, inside: string): string {
  return inside === "" ? `<D:${name}/>` : `<D:${name}>${inside}</D:${name}>`;
}

export function emptyElement(space: string, name: string): string {
  return space === "DAV:" ? `<D:${name}/>` : `<${name} xmlns="${xmlText(space)}"/>`;
}

export function propstat(properties: string, status: string): string {
  return `<D:propstat><D:prop>${properties}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`;
}
