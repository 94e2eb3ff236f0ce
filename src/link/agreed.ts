// What the two ends of a link have agreed on in LCP, for whoever looks at the link from outside.

import type { EchoTimes } from "../control/echo-times.ts";
import type { LcpOptions } from "../control/options/lcp-options.ts";
import { DEFAULT_MRU } from "../control/options/lcp/max-receive-unit.ts";
import { toHex } from "../bytes/text.ts";
import { ACCM_ALL } from "../frame/accm.ts";
import type { AuthMethod } from "../wire/auth-method.ts";
import type { LinkControl } from "./link-control.ts";

/** The form of what one end sends, as the other end has asked for it. */
export interface AgreedWay {
  /** The longest packet, in octets. */
  readonly mru: number;
  /** The control characters that are escaped, as eight hexadecimal digits. */
  readonly accm: string;
  /** The protocol field, and the address and control fields, may be compressed. */
  readonly pcomp: boolean;
  readonly accomp: boolean;
  /** The bits of the frame check sequence. */
  readonly fcs: number;
  /** How the end that sends has to prove who it is. Undefined: not at all. */
  readonly auth?: AuthMethod | undefined;
  /** The longest packet that is put together from pieces of multilink. Undefined: no multilink. */
  readonly mrru?: number | undefined;
  /** The endpoint discriminator of the end that receives, in hexadecimal digits after its class. */
  readonly endpoint?: string | undefined;
}

export interface Agreed {
  /** Undefined: LCP is not up. */
  readonly ways: { readonly receive: AgreedWay; readonly transmit: AgreedWay } | undefined;
  readonly echoTimes: EchoTimes;
}

export function agreedOf({ opened, options, echoTimes }: LinkControl): Agreed {
  const ways = opened ? { receive: wayOf(options.got), transmit: wayOf(options.peer) } : undefined;
  return { ways, echoTimes };
}

function wayOf({ mru, asyncmap, pcomp, accomp, fcs, auth, mrru, endpoint }: LcpOptions): AgreedWay {
  return {
    mru: mru ?? DEFAULT_MRU,
    accm: (asyncmap ?? ACCM_ALL).toString(16).padStart(8, "0"),
    pcomp,
    accomp,
    fcs: fcs ?? 16,
    auth,
    mrru,
    endpoint: endpoint && `${endpoint.class}:${toHex(endpoint.value)}`,
  };
}
