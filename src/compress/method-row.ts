// One row is one compression method of CCP: its option, what we ask for and answer, pppd's name for it, and its codec
// in each direction (RFC 1962 §4).

import type { ConfOption, Verdict } from "../wire/control.ts";
import type { ValueText } from "../wire/text-part.ts";
import type { Compressor, Decompressor } from "./codec.ts";

/** Ask the peer for it, accept it when the peer asks for it or knows nothing else, or neither. */
export type Wish = "request" | "accept" | "no";

/** Code sizes for what the peer sends and for what we send. 0: not in that direction. */
export interface Sizes {
  readonly receive: number;
  readonly transmit: number;
}

/** The start keys of encryption, 16 octets in each direction. */
export interface Keys {
  readonly transmit: Uint8Array;
  readonly receive: Uint8Array;
}

/** A method that was agreed on for one direction. */
export interface Method {
  /** When the methods of both directions are of one kind, they are shown under one name. */
  readonly kind: string;
  /** pppd's name in "… compression enabled". */
  readonly name: string;
  /** The size after the name, if pppd shows one. */
  readonly size?: number;
  /** Undefined when the method does not encrypt. */
  readonly encryption?: { readonly bits: 40 | 56 | 128; readonly stateless: boolean };
  /** Undefined when the keys for the method are missing. */
  compressor(keys: Keys | undefined): Compressor | undefined;
  decompressor(keys: Keys | undefined): Decompressor | undefined;
}

/** Logs an error. */
export type Complain = (text: string) => void;

/** A row declares only the fields it needs of the configuration. CcpConfig is put together from all rows. */
export interface MethodRow<Config> {
  readonly type: number;
  /** Shows the value in pppd's words. Without this function the option is shown as octets. */
  readonly describe?: ValueText;
  /** pppd acknowledges several such options in one request. Of other options we acknowledge one alone. */
  readonly inLists?: true;
  /** When encryption is required, only such methods are negotiated. */
  readonly encrypts?: true;
  /** The option that asks the peer to send with the method. Undefined: we do not ask for it. */
  ask?(config: Config): ConfOption | undefined;
  /** Returns the verdict on the peer's option. Without this function the option is Rejected. */
  judge?(value: Uint8Array, config: Config, complain: Complain): Verdict;
  /** The option to ask for when a Nak of `asked` offers `offer`. Undefined: the method is given up. */
  better?(asked: Uint8Array, offer: Uint8Array, config: Config, complain: Complain): ConfOption | undefined;
  /** The method of an agreed option. Undefined: we do not have it. */
  parse?(value: Uint8Array): Method | undefined;
}
