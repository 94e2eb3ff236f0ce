// Parts of files: Range and Content-Range (RFC 9110 §14), and the conditions of requests (§13).

import type { Stat } from "./folder.ts";
import { parseHttpDate } from "./http-date.ts";
import type { Request } from "./http-request.ts";

/** Octets [from, to) of a file. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The part that a Range asks for. Undefined: the whole file. "none": no octet of the file is in it. */
export function parseRange(text: string | undefined, size: number): Span | "none" | undefined {
  const [, first = "", last = ""] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(text ?? "") ?? [];
  // Several ranges, or a unit that we do not know: the whole file is a correct answer.
  if (first === "" && last === "") return undefined;
  if (first === "") return last === "0" || size === 0 ? "none" : { from: Math.max(0, size - Number(last)), to: size };
  const from = Number(first);
  const to = last === "" ? size : Math.min(size, Number(last) + 1);
  if (last !== "" && Number(last) < from) return undefined;
  return from >= size ? "none" : { from, to };
}

/** Which part of a file a request brings. */
export interface Piece extends Span {
  /** The size of the whole file. */
  readonly total: number;
}

/** Reads "bytes 0-99/1000", and for a piece of no octets "bytes *" with a total. Undefined: it is neither. */
export function parseContentRange(text: string): Piece | undefined {
  const [, first, last, size] = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15})$/.exec(text) ?? [];
  if (size === undefined) return undefined;
  const total = Number(size);
  if (first === undefined) return { from: total, to: total, total };
  const piece = { from: Number(first), to: Number(last) + 1, total };
  return piece.from < piece.to && piece.to <= total ? piece : undefined;
}

export function etagOf({ version }: Stat): string {
  return `"${version}"`;
}

/** If the list of an If-Match or If-None-Match has this tag. */
function lists(list: string, etag: string | undefined): boolean {
  if (list.trim() === "*") return etag !== undefined;
  return (
    etag !== undefined &&
    list
      .split(",")
      .map((tag) => tag.trim().replace(/^W\//, ""))
      .includes(etag)
  );
}

/** The status that a condition of the request asks for. Undefined: it may go on. `stat` is of what is there. */
export function conditionStatus({ headers, method }: Request, stat: Stat | undefined): 304 | 412 | undefined {
  const etag = stat && etagOf(stat);
  const reads = method === "GET" || method === "HEAD";
  const ifMatch = headers.get("if-match");
  const since = headers.get("if-unmodified-since");
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, etag)) return 412;
  } else if (since !== undefined && stat !== undefined) {
    const date = parseHttpDate(since);
    if (date !== undefined && stat.mtime > date) return 412;
  }
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== undefined) return lists(ifNoneMatch, etag) ? (reads ? 304 : 412) : undefined;
  const modified = reads ? headers.get("if-modified-since") : undefined;
  const date = modified === undefined ? undefined : parseHttpDate(modified);
  return date !== undefined && stat !== undefined && stat.mtime <= date ? 304 : undefined;
}

/** If-Range: the client has a part of this very file. A date is good enough if nothing changed since. */
export function mayResume(condition: string | undefined, stat: Stat): boolean {
  if (condition === undefined) return true;
  if (condition.startsWith('"')) return condition === etagOf(stat);
  return parseHttpDate(condition) === stat.mtime;
}
