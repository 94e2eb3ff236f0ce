import { randomOctets } from "../../src/auth/digest.ts";
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, Md5Digest, type MppeMaterial } from "../../src/auth/digest.ts";
import {
  authenticatorResponse,
  challengeHash,
  challengeResponse,
  lmPasswordHash,
  MsChap,
  MsChapV2,
  ntPasswordHash,
} from "../../src/auth/mschap.ts";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { md4 } from "../../src/crypto/digests.ts";
import { ChapCode } from "../../src/wire/chap.ts";
import { ChapDigest } from "../../src/wire/lcp.ts";
import { End } from "./endpoints.ts";

const SECRET = "gargleBlaster";
const NO_LOG = (): void => {};
const V1 = new MsChap({ random32: () => 0, msLanman: false }, NO_LOG);
const V2 = new MsChapV2({ random32: () => 0, msLanman: false }, NO_LOG);

test("MS-CHAP's hash and response", () => {
  const challenge = fromHex("102db5df085d3041");
  const hash = ntPasswordHash("MyPw");
  expect(toHex(hash)).toBe("fc156af7edcd6c0edde3337d427f4eac");
  expect(toHex(challengeResponse(challenge, hash))).toBe("4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61");
});

test("the LAN Manager hash ignores case and everything after 14 letters", () => {
  // The hash of the empty password is well known.
  expect(toHex(lmPasswordHash(""))).toBe("aad3b435b51404eeaad3b435b51404ee");
  expect(toHex(lmPasswordHash("password"))).toBe("e52cac67419a9a224a3b108f3fa6cb6d");
  expect(lmPasswordHash("aBcDeFgHiJkLmNop")).toEqual(lmPasswordHash("ABCDEFGHIJKLMN"));
});

test("the example of RFC 2759 §9.2", () => {
  const challenge = fromHex("5b5d7c7d7b3f2f3e3c2c602132262628");
  const peerChallenge = fromHex("21402324255e262a28295f2b3a337c7e");
  const hash = ntPasswordHash("clientPass");
  expect(toHex(hash)).toBe("44ebba8d5312b8d611474411f56989ae");
  expect(toHex(md4(hash))).toBe("41c00c584bd2d91c4017a2a12fa59f3f");
  const hashed = challengeHash(peerChallenge, challenge, "User");
  expect(toHex(hashed)).toBe("d02e4386bce91226");
  expect(challengeHash(peerChallenge, challenge, "SOME\\DOMAIN\\User")).toEqual(hashed);
  const response = challengeResponse(hashed, hash);
  expect(toHex(response)).toBe("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df");
  expect(authenticatorResponse(md4(hash), response, hashed)).toBe("S=407A5589115FD0D6209F510FE9C04566932CDA56");
});

test("the fixed challenges, where their length is right, and the keys' material on both sides", () => {
  const fixedChallenge = fromHex("5b5d7c7d7b3f2f3e3c2c602132262628");
  const fixedPeerChallenge = fromHex("21402324255e262a28295f2b3a337c7e");
  const config = { random32: () => 1, msLanman: false, fixedChallenge, fixedPeerChallenge };
  const v2 = new MsChapV2(config, NO_LOG);
  expect(v2.challenge()).toEqual(fixedChallenge);
  expect(new MsChap(config, NO_LOG).challenge()).toHaveLength(8);
  const question = { id: 1, challenge: v2.challenge(), name: "User", secret: "clientPass" };
  const answer = v2.respond(question);
  const verdict = v2.judge(question, answer?.value ?? new Uint8Array(0));
  expect(verdict.message).toBe("S=407A5589115FD0D6209F510FE9C04566932CDA56 M=Access granted");
  const material: MppeMaterial = {
    version: 2,
    passwordHashHash: fromHex("41c00c584bd2d91c4017a2a12fa59f3f"),
    ntResponse: fromHex("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df"),
    challenge: fixedChallenge,
    isServer: false,
  };
  expect(answer?.mppe).toEqual(material);
  expect(verdict.mppe).toEqual({ ...material, isServer: true });
});

test("answers and proofs of a real pppd are accepted", () => {
  const digests: Record<string, Digest> = { "chap-md5": new Md5Digest(() => 0), "mschap-v2-mppe": V2 };
  for (const [session, digest] of Object.entries(digests)) {
    const path = join(import.meta.dir, `../../fixtures/sessions/${session}-server.txt`);
    const packets = readFileSync(path, "utf8").matchAll(/\[CHAP \w+ id=(0x\w+) (?:<(\w+)>, name = )?"(.*)"\]/g);
    const [challenge, response, success] = [...packets];
    const question = {
      id: Number(challenge?.[1]),
      challenge: fromHex(challenge?.[2] ?? ""),
      name: response?.[3] ?? "",
      secret: SECRET,
    };
    expect(question).toMatchObject({ name: "zaphod" });
    const verdict = digest.judge(question, fromHex(response?.[2] ?? ""));
    expect(verdict).toMatchObject({ accepted: true, message: success?.[3] ?? "" });
  }
  const nt = "000000000000000000000000000000000000000000000000db1bfa7488a248db3cf3361456fee12ff6101bc0b607046d01";
  const question = { id: 0xd1, challenge: fromHex("07bb4d6de9e59f3c"), name: "zaphod", secret: SECRET };
  expect(V1.judge(question, fromHex(nt)).accepted).toBe(true);
  expect(toHex(V1.respond(question)?.value ?? new Uint8Array(0))).toBe(nt);
});

test("Windows 98 sets flags, and gets a Success with the proof alone", () => {
  const question = { id: 1, challenge: V2.challenge(), name: "zaphod", secret: SECRET };
  const value = V2.respond(question)?.value.slice() ?? new Uint8Array(49);
  value[48] = 4;
  expect(V2.judge(question, value).message).toMatch(/^S=[0-9A-F]{40}$/);
});

test("a challenge or response of the wrong length is ignored", () => {
  const question = { id: 1, challenge: new Uint8Array(7), name: "zaphod", secret: SECRET };
  expect([V1.respond(question), V2.respond(question)]).toEqual([undefined, undefined]);
  for (const digest of [V1, V2]) {
    const asked = { ...question, challenge: digest.challenge() };
    const value = digest.respond(asked)?.value ?? new Uint8Array(0);
    expect(digest.judge(asked, value).accepted).toBe(true);
    for (const length of [0, 24, 48]) expect(digest.judge(asked, value.slice(0, length)).accepted).toBe(false);
    expect(digest.judge(asked, Uint8Array.of(...value, 0)).accepted).toBe(false);
  }
  const client = new End(1, { ours: { server: SECRET } });
  client.chapClient.start(ChapDigest.MsV2, "zaphod", 0);
  client.chapClient.receive({ code: ChapCode.Challenge, id: 1, value: new Uint8Array(8), name: "server" }, 1);
  expect(client.lines).toEqual(["CHAP challenge of 8 octets ignored: not one of this algorithm"]);
});

test("an answer with the LAN Manager hash is sent and accepted only with ms-lanman", () => {
  const said: string[] = [];
  const log = (_: string, text: string): void => void said.push(text);
  const old = new MsChap({ random32: () => 0, msLanman: true }, NO_LOG);
  const question = { id: 1, challenge: fromHex("102db5df085d3041"), name: "zaphod", secret: SECRET };
  const value = old.respond(question)?.value ?? new Uint8Array(0);
  expect(value[48]).toBe(0);
  expect(toHex(value.subarray(0, 24))).not.toBe("00".repeat(24));
  expect(new MsChap({ random32: () => 0, msLanman: false }, log).judge(question, value)).toEqual({
    accepted: false,
    message: "E=691 R=1 C=102db5df085d3041 V=0",
  });
  expect(said).toEqual(["Peer request for LANMAN auth not supported"]);
  expect(old.judge(question, value).accepted).toBe(true);
  expect(old.judge({ ...question, secret: "other" }, value).accepted).toBe(false);
});

/** A client that has answered a challenge, and the server's right answer to it. */
function answered(digest: ChapDigest): { client: End; proof: string } {
  const client = new End(1, { ours: { server: SECRET } });
  client.chapClient.start(digest, "zaphod", 0);
  const challenge = digest === ChapDigest.MsV2 ? V2.challenge() : V1.challenge();
  client.chapClient.receive({ code: ChapCode.Challenge, id: 1, value: challenge, name: "server" }, 1);
  const value = fromHex(/<(\w+)>/.exec(client.lines.at(-1) ?? "")?.[1] ?? "");
  const { message } = V2.judge({ id: 1, challenge, name: "zaphod", secret: SECRET }, value);
  client.said.length = 0;
  return { client, proof: message.slice(0, 42) };
}

describe("a server's proof", () => {
  const malformed = "error: MS-CHAPv2 Success packet is badly formed.";
  const wrong = "error: MS-CHAPv2 mutual authentication failed.";
  const cases: readonly [string, (proof: string) => string, string | undefined][] = [
    ["alone", (proof) => proof, undefined],
    ["with a message", (proof) => `${proof} M=Welcome`, undefined],
    ["with a message and no blank", (proof) => `${proof}M=Welcome`, undefined],
    ["with something else", (proof) => `${proof} Welcome`, malformed],
    ["left out", () => "M=Welcome", malformed],
    ["cut short", (proof) => proof.slice(0, -1), malformed],
    ["changed", (proof) => `${proof.slice(0, -1)}${proof.endsWith("0") ? "1" : "0"} M=Welcome`, wrong],
    ["in small letters", (proof) => `S=${proof.slice(2).toLowerCase()} M=Welcome`, wrong],
    ["another's", () => "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=Welcome", wrong],
  ];
  for (const [what, message, complaint] of cases) {
    test(what, () => {
      const { client, proof } = answered(ChapDigest.MsV2);
      client.chapClient.receive({ code: ChapCode.Success, id: 1, message: message(proof) }, 2);
      expect(client.outcome("client")).toBe(complaint === undefined);
      const said = client.said.filter((line) => !line.startsWith("debug"));
      if (complaint === undefined) expect(said).toEqual(["notice: CHAP authentication succeeded"]);
      else expect(said).toEqual([complaint, "error: CHAP authentication failed"]);
    });
  }

  test("from before a restart does not count: a new start asks for a new proof", () => {
    const { client, proof } = answered(ChapDigest.MsV2);
    client.chapClient.stop();
    client.chapClient.start(ChapDigest.MsV2, "zaphod", 5);
    client.chapClient.receive({ code: ChapCode.Challenge, id: 1, value: V2.challenge(), name: "server" }, 6);
    client.chapClient.receive({ code: ChapCode.Success, id: 1, message: proof }, 7);
    expect(client.outcome("client")).toBe(false);
  });
});

test("the same challenge gets the same answer", () => {
  const { client } = answered(ChapDigest.MsV2);
  const first = client.lines.at(-1);
  client.chapClient.receive({ code: ChapCode.Challenge, id: 1, value: V2.challenge(), name: "server" }, 2);
  expect(client.lines.slice(-2)).toEqual(["response found in cache (entry 0)", first ?? ""]);
  client.chapClient.receive({ code: ChapCode.Challenge, id: 2, value: V2.challenge(), name: "server" }, 3);
  expect(client.lines.at(-1)).not.toContain(/<\w+>/.exec(first ?? "")?.[0] ?? "");
});

test("a failure is logged in pppd's words and ends the authentication, whatever R= says", () => {
  const words: readonly [string, string][] = [
    ["E=646 R=0 V=3", "MS-CHAP authentication failed: E=646 Restricted logon hours"],
    ["E=647 R=0 V=3", "MS-CHAP authentication failed: E=647 Account disabled"],
    ["E=648 R=0 V=3", "MS-CHAP authentication failed: E=648 Password expired"],
    ["E=649 R=0 V=3", "MS-CHAP authentication failed: E=649 No dialin permission"],
    ["E=691 R=1 C=0011 V=3", "MS-CHAP authentication failed: E=691 Authentication failure"],
    ["E=709 R=0 V=3", "MS-CHAP authentication failed: E=709 Error changing password"],
    ["E=648 R=1 C=0011 V=3 M=Change it\r\n", "MS-CHAP authentication failed: Change it^M^J"],
    ["E=12 R=1 C=0011\xe9", "Unknown MS-CHAP authentication failure: E=12 R=1 C=0011M-i"],
    ["E=", "Unknown MS-CHAP authentication failure: E="],
    ["go away", "MS-CHAP authentication failed: go away"],
    ["", "MS-CHAP authentication failed: "],
  ];
  for (const digest of [ChapDigest.Ms, ChapDigest.MsV2]) {
    for (const [message, line] of words) {
      const { client } = answered(digest);
      client.chapClient.receive({ code: ChapCode.Failure, id: 1, message }, 2);
      expect(client.said).toEqual([`error: ${line}`, "error: CHAP authentication failed"]);
      expect(client.outcomes).toHaveLength(1);
      client.chapClient.receive({ code: ChapCode.Challenge, id: 2, value: bytesOf("0123456789abcdef"), name: "" }, 3);
      expect(client.lines.filter((sent) => sent.startsWith("sent"))).toHaveLength(1);
    }
  }
});

test("a challenge uses every bit of each random word once", () => {
  const words = [0x04030201, 0x08070605, 0x0c0b0a09];
  expect([...randomOctets(10, () => words.shift()!)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
