// Login prompts for a person or a login script, as getty and login(1) have them: the name is echoed, the password is not.
// Somebody else judges the two.

export interface Credentials {
  /** One char an octet. */
  readonly user: string;
  readonly password: string;
}

/** "idle": no prompt is there. "judging": a verdict is awaited, and nothing more is read. "over": the caller has failed. */
type Stage = "idle" | "name" | "password" | "judging" | "passed" | "over";

const LOGIN_PROMPT = "login: ";
const PASSWORD_PROMPT = "Password: ";
const REFUSAL = "Login incorrect";
/** The beginning of PPP's frames. A script that looks for "~" sees it before the first frame. */
const PPP_BEGINS = "\r\n~";
const TRIES = 3;
const LOGIN_MS = 60_000;
/** PAP carries no longer ones. */
const LONGEST = 255;
const ERASE = "\b \b";
const Key = { NUL: 0, BACKSPACE: 8, LINE_FEED: 10, RETURN: 13, KILL: 0x15, DELETE: 0x7f, FLAG: 0x7e } as const;

export class Login {
  #stage: Stage = "idle";
  #line = "";
  #user = "";
  #password = "";
  #failures = 0;
  #endsAt = Infinity;
  #words = "";
  /** The last octet was a Return, so that a line feed behind it is a part of it. */
  #wasReturn = false;
  /** What comes is no text. */
  #isFrame = false;
  /** Bit 7 of the caller's octets is a parity bit. */
  #hasParity = false;

  get stage(): Stage {
    return this.#stage;
  }

  /** The name is being typed. */
  get asksName(): boolean {
    return this.#stage === "name";
  }

  /** The password is being typed. */
  get asksPassword(): boolean {
    return this.#stage === "password";
  }

  /** Something was typed in the present line. */
  get hasLine(): boolean {
    return this.#line !== "";
  }

  takeWords(): string {
    const words = this.#words;
    this.#words = "";
    return words;
  }

  /** Prompts for a name. */
  begin(now: number): void {
    this.#failures = 0;
    this.#endsAt = now + LOGIN_MS;
    this.#askName();
  }

  /** Takes the prompts back: the caller is something else. */
  stop(): void {
    this.#forget();
    this.#stage = "idle";
    this.#endsAt = Infinity;
  }

  /** What was typed so far does not belong to the name. */
  dropLine(): void {
    this.#line = "";
  }

  /** Takes an octet of the caller's. */
  octet(octet: number): void {
    if (!this.asksName && !this.asksPassword) return;
    const code = octet & 0x7f;
    const isSecondOfEnd = this.#wasReturn && (code === Key.LINE_FEED || code === Key.NUL);
    this.#wasReturn = code === Key.RETURN;
    if (isSecondOfEnd) return;
    if (this.#isFrame && octet !== Key.RETURN && octet !== Key.LINE_FEED) return;
    if (this.asksName && octet > 0x7f) this.#hasParity = true;
    if (code === Key.RETURN || code === Key.LINE_FEED) this.#lineEnds();
    else if (code === Key.BACKSPACE || code === Key.DELETE) this.#erase(1);
    else if (code === Key.KILL) this.#erase(this.#line.length);
    else if (code === Key.FLAG && this.asksName) this.#frameBegins();
    else if (code > 0x1f) this.#type(this.#hasParity ? code : octet);
  }

  /** PPP begins that gets no answer here. No name has this octet. What follows is not echoed and no name, up to Enter. */
  #frameBegins(): void {
    this.#erase(this.#line.length);
    this.#isFrame = true;
    this.#hasParity = false;
  }

  #type(octet: number): void {
    if (this.#line.length > LONGEST) return;
    const char = String.fromCharCode(octet);
    this.#line += char;
    if (this.asksName) this.#words += char;
  }

  #erase(count: number): void {
    const left = this.#line.slice(0, Math.max(0, this.#line.length - count));
    if (this.asksName) this.#words += ERASE.repeat(this.#line.length - left.length);
    this.#line = left;
  }

  #lineEnds(): void {
    this.#isFrame = false;
    const line = this.asksName ? this.#line.trim() : this.#line;
    this.#line = "";
    this.#words += "\r\n";
    if (this.asksPassword) {
      this.#password = line;
      this.#stage = "judging";
    } else if (line === "") this.#words += LOGIN_PROMPT;
    else {
      this.#user = line;
      this.#stage = "password";
      this.#words += PASSWORD_PROMPT;
    }
  }

  #askName(): void {
    this.#forget();
    this.#stage = "name";
    this.#words += `\r\n${LOGIN_PROMPT}`;
  }

  #forget(): void {
    this.#line = this.#user = this.#password = "";
    this.#isFrame = false;
    this.#hasParity = false;
  }

  /** Name and password that are to be judged, once. */
  takeCredentials(): Credentials | undefined {
    if (this.#stage !== "judging" || this.#user === "") return undefined;
    const credentials = { user: this.#user, password: this.#password };
    this.#forget();
    return credentials;
  }

  /** The answer to the credentials. */
  judged(isAccepted: boolean): void {
    if (this.#stage !== "judging") return;
    if (isAccepted) {
      this.#stage = "passed";
      this.#words += PPP_BEGINS;
      this.#endsAt = Infinity;
      return;
    }
    this.#words += REFUSAL;
    if (++this.#failures < TRIES) this.#askName();
    else this.#fails("");
  }

  #fails(words: string): void {
    this.#words += `${words}\r\n`;
    this.#forget();
    this.#stage = "over";
    this.#endsAt = Infinity;
  }

  nextTimeout(): number {
    return this.#stage === "judging" ? Infinity : this.#endsAt;
  }

  handleTimeout(now: number): void {
    if (this.nextTimeout() <= now) this.#fails(`\r\nLogin timed out after ${LOGIN_MS / 1000} seconds`);
  }
}
