// The telephone of the modem that we play: numbers of the phone book reach TCP hosts. While a call lasts, a ModemLine has the
// line; before and after it, the front.

import { decoded, textOf } from "../../bytes/text.ts";
import type { Front } from "../../front/front.ts";
import { ModemLine } from "../../front/modem-line.ts";
import type { Config } from "../../options/config.ts";
import { parsePhoneBook, type PhoneNumber, plainNumber } from "../../options/phone-book.ts";
import type { Log } from "../log.ts";
import type { LinePort, LineStage } from "../loop/line-port.ts";
import type { Loop } from "../loop/loop.ts";
import { isHostError, type Machine } from "../machine.ts";
import { PhoneCall } from "./phone-call.ts";

/** Returns the host of a number, "HOST:PORT", or undefined. What is wrong with the file is logged. */
export function phoneBook(machine: Machine, config: Config, log: Log): (number: string) => string | undefined {
  const numbers = [...fileNumbers(machine, config.phonebook, log), ...config.phoneNumbers];
  const hosts = new Map(numbers.map(({ number, host }) => [number, host]));
  return (number) => hosts.get(plainNumber(number));
}

function fileNumbers(machine: Machine, path: string | undefined, log: Log): PhoneNumber[] {
  if (path === undefined) return [];
  try {
    const { numbers, bad } = parsePhoneBook(decoded(textOf(machine.files.read(path))));
    for (const line of bad) log.write("warn", `${path}, line ${line}: not NUMBER = HOST:PORT`);
    return numbers;
  } catch (error) {
    if (!isHostError(error)) throw error;
    log.write("warn", `Can't read the phone book ${path}: ${error.reason}`);
    return [];
  }
}

export interface PhoneHost {
  readonly machine: Machine;
  readonly log: Log;
  readonly port: LinePort;
  readonly loop: Loop;
}

/** What has the line when there is no call. */
export type Desk = LineStage & Pick<Front, "resume">;

export class Phone {
  /** The line of a caller that is connected to a host. */
  line: ModemLine | undefined;
  readonly #host: PhoneHost;
  #call: PhoneCall | undefined;

  constructor(host: PhoneHost) {
    this.#host = host;
  }

  /** When {@link settle} is to be called. */
  get nextLookAt(): number {
    return this.#call?.nextLookAt ?? Infinity;
  }

  /** How often the runtime must have its turn: it looks up names. */
  get turnMs(): number {
    return this.#call?.turnMs ?? Infinity;
  }

  settle({ modem }: Front, desk: Desk, now: number): void {
    if (this.line !== undefined) {
      if (this.line.isHungUp || this.#call!.hasEnded) this.#ends(desk, now);
      return;
    }
    if (modem.calledHost === undefined) {
      this.close();
      return;
    }
    this.#call ??= this.#dial(modem.calledHost, modem.patienceMs, now);
    this.#call.look(now);
    const { outcome, pipe } = this.#call;
    const { log, port, loop } = this.#host;
    if (outcome !== undefined) {
      log.write("info", `${modem.calledHost}: ${outcome.reason}`);
      modem.failed(outcome.result);
      this.close();
      desk.resume(port.buffers.input);
    } else if (pipe !== undefined) {
      log.write("info", `Connected to ${modem.calledHost}`);
      const { input, output } = port.buffers;
      modem.connected();
      desk.resume(input);
      desk.flush(now);
      this.line = new ModemLine({ modem, connection: pipe, input, output }, now);
      loop.handOver(port, this.line, now);
    }
  }

  #dial(address: string, patienceMs: number, now: number): PhoneCall {
    const { machine, log, port, loop } = this.#host;
    const { input, output } = port.buffers;
    log.write("info", `The caller dials ${address}`);
    return new PhoneCall({ machine, loop, address, input, output }, patienceMs, now);
  }

  #ends(desk: Desk, now: number): void {
    const { log, port, loop } = this.#host;
    log.write("info", "The call has ended");
    this.line!.ends(now);
    this.line = undefined;
    this.close();
    loop.handOver(port, desk, now);
  }

  /** Ends the call. The caller gets no word. */
  close(): void {
    this.#call?.close();
    this.#call = this.line = undefined;
  }
}
