// Receives one file, in as many attempts as the line needs, and checks it.

import { lstatSync } from "node:fs";
import { type Client, Later } from "./client.ts";
import { Interrupted, type Request } from "./http-connection.ts";
import { Damaged } from "./failed-file.ts";
import { blockHashes } from "./file-hash.ts";
import { NotHttp, type ResponseHead } from "./http-response.ts";
import type { Meter } from "./meter.ts";
import { PartFile } from "./part-file.ts";
import { Redirected, Refusal } from "./refusal.ts";
import { BLOCK, differentSpans, remoteBlocks, remoteHash, type Span } from "./remote-files.ts";
import { escapePath, systemPath } from "./remote-path.ts";

export interface Wanted {
  /** Of octets, with its slash in front. */
  readonly path: string;
  /** Escaped, "?…" or "". Only of addresses that the user wrote. */
  readonly query?: string;
  readonly target: string;
  /** Of the partial file, ".part" as a rule. */
  readonly suffix?: string;
  /** Takes the old file of this name as a beginning, and receives the blocks that differ. */
  readonly isPatch?: boolean;
  /** Called with the size of the file each time that the server says it. */
  readonly announce?: (size: number) => void;
}

export interface Received {
  readonly size: number;
  /** False: the server has no hashes. */
  readonly isChecked: boolean;
}

const NOTHING = "the server sends nothing of the file";
const WRONG_LENGTH = "the server sent another number of octets than it announced";
/** How often a file that arrived damaged is mended. */
const MENDINGS = 3;

/** Throws Refusal, Damaged, GaveUp, NotHttp and the errors of node:fs. The part is kept. */
export async function download(client: Client, wanted: Wanted, meter: Meter): Promise<Received> {
  const part = new PartFile(wanted.target, wanted.suffix);
  const already = meter.done;
  try {
    return await new Download(client, wanted, part, meter).run();
  } catch (error) {
    meter.done = already;
    part.close();
    throw error;
  }
}

class Download {
  readonly #client: Client;
  readonly #wanted: Wanted;
  readonly #part: PartFile;
  readonly #meter: Meter;
  /** Of requests. */
  readonly #target: string;
  /** What was done before this file. */
  readonly #before: number;
  #mtime: number | undefined;
  /** The length of the file that the server has announced. */
  #size: number | undefined;
  #isWhole = false;

  constructor(client: Client, wanted: Wanted, part: PartFile, meter: Meter) {
    this.#client = client;
    this.#wanted = wanted;
    this.#part = part;
    this.#meter = meter;
    this.#target = `${escapePath(wanted.path)}${wanted.query ?? ""}`;
    this.#before = meter.done;
  }

  async run(): Promise<Received> {
    const part = this.#part;
    if (part.size === 0 && this.#wanted.isPatch === true) await this.#copyOld();
    else if (part.size > 0) await this.#examine();
    for (let mended = 0; ; mended++) {
      while (!this.#isWhole) await this.#client.persist(() => this.#receive());
      const isChecked = await this.#check();
      if (isChecked !== false) {
        part.finish(this.#mtime);
        return { size: part.size, isChecked: isChecked === true };
      }
      if (mended === MENDINGS) throw new Damaged("it arrives damaged again and again; the partial file is kept");
      await this.#mend();
    }
  }

  /** Looks at a part that an earlier start has left. */
  async #examine(): Promise<void> {
    const { origin } = this.#part;
    await this.#ask();
    if (this.#part.size === 0 || this.#client.isOurs !== true) return;
    if (origin?.isPatched === true || (await this.#hashOf(this.#part.size)) !== this.#part.hash()) await this.#mend();
  }

  /** Asks for the head of the file, and drops the part of another version. */
  async #ask(): Promise<void> {
    const head = await this.#head();
    const { origin } = this.#part;
    const found = head === undefined ? "" : validatorOf(head);
    const isSame = found !== "" && found === origin?.validator && origin.target === this.#target;
    if (origin !== undefined && !isSame) this.#part.cut(0);
  }

  /** Undefined: the server has no answer to HEAD, and GET will tell. */
  async #head(): Promise<ResponseHead | undefined> {
    const request = { method: "HEAD", target: this.#target };
    const { head } = await this.#client.persist(() => this.#client.once(request));
    if (head.status === 405 || head.status === 501) return undefined;
    if (head.status !== 200) throw refusalOf(head, request);
    this.#note(head, undefined);
    return head;
  }

  async #copyOld(): Promise<void> {
    const head = await this.#head();
    const validator = head === undefined ? "" : validatorOf(head);
    const old = lstatSync(systemPath(this.#wanted.target), { throwIfNoEntry: false });
    if (this.#client.isOurs !== true || validator === "" || old?.isFile() !== true) return;
    this.#part.beginAsCopy({ target: this.#target, validator, size: this.#size, isPatched: true });
    await this.#mend();
  }

  /** One request for all that is missing behind the part. */
  async #receive(): Promise<void> {
    const part = this.#part;
    const start = part.size;
    const validator = part.origin?.validator ?? "";
    const isRest = start > 0 && validator !== "";
    if (isRest && start === this.#size) return void (this.#isWhole = true);
    const headers = isRest ? { Range: `bytes=${start}-`, "If-Range": validator } : {};
    this.#count();
    let isBody = false;
    const head = await this.#client.exchange(
      { method: "GET", target: this.#target, headers },
      {
        head: (head) => {
          isBody = this.#begin(head, start, isRest);
        },
        data: (octets) => {
          if (!isBody) return;
          if (part.size + octets.length > (this.#size ?? Infinity)) throw new NotHttp(WRONG_LENGTH);
          part.append(octets);
          this.#count(octets.length);
        },
      },
    );
    if (head.status === 416) {
      part.cut(0);
      // Without a range it is no answer to a range.
      throw new Later("the server does not send the rest of the file");
    }
    if (!isBody) throw refusalOf(head, { method: "GET", target: this.#target });
    if (this.#size === undefined || part.size === this.#size) this.#isWhole = true;
    else if (part.size <= start) throw new Later(NOTHING);
  }

  /** Handles the head of an answer. True when its body is octets of the file. */
  #begin(head: ResponseHead, start: number, isRest: boolean): boolean {
    if (head.status === 206 && isRest) {
      const range = rangeOf(head);
      if (range?.from !== start) throw new NotHttp("the server sent another part than it was asked for");
      this.#note(head, range.size);
      return true;
    }
    if (head.status !== 200) return false;
    this.#note(head, Number(head.headers.get("content-length") ?? NaN));
    this.#part.begin({ target: this.#target, validator: validatorOf(head), size: this.#size, isPatched: false });
    this.#count();
    return true;
  }

  #note(head: ResponseHead, size: number | undefined): void {
    const length = size ?? Number(head.headers.get("content-length") ?? NaN);
    this.#size = Number.isSafeInteger(length) ? length : undefined;
    if (this.#size !== undefined) this.#wanted.announce?.(this.#size);
    const modified = Date.parse(head.headers.get("last-modified") ?? "");
    this.#mtime = Number.isNaN(modified) ? undefined : modified / 1000;
  }

  /** Undefined: the server cannot tell. */
  async #check(): Promise<boolean | undefined> {
    if (this.#client.isOurs !== true || this.#wanted.query !== undefined) return undefined;
    return (await this.#hashOf(undefined)) === this.#part.hash();
  }

  async #hashOf(first: number | undefined): Promise<string> {
    return await remoteHash(this.#client, this.#wanted.path, first);
  }

  /** Receives the blocks of the part that are not the server's. */
  async #mend(): Promise<void> {
    const part = this.#part;
    const blocks = await remoteBlocks(this.#client, this.#wanted.path);
    await this.#ask();
    // The file has changed, or its blocks were those of another version: it is received as a whole.
    if (part.size === 0 || this.#size === undefined || blocks.length !== Math.ceil(this.#size / BLOCK)) {
      part.cut(0);
      this.#isWhole = false;
      return;
    }
    if (part.size > this.#size) part.cut(this.#size);
    const spans = differentSpans(blocks, blockHashes(part.fd, part.size, BLOCK), this.#size);
    const missing = spans.reduce((sum, { from, to }) => sum + to - from, 0);
    this.#meter.done = this.#before + this.#size - missing;
    for (const span of spans) if (!(await this.#receiveSpan(span))) return;
    this.#isWhole = part.size === this.#size;
  }

  /** False when the file has changed meanwhile. */
  async #receiveSpan({ from, to }: Span): Promise<boolean> {
    let at = from;
    let isSame = true;
    while (at < to && isSame)
      await this.#client.persist(async () => {
        const begun = at;
        const validator = this.#part.origin?.validator ?? "";
        let isBody = false;
        await this.#client
          .exchange(
            {
              method: "GET",
              target: this.#target,
              headers: { Range: `bytes=${at}-${to - 1}`, "If-Match": validator, "If-Range": validator },
            },
            {
              head: (head) => {
                if (![200, 206, 412, 416].includes(head.status))
                  throw refusalOf(head, { method: "GET", target: this.#target });
                isSame = head.status === 206 && rangeOf(head)?.from === at;
                isBody = isSame;
                // The whole file would come now: this connection ends, and a new one asks again.
                if (head.status === 200) throw new Interrupted("the file has changed");
              },
              data: (octets) => {
                if (!isBody) return;
                const useful = octets.subarray(0, to - at);
                this.#part.patch(useful, at);
                at += useful.length;
                this.#meter.move(useful.length);
              },
            },
          )
          .catch((error: unknown) => {
            if (isSame) throw error;
          });
        if (isSame && at === begun) throw new Later(NOTHING);
      });
    if (!isSame) {
      this.#part.cut(0);
      this.#isWhole = false;
    }
    return isSame;
  }

  #count(moved = 0): void {
    this.#meter.moved += moved;
    this.#meter.done = this.#before + this.#part.size;
  }
}

/** For If-Range: a strong ETag, else the time of the last change. "": there is neither. */
function validatorOf({ headers }: ResponseHead): string {
  const tag = headers.get("etag") ?? "";
  return tag !== "" && !tag.startsWith("W/") ? tag : (headers.get("last-modified") ?? "");
}

function rangeOf({ headers }: ResponseHead): { readonly from: number; readonly size: number } | undefined {
  const [, from, , size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers.get("content-range") ?? "") ?? [];
  return from === undefined ? undefined : { from: Number(from), size: Number(size) };
}

function refusalOf(head: ResponseHead, request: Request): Error {
  const location = head.headers.get("location");
  if (head.status > 300 && head.status < 309 && location !== undefined) return new Redirected(location);
  return new Refusal(request, head.status);
}
