// A server with files in memory that speaks what `nullmodem get`, `put` and `sync` need, and can be told to misbehave.

import { createHash } from "node:crypto";
import { decoded } from "../../src/bytes/text.ts";
import { unescapePath } from "../../src/transfer/remote-path.ts";

export interface StoredFile {
  octets: Buffer;
  mtime: number;
  etag: string;
}

interface Partial {
  octets: Buffer;
  total: number;
}

export function sha256(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}

export class FileServer {
  /** By path without the first slash. */
  readonly files = new Map<string, StoredFile>();
  readonly partials = new Map<string, Partial>();
  readonly requests: string[] = [];
  /** False: a server that knows only GET of whole files. */
  isOurs = true;
  /** Answers in place of the server. */
  instead: ((request: Request) => Response | undefined) | undefined;
  /** Octets of bodies that were received. */
  received = 0;
  #server: Bun.Server<undefined>;

  constructor() {
    this.#server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => this.#answer(request) });
  }

  get port(): number {
    return this.#server.port!;
  }

  put(path: string, octets: Buffer, mtime = 1_000_000_000): void {
    this.files.set(path, { octets, mtime, etag: `"${sha256(octets).slice(0, 16)}-${mtime}"` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.requests.push(`${request.method} ${url.pathname}${url.search} ${request.headers.get("range") ?? ""}`.trim());
    const path = unescapePath(url.pathname.slice(1));
    const response =
      this.instead?.(request) ??
      (request.method === "PUT" ? await this.#take(request, path) : this.#give(request, url, path));
    if (this.isOurs) response.headers.set("Server", "nullmodem/test");
    return response;
  }

  #give(request: Request, url: URL, path: string): Response {
    const id = request.headers.get("upload-id");
    if (id !== null) {
      const partial = this.partials.get(id);
      return new Response(null, {
        status: 204,
        headers: partial ? { "Upload-Offset": String(partial.octets.length) } : {},
      });
    }
    if (request.method === "DELETE") return new Response(null, { status: this.files.delete(path) ? 204 : 404 });
    if (request.method === "MKCOL") return new Response(null, { status: 201 });
    if (this.isOurs && url.searchParams.get("list") === "json") return this.#list(path);
    const file = this.files.get(path);
    if (file === undefined)
      return new Response(path === "" ? "a page" : "no such file", { status: path === "" ? 200 : 404 });
    const { octets, etag, mtime } = file;
    if (!this.isOurs) return new Response(new Uint8Array(octets));
    const first = url.searchParams.get("first");
    if (url.searchParams.get("hash") === "sha256") {
      const part = first === null ? octets : octets.subarray(0, Number(first));
      return Response.json({ size: part.length, sha256: sha256(part) });
    }
    const block = Number(url.searchParams.get("blocks") ?? 0);
    if (block > 0) {
      const hashes: string[] = [];
      for (let at = 0; at < octets.length; at += block) hashes.push(sha256(octets.subarray(at, at + block)));
      return new Response(hashes.map((hash) => `${hash}\n`).join(""));
    }
    const headers: Record<string, string> = { ETag: etag, "Last-Modified": new Date(mtime * 1000).toUTCString() };
    if (request.method === "HEAD")
      return new Response(null, { headers: { ...headers, "Content-Length": String(octets.length) } });
    const ifMatch = request.headers.get("if-match");
    if (ifMatch !== null && ifMatch !== etag) return new Response(null, { status: 412 });
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
    if (range === null || (request.headers.get("if-range") ?? etag) !== etag)
      return new Response(new Uint8Array(octets), { headers });
    const from = Number(range[1]);
    const to = range[2] === "" ? octets.length : Number(range[2]) + 1;
    if (from >= octets.length) return new Response(null, { status: 416, headers });
    headers["Content-Range"] = `bytes ${from}-${to - 1}/${octets.length}`;
    return new Response(new Uint8Array(octets.subarray(from, to)), { status: 206, headers });
  }

  #list(folder: string): Response {
    const lines: string[] = [];
    for (const [path, { octets, mtime }] of this.files)
      if (path.startsWith(folder))
        lines.push(
          JSON.stringify({ name: decoded(path.slice(folder.length)), size: octets.length, mtime, kind: "file" }),
        );
    return lines.length === 0 && folder !== ""
      ? new Response("no such folder", { status: 404 })
      : new Response([...lines, '{"kind":"end"}'].map((line) => `${line}\n`).join(""));
  }

  async #take(request: Request, path: string): Promise<Response> {
    const id = request.headers.get("upload-id");
    const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(request.headers.get("content-range") ?? "");
    const total = Number(range?.[3] ?? request.headers.get("content-length"));
    let partial: Partial = { octets: Buffer.alloc(0), total };
    if (id !== null && range !== null) {
      partial = this.partials.get(id) ?? partial;
      this.partials.set(id, partial);
      const copy = /^(\d+)-(\d+)$/.exec(request.headers.get("copy-from-old") ?? "");
      if (copy !== null && Number(copy[1]) === partial.octets.length) {
        const old = this.files.get(path)?.octets.subarray(Number(copy[1]), Number(copy[2]) + 1) ?? Buffer.alloc(0);
        partial.octets = Buffer.concat([partial.octets, old]);
      }
      if (Number(range[1] ?? total) !== partial.octets.length)
        return new Response(null, { status: 409, headers: { "Upload-Offset": String(partial.octets.length) } });
    }
    try {
      for await (const chunk of request.body ?? []) {
        partial.octets = Buffer.concat([partial.octets, chunk]);
        this.received += chunk.length;
      }
    } catch {
      return new Response(null, { status: 400 });
    }
    const digest = request.headers.get("repr-digest");
    if (partial.octets.length < total || (range !== null && digest === null))
      return new Response(null, { status: 204 });
    if (id !== null) this.partials.delete(id);
    if (digest !== null && digest !== `sha-256=:${createHash("sha256").update(partial.octets).digest("base64")}:`)
      return new Response(null, { status: 422 });
    this.put(path, partial.octets, Number(request.headers.get("x-file-mtime") ?? 0));
    return new Response(null, { status: 201 });
  }
}
