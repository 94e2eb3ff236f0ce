// The settings of EAP (RFC 3748) for both roles, and the log lines for invalid packets. The client is in eap-client.ts,
// the server in eap-server.ts. eap-methods.ts has two methods; others can be plugged in.

import { u16 } from "../bytes/be.ts";
import { HEADER_LENGTH, parseControl } from "../wire/control.ts";
import { EapCode } from "../wire/eap.ts";
import type { Answers } from "./answers.ts";
import type { LogLine } from "./digest.ts";
import type { EapClientMethod, EapServerMethod, MethodHost } from "./eap-methods.ts";
import type { MsChapConfig } from "./mschap.ts";
import type { Names } from "./names.ts";

/** A method from outside this folder, such as TLS. `make` is called for each conversation. */
export interface Plugged<Method> {
  readonly type: number;
  readonly make: (host: MethodHost) => Method;
}

export interface EapConfig extends Names, MsChapConfig {
  /** As server: time between Requests (0: do not repeat), and how many to send in all (0: no limit). */
  readonly restartMs: number;
  readonly maxRequests: number;
  /** As server: how long after a success to ask again; 0: never. */
  readonly intervalMs: number;
  /** As client: how long to wait for a Request, and how many to accept. 0: no limit. */
  readonly timeoutMs: number;
  readonly maxReceived: number;
  /** The link's record of our own answers. */
  readonly answers: Answers;
  /** The longest EAP packet that the peer accepts, in octets. */
  readonly packetRoom: () => number;
  readonly clientMethod?: Plugged<EapClientMethod> | undefined;
  readonly serverMethod?: Plugged<EapServerMethod> | undefined;
}

/** pppd's log line for a packet that parseEap refuses. */
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
