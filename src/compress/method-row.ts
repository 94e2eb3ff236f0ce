// One row is one compression method of CCP: its option on the wire, what we ask for and answer, its name in pppd's words,
// and its codec each way (RFC 1962 §4).

import type { ConfOption, Verdict } from "../wire/control.ts";
import type { ValueText } from "../wire/text-part.ts";
import type { Compressor, Decompressor } from "./codec.ts";

/** Ask the peer for it, take it when the peer asks (or knows nothing else), or have nothing to do with it. */
export type Wish = "request" | "accept" | "no";

/** Code sizes for what the peer sends and for what we send; 0: not that way. */
export interface Sizes {
  readonly receive: number;
  readonly transmit: number;
}

/** The start keys of encryption, 16 octets each way. */
export interface Keys {
  readonly transmit: Uint8Array;
  readonly receive: Uint8Array;
}

/** A method that one direction agreed on. */
export interface Method {
  /** Two directions whose methods are of one kind are shown under one name. */
  readonly kind: string;
  /** pppd's name in "… compression enabled". */
  readonly name: string;
  /** The size behind the name, if pppd shows one. */
  readonly size?: number;
  /** Undefined: the method does not encrypt. */
  readonly encryption?: { readonly bits: 40 | 56 | 128; readonly stateless: boolean };
  /** Undefined without the keys that the method needs. */
  compressor(keys: Keys | undefined): Compressor | undefined;
  decompressor(keys: Keys | undefined): Decompressor | undefined;
}

/** Logs an error. */
export type Complain = (text: string) => void;

/** A row declares only the fields it needs of the configuration. CcpConfig is put together from all rows. */
export interface MethodRow<Config> {
  readonly type: number;
  /** The value in pppd's words. Without it the option is shown as octets. */
  readonly describe?: ValueText;
  /** pppd acknowledges several such options in one request. Of the others we acknowledge one alone. */
  readonly inLists?: true;
  /** Only such methods are negotiated when encryption is required. */
  readonly encrypts?: true;
  /** The option that asks the peer to send with the method; undefined: it is not wanted. */
  ask?(config: Config): ConfOption | undefined;
  /** The verdict on the peer's option. Without it the option is Rejected. */
  judge?(value: Uint8Array, config: Config, complain: Complain): Verdict;
  /** What to ask for after a Nak of `asked` that offers `offer`; undefined: the method is given up. */
  better?(asked: Uint8Array, offer: Uint8Array, config: Config, complain: Complain): ConfOption | undefined;
  /** The method that an agreed option stands for; undefined: we do not have it. */
  parse?(value: Uint8Array): Method | undefined;
}
