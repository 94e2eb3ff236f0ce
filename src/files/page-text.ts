// Texts for pages: names of any octets in the character set that the browser understands, safe in HTML.

import { bytesOf, decoded, encoded, textOf } from "../bytes/text.ts";
import type { Request } from "./http-request.ts";

export type Charset = "utf-8" | "iso-8859-1";

/** Netscape up to 4, and what says that it is like it; Internet Explorer has known UTF-8 since 5. */
const OLD_BROWSER = /^Mozilla\/[0-4]\.(?!.*MSIE (?:[5-9]|\d\d))/;

/** What the browser says of itself decides; today's browsers say nothing of character sets. */
export function charsetFor({ headers }: Request): Charset {
  const accepted = headers.get("accept-charset")?.toLowerCase();
  if (accepted !== undefined) return /utf-8|\*/.test(accepted) ? "utf-8" : "iso-8859-1";
  return OLD_BROWSER.test(headers.get("user-agent") ?? "") ? "iso-8859-1" : "utf-8";
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
/** Characters that would break the page's lines, or turn the direction of writing. */
const UNSHOWN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A name as it stands in a page. Returns octets. An octet that is no character is shown as "?". */
export function shownName(name: string, charset: Charset): string {
  const text = decoded(name).replace(/[\udc80-\udcff]/gu, (octet) => latinOf(octet));
  const plain = text.replace(UNSHOWN, "?").replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
  if (charset === "utf-8") return encoded(plain);
  return plain.replace(/[^\0-\xff]/gu, (char) => `&#${char.codePointAt(0)};`);
}

/** What `decoded` could not read is most likely Latin-1. */
function latinOf(octet: string): string {
  return String.fromCharCode(octet.charCodeAt(0) & 0xff);
}

/** How many columns a name takes. */
export function widthOf(name: string): number {
  return Array.from(decoded(name)).length;
}

/**
 * The name of a file that a form has sent. Old browsers send the whole path, and the octets of the page's character set. On the
 * disk names are UTF-8, as programs of today expect.
 */
export function sentName(name: string, charset: Charset): string {
  const last = name.slice(Math.max(name.lastIndexOf("\\"), name.lastIndexOf("/")) + 1);
  if (charset === "utf-8" || isUtf8(last)) return last;
  return encoded(textOf(bytesOf(last)));
}

function isUtf8(octets: string): boolean {
  return !/[\udc80-\udcff]/u.test(decoded(octets));
}
