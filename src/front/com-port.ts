// The client's side of RFC 2217: a serial port behind telnet gets its speed, its format and its modem lines from us, and tells
// of its carrier.

/** Telnet's option COM-PORT-OPTION. */
export const COM_PORT = 44;

const Command = { BAUDRATE: 1, DATASIZE: 2, PARITY: 3, STOPSIZE: 4, CONTROL: 5, MODEMSTATE_MASK: 11 } as const;
const NOTIFY_MODEMSTATE = 107;
const CARRIER = 0x80;
const NO_PARITY = 1;
const DTR_ON = 8;
const RTS_ON = 11;
const FLOW = { none: 1, xonxoff: 2, crtscts: 3 } as const;

export interface ComPortSettings {
  /** Bits a second; 0: leave it as it is. */
  readonly speed: number;
  readonly stopBits: 1 | 2;
  /** Undefined: leave it as it is. */
  readonly flow: keyof typeof FLOW | undefined;
  /** The line ends when its carrier is lost. */
  readonly watchesCarrier: boolean;
}

export class ComPort {
  /** The carrier was there, and is lost. */
  hasLostCarrier = false;
  /** The speed that the port says it has. */
  speed: number | undefined;
  readonly #settings: ComPortSettings;
  #hadCarrier = false;

  constructor(settings: ComPortSettings) {
    this.#settings = settings;
  }

  /** What sets the port up. */
  get requests(): number[][] {
    const { speed, stopBits, flow, watchesCarrier } = this.#settings;
    const requests: number[][] = [];
    if (speed > 0)
      requests.push([Command.BAUDRATE, speed >>> 24, (speed >>> 16) & 255, (speed >>> 8) & 255, speed & 255]);
    requests.push([Command.DATASIZE, 8], [Command.PARITY, NO_PARITY], [Command.STOPSIZE, stopBits]);
    if (flow !== undefined) requests.push([Command.CONTROL, FLOW[flow]]);
    requests.push([Command.CONTROL, DTR_ON]);
    // With CTS and RTS as flow control, the port itself moves RTS.
    if (flow !== "crtscts") requests.push([Command.CONTROL, RTS_ON]);
    if (watchesCarrier) requests.push([Command.MODEMSTATE_MASK, CARRIER]);
    return requests;
  }

  /** Takes what the port says. */
  receive([command, ...value]: readonly number[]): void {
    if (command === Command.BAUDRATE + 100 && value.length === 4)
      this.speed = value.reduce((sum, octet) => sum * 256 + octet, 0);
    if (command !== NOTIFY_MODEMSTATE || value.length !== 1) return;
    const hasCarrier = (value[0]! & CARRIER) !== 0;
    if (this.#settings.watchesCarrier && this.#hadCarrier && !hasCarrier) this.hasLostCarrier = true;
    this.#hadCarrier ||= hasCarrier;
  }
}
