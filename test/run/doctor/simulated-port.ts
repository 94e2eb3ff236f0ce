// A port with a far side in simulated time. UARTs decide what each end makes of the other's octets.

import type { LineErrors, ModemLines } from "../../../src/run/host/serial.ts";
import type { ExaminedPort } from "../../../src/run/doctor/examined-port.ts";
import { questionFrame } from "../../../src/front/question.ts";
import { bytesOf, textOf } from "../../../src/bytes/text.ts";
import { type PortFormat, pppFormat, received } from "../../kit/uart.ts";

const OCTET_BITS = 10;

/** Answers octets with octets. */
export type FarSide = (octets: Uint8Array) => Uint8Array;

const NONE = new Uint8Array(0);
export const silent: FarSide = () => NONE;
export const echo: FarSide = (octets) => octets;
/** A Configure-Request of the far side. */
export const REQUEST = questionFrame(7);
export const ppp: FarSide = (octets) => (textOf(octets).includes("~\xff}#\xc0!") ? REQUEST : NONE);
/** A getty: shows its prompt at Return, and echoes. */
export const login: FarSide = (octets) =>
  Uint8Array.of(
    ...octets,
    ...(textOf(octets).includes("\r") ? bytesOf("\r\nDebian GNU/Linux 12 host ttyS1\r\n\r\nhost login: ") : NONE),
  );

export interface Scene {
  readonly far?: FarSide;
  readonly format?: PortFormat;
  /** TxD is connected to RxD, and these octets get through. */
  readonly plug?: (octets: Uint8Array) => Uint8Array;
  /** What the port sees of its modem lines. Undefined: it has none. */
  readonly lines?: ((own: { dtr: boolean; rts: boolean }) => Pick<ModemLines, "cts" | "dsr" | "cd">) | "none";
  /** The far side says this by itself. */
  readonly says?: Uint8Array;
  readonly fastest?: number;
  readonly isPty?: boolean;
  /** The driver counts these for each octet that comes. */
  readonly errors?: Partial<LineErrors>;
}

export class SimulatedPort implements ExaminedPort {
  readonly path = "/dev/ttyS0";
  readonly base = 115200;
  readonly isPty: boolean;
  readonly #scene: Scene;
  #now = 0;
  #speed = 9600;
  #own = { dtr: true, rts: true };
  /** In the order of their arrival. `from` is undefined for octets of a plug. */
  #coming: { at: number; octets: Uint8Array; from: PortFormat | undefined }[] = [];
  #input: number[] = [];
  #errors = { frame: 0, overrun: 0, parity: 0, brk: 0, bufOverrun: 0 };

  constructor(scene: Scene) {
    this.#scene = scene;
    this.isPty = scene.isPty ?? false;
    const { says, format = pppFormat(115200) } = scene;
    // Every 50 ms for a minute.
    if (says !== undefined)
      this.#coming = Array.from({ length: 1200 }, (_, nth) => ({ at: 50 * nth, octets: says, from: format }));
  }

  get speed(): number {
    return this.#speed;
  }

  now(): number {
    return this.#now;
  }

  async wait(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    const [next] = this.#coming;
    this.#now = Math.max(this.#now, Math.min(until, next?.at ?? Infinity));
    for (; this.#coming[0] !== undefined && this.#coming[0].at <= this.#now; this.#coming.shift()) this.#take();
  }

  #take(): void {
    const { octets, from } = this.#coming[0]!;
    for (const [name, count] of Object.entries(this.#scene.errors ?? {}))
      this.#errors[name as keyof LineErrors] += count;
    if (from === undefined) return void this.#input.push(...octets);
    const heard = received(octets, from, pppFormat(this.#speed));
    this.#input.push(...heard.octets);
    for (const name of ["frame", "parity", "brk"] as const) this.#errors[name] += heard.stats[name];
  }

  read(): Uint8Array {
    return Uint8Array.from(this.#input.splice(0));
  }

  write(octets: Uint8Array): number {
    const { far = ppp, format = pppFormat(115200), plug } = this.#scene;
    const at = this.#now + (octets.length * OCTET_BITS * 1000) / this.#speed;
    const back = plug?.(octets) ?? far(received(octets, pppFormat(this.#speed), format).octets);
    if (back.length > 0) this.#coming.push({ at, octets: back, from: plug === undefined ? format : undefined });
    this.#coming.sort((a, b) => a.at - b.at);
    return octets.length;
  }

  unsent(): number {
    return 0;
  }

  discard(): void {
    this.#input = [];
  }

  setSpeed(speed: number): number {
    this.#speed = Math.min(speed, this.#scene.fastest ?? this.base);
    return this.#speed;
  }

  modemLines(): ModemLines | undefined {
    const { lines = () => ({ cts: true, dsr: true, cd: true }) } = this.#scene;
    return lines === "none" ? undefined : { ...this.#own, ri: false, ...lines(this.#own) };
  }

  drive(lines: { dtr: boolean; rts: boolean }): void {
    this.#own = { ...lines };
  }

  lineErrors(): LineErrors {
    return { ...this.#errors };
  }
}
