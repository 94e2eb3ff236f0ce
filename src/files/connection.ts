// One connection of a client: octets go in, octets come out (RFC 9112). It knows no socket and no clock. Requests are answered
// one after the other. While a reply is made and sent, no input is wanted, so a client that does not read cannot make it keep
// more than the octets of one call.

import { bytesOf, decoded, textOf } from "../bytes/text.ts";
import { BodyReader } from "./body-reader.ts";
import type { Exchange, UnderWay } from "./exchange.ts";
import { type BadRequest, parseRequest, type Request } from "./http-request.ts";
import { BROKEN, isReply, reasonOfStatus, type Receiver, type Reply, type Source, textReply } from "./reply.ts";

/** What answers requests. */
export interface Answering {
  answer(request: Request): Reply | Receiver;
  /** Headers that each reply has. */
  headers(): readonly (readonly [name: string, value: string])[];
}

const MOST_HEAD = 16384;
/** A request's head must be there so long after its first octet. At 2400 bit/s that is enough for 7 kB. */
const HEAD_MS = 30_000;
/** Between two requests. */
const IDLE_MS = 60_000;
/** In this time at least {@link LEAST} octets must be received or sent while a body or a reply is under way. */
const STALL_MS = 120_000;
const LEAST = 512;
/** What the client still sends after a reply that closes the connection is dropped for so long. */
const DRAIN_MS = 10_000;
/** "fffff" and the line's end, before each chunk, and the line's end after it. */
const CHUNK_HEAD = 7;
const CHUNK_ROOM = CHUNK_HEAD + 2;
const MOST_CHUNK = 0xfffff;
/** A header with one of these would be two headers, or the end of the head. It is left out. */
const UNSENDABLE = /[\r\n\0]|[^\0-\xff]/;

type State = "head" | "prepare" | "body" | "work" | "reply" | "drain" | "over";

function isBusy(state: State): boolean {
  return state === "prepare" || state === "work" || state === "reply";
}

export class Connection implements Exchange {
  readonly #answering: Answering;
  #state: State = "head";
  readonly #head = new HeadBuffer();
  #held: Uint8Array | undefined;
  #request: Request | undefined;
  #body = new BodyReader(0);
  #receiver: Receiver | undefined;
  /** The reply's head, or the interim reply. */
  #unsent: Uint8Array = new Uint8Array(0);
  #source: Source | undefined;
  #framing: "length" | "chunks" | "close" = "length";
  #left = 0;
  #closes = false;
  #since: number;
  #moved = 0;
  /** Octets of the present body. */
  #done = 0;
  #handedOver: UnderWay | undefined;
  #isWorking = false;

  constructor(answering: Answering, now: number) {
    this.#answering = answering;
    this.#since = now;
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** Between two requests: it may be closed for another one. */
  get isIdle(): boolean {
    return this.#state === "head" && !this.hasMore;
  }

  get wantsInput(): boolean {
    if (this.#state === "head") return !this.hasMore;
    return this.#state === "body" || this.#state === "drain";
  }

  get wantsOutput(): boolean {
    return this.#unsent.length > 0 || isBusy(this.#state) || this.hasMore;
  }

  /** The next request has come with the last one. */
  get hasMore(): boolean {
    return this.#state === "head" && this.#held !== undefined;
  }

  /** A body is on its way. */
  get isCarrying(): boolean {
    if (this.#handedOver !== undefined) return true;
    return this.#request !== undefined && (this.#state === "body" || this.#state === "reply");
  }

  /** Undefined: no file is on its way. */
  get underWay(): UnderWay | undefined {
    if (this.#request === undefined) return this.#handedOver;
    const name = decoded(this.#request.path.join("/"));
    if (this.#state === "body") {
      const { body } = this.#request;
      return { name, to: "us", octets: this.#done, of: body === "chunked" ? undefined : body };
    }
    if (this.#state !== "reply" || this.#source === undefined) return undefined;
    const of = this.#framing === "length" ? this.#done + this.#left : undefined;
    return { name, to: "peer", octets: this.#done, of };
  }

  arrived(): void {
    this.#handedOver = undefined;
  }

  /** The request needs work before its body is read, or the reply before it has octets: call {@link transmit} again soon. */
  get isWorking(): boolean {
    return this.#isWorking;
  }

  /** The connection has sent what it has to say, and waits for the client's end of the connection. */
  get hasFinished(): boolean {
    return this.#state === "drain" && this.#unsent.length === 0;
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** When {@link handleTimeout} is due. */
  nextTimeout(): number {
    if (this.#state === "head") return this.#since + (this.#head.length > 0 ? HEAD_MS : IDLE_MS);
    if (this.#state === "drain") return this.#since + DRAIN_MS;
    return this.#state === "over" ? Infinity : this.#since + STALL_MS;
  }

  handleTimeout(now: number): void {
    if (now < this.nextTimeout()) return;
    const works = this.#state === "prepare" || this.#state === "work";
    const moves = this.#state === "body" || this.#state === "reply";
    if (works || (moves && this.#moved >= LEAST)) this.#watch(now);
    else this.cut();
  }

  /** Octets have left for the client that no call of {@link transmit} tells of. */
  noteSent(octets: number): void {
    this.#moved += octets;
  }

  #watch(now: number): void {
    this.#since = now;
    this.#moved = 0;
  }

  // ── input ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes all of bytes[start, end). To be called while input is wanted. */
  receive(bytes: Uint8Array, start: number, end: number, now: number): void {
    let at = start;
    while (at < end && (this.#state === "head" || this.#state === "body"))
      at = this.#state === "head" ? this.#readHead(bytes, at, end, now) : this.#readBody(bytes, at, end, now);
    if (at < end && isBusy(this.#state)) this.#held = bytes.slice(at, end);
  }

  /** The client has sent all that it will send, or is gone. */
  endOfInput(): void {
    if (this.#state === "head" || this.#state === "body" || this.#state === "drain") this.cut();
  }

  /** The connection is gone. */
  cut(): void {
    this.#receiver?.cut();
    this.#source?.close();
    this.#receiver = this.#source = this.#held = undefined;
    this.#state = "over";
  }

  #readHead(bytes: Uint8Array, start: number, end: number, now: number): number {
    if (this.#head.length === 0) this.#since = now;
    const at = this.#head.take(bytes, start, end);
    if (this.#head.isTooLong) this.#refuse({ status: 431, reason: "the headers are too long" }, now);
    else if (this.#head.isComplete) {
      const request = parseRequest(this.#head.takeText());
      if ("status" in request) this.#refuse(request, now);
      else this.#begin(request, now);
    }
    return at;
  }

  #begin(request: Request, now: number): void {
    this.#request = request;
    this.#body = new BodyReader(request.body);
    const answer = this.#answering.answer(request);
    if (isReply(answer)) {
      this.#reply(answer, now);
      return;
    }
    this.#receiver = answer;
    this.#state = "prepare";
    this.#done = 0;
    this.#prepare(now);
  }

  #prepare(now: number): void {
    const ready = this.#receiver?.prepare?.() ?? true;
    this.#isWorking = ready === false;
    this.#watch(now);
    if (ready === false) return;
    if (ready !== true) {
      this.#receiver = undefined;
      this.#reply(ready, now);
      return;
    }
    this.#state = "body";
    if (this.#request?.expectsContinue === true) this.#unsent = bytesOf("HTTP/1.1 100 Continue\r\n\r\n");
    if (this.#body.isDone) this.#bodyDone(now);
    else this.#takeHeld(now);
  }

  /** Takes what came while the connection was busy. */
  #takeHeld(now: number): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.receive(held, 0, held.length, now);
  }

  #readBody(bytes: Uint8Array, start: number, end: number, now: number): number {
    const result = this.#body.read(bytes, start, end, (from, at, to) => this.#receiver?.take(from, at, to));
    if (typeof result !== "number") {
      this.#receiver = undefined;
      this.#reply(result, now);
      return end;
    }
    this.#moved += result - start;
    this.#done += result - start;
    if (this.#body.isBad) {
      this.#receiver?.cut();
      this.#receiver = undefined;
      this.#refuse({ status: 400, reason: "not a chunk" }, now);
    } else if (this.#body.isDone) this.#bodyDone(now);
    return result;
  }

  #bodyDone(now: number): void {
    this.#state = "work";
    this.#watch(now);
    this.#work(now);
  }

  #work(now: number): void {
    const reply = this.#receiver?.complete();
    this.#isWorking = reply === undefined;
    if (reply === undefined) return;
    this.#receiver = undefined;
    this.#reply(reply, now);
  }

  // ── output ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts octets for the client to into[at, end), and returns how many. */
  transmit(into: Uint8Array, at: number, end: number, now: number): number {
    if (this.hasMore) this.#takeHeld(now);
    if (this.#state === "prepare") this.#prepare(now);
    if (this.#state === "work") this.#work(now);
    let fill = this.#putUnsent(into, at, end);
    while (this.#state === "reply" && this.#unsent.length === 0 && end - fill > CHUNK_ROOM) {
      const put = this.#source === undefined ? 0 : this.#putPart(into, fill, end);
      if (this.#isWorking || this.isOver) break;
      fill += put;
      if (this.#source === undefined && this.#unsent.length === 0) this.#replied(now);
      // The end of the last chunk. A next request that has come with this one is answered in a turn of its own.
      fill += this.#putUnsent(into, fill, end);
    }
    this.#moved += fill - at;
    return fill - at;
  }

  #putUnsent(into: Uint8Array, at: number, end: number): number {
    if (this.#unsent.length === 0) return 0;
    const part = this.#unsent.subarray(0, end - at);
    into.set(part, at);
    this.#unsent = this.#unsent.subarray(part.length);
    return part.length;
  }

  /** A part of the reply's body. */
  #putPart(into: Uint8Array, at: number, end: number): number {
    const isChunk = this.#framing === "chunks";
    const start = isChunk ? at + CHUNK_HEAD : at;
    const room = isChunk ? Math.min(end - at - CHUNK_ROOM, MOST_CHUNK) : end - at;
    const most = this.#framing === "length" ? Math.min(room, this.#left) : room;
    const put = most === 0 ? -1 : this.#source!.fill(into, start, start + most);
    this.#isWorking = put === 0;
    if (put === 0) return 0;
    if (put === BROKEN || (put < 0 && this.#framing === "length" && this.#left > 0)) {
      // The client notices that the octets are fewer than promised.
      this.cut();
      return 0;
    }
    if (put < 0) {
      this.#source!.close();
      this.#source = undefined;
      if (isChunk) this.#unsent = bytesOf("0\r\n\r\n");
      return 0;
    }
    this.#left -= put;
    this.#done += put;
    if (!isChunk) return put;
    into.set(bytesOf(`${put.toString(16).padStart(CHUNK_HEAD - 2, "0")}\r\n`), at);
    into.set([0x0d, 0x0a], start + put);
    return put + CHUNK_ROOM;
  }

  #refuse({ status, reason }: BadRequest, now: number): void {
    this.#closes = true;
    this.#request = undefined;
    this.#reply(textReply(status, `Refused: ${reason}`), now);
  }

  #reply(reply: Reply, now: number): void {
    const request = this.#request;
    // A client that has not sent its body may send it or not, so nothing can follow on this connection.
    this.#closes ||= request === undefined || !request.keepsAlive || !this.#body.isDone;
    const { status, body } = reply;
    const hasBody = status !== 204 && status !== 304;
    const length = hasBody ? (body === undefined ? 0 : body.length) : undefined;
    const isHttp11 = request?.isHttp11 ?? true;
    this.#framing = !hasBody || length !== undefined ? "length" : isHttp11 ? "chunks" : "close";
    if (this.#framing === "close") this.#closes = true;
    const headers = [...reply.headers, ...this.#answering.headers()];
    if (length !== undefined) headers.push(["Content-Length", String(length)]);
    else if (this.#framing === "chunks") headers.push(["Transfer-Encoding", "chunked"]);
    if (this.#closes && isHttp11) headers.push(["Connection", "close"]);
    else if (!this.#closes && !isHttp11) headers.push(["Connection", "keep-alive"]);
    const lines = headers
      .filter(([, value]) => !UNSENDABLE.test(value))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
    const head = bytesOf(`HTTP/1.1 ${status} ${reasonOfStatus(status)}\r\n${lines}\r\n`);
    this.#unsent = this.#unsent.length === 0 ? head : Uint8Array.of(...this.#unsent, ...head);
    this.#left = length ?? Infinity;
    this.#done = 0;
    this.#source = hasBody && request?.method !== "HEAD" ? body : undefined;
    if (this.#source === undefined) body?.close();
    this.#state = "reply";
    this.#isWorking = false;
    this.#watch(now);
  }

  #replied(now: number): void {
    const name = decoded(this.#request?.path.join("/") ?? "");
    if (this.#done > 0) this.#handedOver = { name, to: "peer", octets: this.#done, of: this.#done };
    this.#request = undefined;
    this.#since = now;
    this.#state = this.#closes ? "drain" : "head";
    if (this.#closes) this.#held = undefined;
  }
}

/** Octets up to the empty line that ends a head. Empty lines before it are passed over (RFC 9112 §2.2). */
class HeadBuffer {
  #text = "";
  #isComplete = false;

  get length(): number {
    return this.#text.length;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get isTooLong(): boolean {
    return this.#text.length > MOST_HEAD;
  }

  /** Takes octets up to the end of the head. Returns where it stopped. */
  take(bytes: Uint8Array, start: number, end: number): number {
    let from = start;
    while (from < end && this.#text.length <= MOST_HEAD) {
      const lineEnd = bytes.indexOf(0x0a, from);
      const to = lineEnd < 0 || lineEnd >= end ? end : lineEnd + 1;
      this.#text += textOf(bytes, from, Math.min(to, from + MOST_HEAD + 1));
      from = to;
      if (this.#text === "\n" || this.#text === "\r\n") this.#text = "";
      this.#isComplete = this.#text.endsWith("\n\n") || this.#text.endsWith("\n\r\n") || this.#isOldest;
      if (this.#isComplete) break;
    }
    return from;
  }

  /** HTTP/0.9 has one line, and no empty one. */
  get #isOldest(): boolean {
    return /^GET \S+\r?\n$/.test(this.#text);
  }

  takeText(): string {
    const text = this.#text.replace(/\r?\n(?:\r?\n)?$/, "");
    this.#text = "";
    this.#isComplete = false;
    return text;
  }
}
