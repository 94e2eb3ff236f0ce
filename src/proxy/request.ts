// What a program asks a proxy for, and what becomes of it, whichever protocol it speaks.

import { parseAddress } from "../bytes/prefix.ts";
import { Failure } from "../stack/socket-side.ts";

/** What becomes of a request. */
export const Outcome = {
  GRANTED: "granted",
  /** Something that fits none of the others. */
  FAILED: "failed",
  PROHIBITED: "prohibited",
  NET_UNREACHABLE: "net-unreachable",
  HOST_UNREACHABLE: "host-unreachable",
  REFUSED: "refused",
  TIMED_OUT: "timed-out",
  NO_SUCH_NAME: "no-such-name",
  /** The name servers do not answer. */
  NO_NAME_SERVER: "no-name-server",
  NO_LINK: "no-link",
  /** The protocol has it, and we do not. */
  UNSUPPORTED: "unsupported",
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

const OUTCOMES: Readonly<Partial<Record<Failure, Outcome>>> = {
  [Failure.REFUSED]: Outcome.REFUSED,
  [Failure.NET_UNREACHABLE]: Outcome.NET_UNREACHABLE,
  [Failure.HOST_UNREACHABLE]: Outcome.HOST_UNREACHABLE,
  [Failure.EXPIRED]: Outcome.HOST_UNREACHABLE,
  [Failure.UNSUPPORTED]: Outcome.HOST_UNREACHABLE,
  [Failure.PROHIBITED]: Outcome.PROHIBITED,
};

/** What a failure of a connection means. */
export function outcomeOf(failure: Failure): Outcome {
  return OUTCOMES[failure] ?? Outcome.FAILED;
}

/** An address, or a name that the far end resolves. */
export type Host = Uint8Array | string;

export interface Endpoint {
  readonly address: Uint8Array;
  readonly port: number;
}

export interface ProxyRequest {
  readonly command: "connect" | "datagrams";
  readonly host: Host;
  readonly port: number;
  /** Octets that go to the host before what the program sends. */
  readonly first: Uint8Array;
  /** So many octets of the program belong to the request. What follows is not for this host. Undefined: all belong to it. */
  readonly bodyOctets?: number | undefined;
  /** The answer to the program. `bound` is our own end of the connection. */
  readonly answer: (outcome: Outcome, bound?: Endpoint) => Uint8Array;
}

/** What the first octets of a program say. */
export type Heard =
  | { readonly kind: "more" }
  /** An answer, after which the program says more. It has used so many octets. */
  | { readonly kind: "say"; readonly octets: Uint8Array; readonly used: number }
  | { readonly kind: "request"; readonly request: ProxyRequest; readonly used: number }
  /** The last answer. It may be empty. */
  | { readonly kind: "end"; readonly octets: Uint8Array };

export const MORE: Heard = { kind: "more" };

/** A host as text: an address with or without brackets, or a name. Undefined: it is neither. */
export function hostOf(text: string): Host | undefined {
  const inside = /^\[(.*)\]$/.exec(text)?.[1];
  if (inside !== undefined) return parseAddress(inside);
  const address = parseAddress(text);
  if (address !== undefined) return address;
  // Control characters, spaces and what a URL gives a meaning are in no name.
  return /^[^\0-\x20\x7f-\uffff/:?#[\]@\\]{1,255}$/.test(text) ? text : undefined;
}
