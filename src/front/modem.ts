// The modem that a port plays for programs that dial (ITU-T V.250, and Hayes): commands come in, echo and results go out.
// It has no telephone line: any number is the network behind this port.

import { type ModemCommand, modemCommands } from "./modem-command.ts";

export interface ModemSettings {
  /** Bits a second, for CONNECT. 0: not known. */
  readonly speed: number;
  /** The text of each CONNECT, for programs that insist on one. */
  readonly connectText?: string | undefined;
  /** Commands that are unknown are errors. */
  readonly isStrict: boolean;
  /** Behind the number "login" are login prompts. */
  readonly hasLogin?: boolean;
}

/** What a command asks of the modem's owner. "return": the command line is left for the connection (ATO). */
export type ModemAct = "connect" | "return" | "hang-up";

/** Results by name: V0 shows the number. */
const RESULTS = {
  OK: 0,
  CONNECT: 1,
  "NO CARRIER": 3,
  ERROR: 4,
} as const;
type Result = keyof typeof RESULTS;

/** The numbers of "CONNECT 9600" and so on, as Rockwell's and Conexant's modems have them. */
const CONNECT_NUMBERS: Readonly<Record<number, number>> = {
  1200: 5,
  2400: 10,
  4800: 11,
  9600: 12,
  7200: 13,
  12000: 14,
  14400: 15,
  19200: 16,
  38400: 17,
  57600: 18,
  115200: 19,
};
/** S0 to S12, as modems have them when they are switched on. */
const REGISTERS = [0, 0, 43, 13, 10, 8, 2, 50, 2, 6, 14, 95, 50] as const;
/** Registers that this modem heeds. */
const Register = { ESCAPE: 2, RETURN: 3, LINE_FEED: 4, BACKSPACE: 5, GUARD: 12 } as const;
const GUARD_UNIT_MS = 20;
const LONGEST_LINE = 255;
/** An answer that finds no room is dropped beyond this length. */
const MOST_WORDS = 4096;
/** Numbers that are no way to PPP. Nothing answers them here, unless there is a login. */
const NOT_PPP = /^[TP]?(SLIP|LOGIN)$/;
const LOGIN = /^[TP]?LOGIN$/;
/** Numbers that lead to PPP even where other numbers lead to login prompts. */
const ONLY_PPP = /^[TP]?(PPP|777)$/;
/** The commands without effect here: loudspeaker, pulses and tones, protocols between modems, flow control. */
const WITHOUT_EFFECT = /^([BFLMNPTWY]|[&\\%*\-$:~@][A-Z])$/;
const PRODUCT = "nullmodem";

export class Modem {
  /** A connection exists, perhaps behind the command line. */
  isConnected = false;
  /** The number that was dialled is PPP's own. */
  wantsPpp = false;
  readonly #settings: ModemSettings;
  #echoes = true;
  #isQuiet = false;
  #isVerbose = true;
  /** 0: the plain CONNECT; 1 to 4 name the speed. */
  #extent = 4;
  /** &C1: DCD is on only while a connection exists. &C0 is the default, because some programs want DSR on the same wire. */
  #carrierFollows = false;
  /** &D: what the caller's DTR does when it falls. 0: nothing. */
  #dtrMode = 2;
  #registers = [...REGISTERS] as number[];
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
  }

  /** A command line has begun and not ended. */
  get isTaking(): boolean {
    return this.#line !== undefined;
  }

  /** The wire that the caller sees as DCD. */
  get carrier(): boolean {
    return !this.#carrierFollows || this.isConnected;
  }

  /** The caller's DTR ends the connection when it falls. */
  get heedsDtr(): boolean {
    return this.#dtrMode > 0;
  }

  /** The octet that leads to the command line when it comes three times between pauses. Above 127: none does. */
  get escape(): number {
    return this.#registers[Register.ESCAPE]!;
  }

  get guardMs(): number {
    return this.#registers[Register.GUARD]! * GUARD_UNIT_MS;
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
    if (this.#line === undefined) return this.#hunt(String.fromCharCode(code));
    if (code === this.#registers[Register.RETURN]) {
      this.#echo(String.fromCharCode(code));
      const line = (this.#lastLine = this.#line);
      this.#line = undefined;
      this.#before = this.#last = "\r";
      return this.#run(line);
    }
    if (code === this.#registers[Register.BACKSPACE]) {
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

  connected(): void {
    this.isConnected = true;
    const { speed, connectText } = this.#settings;
    if (connectText !== undefined && this.#isVerbose) this.#result("CONNECT", connectText);
    else if (this.#extent === 0 || speed === 0) this.#result("CONNECT");
    else this.#result("CONNECT", this.#isVerbose ? `CONNECT ${speed}` : String(CONNECT_NUMBERS[speed] ?? 1));
  }

  /** The connection is gone. */
  disconnected(): void {
    this.isConnected = false;
    this.#result("NO CARRIER");
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
    } else this.connected();
    return act;
  }

  #obey(command: ModemCommand): ModemAct | "ok" | "error" | "none" {
    const unknown = this.#settings.isStrict ? "error" : "ok";
    switch (command.type) {
      case "dial":
        if (command.staysInCommand) return "ok";
        if (this.isConnected) return "error";
        this.wantsPpp = ONLY_PPP.test(command.number);
        if (this.#settings.hasLogin === true && LOGIN.test(command.number)) return "connect";
        return NOT_PPP.test(command.number) ? "none" : "connect";
      case "set":
        return this.#set(command.register, command.value) ? "ok" : "error";
      case "ask":
        this.#inform(String(this.#registers[command.register] ?? 0).padStart(3, "0"));
        return "ok";
      case "other":
        return unknown;
      case "basic":
        return this.#basic(command.name, command.value, unknown);
    }
  }

  /** False: the register does not take this value. A register that the modem does not have takes every octet. */
  #set(register: number, value: number): boolean {
    const most = register >= Register.RETURN && register <= Register.BACKSPACE ? 127 : 255;
    if (value > most) return false;
    if (register < this.#registers.length) this.#registers[register] = value;
    return true;
  }

  #basic(name: string, value: number, unknown: "ok" | "error"): ModemAct | "ok" | "error" | "none" {
    const highest = { E: 1, V: 1, Q: 2, X: 4, "&C": 1, "&D": 3, H: 1 }[name] ?? Infinity;
    if (value > highest) return "error";
    switch (name) {
      case "A":
        return this.isConnected ? "error" : "connect";
      case "E":
        this.#echoes = value === 1;
        return "ok";
      case "H":
        return value === 0 && this.isConnected ? "hang-up" : "ok";
      case "I":
        this.#inform(PRODUCT);
        return "ok";
      case "O":
        return this.isConnected ? "return" : "none";
      case "Q":
        this.#isQuiet = value === 1;
        return "ok";
      case "V":
        this.#isVerbose = value === 1;
        return "ok";
      case "X":
        this.#extent = value;
        return "ok";
      case "&C":
        this.#carrierFollows = value === 1;
        return "ok";
      case "&D":
        this.#dtrMode = value;
        return "ok";
      case "Z":
      case "&F":
        return this.#reset(name);
      default:
        return WITHOUT_EFFECT.test(name) ? "ok" : unknown;
    }
  }

  #reset(name: string): ModemAct | "ok" {
    this.#echoes = this.#isVerbose = true;
    this.#isQuiet = this.#carrierFollows = false;
    this.#extent = 4;
    this.#dtrMode = 2;
    this.#registers = [...REGISTERS];
    return name === "Z" && this.isConnected ? "hang-up" : "ok";
  }

  #echo(text: string): void {
    if (this.#echoes) this.#say(text);
  }

  get #lineEnd(): string {
    return String.fromCharCode(this.#registers[Register.RETURN]!, this.#registers[Register.LINE_FEED]!);
  }

  /** An answer that is no result. */
  #inform(text: string): void {
    this.#say(this.#isVerbose ? `${this.#lineEnd}${text}${this.#lineEnd}` : `${text}${this.#lineEnd}`);
  }

  #result(result: Result, text?: string): void {
    if (this.#isQuiet) return;
    this.lastResult = text ?? (this.#isVerbose ? result : String(RESULTS[result]));
    if (this.#isVerbose) this.#inform(this.lastResult);
    else this.#say(`${this.lastResult}${this.#lineEnd[0]}`);
  }

  #say(text: string): void {
    if (this.#words.length + text.length <= MOST_WORDS) this.#words += text;
  }
}
