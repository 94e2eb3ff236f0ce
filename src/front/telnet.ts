// Telnet on a TCP connection (RFC 854, 856, 857, 858), if the other end speaks it. Its commands are answered and removed, and
// an IAC octet (ff) that is data comes twice. Raw PPP has single ff octets, so nothing is changed before the other end has
// sent a telnet command as its first octet that is not text.

import { COM_PORT, type ComPort } from "./com-port.ts";

const IAC = 0xff;
const DONT = 0xfe;
const DO = 0xfd;
const WONT = 0xfc;
const WILL = 0xfb;
const SB = 0xfa;
const SE = 0xf0;
/** No telnet command has a lower number (RFC 1184). An octet below it behind a single IAC is data. */
const LOWEST_COMMAND = 0xec;
/** The highest option of IANA's list that a caller may begin with. */
const HIGHEST_OPTION = 49;
const CR = 13;
const LF = 10;
const FLAG = 0x7e;

const Option = { BINARY: 0, ECHO: 1, SGA: 3 } as const;

/** More answers are dropped until these have been sent. Only a flood of commands comes that far. */
const MOST_ANSWERS = 1024;
/** A longer subnegotiation is no telnet. */
const LONGEST_PARAMETER = 256;

/** How far a command has been read. */
type State = "data" | "command" | "option" | "parameter" | "parameter-command";

/** Octets that {@link Telnet.receive} may add to those that it is given. */
export const HELD_OCTETS = 2;

export interface TelnetSettings {
  /** Options that we agree to use, and that we agree the other end to use. */
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** Offered as soon as the other end has turned out to speak telnet. */
  readonly offers: readonly number[];
  readonly requests: readonly number[];
}

/**
 * A modem or a login: it echoes, so that a terminal does not (it would show the password), and wants lines without any
 * changes.
 */
export const ANSWERING: TelnetSettings = {
  ours: [Option.BINARY, Option.ECHO, Option.SGA],
  theirs: [Option.BINARY, Option.SGA],
  offers: [Option.BINARY, Option.ECHO, Option.SGA],
  requests: [Option.BINARY],
};

/** A modem that has dialled a host: the host echoes. */
export const CALLING: TelnetSettings = {
  ours: [Option.BINARY, Option.SGA],
  theirs: [Option.BINARY, Option.ECHO, Option.SGA],
  offers: [],
  requests: [],
};

/** Whoever uses a serial port on another host. */
export const SERIAL_PORT: TelnetSettings = {
  ours: [Option.BINARY, Option.SGA, COM_PORT],
  theirs: [Option.BINARY, Option.ECHO, Option.SGA],
  offers: [Option.BINARY, COM_PORT],
  requests: [Option.BINARY],
};

export class Telnet {
  /** "unknown": nothing but text has come. */
  kind: "unknown" | "telnet" | "plain" = "unknown";
  readonly #settings: TelnetSettings;
  readonly #answers: number[] = [];
  #state: State = "data";
  #verb = 0;
  /** Options that are agreed on or asked for: ours, theirs. */
  readonly #ours = new Set<number>();
  readonly #theirs = new Set<number>();
  /** The other end sends its octets as they are. Otherwise NUL follows each CR that is no line end (RFC 854). */
  #isBinary = false;
  #isAfterReturn = false;
  #parameter: number[] = [];
  readonly #comPort: ComPort | undefined;
  #isPortSet = false;

  /** `comPort`: the settings of a serial port at the other end, if it has one. */
  constructor(settings = ANSWERING, comPort?: ComPort) {
    this.#settings = settings;
    this.#comPort = comPort;
  }

  /** The serial port at the other end has lost its carrier. */
  get isHungUp(): boolean {
    return this.#comPort?.hasLostCarrier === true;
  }

  /** There are answers to send. */
  get hasAnswers(): boolean {
    return this.#answers.length > 0;
  }

  /**
   * Takes from[start, end) of the connection and puts the data in it into `into`, which has room for so many octets and
   * HELD_OCTETS more. Returns how many there are.
   */
  receive(from: Uint8Array, start: number, end: number, into: Uint8Array): number {
    let fill = 0;
    for (let at = start; at < end; at++) {
      if (this.kind === "plain") {
        into.set(from.subarray(at, end), fill);
        return fill + end - at;
      }
      fill = this.#take(from[at]!, into, fill);
    }
    return fill;
  }

  /**
   * Puts the answers and from[start, end) into `into`, which has room for the answers and for twice so many octets, and
   * returns where they end.
   */
  transmit(from: Uint8Array, start: number, end: number, into: Uint8Array): number {
    let fill = 0;
    for (const octet of this.#answers) into[fill++] = octet;
    this.#answers.length = 0;
    const isDoubled = this.kind === "telnet";
    for (let at = start; at < end; at++) {
      const octet = from[at]!;
      into[fill++] = octet;
      if (octet === IAC && isDoubled) into[fill++] = octet;
    }
    return fill;
  }

  /** Octets that the answers take up. */
  get answerOctets(): number {
    return this.#answers.length;
  }

  #take(octet: number, into: Uint8Array, fill: number): number {
    switch (this.#state) {
      case "data":
        if (octet !== IAC) return this.#data(octet, into, fill);
        this.#state = "command";
        return fill;
      case "command":
        return this.#command(octet, into, fill);
      case "option":
        return this.#option(octet, into, fill);
      case "parameter":
        return this.#takeParameter(octet, into, fill);
      case "parameter-command":
        return this.#endParameter(octet, into, fill);
    }
  }

  #data(octet: number, into: Uint8Array, fill: number): number {
    if (this.kind === "unknown" && !isText(octet)) this.kind = "plain";
    const isFiller = octet === 0 && this.#isAfterReturn && this.kind === "telnet" && !this.#isBinary;
    this.#isAfterReturn = octet === CR;
    if (isFiller) return fill;
    into[fill] = octet;
    return fill + 1;
  }

  /** The octet behind IAC. */
  #command(octet: number, into: Uint8Array, fill: number): number {
    this.#state = "data";
    if (octet >= WILL && octet <= DONT) {
      this.#verb = octet;
      this.#state = "option";
      return fill;
    }
    if (this.kind === "unknown" || octet < LOWEST_COMMAND) return this.#isNoTelnet([IAC, octet], into, fill);
    if (octet === SB) {
      this.#parameter = [];
      this.#state = "parameter";
    } else if (octet === IAC) return this.#data(octet, into, fill);
    return fill;
  }

  /** These octets are data: the other end does not double what it sends, so that it gets nothing doubled either. */
  #isNoTelnet(octets: readonly number[], into: Uint8Array, fill: number): number {
    this.kind = "plain";
    this.#state = "data";
    into.set(octets, fill);
    return fill + octets.length;
  }

  #option(option: number, into: Uint8Array, fill: number): number {
    this.#state = "data";
    if (this.kind === "unknown") {
      if (option > HIGHEST_OPTION) return this.#isNoTelnet([IAC, this.#verb, option], into, fill);
      this.kind = "telnet";
      for (const one of this.#settings.offers) this.#agree(this.#ours, WILL, one);
      for (const one of this.#settings.requests) this.#agree(this.#theirs, DO, one);
    }
    this.#negotiate(this.#verb, option);
    return fill;
  }

  /** An option that is on or asked for already is not answered again (RFC 854). */
  #negotiate(verb: number, option: number): void {
    const { ours, theirs } = this.#settings;
    if (option === Option.BINARY && (verb === WILL || verb === WONT)) this.#isBinary = verb === WILL;
    if (verb === DO) {
      if (ours.includes(option)) this.#agree(this.#ours, WILL, option);
      else this.#answer(IAC, WONT, option);
      if (option === COM_PORT) this.#setPort();
    } else if (verb === WILL) {
      if (theirs.includes(option)) this.#agree(this.#theirs, DO, option);
      else this.#answer(IAC, DONT, option);
    } else if (verb === DONT && this.#ours.delete(option)) this.#answer(IAC, WONT, option);
    else if (verb === WONT && this.#theirs.delete(option)) this.#answer(IAC, DONT, option);
  }

  #agree(options: Set<number>, verb: number, option: number): void {
    if (options.has(option)) return;
    options.add(option);
    this.#answer(IAC, verb, option);
  }

  #setPort(): void {
    if (this.#isPortSet || this.#comPort === undefined) return;
    this.#isPortSet = true;
    for (const request of this.#comPort.requests) {
      const doubled = request.flatMap((octet) => (octet === IAC ? [IAC, IAC] : [octet]));
      this.#answer(IAC, SB, COM_PORT, ...doubled, IAC, SE);
    }
  }

  #answer(...octets: readonly number[]): void {
    if (this.#answers.length + octets.length <= MOST_ANSWERS) this.#answers.push(...octets);
  }

  #takeParameter(octet: number, into: Uint8Array, fill: number): number {
    if (octet === IAC) this.#state = "parameter-command";
    else if (this.#parameter.push(octet) > LONGEST_PARAMETER) return this.#isNoTelnet([], into, fill);
    return fill;
  }

  /** The octet behind IAC in a subnegotiation. */
  #endParameter(octet: number, into: Uint8Array, fill: number): number {
    this.#state = "parameter";
    if (octet === IAC) this.#parameter.push(octet);
    else if (octet < LOWEST_COMMAND) return this.#isNoTelnet([IAC, octet], into, fill);
    else {
      // A command in the middle of a subnegotiation ends it, so that nothing more is lost.
      this.#state = "data";
      const [option, ...value] = this.#parameter;
      if (octet === SE && option === COM_PORT) this.#comPort?.receive(value);
      if (octet !== SE) return this.#command(octet, into, fill);
    }
    return fill;
  }
}

/** Octets of a terminal. PPP's flag is none of them. */
function isText(octet: number): boolean {
  return (octet >= 0x20 && octet < FLAG) || octet === CR || octet === LF || octet === 8 || octet === 9 || octet === 0;
}
