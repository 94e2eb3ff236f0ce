// The phone book of the modem that a port plays: numbers, and the TCP hosts that they reach. Only root writes in it. A
// caller cannot name a host.

import { parseSocketAddress } from "./socket-address.ts";

export interface PhoneNumber {
  readonly number: string;
  /** "HOST:PORT" */
  readonly host: string;
}

/** What people and programs put between the digits, and the modem's signs for pauses and tones. */
const BETWEEN = /[-\s().,/W@!]/g;

/** A number as it is looked up, without what does not tell numbers apart. */
export function plainNumber(number: string): string {
  return number.toUpperCase().replace(BETWEEN, "");
}

/** "NUMBER=HOST:PORT", also with spaces. Undefined: it is not one. */
export function parsePhoneNumber(text: string): PhoneNumber | undefined {
  const [, written = "", host = ""] = /^([^=]*)=\s*(\S+)\s*$/.exec(text) ?? [];
  const number = plainNumber(written);
  const isHost = parseSocketAddress(host)?.host !== undefined;
  return /^[0-9A-Z*#+]+$/.test(number) && isHost ? { number, host } : undefined;
}

/** A file with a number on each line; "#" begins a comment. `bad` has the numbers of lines that are none. */
export function parsePhoneBook(text: string): { numbers: PhoneNumber[]; bad: number[] } {
  const numbers: PhoneNumber[] = [];
  const bad: number[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const entry = line.replace(/(^|\s)#.*/, "").trim();
    if (entry === "") continue;
    const number = parsePhoneNumber(entry);
    if (number === undefined) bad.push(at + 1);
    else numbers.push(number);
  }
  return { numbers, bad };
}
