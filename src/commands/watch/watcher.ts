// Keeps the screen of `status --watch` up to date: looks at the links each second, takes keys, and writes what has changed, within
// the budget. The terminal, the clock and the links are the host's.

import type { ScreenSize } from "../../os/log/screen-terminal.ts";
import type { Status } from "../../run/live/published-status.ts";
import { KeyReader, type Key } from "./keys.ts";
import { OctetBudget } from "./octet-budget.ts";
import { Painter } from "./painter.ts";
import type { TerminalKind } from "./terminal-kind.ts";
import { keyOf, type Wish, WatchState } from "./watch-state.ts";
import { drawScreen } from "./watch-view.ts";

const EVERY_MS = 1000;
/** 2 kB a second with all control sequences. */
export const MOST_A_SECOND = 2000;
/** With less room nothing is painted. */
const LEAST_ROOM = 64;
/** A terminal that has so much to show yet is a slow one. */
const MOST_QUEUED = 256;
const AGAIN_MS = 100;
/** Octets of an escape sequence may come one after the other. */
const ESCAPE_MS = 200;

const WHOLE = { begin: "\x1b[?2026h", end: "\x1b[?2026l", ask: "\x1b[?2026$p" } as const;

/** What the keys do to a link. Each answers with a sentence. */
export interface LinkCommands {
  hangUp(link: Status): Promise<string>;
  /** Writes what goes over the link to a file, until `stop` is called or the link ends. Throws an Error with a sentence. */
  capture(link: Status, ended: (text: string) => void): Promise<{ readonly path: string; stop(): void }>;
}

export interface WatchHost {
  readonly size: ScreenSize;
  /** Octets that the terminal has not shown yet, where that is known. */
  readonly queued: number;
  /** Returns how many octets the terminal took; below 0: it is gone. */
  write(octets: Uint8Array): number;
  links(): readonly Status[];
  /** Milliseconds. */
  now(): number;
  /** Calls back after so many milliseconds. Returns what forgets it. */
  after(milliseconds: number, call: () => void): () => void;
  readonly commands: LinkCommands;
}

export class Watcher {
  /** Rejects with what a fault of ours has thrown. */
  readonly ended: Promise<void>;
  readonly #host: WatchHost;
  readonly #kind: TerminalKind;
  readonly #state = new WatchState();
  readonly #painter: Painter;
  readonly #keys = new KeyReader();
  readonly #budget = new OctetBudget(MOST_A_SECOND);
  readonly #resolve: () => void;
  readonly #reject: (fault: unknown) => void;
  readonly #stops = new Map<string, () => void>();
  #isOver = false;
  #showsWhole = false;
  /** Octets that the terminal did not take. */
  #unwritten = new Uint8Array(0);
  #forgetDraw = (): void => {};
  #forgetTick = (): void => {};

  constructor(host: WatchHost, kind: TerminalKind) {
    this.#host = host;
    this.#kind = kind;
    this.#painter = new Painter(kind);
    ({ promise: this.ended, resolve: this.#resolve, reject: this.#reject } = Promise.withResolvers<void>());
  }

  start(): void {
    const { hasAlternate, hidesCursor, mayUpdateWhole } = this.#kind;
    this.#write(
      `${hasAlternate ? "\x1b[?1049h" : ""}${hidesCursor ? "\x1b[?25l" : ""}${mayUpdateWhole ? WHOLE.ask : ""}`,
    );
    this.#guard(() => this.#tick());
  }

  /** Gives the screen back. A second call does nothing. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#forgetDraw();
    this.#forgetTick();
    for (const stop of this.#stops.values()) stop();
    const { hasAlternate, hidesCursor } = this.#kind;
    const whole = this.#showsWhole ? WHOLE.end : "";
    const back = hasAlternate ? "\x1b[?1049l" : "\x1b[H\x1b[2J";
    this.#write(`${whole}\x1b[m${back}${hidesCursor ? "\x1b[?25h" : ""}`);
    this.#resolve();
  }

  /** The terminal has another size, or another program has written to it. */
  redraw(): void {
    this.#guard(() => {
      this.#painter.forget();
      this.#draw();
    });
  }

  /** The terminal has sent this. */
  take(text: string): void {
    this.#guard(() => this.#press(this.#keys.take(text)));
    if (this.#keys.isPending) this.#after(ESCAPE_MS, () => this.#press(this.#keys.settle()));
  }

  /** A fault ends the screen, so that the terminal is given back before the fault is shown. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (fault) {
      this.#reject(fault);
    }
  }

  #after(milliseconds: number, call: () => void): () => void {
    return this.#host.after(milliseconds, () => this.#guard(call));
  }

  #press(keys: readonly Key[]): void {
    for (const key of keys) {
      if (this.#isOver) return;
      if (key === "whole-updates") this.#showsWhole = true;
      this.#do(this.#state.press(key, this.#host.now()));
    }
    if (keys.length > 0) this.#draw();
  }

  #do(wish: Wish): void {
    if (wish === undefined) return;
    if (wish === "end") this.end();
    else if (wish === "redraw") this.#painter.forget();
    else (wish.verb === "hangup" ? this.#hangUp(wish.link) : this.#capture(wish.link)).catch(this.#reject);
  }

  async #hangUp(link: Status): Promise<void> {
    this.#say(`${link.interface}: hanging up`);
    this.#say(await this.#host.commands.hangUp(link));
  }

  async #capture(link: Status): Promise<void> {
    const key = keyOf(link);
    const stop = this.#stops.get(key);
    if (stop !== undefined) return stop();
    // Until it has begun, the key begins no second one.
    this.#stops.set(key, () => {});
    const ended = (text: string): void => {
      this.#stops.delete(key);
      this.#state.captures.delete(key);
      this.#say(text);
    };
    try {
      const capture = await this.#host.commands.capture(link, ended);
      if (this.#isOver) return capture.stop();
      // It may have ended already.
      if (!this.#stops.has(key)) return;
      this.#stops.set(key, () => capture.stop());
      this.#state.captures.set(key, capture.path);
      this.#say(`${link.interface} is captured to ${capture.path}; c ends that`);
    } catch (error) {
      this.#stops.delete(key);
      this.#say(error instanceof Error ? error.message : String(error));
    }
  }

  #say(text: string): void {
    this.#state.say(text, this.#host.now());
    this.#draw();
  }

  #tick(): void {
    const { now } = this.#host;
    const began = now();
    this.#state.take(this.#host.links(), now());
    this.#draw();
    if (!this.#isOver) this.#forgetTick = this.#after(Math.max(AGAIN_MS, began + EVERY_MS - now()), () => this.#tick());
  }

  // ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #draw(): void {
    if (this.#isOver) return;
    this.#forgetDraw();
    const now = this.#host.now();
    this.#write("");
    if (this.#isOver) return;
    if (this.#unwritten.length > 0 || this.#host.queued > MOST_QUEUED) return this.#drawLater(AGAIN_MS);
    const around = this.#showsWhole ? WHOLE.begin.length + WHOLE.end.length : 0;
    const room = this.#budget.room(now) - around;
    if (room < LEAST_ROOM) return this.#drawLater(this.#budget.nextRoomAt(now) - now);
    const text = this.#painter.paint(drawScreen(this.#state, this.#host.size, this.#kind, now), room);
    if (text !== "") this.#write(this.#showsWhole ? WHOLE.begin + text + WHOLE.end : text);
    if (!this.#painter.isDone) this.#drawLater(this.#budget.nextRoomAt(now) - now);
  }

  #drawLater(milliseconds: number): void {
    this.#forgetDraw();
    if (!this.#isOver) this.#forgetDraw = this.#after(Math.max(1, milliseconds), () => this.#draw());
  }

  /** What the terminal does not take now goes first the next time. */
  #write(text: string): void {
    const octets = Buffer.concat([this.#unwritten, Buffer.from(text)]);
    this.#unwritten = new Uint8Array(0);
    if (octets.length === 0) return;
    const put = this.#host.write(octets);
    if (put < 0) return this.end();
    this.#budget.spend(put, this.#host.now());
    this.#unwritten = octets.subarray(put);
  }
}
