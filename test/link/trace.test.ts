// Debug lines of packets have no password where hide-password is in force, whatever is wrong with the packet.

import { expect, test } from "bun:test";
import { Trace } from "../../src/link/trace.ts";
import { putAuthReq } from "../../src/wire/pap.ts";
import { Protocol } from "../../src/wire/protocols.ts";

function shown(hidePassword: boolean, protocol: number, packet: Uint8Array): string {
  const lines: string[] = [];
  new Trace(hidePassword, 2, (text) => lines.push(text)).packet("rcvd", protocol, packet, 0, packet.length, false);
  return lines.join("\n");
}

const buf = new Uint8Array(64);
const REQUEST = buf.slice(0, putAuthReq(buf, 0, 1, "u", "pass"));
const REJECT = Uint8Array.of(8, 1, 0, 6 + REQUEST.length, 0xc0, 0x23, ...REQUEST);
const CODE_REJECT = Uint8Array.of(7, 1, 0, 4 + REJECT.length, ...REJECT);
const PASS = Buffer.from("pass");
const WRONG = REQUEST.with(4, 99);
/** "pass", as octets of a packet are shown. */
const OCTETS = "70 61 73 73";

test("a whole request of PAP", () => {
  expect(shown(true, Protocol.PAP, REQUEST)).toBe('rcvd [PAP AuthReq id=0x1 user="u" password=<hidden>]');
  expect(shown(false, Protocol.PAP, REQUEST)).toBe('rcvd [PAP AuthReq id=0x1 user="u" password="pass"]');
});

test.each([
  ["a request of PAP with a wrong length", Protocol.PAP, WRONG],
  ["a Protocol-Reject of a request of PAP", Protocol.LCP, REJECT],
  ["a Code-Reject of that", Protocol.LCP, CODE_REJECT],
  ["a token of EAP", Protocol.EAP, Uint8Array.of(2, 1, 0, 9, 6, ...PASS)],
  ["a vendor's method of EAP", Protocol.EAP, Uint8Array.of(2, 1, 0, 9, 254, ...PASS)],
  ["Shiva's PAP", Protocol.SPAP, Uint8Array.of(1, 1, 0, 8, ...PASS)],
  ["a vendor's authentication", 0xc281, Uint8Array.of(1, 1, 0, 8, ...PASS)],
] as const)("%s", (_, protocol, packet) => {
  expect(shown(true, protocol, packet)).not.toContain(OCTETS);
  expect(shown(false, protocol, packet)).toContain(OCTETS);
});
