// The time on a line before PPP begins, with the option autodetect: the front finds out who calls, the log says so, and the
// link gets the line. A caller that dialled keeps its modem while the link is there.

import { printable } from "../../bytes/text.ts";
import { type Answered, type Caller, Front } from "../../front/front.ts";
import { questionFrame } from "../../front/question.ts";
import { ModemLine } from "../../front/modem-line.ts";
import { SearchingFront } from "../../front/searching-front.ts";
import type { LinkConfig } from "../../link/link-host.ts";
import type { Link } from "../../link/link.ts";
import type { SlipLink } from "../../link/slip-link.ts";
import type { Config } from "../../options/config.ts";
import { type Finding, report } from "../diagnose/finding.ts";
import type { Device } from "../host/serial.ts";
import type { Log } from "../log.ts";
import type { LinePort } from "../loop/line-port.ts";
import type { Loop } from "../loop/loop.ts";
import type { Machine } from "../machine.ts";
import { Phone, phoneBook } from "./phone.ts";
import { openSlip, slipTrouble } from "./slip-session.ts";
import { Tuner } from "./tuner.ts";
import type { Peers } from "../peers/peers.ts";
import { LoginCheck } from "./login-check.ts";

/** The interval between looks at the caller's DTR. */
const LOOK_MS = 250;
/** A caller that has reached us by TCP or a modem gets the login prompt if it says nothing for so long. */
const GREET_MS = 1000;

const ANSWERED = { severity: "info", text: "Recognised a modem program, which answered" } as const;

/** Who presses Return and then pauses so long gets the getty. */
const GETTY_MS = 1000;

const FINDINGS = {
  ppp: { severity: "info", text: "Recognised PPP" },
  windows: { severity: "info", text: "Recognised Windows, which called CLIENT" },
  modem: { severity: "info", text: "Recognised a modem program, which dialled" },
  login: { severity: "info", text: "Recognised a login" },
  prompted: { severity: "info", text: "Sent login prompts" },
  slip: { severity: "info", text: "Recognised SLIP" },
  person: {
    severity: "warning",
    text: "Heard lines of text: a person or a login script",
    remedy: "the caller must begin PPP, or dial with ATDT777",
  },
  getty: {
    severity: "warning",
    text: "Heard login prompts: those of a getty at the other end, or our own that come back",
    remedy: "this port sends none for a minute",
  },
  echo: {
    severity: "warning",
    text: "Heard our own answers: a loopback plug, or a program that echoes",
    remedy: "commands of modem programs are not answered any more",
  },
  noise: {
    severity: "warning",
    text: "Heard octets that are neither PPP nor text",
    remedy: "the caller probably uses another speed",
  },
} as const satisfies Record<Caller, Omit<Finding, "code">>;

/** A person for whom there is a getty. */
const VISITOR = { severity: "info", text: "Recognised a person or a login script" } as const;

export interface ReceptionHost {
  readonly machine: Machine;
  readonly config: Config;
  readonly log: Log;
  readonly tty: Device;
  readonly link: Link;
  readonly linkConfig: LinkConfig;
  readonly port: LinePort;
  readonly loop: Loop;
  readonly peers: Peers;
  readonly ifname: string;
  /** The link is about to begin at the present speed of the line. */
  fit(): void;
  /** A person has called, and typed this name or nothing (""). The line is to be lent. */
  visited(name: string): void;
  /** The caller has ended the connection with a command of its modem, or with its DTR. */
  hungUp(now: number): void;
}

export class Reception {
  readonly #host: ReceptionHost;
  /** What has the line until the caller is recognised or has dialled. */
  readonly #listener: Front | SearchingFront;
  /** Behind the modem that the caller has dialled. */
  #inner: Front | undefined;
  /** With find-speed. */
  readonly #tuner: Tuner | undefined;
  readonly #told = new Set<Caller>();
  /** Whom we answer. */
  readonly #answers: readonly Answered[];
  readonly #loginCheck: LoginCheck;
  /** The caller has a connection that can end. Others just go on with the same cable. */
  readonly #isCall: boolean;
  /** The line of a caller that has dialled. */
  #modemLine: ModemLine | undefined;
  /** The link has begun. */
  #isOpen = false;
  #dtr = true;
  /** The caller's DTR was up at the last look. */
  #callerWasUp = false;
  #lookAt = Infinity;
  #hasToldTelnet = false;
  readonly #phone: Phone;
  readonly #hostOf: (number: string) => string | undefined;

  constructor(host: ReceptionHost, now: number) {
    const { machine, config, log, tty, port, loop, peers, ifname } = host;
    const { input, output } = port.buffers;
    this.#host = host;
    this.#answers = this.#answered();
    this.#loginCheck = new LoginCheck({ peers, clock: machine.clock, log, input, tty: tty.path, ifname });
    this.#tuner = config.findSpeed ? Tuner.of(machine, tty, port, config.speed) : undefined;
    // Somebody has just called. On a cable whose carrier nobody watches, callers come without notice.
    this.#isCall =
      config.socketListen !== undefined ||
      ((config.modem || config.modemIfCarrier) && machine.serial.modemLines(tty.fd)?.cd === true);
    this.#phone = new Phone({ machine, log, port, loop });
    this.#hostOf = phoneBook(machine, config, log);
    const front = (): Front => this.#newFront(now);
    const question = questionFrame(machine.random.u32());
    this.#listener =
      this.#tuner === undefined ? front() : new SearchingFront(front, { speeds: this.#tuner.speeds, question }, output);
    loop.handOver(port, this.#listener, now);
  }

  /** The list of the option, without what cannot be. */
  #answered(): Answered[] {
    const { config, linkConfig, log } = this.#host;
    const answers = new Set(config.autodetect.map((one) => (one === "cslip" ? "slip" : one)));
    const trouble = answers.has("slip") ? slipTrouble(config, linkConfig) : undefined;
    if (trouble !== undefined) {
      log.write("warn", `Callers with SLIP are not answered: ${trouble}`);
      answers.delete("slip");
    }
    return [...answers];
  }

  #newFront(now: number): Front {
    const { config, tty, port } = this.#host;
    const answers = this.#answers;
    const { modemConnect: connectText, modemStrict: isStrict, modemRing: rings } = config;
    const { output, modem } = port.buffers;
    // Each caller by TCP is another one, whose settings are not for the next.
    const profile = config.socketListen === undefined ? modem : undefined;
    const settings = {
      speed: tty.speed,
      connectText,
      isStrict,
      hasLogin: answers.includes("login"),
      hasSlip: answers.includes("slip"),
      hostOf: this.#hostOf,
      ...(profile && { profile }),
    };
    const greeting = this.#isCall && this.#tuner === undefined ? { greetAt: now + GREET_MS } : {};
    const patience = config.autodetectGetty === undefined ? {} : { personMs: GETTY_MS };
    return new Front({ answers, modem: settings, rings, ...greeting, ...patience }, output);
  }

  /** What listens at the present speed. */
  get #outer(): Front {
    return this.#listener instanceof Front ? this.#listener : this.#listener.front;
  }

  get #front(): Front {
    return this.#inner ?? this.#outer;
  }

  /** When {@link settle} is to be called. */
  get nextLookAt(): number {
    // A tuner is not asked any more once the line is somebody else's.
    const isListening = this.#host.port.stage === this.#listener;
    const tunesAt = isListening ? (this.#tuner?.nextLookAt ?? Infinity) : Infinity;
    return Math.min(this.#lookAt, this.#loginCheck.dueAt, this.#phone.nextLookAt, tunesAt);
  }

  /** Nothing was dialled from here. A link behind the modem that we play is not the stage of its port. */
  readonly isDialled = false;

  /** How often the runtime must have its turn. */
  get turnMs(): number {
    return this.#phone.turnMs;
  }

  /** PPP has not begun. */
  get isWaiting(): boolean {
    return this.#front.decision === undefined;
  }

  settle(now: number): void {
    const { port, hungUp } = this.#host;
    this.#tellTelnet();
    const listener = this.#inner ?? this.#listener;
    this.#loginCheck.settle(this.#front, listener, now);
    for (let caller; (caller = listener.takeCaller()) !== undefined;) this.#tell(caller);
    if (!this.#isOpen && !this.isWaiting) this.#begin(now);
    if (this.#isVisited) {
      this.#tuner?.found();
      this.#host.visited(this.#front.typedName);
      return;
    }
    this.#settlePhone(now);
    if (this.#front.hasFailedLogin) this.#endLogin(now);
    if (port.stage === this.#listener && this.#listener instanceof SearchingFront)
      this.#tuner?.tune(this.#listener, now);
    this.#setDtr();
    if (this.#lookAt <= now) this.#look(now);
    if (this.#modemLine?.isHungUp !== true) return;
    this.#modemLine.flush(now);
    hungUp(now);
  }

  #settlePhone(now: number): void {
    if (this.#isOpen || this.#modemLine !== undefined) return;
    this.#phone.settle(this.#outer, this.#listener, now);
    if (this.#phone.line !== undefined) this.#lookAt = Math.min(this.#lookAt, now + LOOK_MS);
  }

  /** A person has come, who gets another program. */
  get #isVisited(): boolean {
    return this.#told.has("person") && this.#host.config.autodetectGetty !== undefined;
  }

  /** The caller has failed to log in. */
  #endLogin(now: number): void {
    const { log, tty, hungUp } = this.#host;
    log.write("warn", `Nobody has logged in on ${tty.path}`);
    this.#front.flush();
    this.#front.listenAgain();
    if (this.#modemLine !== undefined || this.#isCall) hungUp(now);
  }

  /** PPP has ended. */
  ends(now: number): void {
    this.#lookAt = Infinity;
    (this.#modemLine ?? this.#phone.line)?.ends(now);
    this.#phone.close();
  }

  #tell(caller: Caller): void {
    const { log, machine, tty } = this.#host;
    // At another speed the front begins anew, and recognises the same again.
    if (this.#told.has(caller)) return;
    this.#told.add(caller);
    const known = this.#findingOf(caller);
    const finding = this.#tuner === undefined ? known : withSpeed(known, caller, tty.speed);
    const isIgnored =
      (caller === "ppp" || caller === "windows" || caller === "modem" || caller === "slip") &&
      !this.#answers.includes(caller);
    const frames = caller === "noise" ? (machine.serial.lineErrors(tty.fd)?.frame ?? 0) : 0;
    const name = caller === "login" ? `: ${printable(this.#loginCheck.user ?? "")}` : "";
    const more = frames > 0 ? ` (the port has counted ${frames} framing errors)` : name;
    report(log, [
      isIgnored
        ? {
            ...finding,
            code: `caller-${caller}`,
            remedy: "the autodetect option does not list it",
            severity: "warning",
          }
        : { ...finding, code: `caller-${caller}`, text: `${finding.text}${more}` },
    ]);
  }

  #findingOf(caller: Caller): Omit<Finding, "code"> {
    if (caller === "modem" && this.#front.modem.isAnswering) return ANSWERED;
    const isServed = caller === "person" && this.#host.config.autodetectGetty !== undefined;
    return isServed ? VISITOR : FINDINGS[caller];
  }

  #tellTelnet(): void {
    const { log, port } = this.#host;
    if (this.#hasToldTelnet || !port.isTelnet) return;
    this.#hasToldTelnet = true;
    report(log, [{ severity: "info", code: "caller-telnet", text: "Recognised telnet, and answer it" }]);
  }

  /** Gives the line to the link or to the modem, after the last words of the front. */
  #begin(now: number): void {
    const { link, port, loop } = this.#host;
    this.#phone.close();
    this.#tuner?.found();
    this.#front.flush();
    this.#setDtr();
    if (this.#front.decision === "modem") {
      this.#connect(now);
      return;
    }
    if (this.#front.decision === "slip") {
      const slip = this.#openSlip(now);
      this.#modemLine?.connect(slip);
      loop.handOver(port, this.#modemLine ?? slip, now);
      return;
    }
    const { user } = this.#loginCheck;
    if (this.#front.decision === "login" && user !== undefined) link.vouch(user);
    this.#openLink(now);
    this.#modemLine?.connect(link);
    loop.handOver(port, this.#modemLine ?? link, now);
  }

  #openSlip(now: number): SlipLink {
    this.#isOpen = true;
    return openSlip(this.#host, this.#host.config.autodetect.includes("cslip"), now);
  }

  #openLink(now: number): void {
    this.#isOpen = true;
    this.#host.fit();
    this.#host.link.open(now);
  }

  /** Behind the modem is PPP, or another front with the login prompts, where PPP may come at once too. */
  #connect(now: number): void {
    const { link, port, loop } = this.#host;
    const { input, output } = port.buffers;
    const answers = this.#answers.filter((one) => one === "ppp" || one === "login");
    const isPpp = !answers.includes("login") || (this.#outer.modem.wantsPpp && answers.includes("ppp"));
    const slip = this.#outer.modem.wantsSlip ? this.#openSlip(now) : undefined;
    if (slip !== undefined) this.#inner = undefined;
    else if (isPpp) this.#openLink(now);
    else this.#inner = new Front({ answers, modem: { speed: 0, isStrict: false }, greetAt: now + GREET_MS }, output);
    const connection = slip ?? this.#inner ?? link;
    this.#modemLine = new ModemLine({ modem: this.#outer.modem, connection, input, output }, now);
    this.#lookAt = now;
    loop.handOver(port, this.#modemLine, now);
  }

  /** Our DTR is the caller's carrier. */
  #setDtr(): void {
    const { carrier } = this.#outer.modem;
    if (carrier === this.#dtr) return;
    this.#dtr = carrier;
    this.#host.machine.serial.setDtr(this.#host.tty.fd, carrier);
  }

  /** Looks at the caller's DTR, which is our DSR and DCD. With `modem` the port itself hangs up when it falls. */
  #look(now: number): void {
    const lines = this.#host.machine.serial.modemLines(this.#host.tty.fd);
    const isUp = lines !== undefined && (lines.dsr || lines.cd);
    if (this.#callerWasUp && !isUp) (this.#modemLine ?? this.#phone.line)?.dtrFell();
    this.#callerWasUp = isUp;
    this.#lookAt = lines === undefined ? Infinity : now + LOOK_MS;
  }
}

/** With find-speed, the text names the speed at which the caller was recognised. */
function withSpeed(finding: Omit<Finding, "code">, caller: Caller, speed: number): Omit<Finding, "code"> {
  if (caller !== "noise") return { ...finding, text: `${finding.text}, at ${speed}` };
  return { ...finding, remedy: "the caller has another speed, which is looked for" };
}
