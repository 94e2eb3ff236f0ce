// The time on a line before PPP begins, with the option autodetect: the front finds out who calls, the log says so, and the
// link gets the line. A caller that dialled keeps its modem while the link is there.

import { type Caller, Front } from "../../front/front.ts";
import { questionFrame } from "../../front/question.ts";
import { ModemLine } from "../../front/modem-line.ts";
import { SearchingFront } from "../../front/searching-front.ts";
import type { Link } from "../../link/link.ts";
import type { Config } from "../../options/config.ts";
import { type Finding, report } from "../diagnose/finding.ts";
import type { Device } from "../host/serial.ts";
import type { Log } from "../log.ts";
import type { LinePort } from "../loop/line-port.ts";
import type { Loop } from "../loop/loop.ts";
import type { Machine } from "../machine.ts";
import { Tuner } from "./tuner.ts";

/** The interval between looks at the caller's DTR. */
const LOOK_MS = 250;

const FINDINGS = {
  ppp: { severity: "info", text: "Recognised PPP" },
  windows: { severity: "info", text: "Recognised Windows, which called CLIENT" },
  modem: { severity: "info", text: "Recognised a modem program, which dialled" },
  slip: { severity: "warning", text: "Heard SLIP", remedy: "this port serves PPP, so set the caller to PPP" },
  person: {
    severity: "warning",
    text: "Heard lines of text: a person or a login script",
    remedy: "the caller must begin PPP, or dial with ATDT777",
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

export interface ReceptionHost {
  readonly machine: Machine;
  readonly config: Config;
  readonly log: Log;
  readonly tty: Device;
  readonly link: Link;
  readonly port: LinePort;
  readonly loop: Loop;
  /** The caller has ended the connection with a command of its modem, or with its DTR. */
  hungUp(now: number): void;
}

export class Reception {
  readonly #host: ReceptionHost;
  /** What has the line until the caller is recognised. */
  readonly #listener: Front | SearchingFront;
  /** With find-speed. */
  readonly #tuner: Tuner | undefined;
  readonly #told = new Set<Caller>();
  /** The line of a caller that has dialled. */
  #modemLine: ModemLine | undefined;
  #dtr = true;
  /** The caller's DTR was up at the last look. */
  #callerWasUp = false;
  #lookAt = Infinity;
  #hasToldTelnet = false;

  constructor(host: ReceptionHost, now: number) {
    const { config, tty, port, loop } = host;
    const { autodetect: answers, modemConnect: connectText, modemStrict: isStrict } = config;
    const { output } = port.buffers;
    this.#host = host;
    const front = (): Front => new Front({ answers, modem: { speed: tty.speed, connectText, isStrict } }, output);
    this.#tuner = config.findSpeed ? Tuner.of(host.machine, tty, port, config.speed) : undefined;
    const question = questionFrame(host.machine.random.u32());
    this.#listener =
      this.#tuner === undefined ? front() : new SearchingFront(front, { speeds: this.#tuner.speeds, question }, output);
    loop.handOver(port, this.#listener, now);
  }

  get #front(): Front {
    return this.#listener instanceof Front ? this.#listener : this.#listener.front;
  }

  /** When {@link settle} is to be called. */
  get nextLookAt(): number {
    return Math.min(this.#lookAt, this.#tuner?.nextLookAt ?? Infinity);
  }

  /** PPP has not begun. */
  get isWaiting(): boolean {
    return this.#front.decision === undefined;
  }

  settle(now: number): void {
    const { port, hungUp } = this.#host;
    this.#tellTelnet();
    for (let caller; (caller = this.#listener.takeCaller()) !== undefined;) this.#tell(caller);
    if (port.stage === this.#listener && !this.isWaiting) this.#begin(now);
    if (port.stage === this.#listener && this.#listener instanceof SearchingFront)
      this.#tuner?.tune(this.#listener, now);
    this.#setDtr();
    if (this.#lookAt <= now) this.#look(now);
    if (this.#modemLine?.isHungUp !== true) return;
    this.#modemLine.flush(now);
    hungUp(now);
  }

  /** PPP has ended. */
  ends(now: number): void {
    this.#lookAt = Infinity;
    this.#modemLine?.ends(now);
  }

  #tell(caller: Caller): void {
    const { config, log, machine, tty } = this.#host;
    // At another speed the front begins anew, and recognises the same again.
    if (this.#told.has(caller)) return;
    this.#told.add(caller);
    const finding = this.#tuner === undefined ? FINDINGS[caller] : withSpeed(FINDINGS[caller], caller, tty.speed);
    const answered: readonly string[] = config.autodetect;
    const isIgnored = finding.severity === "info" && !answered.includes(caller);
    const frames = caller === "noise" ? (machine.serial.lineErrors(tty.fd)?.frame ?? 0) : 0;
    const more = frames > 0 ? ` (the port has counted ${frames} framing errors)` : "";
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

  #tellTelnet(): void {
    const { log, port } = this.#host;
    if (this.#hasToldTelnet || !port.isTelnet) return;
    this.#hasToldTelnet = true;
    report(log, [{ severity: "info", code: "caller-telnet", text: "Recognised telnet, and answer it" }]);
  }

  /** Gives the line to the link, after the last words of the front. */
  #begin(now: number): void {
    const { link, port, loop } = this.#host;
    const { input, output } = port.buffers;
    this.#tuner?.found();
    this.#front.flush();
    this.#setDtr();
    link.open(now);
    if (this.#front.decision === "modem") {
      this.#modemLine = new ModemLine({ modem: this.#front.modem, connection: link, input, output }, now);
      this.#lookAt = now;
    }
    loop.handOver(port, this.#modemLine ?? link, now);
  }

  /** Our DTR is the caller's carrier. */
  #setDtr(): void {
    const { carrier } = this.#front.modem;
    if (carrier === this.#dtr) return;
    this.#dtr = carrier;
    this.#host.machine.serial.setDtr(this.#host.tty.fd, carrier);
  }

  /** Looks at the caller's DTR, which is our DSR and DCD. With `modem` the port itself hangs up when it falls. */
  #look(now: number): void {
    const lines = this.#host.machine.serial.modemLines(this.#host.tty.fd);
    const isUp = lines !== undefined && (lines.dsr || lines.cd);
    if (this.#callerWasUp && !isUp) this.#modemLine?.dtrFell();
    this.#callerWasUp = isUp;
    this.#lookAt = lines === undefined ? Infinity : now + LOOK_MS;
  }
}

/** With find-speed, the text names the speed at which the caller was recognised. */
function withSpeed(finding: Omit<Finding, "code">, caller: Caller, speed: number): Omit<Finding, "code"> {
  if (caller !== "noise") return { ...finding, text: `${finding.text}, at ${speed}` };
  return { ...finding, remedy: "the caller has another speed, which is looked for" };
}
