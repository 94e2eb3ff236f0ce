// POST: the files of a page's form. Each takes its place as soon as it is there.

import type { Work } from "./chores.ts";
import { isTrouble, type Trouble } from "./folder.ts";
import { boundaryOf, MultipartReader } from "./multipart.ts";
import { charsetFor, sentName } from "./page-text.ts";
import { bareReply, type Receiver, type Reply, textReply, troubleReply } from "./reply.ts";
import { addressOf, type Request } from "./http-request.ts";
import type { Site } from "./site.ts";
import { isHidden, Upload } from "./uploads.ts";

export function post(request: Request, site: Site): Reply | Receiver {
  const { path, isFolder, headers } = request;
  if (isForeign(request)) return textReply(403, "The form is another site's");
  const stat = site.folder.stat(path);
  if (isTrouble(stat)) return troubleReply(stat);
  if (stat.kind !== "folder" || !isFolder)
    return textReply(405, "Only folders take forms", ["Allow", "GET, HEAD, PUT"]);
  const boundary = boundaryOf(headers.get("content-type"));
  return boundary === undefined ? textReply(415, "Not a form with files") : new Form(request, boundary, site);
}

/** A page of another server, in the browser of a person who may write here, sends this form. */
export function isForeign({ headers }: Request): boolean {
  const origin = headers.get("origin");
  return origin !== undefined && origin !== `http://${headers.get("host") ?? ""}`;
}

class Form implements Receiver {
  readonly #request: Request;
  readonly #site: Site;
  readonly #reader: MultipartReader;
  #count: Work<void> | undefined;
  #upload: Upload | undefined;
  #trouble: Trouble | undefined;

  constructor(request: Request, boundary: string, site: Site) {
    this.#request = request;
    this.#site = site;
    this.#reader = new MultipartReader(boundary, {
      begin: (_field, fileName) => this.#begin(fileName),
      data: (bytes, start, end) => this.#note(this.#upload?.take(bytes, start, end)),
      end: () => {
        this.#note(this.#upload?.finish());
        this.#upload = undefined;
      },
    });
  }

  prepare(): boolean {
    const { body } = this.#request;
    this.#count ??= this.#site.quota.prepare(body === "chunked" ? 0 : body);
    return this.#count.next().done === true;
  }

  #begin(fileName: string | undefined): void {
    const name = fileName === undefined ? "" : sentName(fileName, charsetFor(this.#request));
    // A form that is sent without a file has an empty name.
    if (name === "") return;
    if (isHidden(name)) {
      this.#trouble ??= "bad-name";
      return;
    }
    const path = [...this.#request.path, name];
    if (this.#site.locks.refusal(this.#request, [{ path, isMember: true }]) !== undefined) {
      this.#trouble ??= "denied";
      return;
    }
    const begun = this.#site.uploads.begin({ path, token: undefined, piece: undefined, isNew: false });
    // Nothing is known of its length, so there is nothing to prepare.
    if (begun instanceof Upload) this.#upload = begun;
    else this.#note(begun);
  }

  #note(end: { readonly type: string; readonly trouble?: Trouble } | undefined): void {
    if (end === undefined || end.type === "whole") return;
    this.#upload = undefined;
    this.#trouble ??= end.trouble ?? "failed";
  }

  take(bytes: Uint8Array, start: number, end: number): Reply | undefined {
    this.#reader.take(bytes, start, end);
    if (this.#trouble !== undefined) return this.#refused(troubleReply(this.#trouble));
    return this.#reader.isBad ? this.#refused(textReply(400, "The form is damaged")) : undefined;
  }

  #refused(reply: Reply): Reply {
    this.cut();
    return reply;
  }

  complete(): Reply {
    if (!this.#reader.isDone) return this.#refused(textReply(400, "The form has no end"));
    const { path, isHttp11 } = this.#request;
    const host = this.#request.headers.get("host");
    const place = host !== undefined && /^[\w.:[\]-]+$/.test(host) ? `http://${host}` : "";
    // HTTP/1.0 knows no 303, and its browsers take 302 for it.
    return bareReply(isHttp11 ? 303 : 302, ["Location", `${place}${addressOf(path, true)}`]);
  }

  cut(): void {
    this.#upload?.cut();
    this.#upload = undefined;
  }
}
