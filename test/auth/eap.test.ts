import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientStep, EapClientMethod, EapServerMethod, ServerStep } from "../../src/auth/eap-methods.ts";
import { Answers } from "../../src/auth/answers.ts";
import { eapComplaint } from "../../src/auth/eap-config.ts";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { ChapCode } from "../../src/wire/chap.ts";
import { EapCode, EapType, parseEap, putEap, putEapResult } from "../../src/wire/eap.ts";
import { ChapDigest } from "../../src/wire/lcp.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { damaged, written } from "../kit/codec.ts";
import { withRng } from "../kit/rng.ts";
import { End, type EndOptions, plain, Wire } from "./endpoints.ts";

const SECRET = "gargleBlaster";
const SERVER: EndOptions = { peers: { zaphod: SECRET } };
const CLIENT: EndOptions = { ours: { server: SECRET } };
const METHODS = [EapType.Md5Challenge, EapType.MsChapV2];

/** `a` is the server, `b` the client. With MSCHAPv2 the client first answers MD5 with a Nak for MSCHAPv2. */
function started(type: number, server: EndOptions = SERVER, client: EndOptions = CLIENT, user = "zaphod"): Wire {
  const wire = new Wire(new End(1, server), new End(2, client));
  if (type === EapType.MsChapV2) {
    wire.passing = (packet, from) => (from === wire.b ? wantMsChap(packet) : packet);
  }
  wire.b.eapClient.start(user, 0);
  wire.a.eapServer.start("server", 0);
  return wire;
}

function wantMsChap(packet: Uint8Array): Uint8Array {
  if (packet[0] !== EapCode.Response || packet[4] !== EapType.Md5Challenge) return packet;
  return response(packet[1]!, EapType.Nak, Uint8Array.of(EapType.MsChapV2));
}

function session(type: number, server?: EndOptions, client?: EndOptions, user?: string): Wire {
  const wire = started(type, server, client, user);
  wire.run();
  return wire;
}

function response(id: number, type: number, data: Uint8Array): Uint8Array {
  return written((buf, at) => putEap(buf, at, EapCode.Response, id, type, data), 2048);
}

function request(id: number, type: number, data: Uint8Array): Uint8Array {
  return written((buf, at) => putEap(buf, at, EapCode.Request, id, type, data), 2048);
}

// The expected lines are those of two pppd 2.4.9.
describe("both sides say what pppd's say", () => {
  test("when MD5 succeeds", () => {
    const { a, b } = session(EapType.Md5Challenge);
    expect(plain(a.lines)).toEqual([
      'sent [EAP Request id Identity <Message "Name">]',
      'rcvd [EAP Response id Identity <Name "zaphod">]',
      'EAP: unauthenticated peer name "zaphod"',
      "EAP id 'Identify' -> 'MD5Chall'",
      'sent [EAP Request id MD5-Challenge <Value …> <Name "server">]',
      'rcvd [EAP Response id MD5-Challenge <Value …> <Name "zaphod">]',
      "sent [EAP Success id]",
      "EAP id 'MD5Chall' -> 'Open'",
    ]);
    expect(plain(b.lines)).toEqual([
      'rcvd [EAP Request id Identity <Message "Name">]',
      'EAP: Identity prompt "Name"',
      'sent [EAP Response id Identity <Name "zaphod">]',
      'rcvd [EAP Request id MD5-Challenge <Value …> <Name "server">]',
      'sent [EAP Response id MD5-Challenge <Value …> <Name "zaphod">]',
      "rcvd [EAP Success id]",
      "EAP authentication succeeded",
    ]);
    const ids = a.lines.map((line) => /id=0x ?(\w+)/.exec(line)?.[1]).filter((id) => id !== undefined);
    const first = parseInt(ids[0]!, 16);
    expect(ids.map((id) => (parseInt(id, 16) - first) & 0xff)).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });

  test("when the secret is wrong", () => {
    const { a, b } = session(EapType.Md5Challenge, SERVER, { ours: { server: "wrong" } });
    expect(plain(a.lines).slice(-2)).toEqual([
      'rcvd [EAP Response id MD5-Challenge <Value …> <Name "zaphod">]',
      "sent [EAP Failure id]",
    ]);
    expect(b.said.at(-1)).toBe("error: EAP: peer reports authentication failure");
    expect([a.outcome("server"), b.outcome("client")]).toEqual([false, false]);
  });

  test("when the server has no secret", () => {
    const { a } = session(EapType.Md5Challenge, SERVER, CLIENT, "ford");
    expect(a.said.at(-1)).toBe("debug: EAP: no MD5 secret for auth of ford");
    expect(a.outcome("server")).toBe(false);
  });

  test("when the client has none: there is no other method, and the server ends the authentication", () => {
    const { a, b } = session(EapType.Md5Challenge, SERVER, {});
    expect(plain(b.lines).slice(-4)).toEqual([
      "EAP: no MD5 secret for auth to server",
      "sent [EAP Response id Nak <Suggested-type 00>]",
      "rcvd [EAP Failure id]",
      "EAP: peer reports authentication failure",
    ]);
    expect(a.said.at(-1)).toMatch(/^debug: EAP id=0x[ \w]\w 'MD5Chall' -> 'Initial'$/);
  });

  test("with a pppd 2.4.9 without a secret, which suggests SRP until the server gives up", () => {
    const wire = started(EapType.Md5Challenge, { ...SERVER, eap: { maxRequests: 3 } });
    wire.passing = (packet) =>
      packet[0] === EapCode.Response && packet[4] === EapType.Md5Challenge
        ? response(packet[1]!, EapType.Nak, Uint8Array.of(EapType.Srp))
        : packet;
    wire.run();
    expect(plain(wire.a.lines).slice(-9)).toEqual([
      "EAP id 'Identify' -> 'MD5Chall'",
      'sent [EAP Request id MD5-Challenge <Value …> <Name "server">]',
      "rcvd [EAP Response id Nak <Suggested-type 13 (SRP)>]",
      "EAP id 'Identify' -> 'MD5Chall'",
      'sent [EAP Request id MD5-Challenge <Value …> <Name "server">]',
      "rcvd [EAP Response id Nak <Suggested-type 13 (SRP)>]",
      "EAP id 'Identify' -> 'MD5Chall'",
      "EAP: too many Requests sent",
      "sent [EAP Failure id]",
    ]);
  });

  test("when remotename gives the name: no identity is asked for", () => {
    const { a } = session(EapType.Md5Challenge, { ...SERVER, eap: { remotename: "zaphod", remotenameGiven: true } });
    expect(plain(a.lines).slice(0, 2)).toEqual([
      "EAP id 'Identify' -> 'MD5Chall'",
      'sent [EAP Request id MD5-Challenge <Value …> <Name "server">]',
    ]);
    expect(a.outcomes).toMatchObject([{ accepted: true, name: "zaphod" }]);
  });

  test("when the name has octets that cannot be printed", () => {
    const { a } = session(EapType.Md5Challenge, SERVER, CLIENT, 'fo"rd\x01\r');
    expect(a.said[0]).toBe('info: EAP: unauthenticated peer name "fo\\"rd\\x01\\x0d"');
  });
});

describe("MSCHAPv2", () => {
  test("both sides prove themselves and have the same keys", () => {
    const { a, b } = session(EapType.MsChapV2);
    expect(plain(a.lines).slice(-10)).toEqual([
      "rcvd [EAP Response id Nak <Suggested-type 1a (MSCHAPv2)>]",
      "EAP: peer proposes MSCHAPv2",
      'sent [EAP Request id MSCHAPv2 Challenge <…>, <Name "server">]',
      'rcvd [EAP Response id MSCHAPv2 Response <…>, <Name "zaphod">]',
      "EAP: MSCHAPv2 success for peer zaphod",
      expect.stringMatching(/^sent \[EAP Request id MSCHAPv2 Success <Message "S=… M=Access granted">/),
      "rcvd [EAP Response id MSCHAPv2 Success]",
      "EAP: MSCHAPv2 success confirmed",
      "sent [EAP Success id]",
      "EAP id 'MSCHAPv2Chall' -> 'Open'",
    ]);
    expect(b.said.slice(-3).map((line) => line.replace(/S=\w+/, "S=…"))).toEqual([
      "debug: response found in cache (entry 0)",
      "info: Chap authentication succeeded! S=… M=Access granted",
      "notice: EAP authentication succeeded",
    ]);
    const [server, client] = [a.outcomes[0]?.mppe, b.outcomes[0]?.mppe];
    expect(server).toMatchObject({ version: 2, isServer: true });
    expect(client).toEqual({ ...server!, isServer: false });
  });

  test("a wrong secret: the failure is confirmed before EAP's", () => {
    const { a, b } = session(EapType.MsChapV2, SERVER, { ours: { server: "wrong" } });
    expect(a.said.slice(-2)).toEqual([
      "warn: EAP: MSCHAPv2 failure for peer zaphod",
      "info: EAP: MSCHAPv2 failure confirmed",
    ]);
    expect(plain(a.lines).at(-1)).toBe("sent [EAP Failure id]");
    expect(b.said.slice(-2)).toEqual([
      "error: MS-CHAP authentication failed: Access denied",
      "error: EAP: peer reports authentication failure",
    ]);
    expect([a.outcome("server"), b.outcome("client")]).toEqual([false, false]);
    expect(b.outcomes).toHaveLength(1);
  });

  test("a server that cannot prove itself is refused, whatever it sends afterwards", () => {
    const wire = started(EapType.MsChapV2);
    const toNak = wire.passing;
    wire.passing = (packet, from, protocol) => {
      const spoilt = toNak(packet, from, protocol)?.slice();
      // The last digit of S=, after code, id, length, type, opcode, id, length.
      if (spoilt?.[0] === EapCode.Request && spoilt[5] === ChapCode.Success) spoilt[9 + 41]! ^= 1;
      return spoilt;
    };
    wire.run();
    expect(wire.b.said.at(-1)).toBe("error: MS-CHAPv2 mutual authentication failed.");
    expect(plain(wire.b.lines).at(-2)).toBe("sent [EAP Response id MSCHAPv2 Failure]");
    expect(wire.b.outcomes).toMatchObject([{ accepted: false }]);
    expect(wire.a.outcome("server")).toBe(false);
  });

  test("a Success before the server's proof is ignored", () => {
    const wire = started(EapType.MsChapV2);
    const toNak = wire.passing;
    wire.passing = (packet, from, protocol) =>
      packet[0] === EapCode.Request && packet[5] === ChapCode.Success && packet[4] === EapType.MsChapV2
        ? written((buf, at) => putEapResult(buf, at, EapCode.Success, packet[1]!))
        : toNak(packet, from, protocol);
    wire.run();
    expect(wire.b.said.at(-1)).toBe("debug: EAP unexpected success message in state Listen (3)");
    expect(wire.b.outcomes).toEqual([]);
  });

  test("pppd's server sends no Success of EAP: its network protocols imply it", () => {
    for (const type of METHODS) {
      const wire = started(type);
      const before = wire.passing;
      wire.passing = (packet, from, protocol) =>
        packet[0] === EapCode.Success ? undefined : before(packet, from, protocol);
      wire.b.eapClient.heardNetwork(0);
      wire.run();
      expect(wire.b.outcomes).toEqual([]);
      wire.b.eapClient.heardNetwork(wire.now);
      wire.b.eapClient.heardNetwork(wire.now);
      expect(wire.b.outcomes).toMatchObject([{ accepted: true }]);
    }
  });

  test("DOMAIN\\user is looked up as the options say", () => {
    const user = "MILKY\\zaphod";
    expect(session(EapType.MsChapV2, SERVER, CLIENT, user).a.outcome("server")).toBe(false);
    const stripped = session(EapType.MsChapV2, { ...SERVER, eap: { stripDomain: true } }, CLIENT, user);
    expect(stripped.a.outcomes).toMatchObject([{ accepted: true, name: "zaphod" }]);
  });
});

test("the answer to a real pppd's MD5 challenge is a real pppd's", () => {
  const text = readFileSync(join(import.meta.dir, "../../fixtures/sessions/eap-client.txt"), "utf8");
  const values = [...text.matchAll(/MD5-Challenge <Value ([0-9a-f ]+)>/g)].map((match) => fromHex(match[1] ?? ""));
  const client = new End(1, CLIENT);
  client.eapClient.start("zaphod", 0);
  const [challenge = new Uint8Array(0), answer] = values;
  const data = Uint8Array.of(challenge.length, ...challenge, ...bytesOf("server"));
  client.take(Protocol.EAP, request(0xea, EapType.Md5Challenge, data), 1);
  const expected = Uint8Array.of(16, ...answer!, ...bytesOf("zaphod"));
  expect(toHex(client.sent[0]!.packet)).toBe(toHex(response(0xea, EapType.Md5Challenge, expected)));
});

describe("packets are lost", () => {
  for (const type of METHODS) {
    test(`of type ${type}, each once: all but the last word comes again`, () => {
      const whole = started(type);
      let packets = 0;
      const before = whole.passing;
      whole.passing = (packet, from, protocol) => {
        packets++;
        return before(packet, from, protocol);
      };
      whole.run();
      for (let lost = 0; lost < packets - 1; lost++) {
        const wire = started(type);
        const passing = wire.passing;
        let count = 0;
        wire.passing = (packet, from, protocol) => (count++ === lost ? undefined : passing(packet, from, protocol));
        wire.run(3000);
        expect([wire.a.outcome("server"), wire.b.outcome("client")]).toEqual([true, true]);
        expect(wire.a.outcomes.length + wire.b.outcomes.length).toBe(2);
      }
    });
  }

  test("a Request comes again as it was, and its answer too", () => {
    const wire = started(EapType.MsChapV2);
    const seen: string[] = [];
    const before = wire.passing;
    wire.passing = (packet, from, protocol) => {
      const passed = before(packet, from, protocol);
      if (packet[4] === EapType.MsChapV2 && packet[5]! <= ChapCode.Response) {
        seen.push(toHex(packet));
        if (seen.length === 2) return undefined;
      }
      return passed;
    };
    wire.run(3000);
    expect(seen).toHaveLength(4);
    expect(seen.slice(2)).toEqual(seen.slice(0, 2));
  });

  test("if all are lost, the server gives up after eap-max-sreq and the client after eap-timeout", () => {
    const wire = started(EapType.Md5Challenge, { ...SERVER, eap: { maxRequests: 4, restartMs: 1000 } });
    wire.passing = () => undefined;
    wire.run(3999);
    expect(wire.a.outcomes).toEqual([]);
    wire.run(4000);
    expect(wire.a.said).toEqual(["error: EAP: no response to Requests"]);
    expect(plain(wire.a.lines)).toEqual([
      ...Array.from({ length: 4 }, () => 'sent [EAP Request id Identity <Message "Name">]'),
      "EAP: no response to Requests",
      "sent [EAP Failure id]",
    ]);
    wire.run(20000);
    expect(wire.b.said).toEqual(["error: EAP: timeout waiting for Request from peer"]);
    expect([wire.a.outcome("server"), wire.b.outcome("client")]).toEqual([false, false]);
    wire.run(1e6);
    expect(wire.a.outcomes.length + wire.b.outcomes.length).toBe(2);
  });

  test("a server that sends Requests without an end is given up", () => {
    const client = new End(1, CLIENT);
    client.eapClient.start("zaphod", 0);
    for (let id = 1; id <= 25; id++) client.take(Protocol.EAP, request(id, EapType.Identity, bytesOf("")), id);
    expect(client.said).toEqual(["info: EAP: received too many Request messages"]);
    expect(client.outcomes).toMatchObject([{ accepted: false }]);
    expect(client.sent).toHaveLength(20);
  });
});

describe("after the success", () => {
  test("the peer is asked again at each eap-interval with the method it took, and a failure is told", () => {
    for (const type of METHODS) {
      const secrets: Record<string, string> = { server: SECRET };
      const wire = session(type, { ...SERVER, eap: { intervalMs: 30000 } }, { ours: secrets });
      wire.run(30 * 30000);
      expect(wire.a.outcomes).toHaveLength(31);
      expect(wire.b.outcomes).toHaveLength(31);
      expect(wire.a.lines.filter((line) => line.includes("Nak"))).toHaveLength(type === EapType.MsChapV2 ? 1 : 0);
      secrets["server"] = "changed";
      wire.run(31 * 30000);
      expect([wire.a.outcome("server"), wire.b.outcome("client")]).toEqual([false, false]);
      expect(wire.a.wakeAt).toBe(Infinity);
    }
  });

  test("a Failure ends the link for the client too, and a late Response changes nothing for the server", () => {
    const { a, b } = session(EapType.Md5Challenge);
    b.take(Protocol.EAP, fromHex("04010004"), 5);
    expect(b.outcome("client")).toBe(false);
    for (let id = 0; id < 256; id++) a.take(Protocol.EAP, response(id, EapType.Md5Challenge, new Uint8Array(17)), 6);
    expect(a.outcomes).toHaveLength(1);
  });
});

describe("what a server is told out of turn", () => {
  const identity = response(0, EapType.Identity, bytesOf("zaphod"));
  const broken: readonly [string, number, Uint8Array, string][] = [
    ["a Nak of the name", 0, response(0, EapType.Nak, Uint8Array.of(4)), ""],
    [
      "a Nak of nothing",
      1,
      response(0, EapType.Nak, new Uint8Array(0)),
      "EAP: Nak Response with no suggested protocol",
    ],
    ["a proof before the question", 0, response(0, EapType.Md5Challenge, bytesOf("")), "EAP: unexpected MD5-Response"],
    ["another method's", 1, response(0, EapType.MsChapV2, bytesOf("\x02")), "EAP: unexpected MSCHAPv2-Response"],
    ["no proof", 1, response(0, EapType.Md5Challenge, bytesOf("")), "EAP: received MD5-Response with no data"],
    [
      "half of one",
      1,
      response(0, EapType.Md5Challenge, bytesOf("\x0812345678")),
      "EAP: MD5-Response with bad length 8",
    ],
  ];
  for (const [what, after, packet, line] of broken) {
    test(what, () => {
      const { end, say } = server();
      if (after === 1) say(identity);
      say(packet);
      expect(end.outcome("server")).toBe(false);
      if (line !== "") expect(end.lines).toContain(line);
      expect(plain(end.lines).slice(-2)).toEqual([
        "sent [EAP Failure id]",
        `EAP id '${after === 0 ? "Identify" : "MD5Chall"}' -> 'Initial'`,
      ]);
    });
  }

  const ignored: readonly [string, Uint8Array, string][] = [
    ["a name twice", identity, 'EAP discarding unwanted Identify ""'],
    [
      "a Notification",
      response(0, EapType.Notification, bytesOf("")),
      "EAP unexpected Notification; response discarded",
    ],
    ["a type nobody knows", response(0, 99, bytesOf("")), "EAP: unknown Response type 99; ignored"],
  ];
  for (const [what, packet, line] of ignored) {
    test(`${what}, which it takes calmly`, () => {
      const { end, say } = server();
      say(identity);
      say(packet);
      expect(end.lines.at(-1)).toBe(line);
      expect(end.outcomes).toEqual([]);
    });
  }

  test("an identifier it did not use", () => {
    const { end } = server();
    const id = end.sent[0]!.packet[1]!;
    end.take(Protocol.EAP, response((id + 3) & 255, EapType.Identity, bytesOf("zaphod")), 1);
    expect(end.said.at(-1)).toBe(`debug: EAP: discarding Response ${(id + 3) & 255}; expected ID ${id}`);
  });

  test("a Nak with several methods: the server takes the first that it has", () => {
    const { end, say } = server();
    say(identity);
    say(response(0, EapType.Nak, Uint8Array.of(EapType.Peap, EapType.MsChapV2, EapType.Md5Challenge)));
    expect(plain(end.lines).at(-1)).toContain("MSCHAPv2 Challenge");
  });

  /** `say` writes the right identifier. */
  function server(): { end: End; say: (packet: Uint8Array) => void } {
    const end = new End(1, SERVER);
    end.eapServer.start("server", 0);
    return {
      end,
      say: (packet) => {
        const said = packet.slice();
        said[1] = end.sent.at(-1)!.packet[1]!;
        end.take(Protocol.EAP, said, 1);
      },
    };
  }
});

describe("what a client is asked out of turn", () => {
  const bad = "EAP: received invalid MSCHAPv2 packet,";
  const cases: readonly [string, number, Uint8Array, string, string | undefined][] = [
    ["to take note", EapType.Notification, bytesOf("Hi"), 'EAP: Notification "Hi"', "Notification]"],
    ["for a Nak", EapType.Nak, bytesOf("\x04"), "EAP: unexpected Nak in Request; ignored", undefined],
    ["with no challenge", EapType.Md5Challenge, bytesOf(""), "EAP: received MD5-Challenge with no data", undefined],
    [
      "with a short one",
      EapType.Md5Challenge,
      bytesOf("\x041234"),
      "EAP: MD5-Challenge with bad length 4 (8..4)",
      "Nak",
    ],
    [
      "one octet too short",
      EapType.Md5Challenge,
      bytesOf("\x071234567"),
      "EAP: MD5-Challenge with bad length 7 (8..7)",
      "Nak",
    ],
    ["with a lie", EapType.Md5Challenge, bytesOf("\x121234"), "EAP: MD5-Challenge with bad length 18 (8..4)", "Nak"],
    ["for TLS", EapType.Tls, bytesOf("\x20"), "EAP: unknown authentication type 13; Naking", "Nak"],
    ["too little", EapType.MsChapV2, bytesOf("\x01"), `${bad} too short`, undefined],
    ["of a wrong length", EapType.MsChapV2, bytesOf("\x01\x01\x00\x09"), `${bad} invalid length`, undefined],
    ["nothing", EapType.MsChapV2, bytesOf("\x01\x01\x00\x04"), `${bad} invalid value-length: 0`, undefined],
    ["eight", EapType.MsChapV2, bytesOf("\x01\x01\x00\x0d\x0812345678"), `${bad} invalid value-length: 8`, undefined],
    ["a riddle", EapType.MsChapV2, bytesOf("\x07\x01\x00\x04"), `${bad} invalid or unsupported opcode: 7`, undefined],
  ];
  for (const [what, type, data, line, answer] of cases) {
    test(`${what}: ${line}`, () => {
      const client = new End(1, CLIENT);
      client.eapClient.start("zaphod", 0);
      client.take(Protocol.EAP, request(1, type, data), 5);
      expect(client.said[0]).toEndWith(`: ${line}`);
      if (answer === undefined) expect(client.sent).toEqual([]);
      else expect(client.lines.at(-1)).toContain(answer);
      expect(client.outcomes).toEqual([]);
      // A valid packet restarts the wait for the next Request. An invalid one does not.
      expect(client.wakeAt).toBe(answer === undefined ? 20000 : 20005);
    });
  }
});

test("an MD5 challenge of eight octets, the shortest there may be, is answered", () => {
  const client = new End(1, CLIENT);
  client.eapClient.start("zaphod", 0);
  client.take(Protocol.EAP, request(1, EapType.Md5Challenge, bytesOf("\x0812345678server")), 5);
  expect(client.lines.at(-1)).toContain("[EAP Response id=0x1 MD5-Challenge");
});

test("a packet that is no EAP packet is logged in pppd's words", () => {
  const complaint = (hex: string): string => {
    const packet = fromHex(hex);
    expect(parseEap(packet, 0, packet.length)).toBeUndefined();
    return eapComplaint(packet, 0, packet.length).text;
  };
  expect(complaint("0101")).toBe("EAP: packet too short: 2 < 4");
  expect(complaint("01010009ff")).toBe("EAP: packet has illegal length field 9 (4..5)");
  expect(complaint("01010004")).toBe("EAP: empty Request message discarded");
  expect(complaint("02010004")).toBe("EAP: empty Response message discarded");
  expect(complaint("09010004")).toBe("EAP: unknown code 9 received");
});

test("a peer that proves a name other than the one it gave is known by the proved one", () => {
  const wire = started(EapType.Md5Challenge);
  wire.passing = (packet) =>
    packet[0] === EapCode.Response && packet[4] === EapType.Identity
      ? response(packet[1]!, EapType.Identity, bytesOf("root"))
      : packet;
  wire.run();
  expect(wire.a.outcomes).toMatchObject([{ accepted: true, name: "zaphod" }]);
});

test("a proof without a name belongs to the name given before", () => {
  const wire = started(EapType.Md5Challenge);
  wire.passing = (packet) =>
    packet[0] === EapCode.Response && packet[4] === EapType.Md5Challenge
      ? response(packet[1]!, EapType.Md5Challenge, packet.slice(5, 22))
      : packet;
  wire.run();
  expect(wire.a.outcomes).toMatchObject([{ accepted: true, name: "zaphod" }]);
});

test("our answers are not counted any more once the peer has proved itself or cannot do so", () => {
  for (const ends of ["proof", "wrong proof", "stop"]) {
    const answers = new Answers();
    const wire = started(
      EapType.Md5Challenge,
      { ...SERVER, eap: { answers } },
      ends === "wrong proof" ? { ours: { server: "x" } } : CLIENT,
    );
    if (ends === "stop") wire.a.eapServer.stop();
    else wire.run();
    for (let nth = 0; nth < 200; nth++) expect(answers.give([Uint8Array.of(nth)])).toBe(true);
    expect(answers.areOurs([Uint8Array.of(1)])).toBe(false);
  }
});

describe("a peer that hands our own answer back proves nothing", () => {
  const BOTH: EndOptions = { ours: { us: "s", peer: "s" }, peers: { us: "s", peer: "s" } };

  test("within EAP", () => {
    const end = new End(1, BOTH);
    end.eapClient.start("us", 0);
    end.eapServer.start("us", 0);
    for (let turn = 0; turn < 12; turn++) {
      const { packet } = end.sent.shift() ?? {};
      if (packet === undefined) break;
      end.take(Protocol.EAP, packet, turn);
    }
    expect(end.said).toContain("warn: EAP: peer us sent our own response back");
    expect(end.outcome("server")).toBe(false);
  });

  test("from CHAP to EAP, whose digest is the same", () => {
    const end = new End(1, BOTH);
    end.chapClient.start(ChapDigest.Md5, "us", 0);
    end.eapServer.start("us", 0);
    const answer = (type: number, data: Uint8Array): void =>
      end.take(Protocol.EAP, response(end.sent.shift()!.packet[1]!, type, data), 1);
    answer(EapType.Identity, bytesOf("peer"));
    const { packet } = end.sent[0]!;
    const value = packet.slice(6, 6 + packet[5]!);
    end.chapClient.receive({ code: ChapCode.Challenge, id: packet[1]!, value, name: "peer" }, 2);
    const given = fromHex(/Response id=\w+ <(\w+)>/.exec(end.lines.at(-1) ?? "")?.[1] ?? "");
    expect(given).toHaveLength(16);
    answer(EapType.Md5Challenge, Uint8Array.of(16, ...given, ...bytesOf("peer")));
    expect(end.said).toContain("warn: EAP: peer peer sent our own response back");
    expect(end.outcome("server")).toBe(false);
  });
});

describe("a method from elsewhere", () => {
  /** Three rounds, of which the last decides. */
  class Rounds implements EapServerMethod {
    readonly type = EapType.Tls;
    readonly state = "TlsStart";
    #round = 0;
    begin(): Uint8Array {
      return Uint8Array.of(this.#round);
    }
    take(data: Uint8Array): ServerStep {
      if (data[0] !== this.#round) return { kind: "refuse", isBroken: false };
      if (++this.#round === 3) return { kind: "accept", name: "certified" };
      return { kind: "ask", data: Uint8Array.of(this.#round) };
    }
  }
  class Echo implements EapClientMethod {
    readonly type = EapType.Tls;
    take(_id: number, data: Uint8Array): ClientStep {
      return { kind: "answer", data, stands: data[0] === 2 ? "finished" : "unfinished" };
    }
  }
  /** It answers every Request wrongly. */
  class Counter implements EapClientMethod {
    readonly type = EapType.Tls;
    #count = 0;
    take(): ClientStep {
      return { kind: "answer", data: Uint8Array.of(this.#count++), stands: "unfinished" };
    }
  }
  const serverMethod = { type: EapType.Tls, make: () => new Rounds() };
  const clientMethod = { type: EapType.Tls, make: () => new Echo() };

  test("is the first method for a peer without a secret", () => {
    const wire = session(EapType.Tls, { eap: { serverMethod } }, { eap: { clientMethod } });
    expect(wire.a.outcomes).toMatchObject([{ accepted: true, name: "certified" }]);
    expect(wire.b.outcome("client")).toBe(true);
  });

  test("is not asked twice when a Request comes twice", () => {
    const client = new End(1, { eap: { clientMethod: { type: EapType.Tls, make: () => new Counter() } } });
    client.eapClient.start("zaphod", 0);
    const say = (id: number, data: string): void =>
      client.take(Protocol.EAP, request(id, EapType.Tls, bytesOf(data)), 1);
    say(1, "a");
    say(1, "a");
    say(1, "b");
    say(2, "b");
    expect(client.sent.map(({ packet }) => packet[5])).toEqual([0, 0, 1, 2]);
  });

  test("is what a client without a secret asks for", () => {
    const wire = session(EapType.Tls, { ...SERVER, eap: { serverMethod } }, { eap: { clientMethod } });
    expect(wire.a.lines.join()).toContain("Nak <Suggested-type 0d (TLS)>");
    expect(wire.a.outcome("server")).toBe(true);
  });
});

test("a Protocol-Reject and a stop end the authentication for either side", () => {
  const { a, b } = started(EapType.Md5Challenge);
  a.eapServer.rejected(1);
  b.eapClient.rejected(1);
  expect(a.said).toEqual(["error: EAP authentication of peer failed on Protocol-Reject"]);
  expect(b.said).toEqual(["error: EAP authentication failed due to Protocol-Reject"]);
  const stopped = started(EapType.Md5Challenge);
  stopped.a.eapServer.stop();
  stopped.b.eapClient.stop();
  stopped.run(1e6);
  expect(stopped.a.outcomes.length + stopped.b.outcomes.length).toBe(0);
  stopped.b.eapClient.start("zaphod", stopped.now);
  stopped.a.eapServer.start("server", stopped.now);
  stopped.run();
  expect([stopped.a.outcome("server"), stopped.b.outcome("client")]).toEqual([true, true]);
});

describe("nothing a peer sends makes either side throw", () => {
  test("a damaged packet proves nothing", () => {
    for (const type of METHODS) {
      const count = countPackets(type);
      for (let at = 0; at < count; at++) {
        let original: Uint8Array = new Uint8Array(0);
        const wire = started(type);
        const before = wire.passing;
        let seen = 0;
        wire.passing = (packet, from, protocol) => {
          if (seen++ === at) original = packet;
          return before(packet, from, protocol);
        };
        wire.run();
        for (const hurt of damaged(original)) {
          const other = started(type);
          const passing = other.passing;
          let number = 0;
          other.passing = (packet, from, protocol) => (number++ === at ? hurt : passing(packet, from, protocol));
          other.run();
          if (original[0] === EapCode.Response && isProof(original) && !isSpare(original, hurt))
            expect(other.a.outcome("server")).not.toBe(true);
        }
      }
    }
  });

  test("random octets, at any time", async () => {
    await withRng((rng) => {
      for (let round = 0; round < 100; round++) {
        const end = new End(rng.u32(), {
          ours: { "": SECRET },
          peers: { zaphod: SECRET },
          eap: { remotename: "zaphod", remotenameGiven: rng.chance(0.5), maxRequests: 0, maxReceived: 0 },
        });
        end.eapClient.start("us", 0);
        end.eapServer.start("us", 0);
        for (let step = 0; step < 60; step++) {
          const id = rng.chance(0.8) ? (end.sent.at(-1)?.packet[1] ?? 0) : rng.below(256);
          const type = rng.pick([1, 2, 3, 4, 4, 13, 26, 26, 26]);
          const data = rng.bytes(rng.pick([0, 1, 4, 17, 21, 54, rng.below(200)]));
          if (type === EapType.MsChapV2 && data.length >= 5) {
            data.set([rng.pick([1, 2, 3, 4]), 0, 0, data.length, rng.pick([16, 49])]);
          } else if (type === EapType.Md5Challenge && data.length > 0) data[0] = rng.pick([16, data[0]!]);
          else if (type === EapType.Nak && data.length > 0) data[0] = rng.pick([0, 4, 19, 26]);
          const packet = rng.chance(0.7) ? response(id, type, data) : request(id, type, data);
          end.take(Protocol.EAP, rng.chance(0.2) ? rng.bytes(rng.below(80)) : packet, step);
          if (rng.chance(0.1)) end.handleTimeout(1000 * step);
          end.sent.splice(0, end.sent.length - 1);
          if (end.outcome("server") === false) end.eapServer.start("us", step);
          if (end.outcome("client") !== undefined) end.eapClient.start("us", step);
        }
        expect(end.outcomes.some(({ role, accepted }) => role === "server" && accepted)).toBe(false);
      }
    });
  });
});

function countPackets(type: number): number {
  const wire = started(type);
  const before = wire.passing;
  let count = 0;
  wire.passing = (packet, from, protocol) => {
    count++;
    return before(packet, from, protocol);
  };
  wire.run();
  return count;
}

function isProof(packet: Uint8Array): boolean {
  return packet.length > 20 && (packet[4] === EapType.Md5Challenge || packet[4] === EapType.MsChapV2);
}

/** Zeros, flags, and the MS-CHAPv2-ID and length inside do not matter. */
function isSpare(packet: Uint8Array, hurt: Uint8Array): boolean {
  if (packet[4] !== EapType.MsChapV2 || hurt.length !== packet.length) return false;
  const at = packet.findIndex((octet, index) => octet !== hurt[index]);
  return (at >= 6 && at < 9) || (at >= 26 && at < 34) || at === 58;
}
