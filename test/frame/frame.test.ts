import { expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import { Ring } from "../../src/bytes/ring.ts";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { Deframer, MAX_FRAME } from "../../src/frame/deframer.ts";
import {
  FCS32_GOOD,
  FCS32_INIT,
  fcs32Over,
  FCS_GOOD,
  FCS_INIT,
  FCS_ROOM,
  type FcsBits,
  fcsNext,
  fcsOver,
} from "../../src/frame/fcs.ts";
import { Framer, worstFrame } from "../../src/frame/framer.ts";
import { HEADROOM, putHeader } from "../../src/frame/header.ts";
import { cuts } from "../kit/cuts.ts";
import { fcs16Oracle } from "../oracle/fcs32-oracle.ts";
import { Rng } from "../kit/rng.ts";

/** Frames a packet with its FCS and returns the octets on the line. */
function framed(
  packet: Uint8Array,
  options: { accm?: number; escape?: number[]; plain?: boolean; fcs?: FcsBits } = {},
): Uint8Array {
  const ring = new Ring(new Uint8Array(65536));
  const framer = new Framer(ring, options.escape);
  framer.accm = options.accm ?? 0;
  framer.fcs = options.fcs ?? 16;
  const room = new Uint8Array(packet.length + FCS_ROOM).fill(0xa5);
  room.set(packet);
  framer.write(room, 0, packet.length, options.plain ?? false, 0);
  return ring.bytes.slice(0, ring.length);
}

function framesIn(pieces: Uint8Array[], accm = 0, fcs: FcsBits = 16): string[] {
  const deframer = new Deframer();
  deframer.accm = accm;
  deframer.fcs = fcs;
  const found: string[] = [];
  for (const piece of pieces)
    for (let at = 0; at < piece.length;) {
      at = deframer.push(piece, at, piece.length);
      if (deframer.length > 0) found.push(toHex(deframer.frame, 0, deframer.length));
    }
  return found;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

// Two LCP requests and their frames with the default ACCM (RFC 1662 §4.2). `lineOf` checks them without the tested
// code.
const CONF_REQ = "ff03c021010100140206000000000506deadbeef07020802";
const CONF_REQ_LINE = "7eff7d23c0217d217d217d207d347d227d267d207d207d207d207d257d26deadbeef7d277d227d287d2252a57e";
const MRU_REQ = "ff03c02101010018010405dc0206000a0000050612345678" + "07020802";
const MRU_REQ_LINE =
  "7eff7d23c0217d217d217d207d387d217d247d25dc7d227d267d207d2a7d207d207d257d267d323456787d277d227d287d224fd77e";

test("FCS-16 of the check string, and its residue (RFC 1662 appendix C)", () => {
  const check = new TextEncoder().encode("123456789");
  expect(fcsOver(FCS_INIT, check, 0, 9) ^ 0xffff).toBe(0x906e);
  expect(fcsOver(FCS_INIT, Uint8Array.of(...check, 0x6e, 0x90), 0, 11)).toBe(FCS_GOOD);
  const rng = new Rng(1);
  for (let length = 0; length < 40; length++) {
    const bytes = rng.bytes(length);
    expect(fcsOver(FCS_INIT, bytes, 0, length)).toBe(bytes.reduce(fcsNext, FCS_INIT));
  }
});

test("FCS-32 of the check string, its residue, and zlib's opinion", () => {
  const check = new TextEncoder().encode("123456789");
  expect(~fcs32Over(FCS32_INIT, check, 0, 9) >>> 0).toBe(0xcbf43926);
  expect(fcs32Over(FCS32_INIT, Uint8Array.of(...check, 0x26, 0x39, 0xf4, 0xcb), 0, 13)).toBe(FCS32_GOOD);
  const rng = new Rng(2);
  for (let length = 0; length < 40; length++) {
    const bytes = rng.bytes(length + 3);
    expect(~fcs32Over(FCS32_INIT, bytes, 3, length + 3) >>> 0).toBe(crc32(bytes.subarray(3)));
  }
});

/** An asynchronous frame with the default ACCM as RFC 1662 §4.2 defines it. */
function lineOf(frame: string): string {
  const octets = [...fromHex(frame)];
  const escaped = [...octets, ...fcs16Oracle(octets)].flatMap((octet) =>
    octet < 0x20 || octet === 0x7d || octet === 0x7e ? [0x7d, octet ^ 0x20] : [octet],
  );
  return toHex(Uint8Array.from([0x7e, ...escaped, 0x7e]));
}

test("frames are on the line as RFC 1662 defines them", () => {
  expect(lineOf(CONF_REQ)).toBe(CONF_REQ_LINE);
  expect(lineOf(MRU_REQ)).toBe(MRU_REQ_LINE);
  expect(toHex(framed(fromHex(CONF_REQ), { plain: true }))).toBe(CONF_REQ_LINE);
  expect(toHex(framed(fromHex(MRU_REQ), { plain: true }))).toBe(MRU_REQ_LINE);
  expect(toHex(framed(fromHex("ff03c02109000008deadbeef")))).toBe("7eff03c02109000008deadbeefae777e");
});

test("frames are read in any pieces, with control characters dropped or not", () => {
  for (const pieces of cuts(fromHex(CONF_REQ_LINE))) {
    expect(framesIn(pieces, 0xffffffff)).toEqual([CONF_REQ]);
    expect(framesIn(pieces, 0)).toEqual([CONF_REQ]);
  }
});

test("the shortest frame is a protocol of one octet, and the frame after it is its own", () => {
  const line = Uint8Array.of(...framed(fromHex("21")), ...framed(fromHex(CONF_REQ)));
  for (const pieces of cuts(line)) expect(framesIn(pieces)).toEqual(["21", CONF_REQ]);
});

test("what the ACCM and `escape` name is escaped, and 5e never", () => {
  const all = Uint8Array.from({ length: 256 }, (_, at) => at);
  for (const [accm, escape] of [
    [0, []],
    [0x000a0000, []],
    [0xffffffff, [0x91, 0xff]],
    [0, [0x5e, 0x11]],
  ] as const) {
    const line = framed(all, { accm, escape: [...escape] });
    for (let octet = 0; octet < 32; octet++) if ((accm >>> octet) & 1) expect(line.includes(octet)).toBe(false);
    for (const octet of escape) if (octet !== 0x5e) expect(line.includes(octet)).toBe(false);
    expect(framesIn([line])).toEqual([toHex(all)]);
  }
});

test("a damaged frame costs itself and no other", () => {
  const body = "ff03c02109000008deadbeef";
  const good = framed(fromHex(body)).subarray(1);
  const damaged = good.slice();
  damaged[5]! ^= 0x10;
  for (const [bad, why] of [
    [damaged, "badFcs"],
    [fromHex("ff0300217d7e"), "aborted"],
    [fromHex("01027e"), "runts"],
    [framed(fromHex("ff03")).subarray(1), "runts"],
    [framed(fromHex("00")).subarray(1), "runts"],
    [concat(new Uint8Array(MAX_FRAME + 10).fill(0x55), Uint8Array.of(0x7e)), "overlong"],
  ] as const) {
    const line = concat(bad, good);
    for (const pieces of line.length > 1000 ? [[line]] : cuts(line)) expect(framesIn(pieces)).toEqual([body]);
    const deframer = new Deframer();
    deframer.accm = 0;
    for (let at = 0; at < line.length;) at = deframer.push(line, at, line.length);
    expect(deframer.stats).toMatchObject({ frames: 1, [why]: 1 });
  }
});

test("no single flipped bit on the line gives a wrong frame", () => {
  for (const [sent, expected] of [
    [16, 16],
    [32, 32],
    [16, 32],
    [16, 0],
  ] as const) {
    const line = framed(fromHex(CONF_REQ), { plain: true, fcs: sent });
    for (let bit = 0; bit < line.length * 8; bit++) {
      const flipped = line.slice();
      flipped[bit >>> 3]! ^= 1 << (bit & 7);
      // Without an FCS, some flips give network data, which only its own checksums protect.
      const found = framesIn([flipped, Uint8Array.of(0x7e)], 0, expected).filter((frame) =>
        /^ff03[4-9a-f][02468ace]/.test(frame),
      );
      for (const frame of found) expect(frame).toBe(CONF_REQ);
    }
  }
});

test("a control character that the line may insert is dropped where it came unescaped, and no other", () => {
  const body = "ff03c02109000008deadbeef";
  const line = framed(fromHex(body), { plain: true });
  for (let octet = 0; octet < 32; octet++) {
    const accm = (1 << octet) >>> 0;
    for (let inserted = 0; inserted < 32; inserted++) {
      const noisy = concat(line.subarray(0, 5), Uint8Array.of(inserted), line.subarray(5));
      expect([octet, inserted, framesIn([noisy], accm)]).toEqual([octet, inserted, inserted === octet ? [body] : []]);
    }
  }
});

test("the shortest frames: with each FCS, fewer octets are a runt, and as many with a wrong FCS a bad one", () => {
  const counted = (fcs: FcsBits, hex: string): unknown => {
    const deframer = new Deframer();
    deframer.accm = 0;
    if (fcs !== 16) deframer.fcs = fcs;
    const line = fromHex(`${hex}7e`);
    deframer.push(line, 0, line.length);
    const { frames, runts, badFcs } = deframer.stats;
    return { frames, runts, badFcs };
  };
  const [frame, runt, bad] = [
    { frames: 1, runts: 0, badFcs: 0 },
    { frames: 0, runts: 1, badFcs: 0 },
    { frames: 0, runts: 0, badFcs: 1 },
  ];
  expect([counted(16, "2122"), counted(16, "212223")]).toEqual([runt, bad]);
  expect([counted(32, "21222324"), counted(32, "2122232425")]).toEqual([runt, bad]);
  expect([counted(0, "21"), counted(0, "40"), counted(0, "4041")]).toEqual([frame, bad, bad]);
  // Half a protocol field with a good FCS of 16 bits.
  expect(counted(0, toHex(framed(fromHex("40")).subarray(1, 4)))).toEqual(runt);
});

test("reset forgets the frame that has begun, and an escape", () => {
  const deframer = new Deframer();
  deframer.accm = 0;
  const line = framed(fromHex(CONF_REQ));
  for (const begun of ["7e0102037d", "7e01"]) {
    deframer.push(fromHex(begun), 0, begun.length / 2);
    deframer.reset();
    deframer.push(line, 1, line.length);
    expect(toHex(deframer.frame, 0, deframer.length)).toBe(CONF_REQ);
    deframer.reset();
    expect(deframer.length).toBe(0);
  }
  expect(deframer.stats).toMatchObject({ frames: 2, runts: 0, badFcs: 0, aborted: 0 });
});

test("push stops behind a good frame, and at the end where there is none", () => {
  const deframer = new Deframer();
  deframer.accm = 0;
  expect(deframer.length).toBe(0);
  const bad = fromHex("01020304057e01020304057e");
  const good = framed(fromHex(CONF_REQ));
  const line = concat(bad, good, good);
  expect(deframer.push(line, 0, bad.length)).toBe(bad.length);
  expect(deframer.push(line, 0, line.length)).toBe(bad.length + good.length);
});

test("the worst frame has every octet escaped, the longest FCS, and two flags", () => {
  expect([worstFrame(0), worstFrame(1500), MAX_FRAME]).toEqual([10, 3010, 16392]);
  const ring = new Ring(new Uint8Array(64));
  const framer = new Framer(ring);
  const most = (ring.capacity - worstFrame(0)) / 2;
  expect([framer.hasRoom(most), framer.hasRoom(most + 1)]).toEqual([true, false]);
});

test("a frame has a flag of its own before it when the line was idle for more than a second", () => {
  const ring = new Ring(new Uint8Array(4096));
  const framer = new Framer(ring);
  const packet = Uint8Array.of(1, 2, 3, ...fromHex("c02109000008deadbeef"), 0, 0, 0, 0);
  const before: number[] = [];
  for (const now of [5000, 5000, 6000, 7000, 8001]) {
    const length = ring.length;
    framer.write(packet, 3, 13, false, now);
    before.push(ring.bytes[length]!);
  }
  expect(before.map((octet) => octet === 0x7e)).toEqual([true, false, false, false, true]);
  expect(framer.stats.counted).toBe(5 * 13);
});

const DATA = "21450000140001000040000000c0a80001c0a80101";
const IPCP = "80210101000a0306c0a80001";

test("FCS-32 on everything, but LCP is understood with FCS-16 too (RFC 1570 §2.1.1)", () => {
  const checksum = crc32(fromHex("ff03c02109000008deadbeef"));
  const octets = Uint8Array.of(checksum, checksum >>> 8, checksum >>> 16, checksum >>> 24);
  expect(toHex(framed(fromHex("ff03c02109000008deadbeef"), { fcs: 32 }))).toBe(
    `7eff03c02109000008deadbeef${toHex(octets)}7e`,
  );
  for (const packet of [CONF_REQ, DATA, IPCP]) {
    for (const pieces of cuts(framed(fromHex(packet), { fcs: 32 }))) expect(framesIn(pieces, 0, 32)).toEqual([packet]);
    expect(framesIn([framed(fromHex(packet), { fcs: 32 })])).toEqual([]);
    expect(framesIn([framed(fromHex(packet))], 0, 32)).toEqual(packet === CONF_REQ ? [packet] : []);
  }
  expect(framesIn([framed(fromHex("ff03c021"))], 0, 32)).toEqual(["ff03c021"]);
});

test("without an FCS network data goes bare, and all else with FCS-16 (RFC 1570 §2.1.2)", () => {
  expect(toHex(framed(fromHex(`ff0300${DATA}`), { fcs: 0 }))).toBe(`7eff0300${DATA}7e`);
  for (const packet of [CONF_REQ, IPCP]) expect(framed(fromHex(packet), { fcs: 0 })).toEqual(framed(fromHex(packet)));
  for (const packet of [CONF_REQ, IPCP, DATA, `ff0300${DATA}`, "21"])
    for (const pieces of cuts(framed(fromHex(packet), { fcs: 0 }))) expect(framesIn(pieces, 0, 0)).toEqual([packet]);
  for (const bad of [IPCP, "c0", "c021", "40"]) expect(framesIn([fromHex(`7e${bad}7e`)], 0, 0)).toEqual([]);
});

test("the longest frame fits, and one octet more does not", () => {
  const longest = new Rng(3).bytes(MAX_FRAME - 2);
  const ring = new Ring(new Uint8Array(65536));
  expect(worstFrame(longest.length)).toBeLessThanOrEqual(ring.capacity);
  expect(framesIn([framed(longest)])).toEqual([toHex(longest)]);
  expect(framesIn([framed(new Rng(3).bytes(MAX_FRAME - 1))])).toEqual([]);
});

test("random frames through a ring that wraps, read in random pieces", () => {
  const rng = new Rng(7);
  const ring = new Ring(new Uint8Array(4096));
  const framer = new Framer(ring, []);
  const deframer = new Deframer();
  let now = 0;
  for (let round = 0; round < 3000; round++) {
    framer.accm = deframer.accm = rng.pick([0, 0xffffffff, 0x000a0000]);
    framer.fcs = deframer.fcs = rng.pick([0, 16, 32] as const);
    const packet = rng.bytes(1 + rng.below(1500));
    // A single even octet would be half of a protocol field.
    if (packet.length === 1) packet[0]! |= 1;
    const room = new Uint8Array(packet.length + FCS_ROOM);
    room.set(packet);
    if (!framer.hasRoom(packet.length)) throw new Error("no room in an empty ring");
    framer.write(room, 0, packet.length, rng.chance(0.1), (now += rng.below(2000)));
    let found = "";
    while (ring.length > 0) {
      const at = ring.readAt;
      const stopped = deframer.push(ring.bytes, at, at + Math.min(ring.readable, 1 + rng.below(700)));
      if (deframer.length > 0) found += toHex(deframer.frame, 0, deframer.length);
      ring.consume(stopped - at);
    }
    expect(found).toBe(toHex(packet));
  }
  expect(deframer.stats).toMatchObject({ badFcs: 0, runts: 0, overlong: 0, aborted: 0 });
  expect(deframer.stats.counted).toBe(framer.stats.counted);
});

test("headers: address and control, one or two octets of protocol", () => {
  for (const [protocol, pcomp, accomp, header] of [
    [0x0021, false, false, "ff030021"],
    [0x0021, true, false, "ff0321"],
    [0x0021, true, true, "21"],
    [0x00ff, true, true, "ff"],
    [0xc021, true, true, "c021"],
    [0x8021, false, true, "8021"],
  ] as const) {
    const packet = new Uint8Array(HEADROOM + 1).fill(0xa5);
    const at = putHeader(packet, HEADROOM, protocol, pcomp, accomp);
    expect(toHex(packet, at, HEADROOM)).toBe(header);
    expect(packet[at - 1]).toBe(0xa5);
  }
});
