// One connection of a client of Windows: octets go in, octets come out. Messages come in frames of the NetBIOS session service
// (RFC 1002 §4.3), on port 139. It knows no socket and no clock. Requests are answered one after the other, and while an answer
// waits to be sent no input is wanted.

import { answerMessage } from "./smb-commands.ts";
import type { Work } from "../chores.ts";
import { decoded } from "../../bytes/text.ts";
import type { Exchange, UnderWay } from "../exchange.ts";
import { SmbClient } from "./smb-client.ts";
import type { SmbSite } from "./smb-site.ts";

const FRAME = { MESSAGE: 0, REQUEST: 0x81, POSITIVE: 0x82, KEEP_ALIVE: 0x85 } as const;
const HEAD = 4;
/** The length of a message has 17 bits. */
const MOST = 0x1ffff;
const MOST_REQUEST = 512;
/** What is kept of the input beyond one message. */
const FIRST_ROOM = 4096;

/** A session must be asked for, and a dialect chosen, so long after the connection. */
const BEGIN_MS = 60_000;
/** The rest of a message must come, and an answer must leave, so long after. */
const STALL_MS = 120_000;
const LEAST = 512;
/** A client without open files that is silent for so long connects again when it needs to. Others are asked whether they are there. */
const IDLE_MS = 900_000;

/** A file is not under way any more, so long after its last part. */
const CARRIED_MS = 5000;

const NOTHING = new Uint8Array(0);

export class SmbConnection implements Exchange {
  readonly #client: SmbClient;
  #input: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;
  #unsent: Uint8Array = NOTHING;
  #isOver = false;
  #hasEnded = false;
  #counting: Work<void> | undefined;
  /** The quota was counted for the message that is to be answered, or twice, because the first count refused it. */
  #counts = 0;
  #since: number;
  #moved = 0;

  constructor(site: SmbSite, now: number) {
    this.#client = new SmbClient(site);
    this.#since = now;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** It may be closed for another one: nothing is open. */
  get isIdle(): boolean {
    return !this.#hasMessage && this.#unsent.length === 0 && this.#client.handles.size === 0;
  }

  get isSilent(): boolean {
    return this.#isWaiting;
  }

  get wantsInput(): boolean {
    return !this.#isOver && this.#unsent.length === 0 && !this.#hasMessage;
  }

  get wantsOutput(): boolean {
    return !this.#isOver && (this.#unsent.length > 0 || this.#hasMessage);
  }

  /** The quota is being counted. */
  get isWorking(): boolean {
    return this.#counting !== undefined;
  }

  /** A message is here, and nothing waits to be sent before its answer. */
  get hasMore(): boolean {
    return this.#hasMessage && this.#unsent.length === 0;
  }

  readonly hasFinished = false;

  get isCarrying(): boolean {
    return this.#client.carried !== undefined;
  }

  /** The file that was read or written a moment ago: nobody says when its last part has come. */
  get underWay(): UnderWay | undefined {
    const { handle, to } = this.#client.carried ?? {};
    if (handle === undefined || to === undefined) return undefined;
    const name = decoded(handle.open.key);
    return { name, to, octets: handle.position, of: to === "peer" ? handle.file?.stat().size : undefined };
  }
  arrived(): void {}

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** When {@link handleTimeout} is due. */
  nextTimeout(): number {
    if (this.#isOver) return Infinity;
    const { carried, dialect } = this.#client;
    if (carried !== undefined && this.#isWaiting) return this.#since + CARRIED_MS;
    if (this.#isWaiting) return this.#since + (dialect === undefined ? BEGIN_MS : IDLE_MS);
    return this.#since + STALL_MS;
  }

  /** For the next message of the client. */
  get #isWaiting(): boolean {
    return this.#start === this.#end && this.#unsent.length === 0;
  }

  handleTimeout(now: number): void {
    if (now < this.nextTimeout()) return;
    if (this.#isWaiting && this.#client.carried !== undefined) {
      this.#client.carried = undefined;
      return;
    }
    if (this.#isWaiting) {
      if (this.#client.dialect === undefined || this.#client.handles.size === 0) this.cut();
      // A client that is gone does not acknowledge it, and the connection breaks.
      else this.#unsent = Uint8Array.of(FRAME.KEEP_ALIVE, 0, 0, 0);
    } else if (this.#moved < LEAST) this.cut();
    this.#watch(now);
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
    if (this.#isOver) return;
    if (this.#isWaiting) this.#watch(now);
    this.#moved += end - start;
    this.#makeRoom(end - start);
    this.#input.set(bytes.subarray(start, end), this.#end);
    this.#end += end - start;
    this.#checkHead();
  }

  /** What cannot be a message ends the connection. */
  #checkHead(): void {
    if (this.#end - this.#start < HEAD) return;
    const kind = this.#input[this.#start]!;
    const isKnown = kind === FRAME.MESSAGE || kind === FRAME.REQUEST || kind === FRAME.KEEP_ALIVE;
    if (!isKnown || this.#frameSize > HEAD + (kind === FRAME.MESSAGE ? MOST : MOST_REQUEST)) this.cut();
  }

  #makeRoom(size: number): void {
    const kept = this.#end - this.#start;
    if (this.#end + size <= this.#input.length) return;
    const to = kept + size <= this.#input.length ? this.#input : new Uint8Array(Math.max(FIRST_ROOM, kept + size));
    to.set(this.#input.subarray(this.#start, this.#end));
    this.#input = to;
    this.#start = 0;
    this.#end = kept;
  }

  /** The client has sent all that it will send. */
  endOfInput(): void {
    this.#hasEnded = true;
    if (this.wantsInput) this.cut();
  }

  /** The connection is gone. */
  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.end();
    this.#counting = undefined;
    this.#input = this.#unsent = NOTHING;
    this.#start = this.#end = 0;
  }

  /** Octets of the frame's body, with its head. */
  get #frameSize(): number {
    const { [this.#start + 1]: high = 0, [this.#start + 2]: middle = 0, [this.#start + 3]: low = 0 } = this.#input;
    return HEAD + (((high & 1) << 16) | (middle << 8) | low);
  }

  get #hasMessage(): boolean {
    const length = this.#end - this.#start;
    return length >= HEAD && length >= this.#frameSize;
  }

  /** Answers one message, if there is one and nothing waits to be sent. The next one has a turn of its own, since each may take a while. */
  #work(now: number): void {
    if (this.#isOver || !this.hasMore || !this.#isCounted()) return;
    this.#watch(now);
    const size = this.#frameSize;
    if (!this.#take(this.#input[this.#start]!, this.#start + HEAD, this.#start + size)) return;
    this.#counts = 0;
    this.#start += size;
    if (this.#start >= this.#end) this.#forget();
    else this.#checkHead();
  }

  #forget(): void {
    this.#start = this.#end = 0;
    // A large write is over.
    if (this.#input.length > FIRST_ROOM) this.#input = NOTHING;
  }

  /** Does a step of counting the quota. True: it is counted. */
  #isCounted(): boolean {
    const { site } = this.#client;
    if (this.#counts === 0 && site.isWritable) this.#count(0);
    if (this.#counting?.next().done === false) return false;
    this.#counting = undefined;
    return true;
  }

  #count(octets: number): void {
    this.#counts++;
    this.#counting = this.#client.site.quota.prepare(octets);
  }

  /** False: it is to be answered again, when the quota that refused it has been counted. */
  #take(kind: number, start: number, end: number): boolean {
    // Whatever name is called, we are here.
    if (kind === FRAME.REQUEST) this.#unsent = Uint8Array.of(FRAME.POSITIVE, 0, 0, 0);
    if (kind !== FRAME.MESSAGE) return true;
    const { site } = this.#client;
    site.missing = 0;
    const answer = answerMessage(this.#client, this.#input, start, end);
    if (site.missing > 0 && this.#counts < 2) {
      this.#count(site.missing);
      return false;
    }
    if (answer === "bad") this.cut();
    else if (answer !== undefined) {
      const { length, written } = answer;
      const frame = new Uint8Array(HEAD + length);
      frame.set([FRAME.MESSAGE, length >>> 16, (length >>> 8) & 0xff, length & 0xff]);
      frame.set(written, HEAD);
      this.#unsent = frame;
    }
    return true;
  }

  // ── output ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts octets for the client to into[at, end), and returns how many. */
  transmit(into: Uint8Array, at: number, end: number, now: number): number {
    let fill = at;
    this.#work(now);
    const part = this.#unsent.subarray(0, end - fill);
    into.set(part, fill);
    fill += part.length;
    this.#unsent = this.#unsent.subarray(part.length);
    this.#moved += fill - at;
    if (this.#hasEnded && this.wantsInput) this.cut();
    return fill - at;
  }
}
