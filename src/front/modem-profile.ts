// The settings of a modem: those in force, and those that ATZ brings back (&W stores them).

export interface Profile {
  readonly echoes: boolean;
  /** Q. 1: no results; 2: none while it answers a call. */
  readonly quiet: number;
  readonly isVerbose: boolean;
  /** X. 0: the plain CONNECT; 1 to 4 name the speed; 2 and 4 tell the lack of a dial tone, 3 and 4 a busy line. */
  readonly extent: number;
  /** &C1: DCD is on only while a connection exists. &C0 is the default, because some programs want DSR on the same wire. */
  readonly carrierFollows: boolean;
  /** &D: what the caller's DTR does when it falls. 0: nothing; 1: to the command line; 2: hang up; 3: hang up and reset. */
  readonly dtrMode: number;
  readonly registers: readonly number[];
}

/** Registers that this modem heeds. */
export const Register = {
  RINGS: 0,
  RING_COUNT: 1,
  ESCAPE: 2,
  RETURN: 3,
  LINE_FEED: 4,
  BACKSPACE: 5,
  PATIENCE: 7,
  GUARD: 12,
} as const;

/** As modems are when they are switched on, with S0 to S12. */
const FACTORY: Profile = {
  echoes: true,
  quiet: 0,
  isVerbose: true,
  extent: 4,
  carrierFollows: false,
  dtrMode: 2,
  registers: [0, 0, 43, 13, 10, 8, 2, 50, 2, 6, 14, 95, 50],
};

export class ModemProfile {
  now = FACTORY;
  #stored = FACTORY;

  /** ATZ */
  restore(): void {
    this.now = this.#stored;
  }

  /** AT&F */
  makeFactory(): void {
    this.now = FACTORY;
  }

  /** AT&W */
  store(): void {
    this.#stored = this.now;
  }

  change(changes: Partial<Profile>): void {
    this.now = { ...this.now, ...changes };
  }

  /** Registers that it does not have are 0. */
  register(number: number): number {
    return this.now.registers[number] ?? 0;
  }

  /** False: the register does not take this value. A register that it does not have takes every octet. */
  setRegister(number: number, value: number): boolean {
    const most = number >= Register.RETURN && number <= Register.BACKSPACE ? 127 : 255;
    if (value > most) return false;
    if (number < this.now.registers.length) this.change({ registers: this.now.registers.with(number, value) });
    return true;
  }
}
