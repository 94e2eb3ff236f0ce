// GET and HEAD: files and their parts, the page of a folder, and what programs ask about both.

import { ArchiveSource } from "./archive.ts";
import { FileSource } from "./file-source.ts";
import { deepEntries, entriesOf } from "./folder-entries.ts";
import { isTrouble, type Listing, type OpenFile, type Path, type Stat } from "./folder.ts";
import { blockHashes } from "./hash-source.ts";
import { httpDate } from "./http-date.ts";
import { deepLines, listLines } from "./list-lines.ts";
import { mediaTypeOf } from "./media-types.ts";
import { pageOf } from "./page.ts";
import { charsetFor } from "./page-text.ts";
import { conditionStatus, etagOf, mayResume, parseRange } from "./ranges.ts";
import { bareReply, OctetSource, type Reply, textReply, troubleReply } from "./reply.ts";
import { addressOf, escapeOctets, type Request } from "./http-request.ts";
import { aliasesIn, longPath } from "./short-path.ts";
import { ASSETS, type Site } from "./site.ts";
import { TAR } from "./tar.ts";
import { TextSource } from "./text-source.ts";
import { isHidden } from "./uploads.ts";
import { Zip } from "./zip.ts";

/** Smaller blocks would have longer hashes than contents. */
const LEAST_BLOCK = 1024;

export function get(request: Request, site: Site): Reply {
  const { path } = request;
  if (path[0] === ASSETS) return asset(path.slice(1).join("/"), request, site);
  if (path.some(isHidden)) return troubleReply("absent");
  if (request.headers.has("upload-id")) return uploadState(request, site);
  const found = site.folder.stat(path);
  if (!isTrouble(found)) return given(request, path, found, site);
  const long = found === "absent" ? longPath(site.folder, path) : undefined;
  const stat = long === undefined ? found : site.folder.stat(long);
  return isTrouble(stat) || long === undefined ? troubleReply(found) : given(request, long, stat, site);
}

function given(request: Request, path: Path, stat: Stat, site: Site): Reply {
  if (stat.kind === "file") return request.isFolder ? troubleReply("absent") : file(request, path, site);
  return request.isFolder ? folder(request, path, site) : moved(request);
}

/** The texts of the program itself. The page asks for them by its version, so a browser may keep them. */
function asset(name: string, { headers }: Request, { assets }: Site): Reply {
  const found = assets.get(name);
  if (found === undefined) return troubleReply("absent");
  const known = [
    ["Content-Type", found.type],
    ["Cache-Control", "max-age=31536000"],
    ["Vary", "Accept-Encoding"],
  ] as const;
  const takesGzip = /\bgzip\b(?!;q=0)/.test(headers.get("accept-encoding") ?? "");
  return found.compressed !== undefined && takesGzip
    ? {
        status: 200,
        headers: [...known, ["Content-Encoding", "gzip"]],
        body: new OctetSource(found.compressed),
      }
    : { status: 200, headers: known, body: new OctetSource(found.octets) };
}

/** How much of an upload has come. Without the header: nothing. */
function uploadState({ path, headers }: Request, { uploads }: Site): Reply {
  const offset = path.length === 0 ? undefined : uploads.offsetOf(path, headers.get("upload-id")!);
  return bareReply(204, ...(offset === undefined ? [] : [["Upload-Offset", String(offset)] as const]));
}

/** To the address with a slash, against which the page's links count. */
function moved({ path, headers, query }: Request): Reply {
  const host = headers.get("host");
  const words = [...query]
    .map(([name, value]) => (value === "" ? escapeOctets(name) : `${escapeOctets(name)}=${escapeOctets(value)}`))
    .join("&");
  const address = `${addressOf(path, true)}${words === "" ? "" : `?${words}`}`;
  const place = host !== undefined && /^[\w.:[\]-]+$/.test(host) ? `http://${host}` : "";
  return textReply(301, "The folder's address has a slash at its end", ["Location", `${place}${address}`]);
}

// ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function file(request: Request, path: Path, site: Site): Reply {
  const opened = site.folder.open(path);
  if (isTrouble(opened)) return troubleReply(opened);
  const reply =
    request.query.has("hash") || request.query.has("blocks")
      ? hashes(request, opened, site)
      : octets(request, path, opened);
  if (reply.body === undefined) opened.close();
  return reply;
}

function octets({ headers, ...request }: Request, path: Path, opened: OpenFile): Reply {
  const stat = opened.stat();
  const known = [
    ["ETag", etagOf(stat)],
    ["Last-Modified", httpDate(stat.mtime)],
    ["Accept-Ranges", "bytes"],
  ] as const;
  const status = conditionStatus({ headers, ...request }, stat);
  if (status !== undefined) return bareReply(status, ...known);
  const range = mayResume(headers.get("if-range"), stat) ? parseRange(headers.get("range"), stat.size) : undefined;
  if (range === "none") return bareReply(416, ["Content-Range", `bytes */${stat.size}`], ...known);
  const type = ["Content-Type", mediaTypeOf(path.at(-1) ?? "")] as const;
  const body = new FileSource(opened, range ?? { from: 0, to: stat.size });
  if (range === undefined) return { status: 200, headers: [type, ...known], body };
  const place = ["Content-Range", `bytes ${range.from}-${range.to - 1}/${stat.size}`] as const;
  return { status: 206, headers: [type, place, ...known], body };
}

function hashes({ query }: Request, opened: OpenFile, site: Site): Reply {
  const { size } = opened.stat();
  const type = query.has("blocks") ? "text/plain" : "application/json";
  const reply = (pieces: Generator<string>): Reply => ({
    status: 200,
    headers: [["Content-Type", type]],
    body: new TextSource(pieces, () => {
      pieces.return(undefined);
      opened.close();
    }),
  });
  if (query.has("blocks")) {
    const block = Number(query.get("blocks"));
    return Number.isSafeInteger(block) && block >= LEAST_BLOCK
      ? reply(blockHashes(opened, size, block))
      : textReply400(opened, `A block has at least ${LEAST_BLOCK} octets`);
  }
  if (query.get("hash") !== "sha256") return textReply400(opened, "Only sha256 is known");
  const first = query.get("first");
  if (first !== undefined && !/^\d{1,15}$/.test(first)) return textReply400(opened, "first is a number of octets");
  return reply(site.hashes.text(opened, first === undefined ? size : Math.min(size, Number(first))));
}

function textReply400(opened: OpenFile, text: string): Reply {
  opened.close();
  return textReply(400, text);
}

// ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function folder(request: Request, path: Path, site: Site): Reply {
  const { query } = request;
  if (query.has("tar")) return archive(path, site, "tar");
  if (query.has("zip")) return archive(path, site, "zip");
  if (query.get("list") === "json" && query.has("deep")) {
    const entries = deepEntries(site.folder, path);
    return made("application/x-ndjson", deepLines(entries), () => entries.return(undefined));
  }
  const listing = site.folder.list(path);
  if (isTrouble(listing)) return troubleReply(listing);
  const entries = entriesOf(listing);
  if (query.get("list") === "json") return made("application/x-ndjson", listLines(entries), () => listing.close());
  return page(request, path, site, listing);
}

function page(request: Request, path: Path, site: Site, listing: Listing): Reply {
  const charset = charsetFor(request);
  const asked = request.query.get("names");
  const isShort = asked === "8.3" || (site.hasShortNames && asked !== "long");
  const facts = {
    path,
    charset,
    isWritable: site.isWritable && site.folder.mayWrite(path),
    script: site.assets.has("page.js") ? `/${ASSETS}/page.js?${site.version}` : undefined,
    shortNames: isShort ? aliasesIn(site.folder, path) : undefined,
    zoneAt: (seconds: number) => site.zoneAt(seconds),
  };
  return made(`text/html; charset=${charset}`, pageOf(entriesOf(listing), facts), () => listing.close());
}

function made(type: string, pieces: Iterator<string>, close: () => void): Reply {
  // What is in a folder changes, and a page from a browser's memory would hide that.
  const headers = [["Content-Type", type] as const, ["Cache-Control", "no-cache"] as const];
  return { status: 200, headers, body: new TextSource(pieces, close) };
}

function archive(path: Path, site: Site, kind: "tar" | "zip"): Reply {
  const format = kind === "tar" ? TAR : new Zip((seconds) => site.zoneAt(seconds));
  const name = (path.at(-1) ?? "files").replace(/[^A-Za-z0-9 ._-]/g, "_");
  return {
    status: 200,
    headers: [
      ["Content-Type", kind === "tar" ? "application/x-tar" : "application/zip"],
      ["Content-Disposition", `attachment; filename="${name}.${kind}"`],
    ],
    body: new ArchiveSource(site.folder, path, format),
  };
}
