import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { hidePassword } from "../../src/wire/hidden-password.ts";
import { Code, HEADER_LENGTH } from "../../src/wire/control.ts";
import { putAuthReply, putAuthReq } from "../../src/wire/pap.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { putProtocolReject } from "../../src/wire/lcp.ts";

/** The packet after hidePassword, which is given it in the middle of other octets, and must leave those alone. */
function hidden(protocol: number, packet: Uint8Array): string {
  const around = Uint8Array.of(0xa5, ...packet, 0xa5);
  hidePassword(protocol, around, 1, 1 + packet.length);
  expect([around[0], around.at(-1)]).toEqual([0xa5, 0xa5]);
  return Buffer.from(around.subarray(1, -1)).toString("latin1");
}

const buf = new Uint8Array(100);
const request = buf.slice(0, putAuthReq(buf, 0, 7, "zaphod", "gargle"));
const EAP = (code: number, type: number): Uint8Array => Uint8Array.of(code, 1, 0, 9, type, ...Buffer.from("tell"));

test("a password of PAP becomes stars, and its length, the name and the answers stay", () => {
  expect(hidden(Protocol.PAP, request)).toBe("\x01\x07\0\x12\x06zaphod\x06******");
  for (const code of [2, 3] as const) {
    const answer = buf.slice(0, putAuthReply(buf, 0, code, 7, "Login ok"));
    expect(toHex(Buffer.from(hidden(Protocol.PAP, answer), "latin1"))).toBe(toHex(answer));
  }
});

test("a request of PAP with wrong lengths shows none of its password", () => {
  for (let at = 0; at < request.length; at++) expect(hidden(Protocol.PAP, request.subarray(0, at))).not.toContain("g");
  // The length of the name, of the whole, and the code.
  for (const [at, value] of [
    [4, 200],
    [4, 255],
    [3, 200],
    [2, 1],
    [0, 9],
  ] as const) {
    const wrong = request.slice();
    wrong[at] = value;
    expect(hidden(Protocol.PAP, wrong)).not.toContain("gargle");
  }
});

test("what an LCP Protocol-Reject sends back of PAP has no password either", () => {
  const rejected = Uint8Array.of(0xc0, 0x23, ...request);
  const reject = buf.slice(0, putProtocolReject(buf, 0, 3, rejected, 0, rejected.length));
  const shown = hidden(Protocol.LCP, reject);
  expect(shown).toContain("zaphod");
  expect(shown).not.toContain("gargle");
});

test("a refusal of a refusal of PAP has no password either, and a refused answer stays", () => {
  const quoting = (code: number, quoted: Uint8Array): Uint8Array =>
    Uint8Array.of(code, 1, 0, HEADER_LENGTH + quoted.length, ...quoted);
  const rejected = quoting(Code.ProtRej, Uint8Array.of(0xc0, 0x23, ...request));
  for (const packet of [
    quoting(Code.CodeRej, rejected),
    quoting(Code.CodeRej, quoting(Code.CodeRej, rejected)),
    quoting(Code.ProtRej, Uint8Array.of(0xc0, 0x21, ...rejected)),
  ]) {
    const shown = hidden(Protocol.LCP, packet);
    expect(shown).toContain("zaphod");
    expect(shown).not.toContain("gargle");
  }
  const echo = quoting(Code.CodeRej, quoting(Code.EchoReq, Buffer.from("tell")));
  expect(hidden(Protocol.LCP, echo)).toEndWith("tell");
});

test("authentication that this program does not know is hidden whole, without its header", () => {
  for (const protocol of [Protocol.SPAP, 0xc123, 0xc281])
    expect(hidden(protocol, EAP(1, 1))).toBe("\x01\x01\0\x09*****");
});

test("of EAP, one-time passwords and tokens are hidden, and hashes and questions are not", () => {
  expect(hidden(Protocol.EAP, EAP(2, 5))).toEndWith("\x05****");
  expect(hidden(Protocol.EAP, EAP(2, 6))).toEndWith("\x06****");
  expect(hidden(Protocol.EAP, EAP(2, 254))).toEndWith("\xfe****");
  expect(hidden(Protocol.EAP, EAP(2, 4))).toEndWith("\x04tell");
  expect(hidden(Protocol.EAP, EAP(1, 6))).toEndWith("\x06tell");
});

test("other protocols stay as they are", () => {
  const response = fromHex("0101000d04 01020304 7a617068");
  for (const protocol of [Protocol.CHAP, Protocol.LCP, Protocol.IP, Protocol.IPCP])
    expect(hidden(protocol, response)).toBe(Buffer.from(response).toString("latin1"));
});
