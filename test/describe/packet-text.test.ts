import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex } from "../../src/bytes/text.ts";
import { describePacket } from "../../src/describe/packet-text.ts";
import { damaged, embedded } from "../kit/codec.ts";
import { Rng } from "../kit/rng.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures");

function say(packet: Uint8Array, hidePassword = true): string {
  const { buf, start, end } = embedded(packet);
  return describePacket(buf, start, end, { hidePassword });
}

// fixtures/describe/probes.tsv: packets in hex that were sent to the real pppd 2.4.9, and its log line for each.
const PROBES = readFileSync(join(FIXTURES, "describe/probes.tsv"), "latin1")
  .trimEnd()
  .split("\n")
  .map((line) => line.split("\t") as [string, string]);

test(`${PROBES.length} packets, sound and broken, as the real pppd describes them`, () => {
  for (const [hex, line] of PROBES) expect(`${hex}\t${say(fromHex(hex))}`).toBe(`${hex}\t${line}`);
});

describe("passwords", () => {
  const request = fromHex("c02301010010 03627566 07707722ff5c0a09");

  test("hidden", () => {
    expect(say(request)).toBe('[PAP AuthReq id=0x1 user="buf" password=<hidden>]');
  });

  test("shown, what cannot be printed escaped", () => {
    expect(say(request, false)).toBe('[PAP AuthReq id=0x1 user="buf" password="pw\\"\\377\\\\\\n\\t"]');
  });
});

describe("where pppd's own line goes astray", () => {
  test("CBCP telephone numbers", () => {
    expect(say(fromHex("c02901070010 030c05013535353132313200"))).toBe(
      "[CBCP Request id=0x7 < AdminDefined delay = 5 number = 5551212>]",
    );
    expect(say(fromHex("c02902080008 0102 0102"))).toBe("[CBCP Response id=0x8 < NoCallback> < NoCallback>]");
  });

  test("a name server's address too short to be one", () => {
    expect(say(fromHex("8021030400098105010203"))).toBe("[IPCP ConfNak id=0x4 < 81 05 01 02 03>]");
  });
});

test.each([
  ["020305", " UserDefined delay = 5"],
  ["02040501", " UserDefined delay = 5 number = "],
  ["02040500", " UserDefined delay = 5 number = "],
  ["0205050131", " UserDefined delay = 5 number = 1"],
  ["020605013100", " UserDefined delay = 5 number = 1"],
  ["03020402", " AdminDefined> < List"],
  ["1a020002", " option=0x1a> < option=0x0"],
])("the option %s of CBCP is %s", (hex, text) => {
  const length = (4 + hex.length / 2).toString(16).padStart(2, "0");
  expect(say(fromHex(`c029 0103 00${length} ${hex}`))).toBe(`[CBCP Request id=0x3 <${text}>]`);
});

test("an EAP Nak names the first type, and octets follow", () => {
  expect(say(fromHex("c227 02020007 03 0d 1a"))).toBe("[EAP Response id=0x2 Nak <Suggested-type 0d (TLS)> 1a]");
});

test("CBCP of another code is octets", () => {
  expect(say(fromHex("c029 0403 0006 0102"))).toBe("[CBCP code=0x4 id=0x3 01 02]");
  expect(say(fromHex("c029 0303 0006 0102"))).toBe("[CBCP Ack id=0x3 < NoCallback>]");
});

// pppd up to 2.4.9 decodes SRP-SHA1, and shows no report of the link's quality.
test.each([
  ["01020009 13 01 02 03 04", "[EAP Request id=0x2 SRP-1 02 03 04]"],
  ["01020008 13 01 02 03", "[EAP Request id=0x2 SRP-1 02 03]"],
  ["01020007 13 01 02", "[EAP Request id=0x2 SRP <truncated> 01 02]"],
  ["02020006 13 03", "[EAP Response id=0x2 SRP-3]"],
  ["02020005 13", "[EAP Response id=0x2 SRP <truncated>]"],
])("EAP-SRP %s", (hex, line) => {
  expect(say(fromHex(`c227 ${hex}`))).toBe(line);
});

test("a report of the link's quality, and what is behind it", () => {
  const numbers = Array.from({ length: 11 }, (_, at) => (at + 1).toString(16).padStart(8, "0"));
  expect(say(fromHex(`c025 deadbe11 ${numbers.join("")} 0b16`))).toBe(
    "[LQR magic=0xdeadbe11 LastOut=1,2,3 PeerIn=4,5,6,7,8 PeerOut=9,10,11] 0b 16",
  );
});

test("an EAP value longer than the packet: what follows its length", () => {
  expect(say(fromHex("c2270101000c 1a 01010007 05 aabb"))).toBe("[EAP Request id=0x1 MSCHAPv2 <truncated> aa bb]");
  expect(say(fromHex("c22701010008 04 05 aabb"))).toBe("[EAP Request id=0x1 MD5-Challenge <truncated> aa bb]");
});

test("an IPX router name is escaped its own way", () => {
  expect(say(fromHex("802b010500080504837e"))).toBe('[IPXCP ConfReq id=0x5 <router name " \\83~">]');
});

describe("data packets, which the kernel keeps from pppd unless it dials on demand", () => {
  test.each([
    ["0021 4500003400", "[IP data] 45 00 00 34 00"],
    ["0021 450000340001400040", "[IP data] 45 00 00 34 00 01 40 00 ..."],
    ["0057 6000000000", "[IPV6 data] 60 00 00 00 00"],
    ["00fd 0000", "[Compressed data] 00 00"],
    ["c025 01", "[proto=0xc025] 01"],
  ])("%s", (hex, line) => {
    expect(say(fromHex(hex))).toBe(line);
  });
});

test("less than a protocol field", () => {
  expect(say(fromHex("c0"))).toBe("c0");
  expect(say(new Uint8Array(0))).toBe("");
});

test("says something of any octets, and looks at nothing beyond them", () => {
  for (const [hex] of PROBES.filter((_, index) => index % 10 === 0)) {
    for (const packet of damaged(fromHex(hex))) {
      // With other octets around it than embedded() has, the text must be the same.
      const alone = describePacket(packet, 0, packet.length, { hidePassword: false });
      expect(say(packet, false)).toBe(alone);
    }
  }
  const rng = new Rng(1661);
  for (let round = 0; round < 20_000; round++) {
    const packet = rng.bytes(rng.below(60));
    packet.set(
      rng
        .pick([fromHex("c021"), fromHex("8021"), fromHex("c227"), fromHex("c029"), fromHex("80fd")])
        .subarray(0, packet.length),
    );
    expect(say(packet)).toBe(describePacket(packet, 0, packet.length, { hidePassword: true }));
  }
});
