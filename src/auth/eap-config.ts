// EAP (RFC 3748): what both roles are told, and what is said of a packet that is none. The client is eap-client.ts, the
// server eap-server.ts; the proofs are methods: eap-methods.ts has two, and another may be plugged in.

import { u16 } from "../bytes/be.ts";
import { HEADER_LENGTH, parseControl } from "../wire/control.ts";
import { EapCode } from "../wire/eap.ts";
import type { Answers } from "./answers.ts";
import type { LogLine } from "./digest.ts";
import type { EapClientMethod, EapServerMethod, MethodHost } from "./eap-methods.ts";
import type { MsChapConfig } from "./mschap.ts";
import type { Names } from "./names.ts";

/** A method from elsewhere, as TLS: `make` is called for each conversation. */
export interface Plugged<Method> {
  readonly type: number;
  readonly make: (host: MethodHost) => Method;
}

export interface EapConfig extends Names, MsChapConfig {
  /** As server: time between Requests, 0: never again; how many to send in all, 0: any number. */
  readonly restartMs: number;
  readonly maxRequests: number;
  /** As server: how long after a success the peer is asked again; 0: never. */
  readonly intervalMs: number;
  /** As client: how long to wait for a Request, 0: for ever; how many to take, 0: any number. */
  readonly timeoutMs: number;
  readonly maxReceived: number;
  /** The link's own. */
  readonly answers: Answers;
  /** Octets of the longest EAP packet the peer takes. */
  readonly packetRoom: () => number;
  readonly clientMethod?: Plugged<EapClientMethod> | undefined;
  readonly serverMethod?: Plugged<EapServerMethod> | undefined;
}

/** What pppd says of a packet that parseEap does not take. */
export function eapComplaint(packet: Uint8Array, start: number, end: number): LogLine {
  const length = end - start;
  if (length < HEADER_LENGTH) return { level: "error", text: `EAP: packet too short: ${length} < ${HEADER_LENGTH}` };
  const control = parseControl(packet, start, end);
  if (control === undefined) {
    const said = u16(packet, start + 2);
    return { level: "error", text: `EAP: packet has illegal length field ${said} (${HEADER_LENGTH}..${length})` };
  }
  if (control.code === EapCode.Request) return { level: "error", text: "EAP: empty Request message discarded" };
  if (control.code === EapCode.Response) return { level: "error", text: "EAP: empty Response message discarded" };
  return { level: "warn", text: `EAP: unknown code ${control.code} received` };
}
