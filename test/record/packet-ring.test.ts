import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { keptOctets } from "../../src/record/kept-octets.ts";
import { type Kept, PacketRing } from "../../src/record/packet-ring.ts";
import { putAuthReq } from "../../src/wire/pap.ts";
import { withRng } from "../kit/rng.ts";

const ECHO = fromHex("c0210907000800000000");
const copied = (item: Kept): Kept => (item.type === "packet" ? { ...item, octets: item.octets.slice() } : item);
const itemsOf = (ring: PacketRing, since?: number): Kept[] => [...ring.items(since)].map(copied);

describe("PacketRing", () => {
  test("keeps packets and notes in their order, with times, lines, directions and the count of bad frames", () => {
    const ring = new PacketRing();
    const around = Uint8Array.of(0xff, ...ECHO, 0xff);
    ring.sent(0, 1000.5, around, 1, 11, 7 << 16);
    ring.received(3, 1001, around, 1, 11, 40_000);
    ring.note(254, 1002, "phase network ☎");
    const packet = { type: "packet", octets: ECHO, length: 10 };
    expect(itemsOf(ring)).toEqual([
      { ...packet, line: 0, isSent: true, time: 1000.5, badFrames: 0, leftOut: 7 },
      { ...packet, line: 3, isSent: false, time: 1001, badFrames: 40_000, leftOut: 0 },
      { type: "note", line: 254, time: 1002, text: "phase network ☎" },
    ] as Kept[]);
    expect(itemsOf(ring, 1001)).toHaveLength(2);
    expect(itemsOf(ring, 1003)).toEqual([]);
  });

  test("an empty one has nothing", () => {
    expect(itemsOf(new PacketRing())).toEqual([]);
  });

  test("has the latest items, whatever their sizes, without a gap, and at least 48 kB of them", () =>
    withRng((rng) => {
      const ring = new PacketRing();
      const packet = new Uint8Array(3000);
      packet.set([0xc0, 0x21, 11]);
      let octets = 0;
      for (let count = 0; count < 3000; count++) {
        const length = rng.u32() % 4 === 0 ? rng.u32() % 2900 : 10 + (rng.u32() % 60);
        if (rng.u32() % 8 === 0) ring.note(1, count, "x".repeat(length));
        else if (rng.u32() % 2 === 0) ring.sent(1, count, packet, 0, Math.max(2, length), 0);
        else ring.received(1, count, packet, 0, Math.max(2, length), count);
        if (count % 97 !== 0) continue;
        const items = itemsOf(ring);
        expect(items.map(({ time }) => time)).toEqual(items.map((_, at) => count - items.length + 1 + at));
        octets = items.reduce((sum, item) => sum + (item.type === "note" ? item.text.length : item.octets.length), 0);
      }
      expect(octets).toBeGreaterThan(48_000);
    }));

  test("has no password of PAP, with and without address and control, and not in a Protocol-Reject", () => {
    const ring = new PacketRing();
    const request = new Uint8Array(60).subarray(0, putAuthReq(new Uint8Array(60), 0, 1, "zaphod", "gargle"));
    putAuthReq(request, 0, 1, "zaphod", "gargle");
    ring.sent(0, 1, Uint8Array.of(0xff, 3, 0xc0, 0x23, ...request), 0, 4 + request.length, 0);
    ring.received(0, 1, Uint8Array.of(0xc0, 0x23, ...request), 0, 2 + request.length, 0);
    const reject = Uint8Array.of(0xff, 3, 0xc0, 0x21, 8, 1, 0, 6 + request.length, 0xc0, 0x23, ...request);
    ring.received(0, 1, reject, 0, reject.length, 0);
    const shown = itemsOf(ring).map((item) => (item.type === "packet" ? Buffer.from(item.octets).toString() : ""));
    expect(shown).toHaveLength(3);
    for (const text of shown) {
      expect(text).toContain("zaphod");
      expect(text).not.toContain("gargle");
      expect(text).toEndWith("******");
    }
    // The packet itself is as it was.
    expect(Buffer.from(reject).toString()).toContain("gargle");
  });
});

describe("keptOctets", () => {
  const SECRET = "PASS hunter2\r\n";
  const kept = (head: string): string => {
    const packet = Uint8Array.of(...fromHex(head.replaceAll(" ", "")), ...Buffer.from(SECRET.repeat(20)));
    return toHex(packet, 0, keptOctets(packet, 0, packet.length));
  };
  const IPV4 = "45000200 00004000 4006 0000 0a000001 0a000002";
  const IPV6 = "60000000 0200 06 40 fd000000000000000000000000000001 fd000000000000000000000000000002";
  const TCP = "c000 0019 00000001 00000002 8018 0100 0000 0000 0101080a 00000001 00000002";
  const UDP = "c000 0035 0100 0000";
  const heads: Record<string, string> = {
    "TCP with options": `ff030021 ${IPV4} ${TCP}`,
    "a compressed header of PPP": `21 ${IPV4} ${TCP}`,
    UDP: `ff030021 ${IPV4.replace("4006", "4011")} ${UDP}`,
    ICMP: `ff030021 ${IPV4.replace("4006", "4001")} 0800000000010001`,
    "options of IPv4": `ff030021 ${IPV4.replace("45", "46")} 94040000 ${TCP}`,
    "a later fragment": `ff030021 ${IPV4.replace("00004000", "00000010")}`,
    "an unknown protocol over IPv4": `ff030021 ${IPV4.replace("4006", "4063")}`,
    "the first packet of VJ": `2f ${IPV4.replace("4006", "4003")} ${TCP}`,
    IPv6: `0057 ${IPV6} ${TCP}`,
    "IPv6 with other headers": `0057 ${IPV6.replace("0200 06", "0200 2c")}`,
    "a compressed packet": "00fd 000102030405",
    "a piece of a packet": "003d c0000000",
    "a compressed header": "2d 0b0102",
    "a refused protocol": `ff03c021 08010200 0021 ${IPV4} ${TCP}`,
    "a refused protocol, IPv6 and UDP": `c021 08010200 0057 ${IPV6.replace("0200 06", "0200 11")} ${UDP}`,
    "a refused compressed packet": "c021 08010200 00fd",
    "a refused compressed header": "c021 08010200 002d 0b0102",
    "a refused protocol that nobody knows": "c021 08010200 0029",
    "a refusal that leaves out the protocol": "c021 08010200 4500",
    "a refused refusal": `c021 07010200 08020200 c021 08030200 0021 ${IPV4} ${TCP}`,
  };
  for (const [what, head] of Object.entries(heads))
    test(`${what}: the headers and nothing of what follows`, () => {
      expect(kept(head)).toBe(head.replaceAll(" ", ""));
    });

  test("control packets are kept whole", () => {
    expect(keptOctets(ECHO, 0, ECHO.length)).toBe(ECHO.length);
  });

  test("a packet that is cut anywhere is kept no longer than it is, and nothing outside it is looked at", () => {
    for (const head of Object.values(heads)) {
      const packet = fromHex(head.replaceAll(" ", ""));
      for (let end = 0; end <= packet.length; end++) {
        const cut = keptOctets(packet.slice(0, end), 0, end);
        expect(cut).toBeLessThanOrEqual(end);
        const around = Uint8Array.of(0, ...packet.subarray(0, end), 0xa5, 0xa5, 0xa5, 0xa5);
        if (end > 1) expect(keptOctets(around, 1, 1 + end)).toBe(cut);
      }
    }
  });
});
