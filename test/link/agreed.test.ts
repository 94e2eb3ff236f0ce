// Extreme agreements of two sides, with a peer under direct control.

import { isLcpOpen } from "../kit/lcp-open.ts";
import { expect, test } from "bun:test";
import { inflateRawSync, constants } from "node:zlib";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { parseLqr } from "../../src/wire/lqr.ts";
import { linkConfig, Side } from "../kit/pair.ts";
import { fcs16Oracle } from "../oracle/fcs32-oracle.ts";
import { PredictorDecompressor } from "../../src/compress/predictor.ts";
import { frameOf, RawPeer } from "../kit/raw-peer.ts";
import { Rng } from "../kit/rng.ts";

const [LCP, IPCP, CCP, LQR, IP, COMP] = [0xc021, 0x8021, 0x80fd, 0xc025, 0x21, 0xfd];
const ADDRESS = "0306 0a000001";
const ECHO = "0907 0008 00000000";
const ECHO_REPLY = /^0a07/;

function peer(lcp: Partial<LinkConfig["lcp"]> = {}, ccp?: LinkConfig["networks"]["ccp"]): RawPeer {
  const base = linkConfig();
  const ipcp = { ...base.networks.ipcp!, our: 0x0a000002 };
  const networks = { ...base.networks, ipcp, ccp };
  return new RawPeer(new Side(linkConfig({ lcp: { ...base.lcp, ...lcp }, networks }), new Rng(1)));
}

/** Brings up IPv4. */
function up(it: RawPeer): void {
  it.acknowledge(IPCP);
  it.request(IPCP, ADDRESS);
  expect(it.side.has("ipv4-up")).toBe(true);
}

const datagram = (length: number): string => `45${"61".repeat(length - 1)}`;

test.each([
  ["ff0300", 16],
  ["00", 16],
  ["ff03", 16],
  ["fe", 16],
  ["ff0300", 32],
  ["00", 32],
] as const)("a good frame %s with FCS-%d, which ends in its protocol field, is a bad one", (hex, fcs) => {
  const it = peer({ fcs });
  it.openLcp();
  if (fcs === 32) {
    const ours = it.take(IPCP).at(-1)!;
    it.say(IPCP, `02${ours.slice(2)}`, 32);
    it.say(IPCP, `0101 000a ${ADDRESS}`, 32);
  } else up(it);
  it.heard.length = 0;
  const { stats } = it.side.link.deframer;
  // The missing octets are in the buffer: an IPv4 packet was there before.
  it.say(IP, datagram(40), fcs);
  const before = { ...stats };
  it.sayFrame(frameOf(fromHex(hex), fcs));
  expect(stats).toEqual({ ...before, runts: before.runts + 1 });
  it.say(IP, datagram(41), fcs);
  expect(it.side.packets.map((packet) => toHex(packet))).toEqual([datagram(40), datagram(41)]);
  expect(it.heard).toEqual([]);
});

test("with FCS-32 agreed, FCS-16 is accepted for LCP only", () => {
  const it = peer({ fcs: 32 });
  it.openLcp();
  const { stats } = it.side.link.deframer;
  const ours = it.take(IPCP).at(-1)!;
  it.say(IPCP, `02${ours.slice(2)}`, 16);
  it.say(IPCP, `0101 000a ${ADDRESS}`, 16);
  expect([stats.badFcs, it.take(IPCP)]).toEqual([2, []]);
  it.say(IPCP, `02${ours.slice(2)}`, 32);
  it.say(IPCP, `0101 000a ${ADDRESS}`, 32);
  expect(it.side.has("ipv4-up")).toBe(true);
  it.say(IP, datagram(40), 16);
  it.sayFrame(frameOf([0x21, ...fromHex(datagram(40))], 16));
  expect([stats.badFcs, it.side.packets]).toEqual([4, []]);
  it.take(LCP);
  for (const fcs of [16, 32] as const) {
    it.say(LCP, ECHO, fcs);
    expect(it.take(LCP)).toEqual([expect.stringMatching(ECHO_REPLY)]);
  }
  it.say(IP, datagram(40), 32);
  expect([stats.badFcs, it.side.packets.length]).toEqual([4, 1]);
});

const quality = (period: number): string => `0408c025${period.toString(16).padStart(8, "0")}`;

test.each([1, 99])(
  "a quality report every %d hundredths of a second is too much: one a second is offered",
  (period) => {
    const it = peer();
    it.acknowledge(LCP);
    it.request(LCP, quality(period));
    expect(it.take(LCP)).toEqual([`0301000c${quality(100)}`]);
    it.request(LCP, quality(100));
    expect(it.take(LCP)).toEqual([`0202000c${quality(100)}`]);
    it.wait(10_000);
    expect(it.take(LQR).length).toBeWithin(10, 12);
  },
);

test("a quality report is sent after each of the peer's, when it asks for that", () => {
  const it = peer();
  it.acknowledge(LCP);
  it.request(LCP, quality(0));
  expect(it.take(LCP)).toEqual([`0201000c${quality(0)}`]);
  it.wait(10_000);
  expect(it.take(LQR)).toEqual([]);
  const report = "00".repeat(48);
  for (let nth = 0; nth < 3; nth++) it.say(LQR, report);
  expect(it.take(LQR)).toHaveLength(3);
});

test("reports of the quality end when LCP is negotiated anew without them", () => {
  const it = peer();
  it.openLcp(quality(100));
  it.wait(3000);
  expect(it.take(LQR).length).toBeWithin(2, 5);
  it.openLcp();
  it.wait(10_000);
  expect(it.take(LQR)).toEqual([]);
});

test.each(["0802", "0702 0802", "0702", ""])(
  "a quality report counts itself, whatever header it has (%s)",
  (options) => {
    const it = peer();
    it.openLcp(quality(100) + options);
    it.wait(2500);
    const report = fromHex(it.take(LQR).at(-1)!);
    expect(parseLqr(report, 0, report.length)!.peerOutOctets).toBe(it.octetsHeard);
  },
);

test("a flag that we forbid, or one with a value, is rejected", () => {
  for (const [key, option] of [
    ["pcomp", "0702"],
    ["accomp", "0802"],
  ] as const) {
    for (const [allowed, asked, code] of [
      [true, option, "02"],
      [false, option, "04"],
      [true, `${option.slice(0, 2)}0300`, "04"],
    ] as const) {
      const it = peer({ [key]: allowed });
      it.take(LCP);
      it.request(LCP, asked);
      expect([allowed, asked, it.take(LCP)]).toEqual([
        allowed,
        asked,
        [`${code}01${(4 + asked.length / 2).toString(16).padStart(4, "0")}${asked}`],
      ]);
    }
  }
});

test("of several check sequences in one request, the strongest is named (RFC 1570 §2.1)", () => {
  for (const [bits, answer] of [
    ["01", "0201 0007 090301"],
    ["02", "0201 0007 090302"],
    ["04", "0201 0007 090304"],
    ["03", "0301 0007 090302"],
    ["05", "0301 0007 090304"],
    ["06", "0301 0007 090304"],
    ["07", "0301 0007 090304"],
    // None that we know: the usual one.
    ["00", "0301 0007 090302"],
    ["f8", "0301 0007 090302"],
  ] as const) {
    const it = peer({ fcs: 32 });
    it.take(LCP);
    it.request(LCP, `0903${bits}`);
    expect([bits, it.take(LCP)]).toEqual([bits, [answer.replaceAll(" ", "")]]);
  }
});

const off = { receive: 0, transmit: 0 };
const DEFLATE = {
  deflate: { receive: 0, transmit: 15 },
  deflateDraft: true,
  bsd: off,
  predictor1: "no",
  lzs: "no",
  mppc: "no",
  mppe: undefined,
  limits: linkConfig().lcp.limits,
} as const;
const TRAILER = Buffer.from("0000ffff", "hex");

test("a peer whose Deflate has a window of 512 octets gets no copy from further back", () => {
  const it = peer({}, DEFLATE);
  it.openLcp();
  up(it);
  it.request(CCP, "1a041800");
  expect(it.take(CCP)).toContain("020300081a041800");
  if (it.heard.some(({ protocol }) => protocol === CCP)) it.acknowledge(CCP);
  // Each text comes again after 400 octets, which fit the window, and after 2000, which do not.
  const rng = new Rng(5);
  const texts = Array.from({ length: 5 }, () => Uint8Array.of(0x45, ...rng.bytes(199)));
  const sent = [0, 0, 1, 2, 3, 4, 0, 0].map((nth) => Uint8Array.of(...texts[nth]!, ...texts[nth]!));
  for (const packet of sent) expect(it.side.send(packet, it.now)).toBe(true);
  it.listen();
  const compressed = it.take(COMP).map((hex) => Buffer.from(hex, "hex").subarray(2));
  expect(compressed).toHaveLength(sent.length);
  const stream = Buffer.concat(compressed.flatMap((payload) => [payload, TRAILER]));
  const plain = inflateRawSync(stream, { windowBits: 9, chunkSize: 64, finishFlush: constants.Z_SYNC_FLUSH });
  expect(toHex(plain)).toBe(sent.map((packet) => `21${toHex(packet)}`).join(""));
});

test.each(["1a040800", "1a04f800", "1a041900", "1a041801"])("Deflate as %s is no Deflate of ours", (option) => {
  const it = peer({}, DEFLATE);
  it.openLcp();
  it.take(CCP);
  it.request(CCP, option);
  const answers = it.take(CCP);
  expect(answers.filter((hex) => hex.startsWith("02"))).toEqual([]);
  expect(answers.some((hex) => hex.startsWith("03") || hex.startsWith("04"))).toBe(true);
});

test("when LCP is negotiated anew, control characters that the line inserts are dropped again (RFC 1662 §7.1)", () => {
  const it = peer();
  it.openLcp();
  it.take(LCP);
  it.request(LCP);
  const ours = it.take(LCP).find((hex) => hex.startsWith("01"))!;
  const frame = frameOf([0xff, 0x03, LCP >> 8, LCP & 0xff, 0x02, ...fromHex(ours.slice(2))]);
  it.sayFrame(Uint8Array.of(...frame.subarray(0, 3), 0x11, ...frame.subarray(3)));
  expect(isLcpOpen(it.side.link)).toBe(true);
});

test("a server that sends network protocols has accepted our answer; other protocols say nothing", () => {
  const EAP = 0xc227;
  const it = peer({ accept: ["eap"] });
  it.acknowledge(LCP);
  it.request(LCP, "0304c227");
  it.say(EAP, "01010005 01");
  it.say(EAP, `01020016 04 10 ${"5a".repeat(16)}`);
  expect(it.take(EAP).map((hex) => hex.slice(0, 10).slice(8))).toEqual(["01", "04"]);
  const accepted = "EAP authentication succeeded";
  it.say(0x8029, "01010004");
  expect(it.side.lines).not.toContain(accepted);
  it.say(IPCP, `01010004`);
  expect(it.side.lines).toContain(accepted);
});

test("a Protocol-Reject is logged by whether we speak the protocol", () => {
  const said = (period: number, protocol: string): string[] => {
    const it = peer({ qualityPeriod: period });
    it.openLcp(period > 0 ? quality(period) : "");
    it.say(LCP, `0801 000a ${protocol} 00000000`);
    return it.side.lines.filter((line) => line.startsWith("Protocol-Reject for"));
  };
  expect([said(0, "8021"), said(500, "c025")]).toEqual([
    ["Protocol-Reject for 'Internet Protocol Control Protocol' (0x8021) received"],
    ["Protocol-Reject for 'Link Quality Report' (0xc025) received"],
  ]);
  expect(said(0, "c021")).toEqual(["Protocol-Reject for 'Link Control Protocol' (0xc021) received"]);
  expect(said(0, "8029")).toEqual(["Protocol-Reject for unsupported protocol 'Appletalk Control Protocol' (0x8029)"]);
});

function ipcpPeer(changes: Partial<NonNullable<LinkConfig["networks"]["ipcp"]>>): RawPeer {
  const base = linkConfig();
  const networks = { ...base.networks, ipcp: { ...base.networks.ipcp!, our: 0x0a000002, ...changes } };
  const it = new RawPeer(new Side(linkConfig({ networks }), new Rng(1)));
  it.openLcp();
  return it;
}

test("a peer whose IPCP request has no address is asked for one, beside what it must change and nothing else", () => {
  const asks = (request: string): string[] => {
    const it = ipcpPeer({ peer: 0x0a000009, dns: [0x01020304], acceptRemote: true });
    it.take(IPCP);
    it.request(IPCP, request);
    return it.take(IPCP);
  };
  expect(asks("")).toEqual(["0302000a03060a000009"]);
  expect(asks("8106 00000000")).toEqual(["03020010810601020304" + "03060a000009"]);
  expect(asks("8106 01020304")).toEqual(["0302000a03060a000009"]);
});

test("a Nak with both addresses: what it leaves open is kept as it was (RFC 1172 §4.1)", () => {
  const it = ipcpPeer({ peer: 0x0a000009, our: 0, acceptLocal: true, acceptRemote: true });
  const [request] = it.take(IPCP);
  it.say(IPCP, `03${request!.slice(2, 4)} 000e 010a 0a000005 00000000`);
  expect(it.take(IPCP).map((hex) => hex.slice(8))).toEqual(["010a0a0000050a000009"]);
});

/** A payload of Predictor 1 that is not compressed: its length, its octets, and their FCS (RFC 1978 §2). */
function predicted(protocol: number, hex: string): string {
  const packet = [protocol >> 8, protocol & 0xff, ...fromHex(hex)];
  const whole = [packet.length >> 8, packet.length & 0xff, ...packet];
  return toHex(Uint8Array.from([...whole, ...fcs16Oracle(whole)]));
}

test("only data comes out of a compressed packet: no control packet, and nothing that is compressed again", () => {
  const it = peer({}, { ...DEFLATE, predictor1: "accept" });
  it.openLcp();
  up(it);
  it.request(CCP, "0102");
  if (it.heard.some(({ protocol }) => protocol === CCP)) it.acknowledge(CCP);
  it.heard.length = 0;
  const { datapath } = it.side.link.networks;
  // We asked for nothing, so that the peer sends with nothing. A decoder is put there by hand.
  datapath.receiver = new PredictorDecompressor();
  for (const [protocol, packet] of [
    [LCP, ECHO],
    [CCP, "0505 0004"],
    [IPCP, "0505 0004"],
    [COMP, predicted(IP, datagram(40))],
  ] as const) {
    it.say(COMP, predicted(protocol, packet.replaceAll(" ", "")));
    expect([protocol, it.heard.length, it.side.packets.length]).toEqual([protocol, 0, 0]);
  }
  it.say(COMP, predicted(IP, datagram(40)));
  expect(it.side.packets.map((packet) => toHex(packet))).toEqual([datagram(40)]);
});
