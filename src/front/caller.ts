// Calls whoever is at the other end of a line, as the counterpart of Front: finds his speed, and what he speaks. PPP answers a
// Configure-Request, Windows' direct cable connection answers CLIENT, a login prompt a Return, and a modem AT.

import type { Ring } from "../bytes/ring.ts";
import { bytesOf, textOf } from "../bytes/text.ts";
import { type Account, CLEAR_LINE, Conversation, type Turn } from "./conversation.ts";
import { isDamage } from "./damage.ts";
import { MOST_OCTETS } from "./front.ts";
import { PppFinder } from "./ppp-finder.ts";
import { questionFrame, questionPacket } from "./question.ts";
import type { Tuned } from "./speeds.ts";
import { SpeedTour } from "./speed-tour.ts";

/** How PPP was reached. */
export type Reached = "ppp" | "windows" | "login" | "modem";
/** Why it will not be reached, however often it is tried. */
export type Hopeless = "refused" | "no account" | "no speed";
/** What is seen at `speed`. */
export type Sight =
  { readonly what: "damage" | "echo" | "text" | Reached; readonly speed: number } | (Turn & { readonly speed: number });

export interface CallerSettings extends Account {
  /** The speeds to try, the likeliest first. */
  readonly speeds: readonly number[];
  /** Tells an echo of our question from another's. */
  readonly magic: number;
}

const SERVER = "CLIENTSERVER";
/** What is sent after the question, a turn after another at each speed. */
const MORE = [`${CLEAR_LINE}\r`, "CLIENT", "\rAT\r"];
const TEXT_OCTETS = 3;
const MOST_KEPT = 400;
/** What has begun is heard to its end. */
const PAUSE_MS = 30;
const PAUSE_OCTETS = 20;
const LONGEST_WAIT_MS = 1500;
const NO_PACKET = new Uint8Array(0);

export class Caller implements Tuned {
  readonly packet = NO_PACKET;
  readonly packetStart = 0;
  readonly packetEnd = 0;
  readonly mostOctets = MOST_OCTETS;
  wants: number | undefined;
  /** PPP may begin. What is left in the ring is for it. */
  decision: Reached | undefined;
  failure: Hopeless | undefined;
  readonly #settings: CallerSettings;
  readonly #output: Ring;
  readonly #question: Uint8Array;
  readonly #packet: Uint8Array;
  readonly #tour: SpeedTour;
  #finder = new PppFinder();
  /** Octets in the ring that were looked at before. */
  #looked = 0;
  /** What has come at this speed. */
  #heard: number[] = [];
  #lastAt = 0;
  #tunedAt = 0;
  #hasEchoed = false;
  /** Speeds at which an echo, or text, has led to nothing. */
  readonly #fruitless = new Set<number>();
  readonly #turnsAt = new Map<number, number>();
  #conversation: Conversation | undefined;
  #sights: Sight[] = [];
  readonly #seen = new Set<Sight["what"]>();
  #words = "";

  constructor(settings: CallerSettings, output: Ring) {
    this.#settings = settings;
    this.#output = output;
    this.#question = questionFrame(settings.magic);
    this.#packet = questionPacket(settings.magic);
    this.#tour = new SpeedTour(settings.speeds);
    this.wants = this.#tour.speed;
  }

  takeSight(): Sight | undefined {
    return this.#sights.shift();
  }

  get #speed(): number {
    return this.#tour.speed;
  }

  // ── the speed ────────────────────────────────────────────────────────────────────────────────────────────────────

  tuned(now: number): void {
    this.wants = undefined;
    this.#tunedAt = now;
    this.#heard = [];
    this.#looked = 0;
    this.#hasEchoed = false;
    this.#finder = new PppFinder();
    const turn = this.#turnsAt.get(this.#speed) ?? 0;
    this.#turnsAt.set(this.#speed, turn + 1);
    this.#words = textOf(this.#question) + MORE[turn % MORE.length]!;
  }

  cannotTune(now: number): void {
    if (this.#tour.drop(now)) this.wants = this.#speed;
    else this.failure = "no speed";
  }

  #goOn(now: number): void {
    this.#conversation = undefined;
    this.#tour.next(now);
    this.wants = this.#speed;
  }

  // ── what comes ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Looks at what has come. Always false: there are no packets. */
  receive(input: Ring, now: number): boolean {
    const { bytes } = input;
    while (this.decision === undefined && this.#looked < input.length) {
      const octet = bytes[(input.readAt + this.#looked) & (bytes.length - 1)]!;
      this.#looked++;
      const ours = this.#look(octet, now);
      if (this.decision !== undefined) this.#consume(input, ours);
    }
    if (this.decision === undefined) this.#consume(input, this.#looked - this.#finder.kept);
    return false;
  }

  #consume(input: Ring, count: number): void {
    input.consume(count);
    this.#looked -= count;
  }

  /** Takes the next octet. Returns how many of the octets looked at are not PPP's, if there is a decision. */
  #look(octet: number, now: number): number {
    this.#lastAt = now;
    if (this.#heard.length < MOST_KEPT) this.#heard.push(octet);
    const length = this.#finder.push(octet);
    const { frame } = this.#finder;
    if (frame !== undefined) {
      if (!this.#isOurs(frame)) {
        this.#decide(this.#conversation?.hasLoggedIn === true ? "login" : "ppp");
        return this.#looked - length;
      }
      this.#hasEchoed = true;
      this.#heard = [];
    }
    if (this.#conversation !== undefined) {
      this.#conversation.octet(octet, now);
      this.#follow(this.#conversation, now);
      if (this.decision !== undefined) return this.#looked;
    }
    if (octet === 0x52 && textOf(Uint8Array.from(this.#heard.slice(-SERVER.length))) === SERVER)
      this.#decide("windows");
    return this.#looked;
  }

  #isOurs(frame: Uint8Array): boolean {
    return frame.length === this.#packet.length && frame.every((octet, at) => octet === this.#packet[at]);
  }

  #decide(reached: Reached): void {
    this.#sees(reached);
    this.decision = reached;
    this.wants = undefined;
  }

  #sees(what: "damage" | "echo" | "text" | Reached): void {
    if (!this.#seen.has(what)) this.#sights.push({ what, speed: this.#speed });
    this.#seen.add(what);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  nextTimeout(): number {
    if (this.wants !== undefined || this.decision !== undefined || this.failure !== undefined) return Infinity;
    if (this.#conversation !== undefined) return this.#conversation.nextTimeout();
    const endsAt = this.#tunedAt + this.#tour.dwellMs;
    if (this.#heard.length === 0) return endsAt;
    const pauseMs = PAUSE_MS + (PAUSE_OCTETS * 10_000) / this.#speed;
    return Math.min(Math.max(endsAt, this.#lastAt + pauseMs), endsAt + LONGEST_WAIT_MS);
  }

  handleTimeout(now: number): void {
    if (this.nextTimeout() > now) return;
    if (this.#conversation === undefined) this.#judge(now);
    else {
      this.#conversation.handleTimeout(now);
      this.#follow(this.#conversation, now);
    }
  }

  /** The time at this speed is over. */
  #judge(now: number): void {
    const heard = this.#heard;
    const isText = heard.length >= TEXT_OCTETS && !isDamage(heard);
    if (!isText && heard.length > 0) {
      if (isDamage(heard)) this.#sees("damage");
      this.#tour.heardDamage(heard);
    }
    if (this.#hasEchoed && !isText) this.#sees("echo");
    if ((!isText && !this.#hasEchoed) || this.#fruitless.has(this.#speed)) return this.#goOn(now);
    if (isText) this.#sees("text");
    this.#conversation = new Conversation(this.#settings, textOf(Uint8Array.from(heard)), now);
  }

  #follow(conversation: Conversation, now: number): void {
    this.#words += conversation.takeWords();
    if (conversation.takeQuestion()) this.#words += textOf(this.#question);
    for (let turn; (turn = conversation.takeTurn()) !== undefined;) this.#sights.push({ ...turn, speed: this.#speed });
    const { outcome } = conversation;
    if (outcome === undefined) return;
    if (outcome === "refused" || outcome === "no account") this.failure = outcome;
    else if (outcome !== "nothing") this.#decide(outcome);
    else {
      this.#fruitless.add(this.#speed);
      this.#goOn(now);
    }
  }

  /** Puts our words into the output. */
  flush(): void {
    if (this.#words === "" || this.#words.length > this.#output.free) return;
    this.#output.put(bytesOf(this.#words));
    this.#words = "";
  }
}
