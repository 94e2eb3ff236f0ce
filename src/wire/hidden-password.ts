// Overwrites the passwords that a packet carries in clear: those of PAP (RFC 1334 §2.2), one-time passwords and tokens of
// EAP (RFC 3748 §5.5, §5.6), and the same in an LCP Protocol-Reject, which carries the packet that it rejects. Lengths
// stay. CHAP, MS-CHAP and EAP's other methods send no passwords.

import { u16 } from "../bytes/be.ts";
import { Code, HEADER_LENGTH } from "./control.ts";
import { PapCode } from "./pap.ts";
import { Protocol } from "./protocols.ts";

const HIDDEN = 0x2a;
const EAP_RESPONSE = 2;
const EAP_OTP = 5;
const EAP_GTC = 6;

/** `packet[start, end)` is a packet of `protocol`, without the protocol field. */
export function hidePassword(protocol: number, packet: Uint8Array, start: number, end: number): void {
  const code = packet[start];
  const data = start + HEADER_LENGTH;
  if (data >= end) return;
  if (protocol === Protocol.PAP) {
    // After the user's name. Where its length lies, nothing tells the name from the password.
    const name = data + 1 + packet[data]!;
    if (code === PapCode.AuthReq) packet.fill(HIDDEN, name < end ? name + 1 : data, end);
    else if (code !== PapCode.AuthAck && code !== PapCode.AuthNak) packet.fill(HIDDEN, data, end);
  } else if (protocol === Protocol.EAP) {
    const type = packet[data];
    if (code === EAP_RESPONSE && (type === EAP_OTP || type === EAP_GTC)) packet.fill(HIDDEN, data + 1, end);
  } else if (protocol === Protocol.LCP && code === Code.ProtRej && data + 2 <= end) {
    const rejected = u16(packet, data);
    if (rejected !== Protocol.LCP) hidePassword(rejected, packet, data + 2, end);
  }
}
