// The whole number that is an option's argument, and its limits.

import { decoded } from "../bytes/text.ts";
import { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";
import { scanNumber, toUint32 } from "./numbers.ts";

export interface Limits {
  readonly min?: number;
  readonly max?: number;
  /**
   * A value outside the limits is not refused but moved to the nearest limit, with a warning: pppd before 2.5.4 accepts
   * any.
   */
  readonly outside?: "moved";
}

/** Throws OptionError. */
export function wholeNumber(name: string, word: string): number {
  const number = scanNumber(word);
  if (number === undefined) throw new OptionError(`invalid numeric parameter '${decoded(word)}' for ${name} option`);
  return toUint32(number.value) | 0;
}

/** The number, or the limit that it is moved to. Throws OptionError. */
export function numberWithin(name: string, word: string, limits: Limits, host: OptionHost): number {
  const value = wholeNumber(name, word);
  const { min = -Infinity, max = Infinity, outside } = limits;
  const nearest = Math.min(Math.max(value, min), max);
  if (nearest === value) return value;
  if (outside !== "moved") checkLimits(name, value, limits);
  const wrong = max === Infinity ? `below ${min}` : `not between ${min} and ${max}`;
  host.warn(`${name} value ${value} is ${wrong}: using ${nearest}`);
  return nearest;
}

export function checkLimits(name: string, value: number, { min, max }: Limits): void {
  const low = min !== undefined && value < min;
  const high = max !== undefined && value > max;
  if (!low && !high) return;
  if (min === undefined) throw new OptionError(`${name} value must be <= ${max}`);
  if (max === undefined) throw new OptionError(`${name} value must be >= ${min}`);
  throw new OptionError(`${name} value must be between ${min} and ${max}`);
}
