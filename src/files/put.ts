// PUT: a file, whole or a piece of it (RFC 9110 §9.3.4). The protocol of resumption is in README's "Files over the cable".

import { fromBase64 } from "./base64.ts";
import { toHex } from "../bytes/text.ts";
import { isTrouble } from "./folder.ts";
import { conditionStatus, etagOf, parseContentRange, type Piece } from "./ranges.ts";
import { bareReply, type Receiver, type Reply, textReply, troubleReply } from "./reply.ts";
import type { Request } from "./http-request.ts";
import type { Site } from "./site.ts";
import { isHidden, type Upload, type UploadEnd, type UploadRequest } from "./uploads.ts";

const TOKEN = /^[A-Za-z0-9-]{8,64}$/;
/** Seconds, perhaps with a fraction. More digits are no time that a disk can keep. */
const MTIME = /^\d{1,12}(?:\.\d{1,9})?$/;

export function put(request: Request, site: Site): Reply | Receiver {
  const { path, isFolder } = request;
  if (path.length === 0 || isFolder || path.some(isHidden)) return textReply(409, "A file cannot have this name");
  const parent = site.folder.stat(path.slice(0, -1));
  if (isTrouble(parent) || parent.kind !== "folder") return textReply(409, "There is no folder for it");
  const stat = site.folder.stat(path);
  const locked = site.locks.refusal(request, [{ path, isMember: isTrouble(stat) }]);
  if (locked !== undefined) return locked;
  const status = conditionStatus(request, isTrouble(stat) ? undefined : stat);
  if (status !== undefined) return textReply(status, "The file is not as the request expects it");
  const asked = uploadOf(request);
  if ("status" in asked) return asked;
  const upload = site.uploads.begin(asked);
  return "type" in upload ? replyTo(upload, request, site) : new Put(upload, request, site);
}

/** The upload that a request means; or why it means none. */
function uploadOf({ path, headers, body }: Request): UploadRequest | Reply {
  const token = headers.get("upload-id");
  if (token !== undefined && !TOKEN.test(token)) return textReply(400, "Upload-Id is not 8 to 64 letters, digits or -");
  const range = headers.get("content-range");
  if (range !== undefined && token === undefined) return textReply(400, "Content-Range needs an Upload-Id");
  const piece = range === undefined ? wholeOf(body) : parseContentRange(range);
  if (range !== undefined && piece === undefined) return textReply(400, "Content-Range is not bytes A-B/SIZE");
  if (piece !== undefined && body !== "chunked" && piece.to - piece.from !== body)
    return textReply(400, "Content-Range and Content-Length differ");
  const digest = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):/.exec(headers.get("repr-digest") ?? "")?.[1];
  const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(headers.get("copy-from-old") ?? "") ?? [];
  const mtime = MTIME.test(headers.get("x-file-mtime") ?? "") ? Number(headers.get("x-file-mtime")) : 0;
  return {
    path,
    token,
    piece,
    copied: from === undefined ? undefined : { from: Number(from), to: Number(to) + 1 },
    isNew: headers.get("if-none-match")?.trim() === "*",
    sha256: digest === undefined ? undefined : toHex(fromBase64(digest)),
    mtime: mtime > 0 ? mtime : undefined,
  };
}

function wholeOf(body: number | "chunked"): Piece | undefined {
  return body === "chunked" ? undefined : { from: 0, to: body, total: body };
}

class Put implements Receiver {
  readonly #upload: Upload;
  readonly #request: Request;
  readonly #site: Site;

  constructor(upload: Upload, request: Request, site: Site) {
    this.#upload = upload;
    this.#request = request;
    this.#site = site;
  }

  prepare(): Reply | boolean {
    const end = this.#upload.prepare();
    return typeof end === "boolean" ? end : replyTo(end, this.#request, this.#site);
  }

  take(bytes: Uint8Array, start: number, end: number): Reply | undefined {
    return this.#replyTo(this.#upload.take(bytes, start, end));
  }

  complete(): Reply | undefined {
    return this.#replyTo(this.#upload.complete());
  }

  cut(): void {
    this.#upload.cut();
  }

  #replyTo(end: UploadEnd | undefined): Reply | undefined {
    return end && replyTo(end, this.#request, this.#site);
  }
}

function replyTo(end: UploadEnd, { path }: Request, site: Site): Reply {
  switch (end.type) {
    case "trouble":
      return troubleReply(end.trouble);
    case "offset":
      return textReply(409, "The octets do not follow those that are here", ["Upload-Offset", String(end.offset)]);
    case "superseded":
      return textReply(409, "Another request continues this upload");
    case "wrong-hash":
      return textReply(422, "The octets that came are not those of the hash");
    case "part":
      return bareReply(204, ["Upload-Offset", String(end.offset)]);
    case "whole": {
      const stat = site.folder.stat(path);
      const tag = isTrouble(stat) ? [] : [["ETag", etagOf(stat)] as const];
      return bareReply(end.isNew ? 201 : 204, ...tag);
    }
    default:
      return end satisfies never;
  }
}
