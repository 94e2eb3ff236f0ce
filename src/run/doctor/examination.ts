// Examines a port from this end alone: modem lines, a loopback plug, an echo, the far side's speed, damage. It leaves
// the port at the speed that it was told; the caller puts back what it found.

import { lineTroubleOf } from "../diagnose/line-trouble.ts";
import type { Finding } from "../diagnose/finding.ts";
import { joinedLines, type LineReadings, modemLineTrouble } from "../diagnose/modem-line-trouble.ts";
import { heardTrouble, lostOctetsTrouble } from "../diagnose/octet-trouble.ts";
import { questionFrame } from "../../front/question.ts";
import { slowerSpeed } from "../../front/slower-speed.ts";
import { candidates } from "../../front/speeds.ts";
import type { LineErrors, ModemLines } from "../host/serial.ts";
import { ableSpeeds, COMMON_SPEEDS, trySpeed } from "./able-speeds.ts";
import { Ear, type Kind } from "./ear.ts";
import type { ExaminedPort } from "./examined-port.ts";
import { askAt, comesBack, lostOctets, wordOf } from "./probe.ts";

/** Slower than those that other searches try. A question at 300 would take seconds. */
const SLOWEST = 1200;
/** Modem lines need so long to arrive, also through a USB adapter. */
const SETTLE_MS = 60;
const LISTEN_MS = 400;

const ECHO: Finding = {
  code: "echo",
  text: "The far side sends back what it receives: a login, a modem in command mode or a program that echoes",
  remedy: "start PPP there, or use nullmodem join, which logs in and dials",
  severity: "warning",
};

export interface Facts {
  /** The common speeds that the port can do. */
  readonly speeds: readonly number[];
  /** The others, which the driver refuses or changes. */
  readonly refused: readonly number[];
  /** What the driver had counted at the end, since it was loaded. Undefined: it does not count. */
  readonly errors: LineErrors | undefined;
  /** The modem lines that are up while we drive DTR and RTS. Undefined: the device has none. */
  readonly lines: ModemLines | undefined;
  /** What is at the other end, and its speed if it was understood. */
  readonly far: { readonly kind: Kind | "loopback" | "echo"; readonly speed: number | undefined };
}

export class Examination {
  readonly findings: Finding[] = [];
  readonly #port: ExaminedPort;
  readonly #wanted: number;
  /** The speed that the port has when it is set to the wanted one. */
  #speed: number;
  readonly #random: () => number;

  /** `speed` is the one that the user wants. */
  constructor(port: ExaminedPort, speed: number, random: () => number) {
    this.#port = port;
    this.#wanted = this.#speed = speed;
    this.#random = random;
  }

  async run(): Promise<Facts> {
    const port = this.#port;
    const speeds = ableSpeeds(port);
    const refused = COMMON_SPEEDS.filter((speed) => !speeds.includes(speed));
    this.#find(trySpeed(port, this.#wanted));
    this.#speed = port.setSpeed(this.#wanted);
    const readings = await this.#readLines();
    const far = (await this.#listensToItself(readings)) ?? (await this.#meetFarSide(readings));
    port.setSpeed(this.#wanted);
    return { speeds, refused, lines: readings?.up, far, errors: port.lineErrors() };
  }

  #find(findings: readonly Finding[]): void {
    for (const finding of findings)
      if (!this.findings.some(({ code }) => code === finding.code)) this.findings.push(finding);
  }

  async #readLines(): Promise<LineReadings | undefined> {
    const port = this.#port;
    const look = async (dtr: boolean, rts: boolean): Promise<ModemLines | undefined> => {
      port.drive({ dtr, rts });
      const until = port.now() + SETTLE_MS;
      while (port.now() < until) {
        await port.wait(until - port.now());
        port.read();
      }
      return port.modemLines();
    };
    if (port.modemLines() === undefined) return undefined;
    const dtrDown = await look(false, true);
    const rtsDown = await look(true, false);
    const up = await look(true, true);
    return up === undefined || dtrDown === undefined || rtsDown === undefined ? undefined : { up, dtrDown, rtsDown };
  }

  /** Looks for a plug that connects the port with itself, and for a far side that echoes. Undefined: neither. */
  async #listensToItself(readings: LineReadings | undefined): Promise<Facts["far"] | undefined> {
    const port = this.#port;
    const speed = port.setSpeed(this.#wanted);
    port.discard();
    const ear = new Ear();
    const isBack = (at: number): Promise<boolean> => comesBack(port, ear, wordOf(this.#random), at);
    // Noise in the middle of the word may have spoilt the first one.
    if (!(await isBack(speed)) && (ear.kind === "nothing" || !(await isBack(speed)))) return undefined;
    if (!port.isPty && (await isBack(port.setSpeed(otherThan(speed))))) {
      const more =
        readings === undefined || joinedLines(readings).length === 0 ? "" : ", which connects modem lines too";
      this.findings.push({
        code: "loopback",
        text: `What the port sends comes back at every speed: it has a loopback plug${more}, or TxD and RxD touch`,
        remedy: "remove the plug",
        severity: "warning",
      });
      port.setSpeed(speed);
      this.#find(lostOctetsTrouble(await lostOctets(port, speed)));
      return { kind: "loopback", speed: undefined };
    }
    port.setSpeed(speed);
    this.findings.push(ECHO);
    this.#find(modemLineTrouble(readings));
    return { kind: "echo", speed };
  }

  async #meetFarSide(readings: LineReadings | undefined): Promise<Facts["far"]> {
    this.#find(modemLineTrouble(readings));
    const port = this.#port;
    const question = questionFrame(this.#random());
    let heard: Kind = "nothing";
    let summary = "";
    const speeds = [...new Set([...candidates([this.#speed]), SLOWEST])];
    for (let speed; (speed = speeds.shift()) !== undefined;) {
      if (speed !== this.#speed && trySpeed(port, speed).length > 0) continue;
      port.setSpeed(speed);
      port.discard();
      const ear = new Ear();
      const before = port.lineErrors();
      if (speed === this.#speed) await ear.listen(port, LISTEN_MS, () => ear.isUnderstood);
      if (!ear.isUnderstood) await askAt(port, ear, speed, question);
      // What comes may be in the middle of a frame or a line.
      if (!ear.isUnderstood && ear.kind === "noise") await ear.listen(port, LISTEN_MS, () => ear.isUnderstood);
      if (ear.isUnderstood) {
        const understood = port.lineErrors();
        await ear.listen(port, LISTEN_MS);
        // Framing errors and breaks before may be from the change of the speed.
        const counted = understood &&
          before && { ...understood, overrun: before.overrun, bufOverrun: before.bufOverrun };
        this.#find(lineTroubleOf("off", undefined, counted, port.lineErrors()));
        return { kind: await this.#understood(ear, speed), speed };
      }
      if (ear.kind !== "noise") continue;
      const likely = slowerSpeed(ear.first, speed, speeds);
      if (likely !== undefined) speeds.unshift(...speeds.splice(speeds.indexOf(likely), 1));
      if (heard === "nothing") summary = ear.summary;
      heard = "noise";
    }
    this.#notUnderstood(heard, summary);
    return { kind: heard, speed: undefined };
  }

  async #understood(ear: Ear, speed: number): Promise<Facts["far"]["kind"]> {
    if (speed !== this.#speed)
      this.findings.push({
        code: "other-speed",
        text: `The far side uses ${speed} bit/s, not ${this.#wanted}`,
        remedy: `give pppd ${speed}, or set the far side to ${this.#wanted}`,
        severity: "warning",
      });
    // At our own speed an echo has been looked for. At another, our own question may have come back.
    if (speed !== this.#speed && (await comesBack(this.#port, new Ear(), wordOf(this.#random), speed))) {
      this.findings.push(ECHO);
      return "echo";
    }
    this.#find(heardTrouble(ear.heard));
    if (ear.kind !== "text") return ear.kind;
    // "Heard text and no PPP, "login:": a connect script that logs in is missing"
    const [text, remedy] = split(ear.summary);
    this.findings.push({ code: "text", text, remedy, severity: "warning" });
    return ear.kind;
  }

  #notUnderstood(heard: Kind, summary: string): void {
    if (heard === "nothing")
      this.findings.push({
        code: "silence",
        text: "Nothing came at any speed",
        remedy:
          "start pppd at the far side; if it runs, the cable is in another port, or it is not a null-modem cable (TxD and RxD crossed)",
        severity: "warning",
      });
    else
      this.findings.push({
        code: "noise",
        text: `${split(summary)[0]}, and no speed makes sense of it`,
        remedy: "set both ports to one speed, 8 data bits and no parity, and check the ground wire",
        severity: "warning",
      });
  }
}

/** A speed at which a far side would not understand this one. */
function otherThan(speed: number): number {
  return speed === 9600 ? 38400 : 9600;
}

/** A sentence of pppd and its advice, which follows the last colon. */
function split(summary: string): [text: string, remedy: string] {
  const at = summary.lastIndexOf(": ");
  return at < 0 ? [summary, ""] : [summary.slice(0, at), summary.slice(at + 2)];
}
