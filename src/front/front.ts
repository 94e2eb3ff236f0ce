// Finds out who is at the other end of a line, from the first octets that come. It answers Windows, modem programs and
// those who log in until they want PPP, and leaves every octet of PPP in the ring.

import type { Ring } from "../bytes/ring.ts";
import { bytesOf } from "../bytes/text.ts";
import { isDamage } from "./damage.ts";
import { type Credentials, Login } from "./login-prompt.ts";
import { Modem, type ModemAct, type ModemSettings } from "./modem.ts";
import { PppFinder } from "./ppp-finder.ts";
import { SlipFinder } from "./slip-finder.ts";

/** The callers that lead to PPP, and one that leads to SLIP. */
export type Answered = "ppp" | "windows" | "modem" | "login" | "slip";
/**
 * Everything that is recognised. "person": lines of text, also of a login script. "prompted": the same, and it gets login
 * prompts. "login": it has logged in. "getty": login prompts, ours that come back or those of the other end. "echo": our
 * own words come back. "noise": neither PPP nor text, so the caller has another speed.
 */
export type Caller = Answered | "person" | "prompted" | "getty" | "echo" | "noise";

export interface FrontSettings {
  readonly answers: readonly Answered[];
  readonly modem: ModemSettings;
  /** How long a person pauses after Return. */
  readonly personMs?: number;
  /** When a caller that says nothing gets the login prompt. Left out: never. */
  readonly greetAt?: number;
  /** Calls a program that waits for RING. */
  readonly rings?: boolean;
}

const CALL = "CLIENT";
const ANSWER = "CLIENTSERVER";
const LONGEST_LINE = 80;
/** Noise is recognised in so many octets. */
const NOISE_OCTETS = 64;
/** Programs send Return too before their first command. A person is one who then sends none for so long. */
const PERSON_MS = 3000;
/** Whoever gets login prompts gets them sooner. A command of a modem program behind its Return prevents them. */
const PROMPT_MS = 60;
/** The prompts of getty and login, ours or another's. Two of them would talk to each other without end. */
const PROMPTS = /(login|Password): ?$/;
/** The name of a user. A command line can have it as it is. */
const NAME = /^[A-Za-z_][\w.-]{0,31}$/;
/** After the last prompt of the other end, it may be another's turn. */
const GETTY_MS = 60_000;
/** How a modem's command begins, in small letters. */
const SMALL = /[at]/;
/** From one RING to the next, as telephone lines in North America ring. It waits for the end of a command. */
const RING_MS = 6000;
const AFTER_COMMAND_MS = 1000;
/** Words beyond this length are dropped while the line takes none. */
const MOST_WORDS = 4096;
/** So many octets are looked at in a few milliseconds. */
export const MOST_OCTETS = 2048;
const NO_PACKET = new Uint8Array(0);

export class Front {
  /** Every octet here is the front's own or the next stage's, so that there are no packets. */
  readonly packet = NO_PACKET;
  readonly packetStart = 0;
  readonly packetEnd = 0;
  readonly mostOctets = MOST_OCTETS;
  readonly modem: Modem;
  /** Our words wait, because the line has another use for the moment. */
  isMuted = false;
  /** Who wants PPP or SLIP. What is left in the ring is for that. */
  decision: Answered | undefined;
  readonly #answers: readonly Answered[];
  readonly #output: Ring;
  #ppp = new PppFinder();
  #slip = new SlipFinder();
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
  /** The other end repeats what it gets, so that the modem says nothing. */
  #isEcho = false;
  /** The other end has login prompts, so that we have none until then. */
  #gettyUntil = -Infinity;
  #wasReturn = false;
  /** When the text that came is a person's. */
  #personAt: number;
  readonly #personMs: number;
  readonly #login: Login | undefined;
  #typed = "";
  #words = "";
  #ringAt = Infinity;
  /** The last octet came then. */
  #heardAt = -Infinity;

  constructor(
    { answers, modem, greetAt = Infinity, personMs = PERSON_MS, rings = false }: FrontSettings,
    output: Ring,
  ) {
    this.#answers = answers;
    if (rings && answers.includes("modem")) this.#ringAt = 0;
    this.#output = output;
    this.modem = new Modem(modem);
    this.#login = answers.includes("login") ? new Login() : undefined;
    this.#personAt = greetAt;
    this.#personMs = this.#login === undefined ? personMs : PROMPT_MS;
  }

  /** The next kind of caller that was recognised; each is named once. */
  takeCaller(): Caller | undefined {
    return this.#callers.shift();
  }

  /** What a person has typed as a name; "": nothing that can be one. */
  get typedName(): string {
    return this.#typed;
  }

  /** Looks at what has come. Always false: there are no packets. */
  receive(input: Ring, now: number): boolean {
    const { bytes } = input;
    if (input.length > this.#looked) this.#heardAt = now;
    while (this.decision === undefined && this.#login?.stage !== "judging" && this.#looked < input.length) {
      const octet = bytes[(input.readAt + this.#looked) & (bytes.length - 1)]!;
      this.#looked++;
      const ours = this.#look(octet, now);
      if (this.decision !== undefined) this.#consume(input, ours);
    }
    if (this.decision === undefined) this.#consume(input, this.#looked - Math.max(this.#ppp.kept, this.#slip.kept));
    return false;
  }

  /** Begins anew with the octets that have not come yet: those before belong to a call that is made or was not. */
  resume(input: Ring): void {
    this.#consume(input, this.#looked);
    this.#ppp = new PppFinder();
    this.#slip = new SlipFinder();
    this.#line = "";
    this.#isCommand = false;
    this.#say(this.modem.takeWords());
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
    if (this.#slip.push(octet)) {
      this.#sees("slip");
      if (this.decision !== undefined) return this.#looked - this.#slip.kept;
    }
    this.#weigh(octet);
    const wasCommand = this.#isCommand;
    this.#readText(octet, now);
    if (!this.#isEcho && this.#mayBeCommand(octet)) this.#ask(octet);
    if (this.decision === undefined && !wasCommand) this.#askLogin(octet);
    return this.#looked;
  }

  /** A name at the login prompt may begin with "at", unless a modem program has sent commands. */
  #mayBeCommand(octet: number): boolean {
    if (!this.#answers.includes("modem") || this.#login?.asksPassword === true) return false;
    const isName = this.#login?.asksName === true && !this.modem.isTaking && this.modem.lastResult === "";
    return !isName || !SMALL.test(String.fromCharCode(octet & 0x7f));
  }

  #ask(octet: number): void {
    const act = this.modem.octet(octet);
    this.#isCommand ||= this.modem.isTaking;
    if (this.#isCommand) {
      this.#personAt = Infinity;
      this.#login?.dropLine();
    }
    this.#obeys(act);
  }

  #obeys(act: ModemAct | undefined): void {
    this.#say(this.modem.takeWords());
    if (act === "connect") this.#sees("modem");
  }

  #askLogin(octet: number): void {
    if (this.#login === undefined || this.#isCommand) return;
    // Modem programs may send a Return between commands.
    const isReturn = this.modem.lastResult !== "" && this.#login.asksName && octet === 13;
    if (!isReturn || this.#login.hasLine) this.#login.octet(octet);
    this.#say(this.#login.takeWords());
  }

  /** Name and password that the caller has typed, once. */
  takeCredentials(): Credentials | undefined {
    return this.#login?.takeCredentials();
  }

  /** The answer to the credentials. What has come meanwhile is looked at again with receive(). */
  judged(isAccepted: boolean, input: Ring): void {
    if (this.#login?.stage !== "judging") return;
    this.#login.judged(isAccepted);
    this.#say(this.#login.takeWords());
    if (!isAccepted) return;
    this.#sees("login");
    this.#consume(input, this.#looked);
  }

  /** True when the caller has not logged in, and gets no more prompts unless the line is told to listen again. */
  get hasFailedLogin(): boolean {
    return this.#login?.stage === "over";
  }

  /** A caller that has failed to log in may try again later. */
  listenAgain(): void {
    this.#login?.stop();
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
    const wasReturn = this.#wasReturn;
    this.#wasReturn = code === 13;
    if (code === 10 || code === 13) {
      // A line feed may belong to the Return before it.
      this.#lineEnds(code === 13 || (this.#login !== undefined && !wasReturn), now);
      this.#line = "";
      this.#isCommand = false;
    } else if (code >= 0x20 && code < 0x7f) this.#line = (this.#line + String.fromCharCode(code)).slice(-LONGEST_LINE);
    else this.#line = "";
    if (this.#login?.asksPassword === true) return;
    if (this.#login !== undefined && PROMPTS.test(this.#line)) this.#hearsGetty(now);
    if (!this.#line.endsWith(CALL)) return;
    this.#sees("windows");
    if (this.decision !== undefined) this.#say(ANSWER);
    this.#line = "";
  }

  #lineEnds(isReturn: boolean, now: number): void {
    const { lastResult } = this.modem;
    // A modem that nobody has prepared, or a port that waits for a call too. It is no person, and RING is no name.
    if (this.#line === "RING" && this.#login?.asksPassword !== true && lastResult !== "RING") {
      this.#personAt = Infinity;
      this.#login?.stop();
      return;
    }
    if (lastResult !== "" && this.#line === lastResult) {
      this.#isEcho = true;
      this.#sees("echo");
      return;
    }
    // Modem programs may send a Return between commands.
    const isEmpty = this.#line === "" && lastResult !== "";
    if (isReturn && !isEmpty && !this.#isCommand && !this.#isEcho) this.#hearsPerson(now);
  }

  #hearsPerson(now: number): void {
    if (NAME.test(this.#line)) this.#typed = this.#line;
    const mayBe = this.#login === undefined || (this.#login.stage === "idle" && now >= this.#gettyUntil);
    if (mayBe) this.#personAt = now + this.#personMs;
  }

  #hearsGetty(now: number): void {
    this.#gettyUntil = now + GETTY_MS;
    this.#personAt = Infinity;
    this.#login?.stop();
    this.#sees("getty");
  }

  #say(words: string): void {
    if (this.#words.length + words.length <= MOST_WORDS) this.#words += words;
  }

  /** Puts our words into the output. */
  flush(): void {
    if (this.isMuted || this.#words === "" || this.#words.length > this.#output.free) return;
    putWords(this.#words, this.#output);
    this.#words = "";
  }

  nextTimeout(): number {
    return Math.min(this.#personAt, this.#nextRingAt, this.#login?.nextTimeout() ?? Infinity);
  }

  handleTimeout(now: number): void {
    this.#login?.handleTimeout(now);
    if (this.#nextRingAt <= now) this.#ring(now);
    if (this.#personAt <= now) {
      this.#personAt = Infinity;
      this.#sees(this.#login === undefined ? "person" : "prompted");
      this.#login?.begin(now);
    }
    this.#say(this.#login?.takeWords() ?? "");
  }

  /** Whoever is at a login prompt hears no RING. */
  get #nextRingAt(): number {
    const isFree = this.decision === undefined && (this.#login === undefined || this.#login.stage === "idle");
    return isFree ? this.#ringAt : Infinity;
  }

  #ring(now: number): void {
    const waitsUntil = this.#heardAt + AFTER_COMMAND_MS;
    this.#ringAt = waitsUntil > now ? waitsUntil : now + RING_MS;
    if (waitsUntil > now) return;
    if (this.#isEcho) this.#ringAt = Infinity;
    else this.#obeys(this.modem.ring());
  }
}

/** Puts words into a ring that has room for them. */
export function putWords(words: string, ring: Ring): void {
  ring.put(bytesOf(words));
}
