// Overwrites the passwords that a packet carries in clear: those of PAP (RFC 1334 §2.2), one-time passwords and tokens of
// EAP (RFC 3748 §5.5, §5.6), all that authentication protocols which this program does not know have to say, and the same in
// an LCP Protocol-Reject or Code-Reject, which carries the packet that it rejects. Lengths stay. CHAP, MS-CHAP and EAP's
// other methods send no passwords.

import { u16 } from "../bytes/be.ts";
import { Code, HEADER_LENGTH } from "./control.ts";
import { EapCode, EapType } from "./eap.ts";
import { PapCode } from "./pap.ts";
import { Protocol } from "./protocols.ts";

const HIDDEN = 0x2a;

/** Those of Shiva, RSA, Mitsubishi (SIEP), Stampede and other vendors (IANA, ppp-numbers). */
const UNKNOWN_AUTHENTICATION = new Set<number>([
  Protocol.SPAP,
  0xc05b,
  0xc123,
  0xc225,
  0xc229,
  0xc26f,
  0xc281,
  0xc283,
  0xc481,
]);

/** Methods of EAP whose responses are passwords, or may be: the last two are those of vendors and of experiments. */
const TELLING_METHODS = new Set<number>([EapType.Otp, EapType.TokenCard, 254, 255]);

/** `packet[start, end)` is a packet of `protocol`, without the protocol field. */
export function hidePassword(protocol: number, packet: Uint8Array, start: number, end: number): void {
  const code = packet[start];
  const data = start + HEADER_LENGTH;
  if (data >= end) return;
  if (protocol === Protocol.LCP) hideRejected(packet, start, end);
  else if (protocol === Protocol.PAP) {
    // After the user's name. Where its length lies, nothing tells the name from the password.
    const name = data + 1 + packet[data]!;
    if (code === PapCode.AuthReq) packet.fill(HIDDEN, name < end ? name + 1 : data, end);
    else if (code !== PapCode.AuthAck && code !== PapCode.AuthNak) packet.fill(HIDDEN, data, end);
  } else if (protocol === Protocol.EAP) {
    if (code === EapCode.Response && TELLING_METHODS.has(packet[data]!)) packet.fill(HIDDEN, data + 1, end);
  } else if (UNKNOWN_AUTHENTICATION.has(protocol)) packet.fill(HIDDEN, data, end);
}

/** A packet of LCP. What one rejects may be one that rejects another. */
function hideRejected(packet: Uint8Array, start: number, end: number): void {
  for (let at = start; at + HEADER_LENGTH < end;) {
    const code = packet[at];
    const data = at + HEADER_LENGTH;
    if (code === Code.CodeRej) at = data;
    else if (code !== Code.ProtRej || data + 2 > end) return;
    else if (u16(packet, data) === Protocol.LCP) at = data + 2;
    else return hidePassword(u16(packet, data), packet, data + 2, end);
  }
}
