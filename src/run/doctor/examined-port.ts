// The serial port that the doctor examines: octets, modem lines, speeds and time. The command makes one of a real port,
// a test makes another.

import type { LineErrors, ModemLines } from "../host/serial.ts";

export interface ExaminedPort {
  readonly path: string;
  readonly isPty: boolean;
  /** Milliseconds since some moment. */
  now(): number;
  /** Resolves when octets have come, or after so many milliseconds. Rejects when the user ends the examination. */
  wait(milliseconds: number): Promise<void>;
  /** All octets that have come. */
  read(): Uint8Array;
  /** Returns how many octets the driver took. */
  write(octets: Uint8Array): number;
  /** Octets that are not sent yet. */
  unsent(): number;
  /** Forgets octets that came and octets that are not sent. */
  discard(): void;
  /** Sets 8 data bits without parity and flow control. Returns the speed that the driver has set. */
  setSpeed(speed: number): number;
  /** The fastest speed of a plain UART. */
  readonly base: number | undefined;
  /** Undefined when the device has no modem lines. */
  modemLines(): ModemLines | undefined;
  drive(lines: { readonly dtr: boolean; readonly rts: boolean }): void;
  lineErrors(): LineErrors | undefined;
}
