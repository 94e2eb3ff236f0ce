// Sends one file, in as many attempts as the line needs. The server keeps what has come of it under a token, and checks
// the whole by its SHA-256.

import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type Answer, type Client, Later } from "./client.ts";
import { type Body, type Request } from "./http-connection.ts";
import { Damaged, FileTrouble } from "./failed-file.ts";
import { blockHashes, FileHash } from "./file-hash.ts";
import type { ResponseHead } from "./http-response.ts";
import type { Meter } from "./meter.ts";
import { Refusal } from "./refusal.ts";
import { BLOCK, differentSpans, remoteBlocks, remoteHash, type Span } from "./remote-files.ts";
import { escapePath, systemPath } from "./remote-path.ts";

export interface Sent {
  /** On this machine, of octets. */
  readonly source: string;
  /** At the server, with its slash in front. */
  readonly path: string;
  /** The server has a file of this name, and gets the blocks that differ. */
  readonly isPatch?: boolean;
}

/** The file changed while it was sent. */
class SourceChanged extends Error {}

/** The request with the hash has at most this much of the body: the hash of the rest is known only then. */
const LAST_PIECE = 32_768;
const CHUNK = 262_144;
/** How often a file is sent again that arrived damaged or changed meanwhile. */
const REPETITIONS = 3;
const { O_RDONLY, O_NONBLOCK } = constants;

/** Throws Refusal, Damaged, GaveUp and the errors of node:fs. Returns the size. */
export async function upload(client: Client, sent: Sent, meter: Meter): Promise<number> {
  const before = meter.done;
  let isPatch = sent.isPatch === true;
  for (let repetition = 0; ; repetition++) {
    const fd = openSync(systemPath(sent.source), O_RDONLY | O_NONBLOCK);
    meter.done = before;
    try {
      return await new Upload(client, { ...sent, isPatch }, fd, meter, repetition).run();
    } catch (error) {
      meter.done = before;
      const isDamaged = error instanceof Refusal && error.status === 422;
      if (!isDamaged && !(error instanceof SourceChanged)) throw error;
      if (repetition === REPETITIONS)
        throw isDamaged ? new Damaged("it arrives damaged again and again") : new Damaged(error.message);
      // The server's old file may have changed under the blocks that were taken from it.
      isPatch = false;
    } finally {
      closeSync(fd);
    }
  }
}

class Upload {
  readonly #client: Client;
  readonly #fd: number;
  readonly #meter: Meter;
  readonly #target: string;
  readonly #path: string;
  readonly #size: number;
  readonly #mtime: bigint;
  readonly #seconds: string;
  readonly #hash: FileHash;
  readonly #before: number;
  readonly #id: string;
  readonly #isPatch: boolean;
  readonly #chunk = Buffer.allocUnsafe(CHUNK);
  /** What goes over the line. The server copies the rest from its old file. */
  #spans: readonly Span[];
  /** How much the server has. Undefined: it is to be asked. */
  #offset: number | undefined;
  #hasSentAll = false;
  /** Where the octets of the last request began. */
  #begun = Infinity;
  /** How often in a row the server had another number of octets than it had said. */
  #conflicts = 0;

  constructor(client: Client, { path, isPatch }: Sent, fd: number, meter: Meter, repetition: number) {
    this.#client = client;
    this.#fd = fd;
    this.#meter = meter;
    this.#path = path;
    this.#target = escapePath(path);
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) throw new FileTrouble("it is no file");
    this.#size = Number(stat.size);
    this.#mtime = stat.mtimeNs;
    this.#seconds = String(stat.mtimeNs / 1_000_000_000n);
    this.#hash = new FileHash(fd);
    this.#before = meter.done;
    this.#isPatch = isPatch === true && this.#size >= BLOCK;
    this.#spans = [{ from: 0, to: this.#size }];
    // The same file for the same place has the same token at a later start, so that the server knows what it has of it.
    const facts = [client.host, path, stat.size, stat.mtimeNs, repetition, this.#isPatch].join("\n");
    this.#id = createHash("sha256").update(facts).digest("hex").slice(0, 32);
  }

  async run(): Promise<number> {
    if (this.#isPatch) await this.#compare();
    // A short file is sent without a question, and the server is asked only when that was interrupted.
    if (this.#size <= LAST_PIECE) this.#offset = 0;
    while (!(await this.#client.persist(() => this.#attempt())));
    this.#meter.done = this.#before + this.#size;
    return this.#size;
  }

  async #compare(): Promise<void> {
    try {
      const had = await remoteBlocks(this.#client, this.#path);
      const spans = differentSpans(blockHashes(this.#fd, this.#size, BLOCK), had, this.#size);
      // The last request has octets of its own, whatever was copied before.
      if (spans.at(-1)?.to !== this.#size) spans.push({ from: this.#size - 1, to: this.#size });
      this.#spans = spans;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  /** One request. True when the server has the whole file. */
  async #attempt(): Promise<boolean> {
    if (this.#offset === undefined) {
      const offset = await this.#askOffset();
      this.#meter.moved += Math.max(0, offset - this.#begun);
      this.#begun = Infinity;
      if (offset === 0 && this.#hasSentAll && (await this.#isThere())) return true;
      this.#offset = offset;
    }
    const piece = this.#pieceAt(this.#offset);
    const request = this.#requestFor(this.#offset, piece);
    // Whatever happens, only the server knows what it has of this piece.
    this.#offset = undefined;
    this.#hasSentAll ||= piece.isLast;
    this.#begun = piece.from;
    const { head, body } = await this.#send(request, piece);
    const offset = head.status === 409 ? offsetOf(head) : undefined;
    if (offset !== undefined) {
      if (this.#conflicts++ > 0 || offset > this.#size) throw new Later("the server has not what it said that it has");
      this.#offset = offset;
      return false;
    }
    if (head.status !== 201 && head.status !== 204 && head.status !== 200)
      throw new Refusal(request, head.status, body);
    this.#conflicts = 0;
    this.#offset = piece.to;
    this.#begun = Infinity;
    return piece.isLast;
  }

  /** The next piece when the server has `offset` octets. Octets before `from` are copied from the old file. */
  #pieceAt(offset: number): { readonly from: number; readonly to: number; readonly isLast: boolean } {
    const size = this.#size;
    const span = this.#spans.find(({ to }) => to > offset) ?? { from: size, to: size };
    const from = Math.max(offset, span.from);
    const isEnd = span.to === size;
    if (isEnd && size - from > LAST_PIECE) return { from, to: size - LAST_PIECE, isLast: false };
    return { from, to: span.to, isLast: isEnd };
  }

  #requestFor(offset: number, { from, to, isLast }: { from: number; to: number; isLast: boolean }): Request {
    const size = this.#size;
    if (isLast) this.#checkSource();
    return {
      method: "PUT",
      target: this.#target,
      headers: {
        "X-File-Mtime": this.#seconds,
        ...(size > 0
          ? { "Upload-Id": this.#id, "Content-Range": `bytes ${from < to ? `${from}-${to - 1}` : "*"}/${size}` }
          : {}),
        ...(offset < from ? { "Copy-From-Old": `${offset}-${from - 1}` } : {}),
        ...(isLast ? { "Repr-Digest": this.#hash.digestOf(size) } : {}),
      },
      body: this.#bodyOf(from, to),
    };
  }

  #bodyOf(from: number, to: number): Body {
    let at = from;
    return {
      length: to - from,
      read: () => {
        const got = readSync(this.#fd, this.#chunk, 0, Math.min(CHUNK, to - at), at);
        if (got === 0) throw new SourceChanged("it becomes shorter while it is sent");
        const octets = this.#chunk.subarray(0, got);
        this.#hash.append(octets, at);
        at += got;
        return octets;
      },
    };
  }

  async #send(request: Request, { from, to }: { from: number; to: number }): Promise<Answer> {
    const meter = this.#meter;
    const movedBefore = meter.moved;
    meter.running = () => this.#client.bodySent;
    meter.done = this.#before + from;
    try {
      const answer = await this.#client.once(request);
      meter.moved = movedBefore + to - from;
      meter.done = this.#before + to;
      return answer;
    } finally {
      meter.running = undefined;
    }
  }

  async #askOffset(): Promise<number> {
    const request = { method: "HEAD", target: this.#target, headers: { "Upload-Id": this.#id } };
    const { head } = await this.#client.once(request);
    if (head.status >= 400 && head.status !== 404) throw new Refusal(request, head.status);
    const offset = offsetOf(head) ?? 0;
    if (offset > this.#size) throw new Later("the server has more than the whole file");
    return offset;
  }

  /** The last answer may have been lost after the server had everything. */
  async #isThere(): Promise<boolean> {
    try {
      return (await remoteHash(this.#client, this.#path)) === this.#hash.of(this.#size);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return false;
      throw error;
    }
  }

  #checkSource(): void {
    const { size, mtimeNs } = fstatSync(this.#fd, { bigint: true });
    if (Number(size) !== this.#size || mtimeNs !== this.#mtime) throw new SourceChanged("it changes while it is sent");
  }
}

function offsetOf(head: ResponseHead): number | undefined {
  const text = head.headers.get("upload-offset") ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
