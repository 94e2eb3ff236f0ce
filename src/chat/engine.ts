// The conversation of chat(8). The engine runs a script on the bytes and times it is given and returns bytes, log lines
// and an exit code. It does no I/O, so `connect 'chat …'` in pppd, the chat program and the tests share this code.
//
// The owner runs this in a loop. All times are milliseconds of one clock that never goes back:
//
//     engine.handleTimeout(now);
//     engine.transmit(write, now);                            // tries one byte at a time, a full line stops it
//     for (let event; (event = engine.takeEvent()); ) …       // { type: "break" }: hold the line; "read": see provide
//     if (engine.result !== undefined) return engine.result;
//     wait for input if engine.listening, for room if engine.blocked, and until engine.nextTimeout();
//     engine.receive(byte, now) or engine.handleEnd(kind, now)
//
// The owner reads one byte at a time, and only while `listening` is true. The bytes behind the last match belong to the
// next user of the line.

import { bytesOf, printable } from "../bytes/text.ts";
import { leadingNumber, DEFAULT_TIMEOUT } from "./command.ts";
import { cleanExpect, cleanSend, copied, untilNul, visibleText, type Substitutions } from "./escapes.ts";
import { ExpectBuffer, HEARD_MAX } from "./expect-buffer.ts";
import { Reports, type ReportLine } from "./reports.ts";
import { splitExpect, type ChatScript } from "./script.ts";

export interface ChatOptions extends Substitutions {
  /** Log the progress. */
  readonly verbose: boolean;
  /** ECHO is on from the start. */
  readonly echo: boolean;
  /** Copy received bytes to stderr, with controls made visible. */
  readonly copy: boolean;
  /** The timeout in seconds; 0 or less means none. */
  readonly timeout: number;
}

export type ChatEvent =
  | { readonly type: "log"; readonly level: "err" | "warning" | "info"; readonly text: string }
  | { readonly type: "stderr"; readonly text: string }
  /** A line for the report file. `now` is the time when its string matched. */
  | ({ readonly type: "report" } & Readonly<ReportLine>)
  | { readonly type: "break" }
  /** `@path` must be sent: read the file (at most {@link FILE_MAX} bytes) and call provide. */
  | { readonly type: "read"; readonly path: string };

/** Writes one byte to the line. Returns "sent", "full" when there is no room now, or the error text. */
export type WriteByte = (byte: number) => "sent" | "full" | { readonly error: string };

export const FILE_MAX = 1023;

const MAX_STRINGS = 50;
/** An ABORT or REPORT string must be shorter than this. */
const STRING_SIZE = 50;
const LOG_MAX = 1023;

const SECOND = 1000;
/** The pause before every byte sent, at any speed. Old modems dropped bytes that came faster. */
const PACE = 10;

type State =
  | { doing: "advance" }
  | { doing: "expect"; want: string }
  /** The next step is due at `dueAt`: a byte to write, or only a pause. */
  | { doing: "send"; text: string; at: number; byte: number | undefined; dueAt: number; blocked: boolean }
  | { doing: "read"; path: string }
  /** The run is over, except that the rest of a report line is awaited. */
  | { doing: "gather"; code: number }
  | { doing: "done"; code: number };

const KEYWORDS: ReadonlySet<string> = new Set("ABORT CLR_ABORT REPORT CLR_REPORT TIMEOUT ECHO SAY HANGUP".split(" "));

const EXIT_ARGUMENT = 1;
const EXIT_FATAL = 2;
const EXIT_TIMEOUT = 3;
const EXIT_ABORT = 4;

export class ChatEngine {
  readonly #script: ChatScript;
  readonly #options: ChatOptions;
  readonly #events: ChatEvent[] = [];
  #state: State = { doing: "advance" };
  #word = 0;
  /** The rest of `expect-send-expect…`. The next send comes first. */
  #parts: string[] = [];

  #timeout: number;
  #alarmAt = Infinity;
  #alarmed = false;
  #aborts: string[] = [];
  #echo: boolean;
  #echoedPartOfLine = false;
  #hangupIgnored = false;
  /** True when a secret was sent that no log may show. The received text may contain its echo. */
  #secretSent = false;
  #failure: string | undefined;

  readonly #heard = new ExpectBuffer((line) => this.#progress(line));
  readonly #reports = new Reports();

  constructor(script: ChatScript, options: ChatOptions) {
    this.#script = script;
    this.#options = options;
    this.#timeout = options.timeout;
    this.#echo = options.echo;
  }

  /** The exit code when the run is over, else undefined. */
  get result(): number | undefined {
    return this.#state.doing === "done" ? this.#state.code : undefined;
  }

  /** The reason of a failure in words; undefined after a signal. The real chat has only an exit code. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** True when the engine would use a byte from the line now. */
  get listening(): boolean {
    return this.#state.doing === "expect" || this.#state.doing === "gather";
  }

  /** True when the line was full. Call transmit when it has room. */
  get blocked(): boolean {
    return this.#state.doing === "send" && this.#state.blocked;
  }

  /** When to call handleTimeout and transmit next. Infinity: only after another event. */
  nextTimeout(): number {
    const state = this.#state;
    if (state.doing === "advance") return 0;
    if (state.doing === "send" && !state.blocked) return Math.min(state.dueAt, this.#alarmAt);
    return this.#alarmAt;
  }

  takeEvent(): ChatEvent | undefined {
    return this.#events.shift();
  }

  handleTimeout(now: number): void {
    if (now >= this.#alarmAt) this.#handleAlarm(now);
    this.#advance(now);
  }

  /** Does what SIGALRM does in the real chat: an expect ends at once, a send at its next byte. */
  #handleAlarm(now: number): void {
    const state = this.#state;
    this.#alarmed = true;
    this.#alarmAt = now + SECOND;
    this.#progress("alarm");
    if (state.doing === "expect") this.#missed(EXIT_TIMEOUT, now);
    else if (state.doing === "gather") this.#finish();
    else if (state.doing === "send" && state.blocked) this.#sendFailed(" -- write timed out", now);
    else if (state.doing === "send") state.dueAt = now;
  }

  /** Handles SIGHUP, SIGINT and SIGTERM. */
  interrupt(signal: "SIGHUP" | "SIGINT" | "SIGTERM", now: number): void {
    if (signal === "SIGHUP" && this.#hangupIgnored) return;
    this.#fatal(EXIT_FATAL, signal, now);
  }

  /** Sends what is due. */
  transmit(write: WriteByte, now: number): void {
    for (;;) {
      const state = this.#state;
      if (state.doing !== "send" || state.dueAt > now) return;
      if (state.byte !== undefined) {
        const outcome = write(state.byte);
        state.blocked = outcome === "full";
        if (outcome === "full") return;
        if (outcome !== "sent") return this.#sendFailed(` -- write failed: ${outcome.error}`, now);
      }
      this.#nextUnit(state, now);
      this.#advance(now);
    }
  }

  /** Takes one byte from the line. */
  receive(byte: number, now: number): void {
    const state = this.#state;
    if (state.doing === "expect") this.#hear(byte & 0x7f, state.want, now);
    else if (state.doing === "gather") {
      this.#alarmAt = now + SECOND;
      this.#putReport(this.#reports.collect(byte & 0x7f));
      if (!this.#reports.collecting) this.#finish();
    }
    this.#advance(now);
  }

  /** Handles a failed read of the line: end of file or an error. */
  handleEnd(kind: "eof" | "error", now: number): void {
    if (!this.listening) return;
    if (kind === "eof") this.#log("warning", "warning: read() on stdin returned 0");
    if (this.#state.doing === "expect") this.#missed(EXIT_TIMEOUT, now);
    else this.#finish();
    this.#advance(now);
  }

  /** Gives the engine the file that a "read" event asked for, or the message that tells why it could not be read. */
  provide(content: { text: string } | { error: string }, now: number): void {
    if (this.#state.doing !== "read") return;
    if ("error" in content) return this.#fatal(EXIT_ARGUMENT, content.error, now);
    this.#startSend(untilNul(content.text.slice(0, FILE_MAX).replace(/\n$/, "")), now);
    this.#advance(now);
  }

  /** Runs the script up to the next step that takes time. */
  #advance(now: number): void {
    while (this.#state.doing === "advance") {
      const part = this.#parts.shift();
      if (part !== undefined) {
        this.#expect(part, now);
        continue;
      }
      const at = this.#word++;
      const word = this.#script.words[at];
      if (word === undefined) this.#endOfScript(now);
      else if (at % 2 === 1) this.#act(this.#script.words[at - 1] ?? "", word, now);
      else if (!KEYWORDS.has(word)) this.#parts = splitExpect(word);
    }
  }

  #endOfScript(now: number): void {
    const { error } = this.#script;
    if (error === undefined) this.#terminate(0, now);
    else this.#fatal(EXIT_ARGUMENT, error, now);
  }

  /** Runs the word in SEND position. It is an argument when the word before it was a keyword. */
  #act(before: string, word: string, now: number): void {
    switch (before) {
      case "ABORT":
        return this.#addString(this.#aborts, "ABORT", "abort on", word, now);
      case "REPORT":
        return this.#addString(this.#reports.strings, "REPORT", "report", word, now);
      case "CLR_ABORT":
        this.#aborts = this.#withoutString(this.#aborts, "clear abort on", word);
        return;
      case "CLR_REPORT":
        this.#reports.strings = this.#withoutString(this.#reports.strings, "clear report", word);
        return;
      case "TIMEOUT": {
        const timeout = leadingNumber(cleanExpect(word, this.#options));
        this.#timeout = timeout > 0 ? timeout : DEFAULT_TIMEOUT;
        this.#progress(`timeout set to ${this.#timeout} seconds`);
        return;
      }
      case "ECHO":
        this.#echo = word === "ON";
        return;
      case "SAY":
        this.#events.push({ type: "stderr", text: untilNul(cleanSend(word, this.#options).text) });
        return;
      case "HANGUP":
        this.#hangupIgnored = word === "OFF";
        return;
      default:
        this.#send(word, now);
    }
  }

  #addString(list: (string | undefined)[], keyword: string, logged: string, word: string, now: number): void {
    if (list.length >= MAX_STRINGS) return this.#fatal(EXIT_FATAL, `Too many ${keyword} strings`, now);
    const text = cleanExpect(word, this.#options);
    if (text.length >= STRING_SIZE)
      return this.#fatal(EXIT_ARGUMENT, `Illegal or too-long ${keyword} string ('${visibleText(word)}')`, now);
    list.push(text);
    this.#progress(`${logged} (${visibleText(word)})`);
  }

  #withoutString<T extends string | undefined>(list: T[], logged: string, word: string): T[] {
    const text = cleanExpect(word, this.#options);
    return list.filter((other) => {
      if (other === text) this.#progress(`${logged} (${visibleText(word)})`);
      return other !== text;
    });
  }

  #expect(part: string, now: number): void {
    const want = cleanExpect(part, this.#options);
    this.#progress(`expect (${visibleText(want)})`);
    if (want.length > HEARD_MAX) {
      this.#log("info", "expect string is too long");
      return this.#missed(EXIT_ARGUMENT, now);
    }
    if (want === "") {
      this.#progress("got it");
      return this.#met();
    }
    this.#state = { doing: "expect", want };
    this.#heard.restart(want.length);
    this.#startAlarm(now);
  }

  #hear(byte: number, want: string, now: number): void {
    if (this.#echo) this.#echoByte(byte);
    this.#heard.push(byte);
    if (this.#options.copy && byte !== 0x0d) this.#events.push({ type: "stderr", text: copied(byte) });
    this.#putReport(this.#reports.hear(byte, this.#heard, now));
    if (this.#heard.endsIn(want)) {
      this.#heard.flush();
      this.#progress(" -- got it\n");
      return this.#met();
    }
    const abort = this.#aborts.findIndex((text) => this.#heard.endsIn(text));
    if (abort < 0) return;
    this.#heard.flush();
    this.#progress(" -- failed");
    this.#missed(EXIT_ABORT + abort, now, this.#aborts[abort]);
  }

  #putReport(line: ReportLine | undefined): void {
    if (line) this.#events.push({ type: "report", ...line });
  }

  #met(): void {
    this.#stopAlarm();
    this.#parts = [];
    this.#state = { doing: "advance" };
  }

  /** Handles an expect that was not met: runs the alternative, or ends. */
  #missed(code: number, now: number, reason?: string): void {
    this.#stopAlarm();
    const alternative = this.#parts.shift();
    if (code === EXIT_TIMEOUT && alternative !== undefined) return this.#send(alternative, now);
    if (this.#state.doing === "expect") this.#failure = this.#account(this.#state.want, reason);
    this.#log("info", reason === undefined ? "Failed" : `Failed (${reason})`);
    this.#terminate(code, now);
  }

  #account(want: string, abort: string | undefined): string {
    const waited = `waited for "${printable(want)}" and heard`;
    if (abort !== undefined) return `${waited} "${printable(abort)}"`;
    const heard = this.#heard.tail();
    if (heard === "") return `${waited} nothing`;
    return this.#secretSent ? `${waited} something else` : `${waited} "${printable(heard)}"`;
  }

  #send(word: string, now: number): void {
    const path = word.startsWith("@") ? word.slice(1).replace(/^[ \t]+/, "") : "";
    if (path === "") return this.#startSend(word, now);
    this.#state = { doing: "read", path };
    this.#events.push({ type: "read", path });
  }

  #startSend(word: string, now: number): void {
    const { text, quiet } = cleanSend(SPECIAL.get(word) ?? word, this.#options);
    this.#secretSent ||= quiet;
    this.#progress(`send (${quiet ? "??????" : visibleText(untilNul(text))})`);
    this.#startAlarm(now);
    const state = { doing: "send", text, at: 0, byte: undefined, dueAt: now, blocked: false } as const;
    this.#nextUnit((this.#state = { ...state }), now);
  }

  #nextUnit(state: State & { doing: "send" }, now: number): void {
    const char = state.text.charAt(state.at++);
    const action = char === "\\" ? state.text.charAt(state.at++) : "";
    state.byte = undefined;
    if (char === "") {
      this.#stopAlarm();
      this.#state = { doing: "advance" };
    } else if (action === "K") {
      this.#events.push({ type: "break" });
    } else if (action === "d") {
      state.dueAt = now + SECOND;
    } else if (action === "p") {
      state.dueAt = now + PACE;
    } else if (this.#alarmed) {
      this.#sendFailed(" -- write timed out", now);
    } else {
      state.byte = bytesOf(action || char)[0];
      state.dueAt = now + PACE;
    }
  }

  #sendFailed(text: string, now: number): void {
    this.#stopAlarm();
    this.#failure = `could not send${text}`;
    this.#progress(text);
    this.#fatal(EXIT_ARGUMENT, "Failed", now);
  }

  #startAlarm(now: number): void {
    this.#alarmed = false;
    this.#alarmAt = this.#timeout > 0 ? now + this.#timeout * SECOND : Infinity;
  }

  #stopAlarm(): void {
    this.#alarmAt = Infinity;
  }

  #echoByte(byte: number): void {
    if (byte === 0x0d) return;
    this.#echoedPartOfLine = byte !== 0x0a;
    this.#events.push({ type: "stderr", text: copied(byte) });
  }

  #fatal(code: number, text: string, now: number): void {
    this.#log("err", text);
    if (code === EXIT_ARGUMENT) this.#failure ??= `failed: ${text}`;
    this.#terminate(code, now);
  }

  #terminate(code: number, now: number): void {
    if (this.#state.doing === "done") return;
    // A second end, by a signal while a report line is awaited, takes effect at once.
    const waiting = this.#state.doing !== "gather" && this.#reports.collecting;
    this.#state = { doing: "gather", code };
    if (this.#echoedPartOfLine) this.#events.push({ type: "stderr", text: "\n" });
    this.#echoedPartOfLine = false;
    this.#alarmAt = now + SECOND;
    if (!waiting) this.#finish();
  }

  #finish(): void {
    if (this.#state.doing !== "gather") return;
    this.#putReport(this.#reports.take());
    this.#stopAlarm();
    this.#state = { doing: "done", code: this.#state.code };
  }

  #progress(text: string): void {
    if (this.#options.verbose) this.#log("info", text);
  }

  #log(level: "err" | "warning" | "info", text: string): void {
    this.#events.push({ type: "log", level, text: text.slice(0, LOG_MAX) });
  }
}

/** Words that are sent in another form and without a carriage return. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ["EOT", "^D\\c"],
  ["BREAK", "\\K\\c"],
]);
