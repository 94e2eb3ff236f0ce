// Reads the XML of WebDAV's requests: elements with namespaces and text. Text has one character an octet of UTF-8. A document type,
// and with it every entity that a document declares, is refused, and so is what is too large or too deep.

import { encoded } from "../../bytes/text.ts";

export interface XmlElement {
  /** The namespace's name; empty: none. */
  readonly space: string;
  readonly name: string;
  readonly children: readonly (XmlElement | string)[];
}

/** Longer documents are not read. Clients send less than a thousand octets. */
export const MOST_XML = 65_536;
const DEEPEST = 32;
const MOST_ELEMENTS = 1000;

const NAME = String.raw`[A-Za-z_\x80-\xff][\w.\-\x80-\xff]*`;
const TOKEN = new RegExp(
  [
    String.raw`<!--(?:(?!--)[^])*-->`,
    String.raw`<!\[CDATA\[(?<cdata>[^]*?)\]\]>`,
    String.raw`</(?<close>(?:${NAME}:)?${NAME})\s*>`,
    String.raw`<(?<open>(?:${NAME}:)?${NAME})(?<attributes>(?:\s+(?:${NAME}:)?${NAME}\s*=\s*(?:"[^<"]*"|'[^<']*'))*)\s*(?<empty>/?)>`,
    String.raw`(?<text>[^<]+)`,
  ].join("|"),
  "y",
);
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const DECLARATION = /^(?:\xef\xbb\xbf)?(?:<\?xml\s[^<>?]*\?>)?/;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

interface Open {
  readonly tag: string;
  readonly spaces: ReadonlyMap<string, string>;
  readonly children: (XmlElement | string)[];
}

/** The outermost element. Undefined: it is not XML, or XML that is not read here. */
export function readXml(text: string): XmlElement | undefined {
  const [start] = DECLARATION.exec(text) ?? [""];
  if (text.length > MOST_XML || /encoding\s*=\s*["'](?!utf-8["']|us-ascii["'])/i.test(start)) return undefined;
  const outside: Open = { tag: "", spaces: new Map([["xml", "http://www.w3.org/XML/1998/namespace"]]), children: [] };
  const open = [outside];
  let elements = 0;
  for (TOKEN.lastIndex = start.length; TOKEN.lastIndex < text.length;) {
    const { groups } = TOKEN.exec(text) ?? {};
    if (groups === undefined) return undefined;
    const inside = open.at(-1)!;
    const octets = groups["cdata"] ?? (groups["text"] === undefined ? undefined : plain(groups["text"]));
    if (groups["text"] !== undefined && octets === undefined) return undefined;
    if (octets !== undefined) inside.children.push(octets);
    else if (groups["close"] !== undefined) {
      if (inside === outside || inside.tag !== groups["close"]) return undefined;
      open.pop();
    } else if (groups["open"] !== undefined) {
      const begun =
        ++elements > MOST_ELEMENTS ? undefined : beginElement(groups["open"], groups["attributes"]!, inside);
      if (begun === undefined || open.length > DEEPEST) return undefined;
      inside.children.push(begun.element);
      if (groups["empty"] === "") open.push(begun.open);
    }
  }
  const roots = outside.children.filter((child) => typeof child !== "string");
  const isBare = outside.children.every((child) => typeof child !== "string" || child.trim() === "");
  return open.length === 1 && roots.length === 1 && isBare ? roots[0] : undefined;
}

function beginElement(tag: string, text: string, inside: Open): { element: XmlElement; open: Open } | undefined {
  const spaces = new Map(inside.spaces);
  const seen = new Set<string>();
  for (const [, name = "", one, other] of text.matchAll(ATTRIBUTE)) {
    const value = plain(one ?? other ?? "");
    if (value === undefined || seen.has(name)) return undefined;
    seen.add(name);
    const [, prefix] = /^xmlns(?:$|:(.*))/.exec(name) ?? ["", null];
    if (prefix === null) continue;
    // A prefix cannot be taken back (Namespaces in XML 1.0 §2.2).
    if (prefix !== undefined && value === "") return undefined;
    spaces.set(prefix ?? "", value);
  }
  const colon = tag.indexOf(":");
  const space = spaces.get(tag.slice(0, Math.max(0, colon)));
  if (space === undefined && colon >= 0) return undefined;
  const children: (XmlElement | string)[] = [];
  return { element: { space: space ?? "", name: tag.slice(colon + 1), children }, open: { tag, spaces, children } };
}

/** Text without references. Undefined: one of them is to an entity that XML itself does not have. */
function plain(text: string): string | undefined {
  if (/[\0-\x08\x0b\x0c\x0e-\x1f]|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});)/.test(text))
    return undefined;
  return text.replace(/&(?:#(\d+)|#x(\w+)|(\w+));/g, (_, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name]!;
    const code = decimal === undefined ? parseInt(hex!, 16) : Number(decimal);
    const isCharacter = code >= 0x20 ? code <= 0x10ffff && (code & 0xfff800) !== 0xd800 : [9, 10, 13].includes(code);
    return encoded(isCharacter ? String.fromCodePoint(code) : "\ufffd");
  });
}

/** The elements right inside of one. */
export function elementsIn({ children }: XmlElement): XmlElement[] {
  return children.filter((child) => typeof child !== "string");
}

export function textIn({ children }: XmlElement): string {
  return children.map((child) => (typeof child === "string" ? child : textIn(child))).join("");
}

const SPECIAL: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function xmlText(text: string): string {
  return text.replace(/[&<>"]/g, (char) => SPECIAL[char]!);
}

/** An element as it is written, without its attributes, which mean nothing here. */
export function xmlOf({ space, name, children }: XmlElement): string {
  const inside = children.map((child) => (typeof child === "string" ? xmlText(child) : xmlOf(child))).join("");
  const [tag, declared] = space === "DAV:" ? [`D:${name}`, ""] : [name, ` xmlns="${xmlText(space)}"`];
  return inside === "" ? `<${tag}${declared}/>` : `<${tag}${declared}>${inside}</${tag}>`;
}
