// Names of files on the other machine. A name may have any octets, and is kept as a text with one char an octet.

import { bytesOf, decoded, encoded, inert } from "../bytes/text.ts";

/** What a path of a URL may have as it is (RFC 3986, pchar), and the slash between names. */
const PLAIN = /[A-Za-z0-9\-._~!$&'()*+,;=:@/]/;

/** A path of octets for a request line. */
export function escapePath(path: string): string {
  return Array.from(path, (char) =>
    PLAIN.test(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}

/** The octets of a path in a URL. What is no escape stays as it is. */
export function unescapePath(text: string): string {
  return encoded(text).replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

/** A name for the screen. */
export function shown(path: string): string {
  return inert(decoded(path));
}

/** A path for the file system of this machine. */
export function systemPath(path: string): Buffer {
  return Buffer.from(bytesOf(path));
}

/** `path` is a relative path of ordinary names: it cannot lead out of the folder that it is put into. */
export function isInside(path: string): boolean {
  if (path.includes("\0")) return false;
  return path.split("/").every((name) => name !== "" && name !== "." && name !== ".." && name.length <= 255);
}

/** Joins a folder and a name by one slash. */
export function under(folder: string, name: string): string {
  return folder === "" || folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`;
}

/** The last name of a path. */
export function lastName(path: string): string {
  const [, name = ""] = /([^/]*)\/*$/.exec(path) ?? [];
  return name;
}

export function folderOf(path: string): string {
  const at = path.lastIndexOf("/");
  if (at < 0) return ".";
  return at === 0 ? "/" : path.slice(0, at);
}
