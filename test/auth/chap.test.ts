import { describe, expect, test } from "bun:test";
import { Md5Digest } from "../../src/auth/digest.ts";
import { challengeHash } from "../../src/auth/mschap.ts";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { ChapCode, parseChap, putChap, putChapResult } from "../../src/wire/chap.ts";
import { ChapDigest } from "../../src/wire/lcp.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { damaged, written } from "../kit/codec.ts";
import { withRng } from "../kit/rng.ts";
import { End, type EndOptions, plain, Wire } from "./endpoints.ts";

const SECRET = "gargleBlaster";
const SERVER: EndOptions = { peers: { zaphod: SECRET } };
const CLIENT: EndOptions = { ours: { server: SECRET } };
const DIGESTS = [ChapDigest.Md5, ChapDigest.Ms, ChapDigest.MsV2];

/** `a` is the server, `b` the client. */
function started(digest: ChapDigest, server: EndOptions = SERVER, client: EndOptions = CLIENT, user = "zaphod"): Wire {
  const wire = new Wire(new End(1, server), new End(2, client));
  wire.b.chapClient.start(digest, user, 0);
  wire.a.chapServer.start(digest, "server", 0);
  return wire;
}

function session(digest: ChapDigest, server?: EndOptions, client?: EndOptions, user?: string): Wire {
  const wire = started(digest, server, client, user);
  wire.run();
  return wire;
}

test("the digest of RFC 1994 §4.1", () => {
  const challenge = fromHex("000102030405060708090a0b0c0d0e0f");
  const { value } = new Md5Digest(() => 0).respond({ id: 1, challenge, name: "", secret: "secret" });
  expect(toHex(value)).toBe("740e86463bda3a4d7017d6e0fba0699d");
});

test("challenges have pppd's lengths, and no two are equal", async () => {
  await withRng((rng) => {
    const digest = new Md5Digest(() => rng.u32());
    const challenges = Array.from({ length: 300 }, () => digest.challenge());
    const lengths = [...new Set(challenges.map(({ length }) => length))].sort((a, b) => a - b);
    expect(lengths).toEqual([16, 17, 18, 19, 20, 21, 22, 23]);
    expect(new Set(challenges.map((challenge) => toHex(challenge))).size).toBe(300);
  });
});

// The expected lines are those of two pppd 2.4.9.
describe("both sides say what pppd's say", () => {
  test("when MD5 succeeds", () => {
    const { a, b } = session(ChapDigest.Md5);
    expect(plain(a.lines)).toEqual([
      'sent [CHAP Challenge id <…>, name = "server"]',
      'rcvd [CHAP Response id <…>, name = "zaphod"]',
      'sent [CHAP Success id "Access granted"]',
    ]);
    expect(plain(b.lines)).toEqual([
      'rcvd [CHAP Challenge id <…>, name = "server"]',
      'sent [CHAP Response id <…>, name = "zaphod"]',
      'rcvd [CHAP Success id "Access granted"]',
      "CHAP authentication succeeded: Access granted",
      "CHAP authentication succeeded",
    ]);
    expect(b.said).toEqual([
      "info: CHAP authentication succeeded: Access granted",
      "notice: CHAP authentication succeeded",
    ]);
  });

  test("when MS-CHAP succeeds", () => {
    const { a, b } = session(ChapDigest.Ms);
    expect(plain(a.lines).at(-1)).toBe('sent [CHAP Success id "Access granted"]');
    expect(plain(b.lines).slice(-2)).toEqual([
      "CHAP authentication succeeded: Access granted",
      "CHAP authentication succeeded",
    ]);
    expect(b.lines[1]).toMatch(/<0{48}[0-9a-f]{48}01>/);
  });

  test("when MS-CHAPv2 succeeds", () => {
    const { a, b } = session(ChapDigest.MsV2);
    expect(plain(a.lines).at(-1)).toBe('sent [CHAP Success id "S=… M=Access granted"]');
    expect(plain(b.lines)).toEqual([
      'rcvd [CHAP Challenge id <…>, name = "server"]',
      "added response cache entry 0",
      'sent [CHAP Response id <…>, name = "zaphod"]',
      'rcvd [CHAP Success id "S=… M=Access granted"]',
      "response found in cache (entry 0)",
      "CHAP authentication succeeded",
    ]);
  });

  const failures: readonly [ChapDigest, string, string][] = [
    [ChapDigest.Md5, "Access denied", "info: CHAP authentication failed: Access denied"],
    [ChapDigest.Ms, "E=691 R=1 C=… V=0", "error: MS-CHAP authentication failed: E=691 Authentication failure"],
    [ChapDigest.MsV2, "E=691 R=1 C=… V=0 M=Access denied", "error: MS-CHAP authentication failed: Access denied"],
  ];
  for (const [digest, message, line] of failures) {
    test(`when the secret is wrong: ${message}`, () => {
      const { a, b } = session(digest, SERVER, { ours: { server: "wrong" } });
      expect(a.said).toEqual(["warn: Peer zaphod failed CHAP authentication"]);
      expect(plain(a.lines).at(-1)).toBe(`sent [CHAP Failure id "${message}"]`);
      expect(b.said.filter((said) => !said.startsWith("debug"))).toEqual([line, "error: CHAP authentication failed"]);
      expect([a.outcome("server"), b.outcome("client")]).toEqual([false, false]);
    });
  }

  test("when the server has no secret", () => {
    const { a, b } = session(ChapDigest.Md5, SERVER, CLIENT, "ford");
    expect(a.said).toEqual([
      "error: No CHAP secret found for authenticating ford",
      "warn: Peer ford failed CHAP authentication",
    ]);
    expect(plain(b.lines).slice(-3)).toEqual([
      'rcvd [CHAP Failure id ""]',
      "CHAP authentication failed",
      "CHAP authentication failed",
    ]);
    expect(session(ChapDigest.MsV2, SERVER, CLIENT, "ford").b.lines.slice(-2)).toEqual([
      "MS-CHAP authentication failed: ",
      "CHAP authentication failed",
    ]);
  });

  test("when the client has no secret", () => {
    const { b } = session(ChapDigest.Md5, SERVER, {});
    expect(b.said[0]).toBe("warn: No CHAP secret found for authenticating us to server");
    expect(b.outcome("client")).toBe(false);
  });

  test("when the name has octets that cannot be printed", () => {
    const { a } = session(ChapDigest.Md5, SERVER, CLIENT, 'fo"rd\xc3\xbc\x01\r');
    expect(a.said[0]).toBe('error: No CHAP secret found for authenticating fo\\"rdM-CM-<^A^M');
  });
});

describe("packets are lost", () => {
  for (const digest of DIGESTS) {
    for (const lost of [ChapCode.Challenge, ChapCode.Response, ChapCode.Success]) {
      test(`0x${digest.toString(16)}: the first of code ${lost}`, () => {
        const wire = started(digest);
        let count = 0;
        wire.passing = (packet) => (packet[0] === lost && count++ === 0 ? undefined : packet);
        wire.run(3000);
        expect(count).toBeGreaterThan(1);
        expect([wire.a.outcome("server"), wire.b.outcome("client")]).toEqual([true, true]);
        expect(wire.a.outcomes).toHaveLength(1);
        expect(wire.b.outcomes).toHaveLength(1);
      });
    }
  }

  test("all challenges: the server gives up after chap-max-challenge, and the client after chap-timeout", () => {
    const wire = started(ChapDigest.Md5, { ...SERVER, chap: { maxChallenge: 3, restartMs: 1000 } });
    wire.passing = () => undefined;
    wire.run(2999);
    expect(wire.a.lines).toHaveLength(3);
    expect(wire.a.outcomes).toEqual([]);
    wire.run(3000);
    expect(wire.a.outcomes).toEqual([{ role: "server", accepted: false, name: undefined, mppe: undefined }]);
    expect(wire.a.said).toEqual([]);
    wire.run(59999);
    expect(wire.b.outcomes).toEqual([]);
    wire.run(60000);
    expect(wire.b.said).toEqual(["error: CHAP authentication timed out"]);
    expect(wire.b.outcome("client")).toBe(false);
    wire.run(200000);
    expect(wire.a.outcomes.length + wire.b.outcomes.length).toBe(2);
  });

  test("the client repeats its response no more often than a server repeats its challenge", () => {
    const wire = started(ChapDigest.Md5, SERVER, { ...CLIENT, chap: { timeoutMs: 0, maxChallenge: 4 } });
    wire.passing = (packet) => (packet[0] === ChapCode.Challenge ? packet : undefined);
    wire.run();
    wire.passing = () => undefined;
    const responses = (): number => wire.b.lines.filter((line) => line.startsWith("sent")).length;
    // One response, then four more after 3 seconds each.
    for (const [until, count] of [
      [2999, 1],
      [3000, 2],
      [5999, 2],
      [6000, 3],
      [9000, 4],
      [12_000, 5],
      [1e6, 5],
    ] as const) {
      wire.run(until);
      expect([until, responses()]).toEqual([until, count]);
    }
    expect(wire.b.wakeAt).toBe(Infinity);
  });
});

describe("after the success", () => {
  test("the peer is challenged again at each chap-interval, and it is told of a failure", () => {
    const secrets: Record<string, string> = { server: SECRET };
    const interval = { ...SERVER, chap: { intervalMs: 30000 } };
    const wire = session(ChapDigest.MsV2, interval, { ours: secrets });
    wire.run(95000);
    expect(wire.a.outcomes.map(({ accepted }) => accepted)).toEqual([true, true, true, true]);
    // The keys are new each time, and the same on both sides.
    const keys = (end: End): string[] =>
      end.outcomes.flatMap(({ mppe }) => (mppe !== undefined && "ntResponse" in mppe ? toHex(mppe.ntResponse) : []));
    expect(keys(wire.a)).toEqual(keys(wire.b));
    expect(new Set(keys(wire.a)).size).toBe(4);
    const before = wire.b.said.length;
    secrets["server"] = "changed";
    wire.run(125000);
    expect(wire.a.outcome("server")).toBe(false);
    expect(wire.a.said).toEqual(["warn: Peer zaphod failed CHAP authentication"]);
    // pppd's client logs nothing about a later verdict. The server ends the link.
    expect(wire.b.said.slice(before)).toEqual(["debug: added response cache entry 4"]);
    expect(wire.a.wakeAt).toBe(Infinity);
  });

  test("a peer that falls silent fails", () => {
    const wire = session(ChapDigest.Md5, { ...SERVER, chap: { intervalMs: 30000, maxChallenge: 2 } });
    wire.passing = () => undefined;
    wire.run(36000);
    expect(wire.a.outcome("server")).toBe(false);
  });

  test("a response that comes again gets the same verdict, whatever it holds; a response of another identifier gets none", () => {
    for (const secret of [SECRET, "wrong"]) {
      const wire = session(ChapDigest.Md5, SERVER, { ours: { server: secret } });
      const verdict = wire.a.lines.at(-1);
      const said = parseChap(Uint8Array.of(2, 0, 0, 5, 0), 0, 5);
      const id = Number(/id=(0x\w+)/.exec(verdict ?? "")?.[1]);
      if (said === undefined) throw new Error("not a packet");
      wire.a.chapServer.receive({ ...said, id }, 5);
      expect(wire.a.lines.at(-1)).toBe(verdict);
      const count = wire.a.lines.length;
      wire.a.chapServer.receive({ ...said, id: (id + 255) & 255 }, 6);
      expect(wire.a.lines).toHaveLength(count);
      expect(wire.a.outcomes).toHaveLength(1);
    }
  });
});

test("a verdict that nothing was sent for is ignored", () => {
  const client = new End(1, CLIENT);
  client.chapClient.start(ChapDigest.Md5, "zaphod", 0);
  for (const code of [ChapCode.Success, ChapCode.Failure]) client.chapClient.receive({ code, id: 1, message: "" }, 1);
  expect(client.lines).toEqual([]);
  expect(client.outcomes).toEqual([]);
});

test("an answer to an earlier challenge is ignored", () => {
  const wire = started(ChapDigest.Md5, { ...SERVER, chap: { intervalMs: 1000 } });
  wire.run();
  const old = wire.b.lines.findLast((line) => line.startsWith("sent")) ?? "";
  wire.passing = () => undefined;
  wire.run(1000);
  const [, id = "", value = ""] = /id=(0x\w+) <(\w+)>/.exec(old) ?? [];
  wire.a.chapServer.receive({ code: ChapCode.Response, id: Number(id), value: fromHex(value), name: "zaphod" }, 1001);
  expect(wire.a.outcomes).toHaveLength(1);
  expect(wire.a.lines.filter((line) => line.includes("Success"))).toHaveLength(1);
});

describe("names", () => {
  test("a server that does not give its name has the name of remotename", () => {
    const nameless = (options: EndOptions): Wire => {
      const wire = new Wire(new End(1, SERVER), new End(2, options));
      wire.b.chapClient.start(ChapDigest.Md5, "zaphod", 0);
      wire.a.chapServer.start(ChapDigest.Md5, "", 0);
      wire.run();
      return wire;
    };
    const ours = { isp: SECRET };
    expect(nameless({ ours }).b.outcome("client")).toBe(false);
    expect(nameless({ ours, chap: { remotename: "isp" } }).b.outcome("client")).toBe(true);
    expect(nameless({ ours: { "": SECRET } }).b.outcome("client")).toBe(true);
  });

  test("remotename takes precedence over the name that the peer gives", () => {
    const chap = { remotename: "arthur", remotenameGiven: true };
    expect(session(ChapDigest.Md5, { peers: { arthur: SECRET }, chap }).a.outcomes).toMatchObject([
      { accepted: true, name: "arthur" },
    ]);
    expect(session(ChapDigest.Md5, SERVER, { ours: { arthur: SECRET }, chap }).b.outcome("client")).toBe(true);
    const domain = { ...chap, remotename: "MILKY\\arthur", stripDomain: true };
    const wire = session(ChapDigest.Md5, { peers: { "MILKY\\arthur": SECRET }, chap: domain });
    expect(wire.a.outcome("server")).toBe(true);
    // A name that is not from an option counts only for a peer that sends none.
    const soft = { remotename: "arthur" };
    expect(session(ChapDigest.Md5, { ...SERVER, chap: soft }).a.outcome("server")).toBe(true);
  });

  test("chapms-strip-domain looks DOMAIN\\user up as user, of every digest", () => {
    for (const digest of DIGESTS) {
      const user = "MILKY\\WAY\\zaphod";
      expect(session(digest, SERVER, CLIENT, user).a.outcome("server")).toBe(false);
      const stripped = session(digest, { ...SERVER, chap: { stripDomain: true } }, CLIENT, user);
      expect(stripped.a.outcomes).toMatchObject([{ accepted: true, name: "zaphod" }]);
      expect(session(digest, { peers: { [user]: SECRET } }, CLIENT, user).a.outcome("server")).toBe(true);
    }
  });

  test("a name ends at a NUL", () => {
    expect(session(ChapDigest.Md5, SERVER, CLIENT, "zaphod\0\0").a.outcomes).toMatchObject([{ name: "zaphod" }]);
  });
});

describe("each proves itself to the other", () => {
  const OURS: EndOptions = { ours: { peer: "aaa" }, peers: { peer: "bbb" } };
  const THEIRS: EndOptions = { ours: { us: "bbb" }, peers: { us: "aaa" } };

  function mutual(a: EndOptions, b: EndOptions, digests: readonly [ChapDigest, ChapDigest]): Wire {
    const wire = new Wire(new End(1, a), new End(2, b));
    wire.a.chapClient.start(digests[1], "us", 0);
    wire.a.chapServer.start(digests[0], "us", 0);
    wire.b.chapClient.start(digests[0], "peer", 0);
    wire.b.chapServer.start(digests[1], "peer", 0);
    wire.run();
    return wire;
  }

  test("with any two digests", () => {
    for (const one of DIGESTS) {
      for (const other of DIGESTS) {
        const { a, b } = mutual(OURS, THEIRS, [one, other]);
        for (const end of [a, b]) expect([end.outcome("client"), end.outcome("server")]).toEqual([true, true]);
      }
    }
  });

  /** A peer without a secret: it sends our own challenge back to us, and our answer, under our name. */
  function reflect(ask: ChapDigest, comply: ChapDigest): End {
    const end = new End(1, { ours: { us: "s", peer: "s" }, peers: { us: "s", peer: "s" } });
    end.chapClient.start(comply, "us", 0);
    end.chapServer.start(ask, "us", 0);
    for (let turn = 0; turn < 6; turn++) {
      const { packet } = end.sent.shift() ?? {};
      if (packet === undefined) break;
      end.take(Protocol.CHAP, packet, turn);
    }
    return end;
  }

  test("a peer that returns our own answer does not prove itself", () => {
    for (const digest of DIGESTS) {
      const end = reflect(digest, digest);
      expect(end.outcome("server")).toBe(false);
      expect(end.said).toContain("warn: Peer us sent our own CHAP response back");
      expect(end.lines.join()).toContain("sent [CHAP Response");
    }
  });

  test("a peer that uses an MS-CHAP answer for MS-CHAPv2 does not prove itself", () => {
    const end = new End(1, { ours: { peer: "s" }, peers: { peer: "s" } });
    end.chapClient.start(ChapDigest.Ms, "us", 0);
    end.chapServer.start(ChapDigest.MsV2, "us", 0);
    const asked = parseChap(end.sent[0]!.packet, 0, end.sent[0]!.packet.length);
    if (asked?.code !== ChapCode.Challenge) throw new Error("no challenge");
    const { attack, replay } = msOracle(asked.value);
    end.chapClient.receive({ code: ChapCode.Challenge, id: 7, value: attack, name: "peer" }, 1);
    const answer = parseChap(end.sent[1]!.packet, 0, end.sent[1]!.packet.length);
    if (answer?.code !== ChapCode.Response) throw new Error("no response");
    const forged = { code: ChapCode.Response, id: asked.id, value: replay(answer.value), name: "peer" } as const;
    // It is the right answer, which a server without MS-CHAP would accept.
    const other = new End(1, { peers: { peer: "s" } });
    other.chapServer.start(ChapDigest.MsV2, "us", 0);
    other.chapServer.receive(forged, 2);
    expect(other.outcome("server")).toBe(true);
    end.chapServer.receive(forged, 2);
    expect(end.outcome("server")).toBe(false);
  });

  test("a peer that sends many challenges gets only a few answers", () => {
    const end = new End(1, OURS);
    end.chapClient.start(ChapDigest.Md5, "us", 0);
    end.chapServer.start(ChapDigest.Md5, "us", 0);
    for (let id = 0; id < 200; id++) {
      const value = Uint8Array.of(id, 1, 2, 3);
      end.chapClient.receive({ code: ChapCode.Challenge, id: id & 0xff, value, name: "peer" }, 1);
    }
    expect(end.lines.filter((line) => line.startsWith("sent [CHAP Response"))).toHaveLength(64);
  });
});

test("a Protocol-Reject ends the authentication for either side", () => {
  const { a, b } = started(ChapDigest.Md5);
  a.chapServer.rejected(1);
  b.chapClient.rejected(1);
  expect([a.outcome("server"), b.outcome("client")]).toEqual([false, false]);
  expect(b.said).toEqual(["error: CHAP authentication failed due to protocol-reject"]);
  expect([a.wakeAt, b.wakeAt]).toEqual([Infinity, Infinity]);
});

test("a side that was stopped is silent until it is started again", () => {
  const wire = started(ChapDigest.MsV2);
  wire.a.chapServer.stop();
  wire.b.chapClient.stop();
  wire.run(1e6);
  expect(wire.a.outcomes.length + wire.b.outcomes.length).toBe(0);
  wire.b.chapClient.start(ChapDigest.MsV2, "zaphod", wire.now);
  wire.a.chapServer.start(ChapDigest.MsV2, "server", wire.now);
  wire.run();
  expect([wire.a.outcome("server"), wire.b.outcome("client")]).toEqual([true, true]);
});

describe("nothing a peer sends makes either side throw", () => {
  test("a damaged packet proves nothing", () => {
    for (const digest of DIGESTS) {
      const wire = session(digest);
      const packets: Uint8Array[] = [];
      const again = started(digest);
      again.passing = (packet) => {
        packets.push(packet);
        return packet;
      };
      again.run();
      expect(packets).toHaveLength(3);
      for (const packet of packets) {
        for (const hurt of damaged(packet)) {
          const fresh = started(digest);
          fresh.b.take(Protocol.CHAP, hurt, 1);
          fresh.a.take(Protocol.CHAP, hurt, 1);
          wire.a.take(Protocol.CHAP, hurt, 2);
          wire.b.take(Protocol.CHAP, hurt, 2);
          const isSpare = toHex(proofOf(digest, hurt)) === toHex(proofOf(digest, packet));
          if (!isSpare) expect(fresh.a.outcome("server")).not.toBe(true);
        }
      }
      expect(wire.a.outcomes.map(({ accepted }) => accepted)).toEqual([true]);
    }
  });

  test("random octets, at any time", async () => {
    await withRng((rng) => {
      for (let round = 0; round < 60; round++) {
        const digest = rng.pick(DIGESTS);
        const end = new End(rng.u32(), { ours: { server: SECRET }, peers: { zaphod: SECRET } });
        end.chapClient.start(digest, "zaphod", 0);
        end.chapServer.start(digest, "us", 0);
        for (let step = 0; step < 60; step++) {
          const id = rng.below(256);
          const value = rng.bytes(rng.pick([0, 1, 8, 16, 49, rng.below(256)]));
          const text = String.fromCharCode(...rng.bytes(rng.below(60)));
          const code = rng.pick([ChapCode.Challenge, ChapCode.Response] as const);
          const result = rng.pick([ChapCode.Success, ChapCode.Failure] as const);
          const message = rng.pick(["", "E=", "E=691 R=1", "S=", "S=00", `S=${"0".repeat(40)}`]) + text;
          const packet = rng.chance(0.5)
            ? written((buf, at) => putChap(buf, at, code, id, value, text), 2048)
            : written((buf, at) => putChapResult(buf, at, result, id, message), 2048);
          end.take(Protocol.CHAP, rng.chance(0.2) ? rng.bytes(rng.below(80)) : packet, step);
          if (rng.chance(0.1)) end.handleTimeout(1000 * step);
          end.sent.length = 0;
        }
        expect(end.outcome("server")).not.toBe(true);
      }
    });
  });
});

/** The octets of a response that matter. In Microsoft's, zeros and flags do not, nor does the other half. */
function proofOf(digest: ChapDigest, packet: Uint8Array): Uint8Array {
  if (digest === ChapDigest.Md5 || packet.length < 54) return packet;
  const before = digest === ChapDigest.Ms ? 5 : 21;
  return Uint8Array.of(...packet.subarray(1, before), ...packet.subarray(29, 53), ...packet.subarray(54));
}

/** The challenge whose MS-CHAP answer is an MS-CHAPv2 answer too, when an attacker chooses the peer challenge. */
function msOracle(challenge: Uint8Array): { attack: Uint8Array; replay: (answer: Uint8Array) => Uint8Array } {
  const peerChallenge = new Uint8Array(16).fill(0x55);
  const attack = challengeHash(peerChallenge, challenge, "peer");
  return {
    attack,
    replay: (answer) => {
      const value = new Uint8Array(49);
      value.set(peerChallenge);
      value.set(answer.subarray(24, 48), 24);
      return value;
    },
  };
}
