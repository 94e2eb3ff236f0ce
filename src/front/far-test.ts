// Two doctors at the ends of a cable. They find each other at one speed, agree by random numbers which of them leads, and try
// wires and speeds. Both go back to the first speed when nothing comes at another one.

import { put32, u16, u32 } from "../bytes/be.ts";
import { BLOCK, BlockReader, blockOf } from "./far-block.ts";
import { farFrame, type FarMessage, FarReader, FarType, REPLY } from "./far-frame.ts";
import {
  type FarRow,
  flowBody,
  NO_FLOW,
  NO_LINES,
  parsePeerRow,
  parsePeerWires,
  type WireReadings,
} from "./far-report.ts";

/** "absent": no other doctor. "echo": our own words come back. "lost": the other end was there and is gone. */
export type FarOutcome = "done" | "absent" | "echo" | "lost";

export interface FarHost {
  /** 32 random bits. */
  random(): number;
  /** The modem lines that the port sees (FarLine). Undefined: it has none. */
  look(): number | undefined;
  /** Drives DTR and RTS. */
  drive(lines: number): void;
  setSpeed(speed: number): void;
  /** Octets taken by takeOutput and not yet sent. */
  unsent(): number;
}

export interface FarSettings {
  /** The speed at which the two find each other. */
  readonly meetAt: number;
  /** All speeds that the port can do. */
  readonly speeds: readonly number[];
  /** How long to wait for another doctor. */
  readonly patienceMs: number;
}

/** What a script waits for. */
export interface Pause {
  isOver(): boolean;
  readonly within: number;
  /** Repeats this while it waits. */
  readonly again?: () => void;
  readonly everyMs?: number;
}
export type Script<Result> = Generator<Pause, Result, void>;

const NOTHING = new Uint8Array(0);
const VERSION = 1;
const HELLO_MS = 250;
const TICK_MS = 10;
const OCTET_BITS = 10;
/** At another speed than the first, an end that hears nothing for so long goes back. */
export const FALLBACK_MS = 2000;
/** At the first speed, the other end counts as gone after this time. */
const LOST_MS = 15_000;
/** The time of the last message's octets in a chip's FIFO or an adapter. */
const SETTLE_MS = 30;
const SETTLE_OCTETS = 40;
const LINGER_MS = 1500;
/** Limits of what another end can make us keep. */
const MOST_QUEUED = 128 * 1024;
const MOST_REQUESTS = 16;
const MOST_ROWS = 32;

export class FarTest {
  readonly rows: FarRow[] = [];
  wires: WireReadings | undefined;
  outcome: FarOutcome | undefined;
  readonly host: FarHost;
  readonly settings: FarSettings;
  speed: number;
  now: number;
  /** The blocks that are coming. */
  blocks: BlockReader | undefined;
  /** When an octet, and when a message or a block came last. */
  octetAt = -Infinity;
  heardAt: number;
  readonly #random: number;
  readonly #reader = new FarReader();
  #peer: number | undefined;
  #isMet = false;
  #echoes = 0;
  #output: Uint8Array[] = [];
  #queued = 0;
  /** Requests of the other end, and its reply to ours. */
  #requests: FarMessage[] = [];
  #reply: Uint8Array | undefined;
  #asked = -1;
  #number = 0;
  /** The last request that was served, and what answered it. */
  #served = -1;
  #answer: readonly Uint8Array[] = [];
  #pause: Pause = { isOver: () => true, within: 0 };
  #pauseEnds = Infinity;
  #againAt = Infinity;
  readonly #script: Script<FarOutcome>;

  /** `lead` is the script of the end that leads (far-leader.ts). */
  constructor(host: FarHost, settings: FarSettings, lead: (test: FarTest) => Script<FarOutcome>, now: number) {
    this.host = host;
    this.settings = settings;
    this.speed = settings.meetAt;
    this.now = this.heardAt = now;
    this.#random = host.random() >>> 0 || 1;
    host.setSpeed(this.speed);
    this.#script = this.#run(lead);
    this.#advance();
  }

  // ── the line ───────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(bytes: Uint8Array, start: number, end: number, now: number): void {
    this.now = now;
    for (let at = start; at < end; at++) {
      const before = this.blocks?.good;
      this.blocks?.push(bytes[at]!, now);
      if (this.blocks?.good !== before) this.heardAt = now;
      const message = this.#reader.push(bytes[at]!);
      if (message !== undefined) this.#handle(message);
    }
    if (end > start) this.octetAt = now;
    this.#advance();
  }

  /** Returns the next octets to send. */
  takeOutput(): Uint8Array {
    const next = this.#output.shift() ?? NOTHING;
    this.#queued -= next.length;
    return next;
  }

  nextTimeout(): number {
    return this.outcome === undefined ? Math.min(this.#pauseEnds, this.#againAt, this.now + TICK_MS) : Infinity;
  }

  handleTimeout(now: number): void {
    this.now = now;
    this.#advance();
  }

  #advance(): void {
    while (this.outcome === undefined) {
      if (!this.#pause.isOver() && this.now < this.#pauseEnds) break;
      const step = this.#script.next();
      if (step.done === true) {
        this.outcome = step.value;
        return;
      }
      this.#pause = step.value;
      this.#pauseEnds = this.now + step.value.within;
      this.#againAt = this.now + (step.value.everyMs ?? Infinity);
    }
    if (this.outcome !== undefined || this.now < this.#againAt) return;
    this.#againAt = this.now + this.#pause.everyMs!;
    this.#pause.again?.();
  }

  /** What a line that stands still does not take is lost. */
  send(octets: Uint8Array): void {
    if (this.#queued > MOST_QUEUED) return;
    this.#output.push(octets);
    this.#queued += octets.length;
  }

  get isSent(): boolean {
    return this.#queued + this.host.unsent() === 0;
  }

  /** The time that octets take on the line. */
  timeOf(octets: number): number {
    return (octets * OCTET_BITS * 1000) / this.speed;
  }

  changeSpeed(speed: number): void {
    this.host.setSpeed(speed);
    this.speed = speed;
    this.heardAt = this.now;
  }

  // ── meeting ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #handle(message: FarMessage): void {
    const { type, number, body } = message;
    if (type === FarType.Hello) return this.#greeted(body);
    this.heardAt = this.now;
    if ((type & REPLY) === 0) {
      if (this.#requests.length < MOST_REQUESTS) this.#requests.push(message);
    } else if (((type << 8) | number) === this.#asked) this.#reply ??= body;
  }

  #greeted(body: Uint8Array): void {
    if (body.length !== 9 || body[0] !== VERSION) return;
    const peer = u32(body, 1);
    if (peer === this.#random) {
      this.#echoes++;
      return;
    }
    this.heardAt = this.now;
    this.#peer = peer;
    const hearsUs = u32(body, 5) === this.#random;
    if (hearsUs) this.#isMet = true;
    else if (this.#isMet) this.#hello();
  }

  #hello(): void {
    const body = new Uint8Array(9);
    body[0] = VERSION;
    put32(body, put32(body, 1, this.#random), this.#peer ?? 0);
    this.send(farFrame({ type: FarType.Hello, number: 0, body }));
  }

  /** The end that has not yet been heard answers with its own greeting, because a request shows that it was. */
  *#run(lead: (test: FarTest) => Script<FarOutcome>): Script<FarOutcome> {
    this.#hello();
    yield {
      isOver: () => this.#isMet || this.#requests.length > 0 || this.#echoes > 2,
      within: this.settings.patienceMs,
      again: () => this.#hello(),
      everyMs: HELLO_MS,
    };
    if (this.#requests.length === 0 && !this.#isMet) return this.#echoes > 0 ? "echo" : "absent";
    // The other end has to hear that we hear it.
    if (this.#isMet) this.#hello();
    const leads = this.#requests.length === 0 && this.#random > (this.#peer ?? 0);
    return leads ? yield* lead(this) : yield* this.#follow();
  }

  // ── both roles ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Asks the other end, repeatedly. Returns the body of its reply, or undefined when there is none. */
  *ask(type: FarType, body: Uint8Array = NOTHING, patienceMs = 0): Script<Uint8Array | undefined> {
    const number = (this.#number = (this.#number + 1) & 0xff);
    this.#asked = ((type | REPLY) << 8) | number;
    this.#reply = undefined;
    const frame = farFrame({ type, number, body });
    const everyMs = 150 + this.timeOf(frame.length + 100);
    const again = (): void => {
      if (this.isSent) this.send(frame);
    };
    this.send(frame);
    const within = Math.max(patienceMs, 6 * everyMs);
    yield { isOver: () => this.#reply !== undefined, within, again, everyMs };
    return this.#reply;
  }

  /** The number of the next request. */
  get nextNumber(): number {
    return (this.#number + 1) & 0xff;
  }

  get lastNumber(): number {
    return this.#number;
  }

  *sleep(ms: number): Script<void> {
    const until = this.now + ms;
    yield { isOver: () => this.now >= until, within: ms };
  }

  /** Waits until everything has left the port, also its chip. */
  *settle(): Script<void> {
    yield { isOver: () => this.isSent, within: 3000 + this.timeOf(BLOCK) };
    yield* this.sleep(SETTLE_MS + this.timeOf(SETTLE_OCTETS));
  }

  sendBlocks(run: number, count: number): void {
    for (let index = 0; index < count; index++) this.send(blockOf(run, index));
  }

  /** Waits for the time that blocks take, and until they are sent. */
  *whileBlocksGo(count: number): Script<void> {
    const took = this.timeOf(count * BLOCK);
    const until = this.now + took;
    yield { isOver: () => this.isSent && this.now >= until, within: 3 * took + 2000 };
  }

  // ── the end that follows ───────────────────────────────────────────────────────────────────────────────────────────

  *#follow(): Script<FarOutcome> {
    for (;;) {
      const isFirst = this.speed === this.settings.meetAt;
      const patience = isFirst ? LOST_MS : FALLBACK_MS + this.timeOf(2 * BLOCK);
      yield {
        isOver: () => this.#requests.length > 0 || this.now - this.heardAt >= patience,
        within: Infinity,
      };
      const request = this.#requests.shift();
      if (request === undefined) {
        if (isFirst) return "lost";
        this.changeSpeed(this.settings.meetAt);
        continue;
      }
      yield* this.#serve(request);
      if (request.type === FarType.End) return yield* this.#linger();
    }
  }

  /** The last reply may be lost. */
  *#linger(): Script<FarOutcome> {
    const until = this.now + LINGER_MS;
    while (this.now < until) {
      yield { isOver: () => this.#requests.length > 0, within: until - this.now };
      for (let request; (request = this.#requests.shift()) !== undefined;) yield* this.#serve(request);
    }
    return "done";
  }

  *#serve({ type, number, body }: FarMessage): Script<void> {
    const key = (type << 8) | number;
    if (key !== this.#served) {
      const reply = this.#replyTo(type, number, body);
      if (reply === undefined) return;
      const blocks = type === FarType.Give ? u16(body, 0) : 0;
      this.#answer = [
        farFrame({ type: type | REPLY, number, body: reply }),
        ...Array.from({ length: blocks }, (_, index) => blockOf(number, index)),
      ];
      this.#served = key;
    }
    for (const octets of this.#answer) this.send(octets);
    if (type === FarType.Give) yield* this.whileBlocksGo(this.#answer.length);
    if (type === FarType.Speed && this.#mayChangeTo(u32(body, 0))) {
      yield* this.settle();
      this.changeSpeed(u32(body, 0));
    }
    this.heardAt = this.now;
    // Repetitions of what has just been answered.
    this.#requests = this.#requests.filter((other) => ((other.type << 8) | other.number) !== key);
  }

  #mayChangeTo(speed: number): boolean {
    return speed === this.settings.meetAt || this.settings.speeds.includes(speed);
  }

  /** Undefined: the request makes no sense. */
  #replyTo(type: number, number: number, body: Uint8Array): Uint8Array | undefined {
    const { host } = this;
    switch (type) {
      case FarType.Drive:
        if (body.length !== 1) return undefined;
        host.drive(body[0]!);
        return Uint8Array.of();
      case FarType.Look:
        return Uint8Array.of(host.look() ?? NO_LINES);
      case FarType.Speed:
        return body.length === 4 ? Uint8Array.of(this.#mayChangeTo(u32(body, 0)) ? 1 : 0) : undefined;
      case FarType.Blocks:
        this.blocks = new BlockReader(number);
        return Uint8Array.of();
      case FarType.Result:
        return flowBody({ ...NO_FLOW, ...flowOf(this.blocks) });
      case FarType.Give:
        return body.length === 2 && u16(body, 0) <= MOST_BLOCKS ? Uint8Array.of() : undefined;
      case FarType.Row: {
        const row = parsePeerRow(body);
        if (row !== undefined && this.rows.length < MOST_ROWS) this.rows.push(row);
        return row && Uint8Array.of();
      }
      case FarType.Wires:
        this.wires = parsePeerWires(body);
        return this.wires && Uint8Array.of();
      case FarType.Ping:
      case FarType.End:
        return Uint8Array.of();
      default:
        return undefined;
    }
  }
}

export const MOST_BLOCKS = 512;

/** The part of a Flow that a reader knows. */
export function flowOf(blocks: BlockReader | undefined) {
  return blocks === undefined ? {} : { good: blocks.good, rate: blocks.rate, values: blocks.values };
}
