// Finds out who is at the other end of a line, from the first octets that come. It answers Windows and modem programs until
// they want PPP, and leaves every octet of PPP in the ring.

import type { Ring } from "../bytes/ring.ts";
import { bytesOf } from "../bytes/text.ts";
import { isDamage } from "./damage.ts";
import { Modem, type ModemSettings } from "./modem.ts";
import { PppFinder } from "./ppp-finder.ts";
import { SlipFinder } from "./slip-finder.ts";

/** The callers that lead to PPP. */
export type Answered = "ppp" | "windows" | "modem";
/**
 * Everything that is recognised. "person": lines of text, also of a login script. "echo": our own words come back.
 * "noise": neither PPP nor text, so the caller has another speed.
 */
export type Caller = Answered | "slip" | "person" | "echo" | "noise";

export interface FrontSettings {
  readonly answers: readonly Answered[];
  readonly modem: ModemSettings;
}

const CALL = "CLIENT";
const ANSWER = "CLIENTSERVER";
const LONGEST_LINE = 80;
/** Noise is recognised in so many octets. */
const NOISE_OCTETS = 64;
/** Programs send Return too before their first command. A person is one who then sends none for so long. */
const PERSON_MS = 3000;
const NO_PACKET = new Uint8Array(0);

export class Front {
  /** Every octet here is the front's own or the next stage's, so that there are no packets. */
  readonly packet = NO_PACKET;
  readonly packetStart = 0;
  readonly packetEnd = 0;
  readonly modem: Modem;
  /** Who wants PPP. What is left in the ring is for PPP. */
  decision: Answered | undefined;
  readonly #answers: readonly Answered[];
  readonly #output: Ring;
  readonly #ppp = new PppFinder();
  readonly #slip = new SlipFinder();
  readonly #seen = new Set<Caller>();
  #callers: Caller[] = [];
  /** Octets in the ring that were looked at before. */
  #looked = 0;
  /** The present line of text. */
  #line = "";
  /** This line belongs to the modem. */
  #isCommand = false;
  /** The latest octets, of which it is not known whether they are noise. */
  #unweighed: number[] = [];
  #isMute = false;
  /** When the text that came is a person's. */
  #personAt = Infinity;
  #words = "";

  constructor({ answers, modem }: FrontSettings, output: Ring) {
    this.#answers = answers;
    this.#output = output;
    this.modem = new Modem(modem);
  }

  /** The next kind of caller that was recognised; each is named once. */
  takeCaller(): Caller | undefined {
    return this.#callers.shift();
  }

  /** Looks at what has come. Always false: there are no packets. */
  receive(input: Ring, now: number): boolean {
    const { bytes } = input;
    while (this.decision === undefined && this.#looked < input.length) {
      const octet = bytes[(input.readAt + this.#looked) & (bytes.length - 1)]!;
      this.#looked++;
      const ours = this.#look(octet, now);
      if (this.decision !== undefined) this.#consume(input, ours);
    }
    if (this.decision === undefined) this.#consume(input, this.#looked - this.#ppp.kept);
    return false;
  }

  #consume(input: Ring, count: number): void {
    input.consume(count);
    this.#looked -= count;
  }

  /** Takes the next octet. Returns how many of the octets looked at are not PPP's, if there is a decision. */
  #look(octet: number, now: number): number {
    const ppp = this.#ppp.push(octet);
    if (ppp > 0) {
      this.#sees("ppp");
      if (this.decision !== undefined) return this.#looked - ppp;
    }
    if (this.#slip.push(octet)) this.#sees("slip");
    this.#weigh(octet);
    this.#readText(octet, now);
    if (!this.#isMute && this.#answers.includes("modem")) this.#ask(octet);
    return this.#looked;
  }

  #ask(octet: number): void {
    const act = this.modem.octet(octet);
    this.#isCommand ||= this.modem.isTaking;
    if (this.#isCommand) this.#personAt = Infinity;
    this.#words += this.modem.takeWords();
    if (act === "connect") this.#sees("modem");
  }

  #sees(caller: Caller): void {
    if (!this.#seen.has(caller)) this.#callers.push(caller);
    this.#seen.add(caller);
    for (const answered of this.#answers) if (answered === caller) this.decision ??= answered;
  }

  #weigh(octet: number): void {
    this.#unweighed.push(octet);
    if (this.#unweighed.length < NOISE_OCTETS) return;
    if (isDamage(this.#unweighed)) this.#sees("noise");
    this.#unweighed = [];
  }

  #readText(octet: number, now: number): void {
    const code = octet & 0x7f;
    if (code === 10 || code === 13) {
      this.#lineEnds(code === 13, now);
      this.#line = "";
      this.#isCommand = false;
    } else if (code >= 0x20 && code < 0x7f) this.#line = (this.#line + String.fromCharCode(code)).slice(-LONGEST_LINE);
    else this.#line = "";
    if (!this.#line.endsWith(CALL)) return;
    this.#sees("windows");
    if (this.decision !== undefined) this.#words += ANSWER;
    this.#line = "";
  }

  #lineEnds(isReturn: boolean, now: number): void {
    const { lastResult } = this.modem;
    if (lastResult !== "" && this.#line === lastResult) {
      this.#isMute = true;
      this.#sees("echo");
      return;
    }
    // Modem programs may send a Return between commands.
    const isEmpty = this.#line === "" && lastResult !== "";
    if (isReturn && !isEmpty && !this.#isCommand && !this.#isMute) this.#personAt = now + PERSON_MS;
  }

  /** Puts our words into the output. */
  flush(): void {
    if (this.#words === "" || this.#words.length > this.#output.free) return;
    putWords(this.#words, this.#output);
    this.#words = "";
  }

  nextTimeout(): number {
    return this.#personAt;
  }

  handleTimeout(now: number): void {
    if (this.#personAt > now) return;
    this.#personAt = Infinity;
    this.#sees("person");
  }
}

/** Puts words into a ring that has room for them. */
export function putWords(words: string, ring: Ring): void {
  for (const octet of bytesOf(words)) {
    ring.bytes[ring.writeAt] = octet;
    ring.commit(1);
  }
}
