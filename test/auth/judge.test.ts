// A server whose peers are judged by another program, which takes time.

import { describe, expect, test } from "bun:test";
import type { NtJudge, NtVerdict } from "../../src/auth/chap-config.ts";
import type { NtProof } from "../../src/auth/digest.ts";
import { MsChap, MsChapV2, ntPasswordHash } from "../../src/auth/mschap.ts";
import { md4 } from "../../src/crypto/digests.ts";
import { ChapDigest } from "../../src/wire/lcp.ts";
import { End, Wire } from "./endpoints.ts";

const SECRET = "gargleBlaster";

class Judge implements NtJudge {
  readonly asked: NtProof[] = [];
  verdict: NtVerdict | undefined;

  ask(proof: NtProof): void {
    this.asked.push(proof);
  }

  take(): NtVerdict | undefined {
    return this.verdict;
  }
}

/** The client has answered, and the judge has been asked. No secret of the server fits. */
function asked(digest: ChapDigest): { wire: Wire; judge: Judge } {
  const judge = new Judge();
  const wire = new Wire(
    new End(1, { peers: { zaphod: "another" }, chap: { judge } }),
    new End(2, { ours: { server: SECRET } }),
  );
  wire.a.chapServer.start(digest, "server", 0);
  wire.b.chapClient.start(digest, "zaphod", 0);
  wire.run();
  return { wire, judge };
}

for (const [name, digest] of [
  ["MS-CHAP", ChapDigest.Ms],
  ["MS-CHAPv2", ChapDigest.MsV2],
] as const)
  describe(name, () => {
    test("a peer that the judge accepts is authenticated, and both sides have the same keys", () => {
      const { wire, judge } = asked(digest);
      expect(judge.asked).toHaveLength(1);
      expect(judge.asked[0]).toMatchObject({ name: "zaphod", ntResponse: expect.any(Uint8Array) });
      expect(judge.asked[0]!.challenge).toHaveLength(8);
      wire.a.chapServer.resume(wire.now);
      expect(wire.a.outcome("server")).toBeUndefined();
      judge.verdict = { accepted: true, passwordHashHash: md4(ntPasswordHash(SECRET)) };
      wire.a.chapServer.resume(wire.now);
      wire.run();
      expect([wire.a.outcome("server"), wire.b.outcome("client")]).toEqual([true, true]);
      const [ours, theirs] = [wire.a, wire.b].map((end) => end.outcomes.at(-1)!.mppe);
      expect(ours).toEqual({ ...theirs!, isServer: true });
    });

    test("a peer that the judge refuses is told why, and the judge is not asked again for a repeated response", () => {
      const { wire, judge } = asked(digest);
      wire.run(20_000);
      expect(judge.asked).toHaveLength(1);
      judge.verdict = { accepted: false, message: "Locked out" };
      wire.a.chapServer.resume(wire.now);
      wire.run();
      expect([wire.a.outcome("server"), wire.b.outcome("client")]).toEqual([false, false]);
      expect(wire.a.said).toContain("warn: Peer zaphod failed CHAP authentication");
      if (digest === ChapDigest.MsV2) expect(wire.b.said).toContain("error: MS-CHAP authentication failed: Locked out");
    });

    test("a judge with the wrong key convinces only a client that asks for no proof", () => {
      const { wire, judge } = asked(digest);
      judge.verdict = { accepted: true, passwordHashHash: new Uint8Array(16) };
      wire.a.chapServer.resume(wire.now);
      wire.run();
      expect(wire.b.outcome("client")).toBe(digest === ChapDigest.Ms);
    });

    test("a verdict after the end changes nothing", () => {
      const { wire, judge } = asked(digest);
      wire.a.chapServer.stop();
      judge.verdict = { accepted: true, passwordHashHash: new Uint8Array(16) };
      wire.a.chapServer.resume(wire.now);
      expect(wire.a.outcomes).toEqual([]);
    });
  });

test("the judge cannot check MD5, so that it authenticates nobody", () => {
  const { wire, judge } = asked(ChapDigest.Md5);
  expect(judge.asked).toEqual([]);
  expect([wire.a.outcome("server"), wire.b.outcome("client")]).toEqual([false, false]);
});

test("a response of another length, or of the LAN Manager's hash, is no proof", () => {
  const config = { random32: () => 0, msLanman: false };
  const question = { challenge: new Uint8Array(8), name: "zaphod" };
  for (const digest of [new MsChap(config, () => {}), new MsChapV2(config, () => {})])
    for (const length of [0, 48, 50]) expect(digest.proof(question, new Uint8Array(length))).toBeUndefined();
  expect(new MsChap(config, () => {}).proof(question, new Uint8Array(49))).toBeUndefined();
  const lanman = new MsChap({ ...config, msLanman: true }, () => {}).proof(question, new Uint8Array(49));
  expect(lanman).toMatchObject({ lmResponse: new Uint8Array(24) });
});
