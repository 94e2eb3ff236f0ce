// The compression methods of CCP, in the order of our Configure-Request. A new method is a file in methods/ and a line here.

import type { ConfOption } from "../wire/control.ts";
import type { Intersection } from "../wire/option-rows.ts";
import type { Method, MethodRow } from "./method-row.ts";
import { bsdCompress } from "./methods/bsd-method.ts";
import { deflate, deflateDraft } from "./methods/deflate-methods.ts";
import { lzs } from "./methods/lzs-method.ts";
import { mppe } from "./methods/mppe-method.ts";
import { predictor1, predictor2 } from "./methods/predictor-methods.ts";

const ROWS = [deflate, deflateDraft, bsdCompress, mppe, lzs, predictor1, predictor2] as const;

type ConfigOf<Row> = Row extends MethodRow<infer Config> ? Config : never;

/** The configuration that the rows need. */
export type MethodsConfig = Intersection<ConfigOf<(typeof ROWS)[number]>>;

export const METHODS: readonly MethodRow<MethodsConfig>[] = ROWS;

/** The method of an agreed option. Undefined: we do not have it. */
export function methodOf({ type, value }: ConfOption): Method | undefined {
  return METHODS.find((row) => row.type === type)?.parse?.(value);
}

/** pppd's name and size of a method. `other` is the other direction's method if it is of the same kind. */
export function methodName({ name, size }: Method, other?: Method): string {
  if (size === undefined) return name;
  return `${name} (${size}${other?.size === undefined || other.size === size ? "" : `/${other.size}`})`;
}

/** pppd's message when CCP is up. Undefined: no compression in either direction. */
export function enabledText(receive: Method | undefined, transmit: Method | undefined): string | undefined {
  if (receive === undefined && transmit === undefined) return undefined;
  if (transmit === undefined) return `${methodName(receive!)} receive compression enabled`;
  if (receive === undefined) return `${methodName(transmit)} transmit compression enabled`;
  if (receive.kind === transmit.kind) return `${methodName(receive, transmit)} compression enabled`;
  return `${methodName(receive)} / ${methodName(transmit)} compression enabled`;
}
