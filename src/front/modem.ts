// The modem that a port plays for programs that dial (ITU-T V.250, and Hayes): commands come in, echo and results go out.
// It has no telephone line: a number is the network behind this port, or a host in the phone book.

import { type ModemCommand, modemCommands } from "./modem-command.ts";
import { ModemProfile, Register } from "./modem-profile.ts";
import { connectText, type Result, resultText } from "./modem-results.ts";

export interface ModemSettings {
  /** Bits a second, for CONNECT. 0: not known. */
  readonly speed: number;
  /** The text of each CONNECT, for programs that insist on one. */
  readonly connectText?: string | undefined;
  /** Commands that are unknown are errors. */
  readonly isStrict: boolean;
  /** Behind the number "login" are login prompts. */
  readonly hasLogin?: boolean;
  /** The number "slip" leads to SLIP. */
  readonly hasSlip?: boolean;
  /** The host of a number in the phone book. Left out: the phone book is empty. */
  readonly hostOf?: (number: string) => string | undefined;
  /** What outlasts a connection. Left out: the settings of a modem that has just been switched on. */
  readonly profile?: ModemProfile;
}

/** What a command asks of the modem's owner. "return": the command line is left for the connection (ATO).
 * "call": a host is called, and {@link Modem.connected} or {@link Modem.failed} tells the outcome. */
export type ModemAct = "connect" | "call" | "return" | "hang-up";

const GUARD_UNIT_MS = 20;
const LONGEST_LINE = 255;
/** An answer that finds no room is dropped beyond this length. */
const MOST_WORDS = 4096;
/** Numbers that are no way to PPP. Nothing answers them here, unless there is a login. */
const NOT_PPP = /^[TP]?(C?SLIP|LOGIN)$/;
const SLIP = /^[TP]?C?SLIP$/;
const LOGIN = /^[TP]?LOGIN$/;
/** Numbers that lead to PPP even where other numbers lead to login prompts. */
const ONLY_PPP = /^[TP]?(PPP|777)$/;
/** The commands without effect here: loudspeaker, pulses and tones, protocols between modems, flow control. */
const WITHOUT_EFFECT = /^([BFLMNPTWY]|[&\\%*\-$:~@][A-Z])$/;
/** The highest values of commands that are errors beyond them. */
const HIGHEST: Readonly<Record<string, number>> = { E: 1, V: 1, Q: 2, X: 4, "&C": 1, "&D": 3, H: 1 };
const PRODUCT = "nullmodem";

export class Modem {
  /** A connection exists, perhaps behind the command line. */
  isConnected = false;
  /** The number that was dialled is PPP's own. */
  wantsPpp = false;
  wantsSlip = false;
  /** The connection came about by an answer to RING, or by ATA. */
  isAnswering = false;
  /** The host that is called. The caller ends the attempt with any character. */
  calledHost: string | undefined;
  readonly #settings: ModemSettings;
  readonly #profile: ModemProfile;
  /** The command line so far. Undefined: "AT" has not come. */
  #line: string | undefined;
  #lastLine = "";
  /** The last two characters outside a command line. */
  #before = "\r";
  #last = "\r";
  #words = "";
  /** The last result that was said, as it was said. */
  lastResult = "";

  constructor(settings: ModemSettings) {
    this.#settings = settings;
    this.#profile = settings.profile ?? new ModemProfile();
  }

  /** A command line has begun and not ended. */
  get isTaking(): boolean {
    return this.#line !== undefined;
  }

  /** The wire that the caller sees as DCD. */
  get carrier(): boolean {
    return !this.#profile.now.carrierFollows || this.isConnected;
  }

  /** What the fall of the caller's DTR does. */
  dtrFell(): "nothing" | "command" | "hang-up" {
    const { dtrMode } = this.#profile.now;
    if (dtrMode === 0) return "nothing";
    if (dtrMode === 1) {
      this.escaped();
      return "command";
    }
    if (dtrMode === 3) this.#profile.restore();
    this.isConnected = false;
    return "hang-up";
  }

  /** The octet that leads to the command line when it comes three times between pauses. Above 127: none does. */
  get escape(): number {
    return this.#profile.register(Register.ESCAPE);
  }

  get guardMs(): number {
    return this.#profile.register(Register.GUARD) * GUARD_UNIT_MS;
  }

  get wordsLength(): number {
    return this.#words.length;
  }

  /** What the modem has to say, once. */
  takeWords(): string {
    const words = this.#words;
    this.#words = "";
    return words;
  }

  /** Takes an octet of the caller's. */
  octet(octet: number): ModemAct | undefined {
    const code = octet & 0x7f;
    if (this.calledHost !== undefined) {
      // A line feed may belong to the command.
      if (code >= 0x20 || code === this.#profile.register(Register.RETURN)) this.failed("NO CARRIER");
      return undefined;
    }
    if (this.#line === undefined) return this.#hunt(String.fromCharCode(code));
    if (code === this.#profile.register(Register.RETURN)) {
      this.#echo(String.fromCharCode(code));
      const line = (this.#lastLine = this.#line);
      this.#line = undefined;
      this.#before = this.#last = "\r";
      return this.#run(line);
    }
    if (code === this.#profile.register(Register.BACKSPACE)) {
      if (this.#line !== "") this.#echo("\b \b");
      this.#line = this.#line.slice(0, -1);
    } else if (code >= 0x20 && this.#line.length <= LONGEST_LINE) {
      this.#echo(String.fromCharCode(code));
      this.#line += String.fromCharCode(code);
    }
    return undefined;
  }

  /** Looks for "AT" or "A/" that is not a part of a word. */
  #hunt(char: string): ModemAct | undefined {
    const begins = /[aA]/.test(this.#last) && !/[A-Za-z]/.test(this.#before);
    const first = this.#last;
    this.#before = this.#last;
    this.#last = char;
    if (!begins || !/[tT/]/.test(char)) return undefined;
    this.#echo(first + char);
    if (char !== "/") {
      this.#line = "";
      return undefined;
    }
    this.#before = this.#last = "\r";
    return this.#run(this.#lastLine);
  }

  /** The three octets came between pauses. */
  escaped(): void {
    this.#line = undefined;
    this.#before = this.#last = "\r";
    this.#result("OK");
  }

  /** The line rings. Returns "connect" when the modem answers by itself (S0). */
  ring(): ModemAct | undefined {
    const profile = this.#profile;
    this.isAnswering = true;
    this.#result("RING");
    this.isAnswering = false;
    const count = Math.min(255, profile.register(Register.RING_COUNT) + 1);
    profile.setRegister(Register.RING_COUNT, count);
    const answersAt = profile.register(Register.RINGS);
    if (answersAt === 0 || count < answersAt) return undefined;
    this.#answers();
    return this.#acts("connect");
  }

  /** Whoever answers a RING has been called for PPP. */
  #answers(): void {
    this.isAnswering = true;
    this.wantsPpp = this.#profile.register(Register.RING_COUNT) > 0;
  }

  connected(): void {
    this.isConnected = true;
    this.calledHost = undefined;
    this.#profile.setRegister(Register.RING_COUNT, 0);
    const { speed, connectText: fixed } = this.#settings;
    this.#result("CONNECT", connectText(speed, fixed, this.#profile.now));
  }

  /** A host cannot be reached. */
  failed(result: "BUSY" | "NO DIALTONE" | "NO CARRIER"): void {
    this.calledHost = undefined;
    this.#result(result);
  }

  /** How long a connection may take to come about. */
  get patienceMs(): number {
    return this.#profile.register(Register.PATIENCE) * 1000;
  }

  /** The connection is gone. */
  disconnected(): void {
    this.isConnected = false;
    this.#result("NO CARRIER");
    this.isAnswering = false;
  }

  #run(line: string): ModemAct | undefined {
    if (line.length > LONGEST_LINE) {
      this.#result("ERROR");
      return undefined;
    }
    for (const command of modemCommands(line)) {
      const done = this.#obey(command);
      if (done === "ok") continue;
      if (done === "error") this.#result("ERROR");
      else if (done === "none") this.#result("NO CARRIER");
      else return this.#acts(done);
      return undefined;
    }
    this.#result("OK");
    return undefined;
  }

  #acts(act: ModemAct): ModemAct {
    if (act === "hang-up") {
      this.isConnected = false;
      this.#result("OK");
    } else if (act !== "call") this.connected();
    return act;
  }

  #obey(command: ModemCommand): ModemAct | "ok" | "error" | "none" {
    const unknown = this.#settings.isStrict ? "error" : "ok";
    switch (command.type) {
      case "dial":
        return this.#dial(command);
      case "set":
        return this.#profile.setRegister(command.register, command.value) ? "ok" : "error";
      case "ask":
        this.#inform(String(this.#profile.register(command.register)).padStart(3, "0"));
        return "ok";
      case "other":
        return unknown;
      case "basic":
        return this.#basic(command.name, command.value, unknown);
    }
  }

  #dial({ number, staysInCommand }: Extract<ModemCommand, { type: "dial" }>): ModemAct | "ok" | "error" | "none" {
    if (staysInCommand) return "ok";
    if (this.isConnected) return "error";
    this.isAnswering = false;
    const { hostOf, hasLogin, hasSlip } = this.#settings;
    // T is for tones, P for pulses. A number of the phone book may begin with them.
    this.calledHost = hostOf?.(number) ?? (/^[TP]/.test(number) ? hostOf?.(number.slice(1)) : undefined);
    if (this.calledHost !== undefined) return "call";
    this.wantsPpp = ONLY_PPP.test(number);
    this.wantsSlip = hasSlip === true && SLIP.test(number);
    if (this.wantsSlip) return "connect";
    if (hasLogin === true && LOGIN.test(number)) return "connect";
    return NOT_PPP.test(number) ? "none" : "connect";
  }

  #basic(name: string, value: number, unknown: "ok" | "error"): ModemAct | "ok" | "error" | "none" {
    if (value > (HIGHEST[name] ?? Infinity)) return "error";
    const profile = this.#profile;
    switch (name) {
      case "A":
        if (this.isConnected) return "error";
        this.#answers();
        return "connect";
      case "E":
        profile.change({ echoes: value === 1 });
        return "ok";
      case "H":
        return value === 0 && this.isConnected ? "hang-up" : "ok";
      case "I":
        this.#inform(PRODUCT);
        return "ok";
      case "O":
        return this.isConnected ? "return" : "none";
      case "Q":
        profile.change({ quiet: value });
        return "ok";
      case "V":
        profile.change({ isVerbose: value === 1 });
        return "ok";
      case "X":
        profile.change({ extent: value });
        return "ok";
      case "&C":
        profile.change({ carrierFollows: value === 1 });
        return "ok";
      case "&D":
        profile.change({ dtrMode: value });
        return "ok";
      case "&W":
        profile.store();
        return "ok";
      case "&F":
        profile.makeFactory();
        return "ok";
      case "Z":
        profile.restore();
        return this.isConnected ? "hang-up" : "ok";
      default:
        return WITHOUT_EFFECT.test(name) ? "ok" : unknown;
    }
  }

  #echo(text: string): void {
    if (this.#profile.now.echoes) this.#say(text);
  }

  get #lineEnd(): string {
    return String.fromCharCode(this.#profile.register(Register.RETURN), this.#profile.register(Register.LINE_FEED));
  }

  /** An answer that is no result. */
  #inform(text: string): void {
    this.#say(this.#profile.now.isVerbose ? `${this.#lineEnd}${text}${this.#lineEnd}` : `${text}${this.#lineEnd}`);
  }

  #result(result: Result, text = resultText(result, this.#profile.now)): void {
    const { quiet, isVerbose } = this.#profile.now;
    if (quiet === 1 || (quiet === 2 && this.isAnswering)) return;
    this.lastResult = text;
    if (isVerbose) this.#inform(text);
    else this.#say(`${text}${this.#lineEnd[0]}`);
  }

  #say(text: string): void {
    if (this.#words.length + text.length <= MOST_WORDS) this.#words += text;
  }
}
