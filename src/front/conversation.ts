// Talks with what answers in text: a login prompt, which gets the user's name and password, or a modem, which dials. Its end
// is PPP, or the finding that there is none.

/** Nothing more has come for so long, so that the last line is a prompt. */
const PROMPT_MS = 150;
const ANSWER_MS = 1200;
/** After the password PPP is asked for, so often. login(1) waits some seconds before it says that a password is wrong. */
const LOGGED_IN_MS = 1500;
const MOST_QUESTIONS = 4;
/** However much text comes after the password. */
const LONGEST_GREETING_MS = 30_000;
const SLOW_ANSWER_MS = 15_000;
const DIAL_MS = 60_000;
const REDIAL_MS = 3000;
const MOST_CALLS = 3;
const MOST_KEPT = 400;
/** ^U: login programs forget what was typed before. */
export const CLEAR_LINE = "\x15";

const USER_PROMPT = /(login|user|name|account|logon)[^:]{0,20}:$/i;
const PASSWORD_PROMPT = /(password|passcode|passwort|passphrase)[^:]{0,20}:$/i;
const REFUSAL =
  /login incorrect|(login|name|user|password) (is )?(invalid|incorrect)|(invalid|bad|wrong) (login|name|user|password)|(access|permission) denied|authentication fail/i;
const SHELL_PROMPT = /[>$%#?:]$/;
const NO_CONNECTION = /^(BUSY|NO CARRIER|NO DIAL ?TONE|NO ANSWER|ERROR)$/;

export interface Account {
  /** Undefined: no login prompt can be answered. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** What a modem is to dial. */
  readonly number: string;
}

/** What is to be told of a conversation. */
export type Turn =
  | { readonly what: "user sent" | "password sent" | "dialling" }
  | { readonly what: "no connection"; readonly words: string };

/** "login" and "modem": PPP is next. "no account": there is a prompt, and nothing to answer it with. */
export type Outcome = "login" | "modem" | "refused" | "no account" | "nothing";

type Stage = "asking" | "user sent" | "password sent" | "dialling" | "waiting to dial";

export class Conversation {
  outcome: Outcome | undefined;
  readonly #account: Account;
  #stage: Stage = "asking";
  #text: string;
  #words = "";
  #turns: Turn[] = [];
  /** The next question of {@link Conversation.#ask}. */
  #asked = 0;
  #calls = 0;
  #hasAskedForPpp = false;
  /** Questions to PPP that are still to come after the password, and whether one is due. */
  #questions = MOST_QUESTIONS;
  #isQuestionDue = false;
  /** When the last line counts as a prompt, and when the other end has not answered. */
  #promptAt: number;
  #answerAt: number;
  #greetedAt = Infinity;

  /** `heard` is the text that has come before. */
  constructor(account: Account, heard: string, now: number) {
    this.#account = account;
    this.#text = heard;
    this.#promptAt = now;
    this.#answerAt = now + ANSWER_MS;
  }

  /** Name and password are sent, so that PPP which comes now is that of the login. */
  get hasLoggedIn(): boolean {
    return this.#stage === "password sent";
  }

  takeWords(): string {
    const words = this.#words;
    this.#words = "";
    return words;
  }

  /** True once when PPP is to be asked whether it is there. */
  takeQuestion(): boolean {
    const isDue = this.#isQuestionDue;
    this.#isQuestionDue = false;
    return isDue;
  }

  takeTurn(): Turn | undefined {
    return this.#turns.shift();
  }

  octet(octet: number, now: number): void {
    const char = String.fromCharCode(octet & 0x7f);
    if (char === "\r" || char === "\n") this.#lineEnds(now);
    this.#text = (this.#text + char).slice(-MOST_KEPT);
    this.#promptAt = now + PROMPT_MS;
    if (this.#stage === "password sent") this.#answerAt = Math.min(now + LOGGED_IN_MS, this.#greetedAt);
  }

  nextTimeout(): number {
    return this.outcome === undefined ? Math.min(this.#promptAt, this.#answerAt) : Infinity;
  }

  handleTimeout(now: number): void {
    if (this.outcome === undefined && this.#promptAt <= now) {
      this.#promptAt = Infinity;
      this.#readPrompt(now);
    }
    if (this.outcome === undefined && this.#answerAt <= now) this.#unanswered(now);
  }

  get #line(): string {
    return this.#text.slice(Math.max(this.#text.lastIndexOf("\r"), this.#text.lastIndexOf("\n")) + 1).trim();
  }

  /** A modem's result is a line. */
  #lineEnds(now: number): void {
    if (this.#stage !== "dialling") return;
    const line = this.#line;
    if (line.startsWith("CONNECT")) this.outcome = "modem";
    else if (NO_CONNECTION.test(line)) this.#noConnection(line, now);
  }

  #noConnection(words: string, now: number): void {
    this.#turns.push({ what: "no connection", words });
    if (this.#calls >= MOST_CALLS) this.outcome = "nothing";
    this.#stage = "waiting to dial";
    this.#answerAt = now + REDIAL_MS;
  }

  #readPrompt(now: number): void {
    const line = this.#line;
    switch (this.#stage) {
      case "asking":
      case "user sent":
        if (PASSWORD_PROMPT.test(line)) this.#answerPassword(now);
        else if (USER_PROMPT.test(line)) this.#answerUser(now);
        else if (/(^|[\r\n])OK\s*$/.test(this.#text)) this.#dial(now);
        return;
      case "password sent":
        if (REFUSAL.test(this.#text) || USER_PROMPT.test(line)) this.outcome = "refused";
        else if (SHELL_PROMPT.test(line) && !this.#hasAskedForPpp) {
          this.#hasAskedForPpp = true;
          this.#say("ppp\r", now + LOGGED_IN_MS);
        }
        return;
      case "dialling":
      case "waiting to dial":
        return;
      default:
        this.#stage satisfies never;
    }
  }

  #say(words: string, answerAt: number): void {
    this.#words += words;
    this.#text = "";
    this.#promptAt = Infinity;
    this.#answerAt = answerAt;
  }

  #answerUser(now: number): void {
    const { user } = this.#account;
    if (user === undefined) {
      this.outcome = "no account";
      return;
    }
    this.#stage = "user sent";
    this.#turns.push({ what: "user sent" });
    this.#say(`${user}\r`, now + SLOW_ANSWER_MS);
  }

  #answerPassword(now: number): void {
    const { password } = this.#account;
    // Something was taken for a user's name that is none.
    if (this.#stage === "asking") this.#say("\r", now + SLOW_ANSWER_MS);
    else if (password === undefined) this.outcome = "no account";
    else {
      this.#stage = "password sent";
      this.#turns.push({ what: "password sent" });
      this.#greetedAt = now + LONGEST_GREETING_MS;
      this.#say(`${password}\r`, now + LOGGED_IN_MS);
    }
  }

  #dial(now: number): void {
    this.#stage = "dialling";
    this.#calls++;
    if (this.#calls === 1) this.#turns.push({ what: "dialling" });
    this.#say(`ATDT${this.#account.number}\r`, now + DIAL_MS);
  }

  #unanswered(now: number): void {
    switch (this.#stage) {
      case "asking":
        this.#ask(now);
        return;
      case "user sent":
        this.outcome = "nothing";
        return;
      case "password sent":
        this.#isQuestionDue = this.#questions-- > 0;
        if (this.#isQuestionDue) this.#answerAt = now + LOGGED_IN_MS;
        else this.outcome = "login";
        return;
      case "dialling":
        this.#noConnection("nothing", now);
        return;
      case "waiting to dial":
        this.#dial(now);
        return;
      default:
        this.#stage satisfies never;
    }
  }

  #ask(now: number): void {
    const words = [`${CLEAR_LINE}\r`, "\rAT\r", "CLIENT", `${CLEAR_LINE}\r`, "\rATZ\r"][this.#asked++];
    if (words === undefined) this.outcome = "nothing";
    else this.#say(words, now + ANSWER_MS);
  }
}
