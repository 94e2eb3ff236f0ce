// What each side of CCP says to the other's options: to a request, and to a Nak of our own.

import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { METHODS, methodName, methodOf, type MethodsConfig } from "../../src/compress/methods.ts";
import { CcpOption } from "../../src/wire/ccp.ts";

const off = { receive: 0, transmit: 0 };
const NOTHING: MethodsConfig = {
  deflate: off,
  deflateDraft: false,
  bsd: off,
  predictor1: "no",
  lzs: "no",
  mppc: "no",
  mppe: undefined,
};
const rowOf = (type: number) => METHODS.find((row) => row.type === type)!;

/** "ack", "reject", or the value of the Nak. */
function verdict(type: number, value: string, config: Partial<MethodsConfig>, said: string[] = []): string {
  const answer = rowOf(type).judge?.(fromHex(value), { ...NOTHING, ...config }, (text) => said.push(text)) ?? "reject";
  return typeof answer === "string" ? answer : toHex(answer.value);
}

/** The value that is asked for. */
function asked(type: number, config: Partial<MethodsConfig>): string | undefined {
  const option = rowOf(type).ask?.({ ...NOTHING, ...config });
  return option && toHex(option.value);
}

/** The value that is asked for after a Nak. */
function better(type: number, value: string, offer: string, config: Partial<MethodsConfig>): string | undefined {
  const option = rowOf(type).better?.(fromHex(value), fromHex(offer), { ...NOTHING, ...config }, () => {});
  return option && toHex(option.value);
}

test("Deflate windows of 2^9 to what we allow; another window is answered with the largest", () => {
  const { Deflate, DeflateDraft } = CcpOption;
  for (const [type, draft] of [
    [Deflate, false],
    [DeflateDraft, true],
  ] as const) {
    const upTo12 = { deflate: { receive: 12, transmit: 12 }, deflateDraft: draft };
    expect(["0800", "1800", "4800", "5800", "7800"].map((value) => verdict(type, value, upTo12))).toEqual([
      "4800",
      "ack",
      "ack",
      "4800",
      "4800",
    ]);
    expect(["4900", "4801"].map((value) => verdict(type, value, upTo12))).toEqual(["4800", "4800"]);
    expect(["48", "", "480000"].map((value) => verdict(type, value, upTo12))).toEqual(["reject", "reject", "reject"]);
    expect(verdict(type, "4800", { ...upTo12, deflate: { receive: 12, transmit: 0 } })).toBe("reject");
    expect(asked(type, upTo12)).toBe("4800");
    expect(asked(type, { ...upTo12, deflate: { receive: 9, transmit: 15 } })).toBe("1800");
    expect(asked(type, { ...upTo12, deflate: { receive: 0, transmit: 12 } })).toBeUndefined();
    expect(["1800", "3800", "6800"].map((offer) => better(type, "4800", offer, upTo12))).toEqual([
      "1800",
      "3800",
      "4800",
    ]);
    expect(["0800", "1900", "1801", ""].map((offer) => better(type, "4800", offer, upTo12))).toEqual(
      Array(4).fill(undefined),
    );
  }
  const withoutDraft = { deflate: { receive: 15, transmit: 15 } };
  expect(verdict(DeflateDraft, "7800", withoutDraft)).toBe("reject");
  expect(asked(DeflateDraft, withoutDraft)).toBeUndefined();
});

test("BSD-Compress codes of 9 bits to what we allow", () => {
  const type = CcpOption.BsdCompress;
  const upTo12 = { bsd: { receive: 12, transmit: 12 } };
  expect(["28", "29", "2c", "2d", "2f"].map((value) => verdict(type, value, upTo12))).toEqual([
    "2c",
    "ack",
    "ack",
    "2c",
    "2c",
  ]);
  expect([verdict(type, "4c", upTo12), verdict(type, "", upTo12), verdict(type, "2c2c", upTo12)]).toEqual([
    "2c",
    "reject",
    "reject",
  ]);
  expect(verdict(type, "2c", { bsd: { receive: 12, transmit: 0 } })).toBe("reject");
  expect([asked(type, { bsd: { receive: 9, transmit: 0 } }), asked(type, NOTHING)]).toEqual(["29", undefined]);
  expect(["29", "2b", "2e", "28", "49"].map((offer) => better(type, "2c", offer, upTo12))).toEqual([
    "29",
    "2b",
    "2c",
    undefined,
    undefined,
  ]);
});

test("Predictor 1 and LZS are accepted as the options say; Predictor 2 never", () => {
  const { Predictor1, Predictor2, Stac } = CcpOption;
  for (const wish of ["no", "accept", "request"] as const) {
    const wanted = wish === "no" ? "reject" : "ack";
    expect(verdict(Predictor1, "", { predictor1: wish })).toBe(wanted);
    expect(verdict(Predictor1, "00", { predictor1: wish })).toBe("reject");
    expect(verdict(Predictor2, "", { predictor1: wish })).toBe("reject");
    expect(asked(Predictor1, { predictor1: wish })).toBe(wish === "request" ? "" : undefined);
    expect(asked(Stac, { lzs: wish })).toBe(wish === "request" ? "000103" : undefined);
    // Histories and check mode: at most one history, modes 0 to 4.
    for (const value of ["000000", "000104"]) expect(verdict(Stac, value, { lzs: wish })).toBe(wanted);
    for (const value of ["000203", "010003", "000105"])
      expect(verdict(Stac, value, { lzs: wish })).toBe(wish === "no" ? "reject" : "000103");
    for (const value of ["0001", "00010300"]) expect(verdict(Stac, value, { lzs: wish })).toBe("reject");
  }
  expect(better(Stac, "000103", "000004", { lzs: "request" })).toBe("000004");
  for (const offer of ["000203", "000105", "0001"]) expect(better(Stac, "000103", offer, {})).toBeUndefined();
});

// H: stateless, 0x01 in the first octet. In the last: M (56 bits) 80, S (128 bits) 40, L (40 bits) 20, C (MPPC) 01.
const [H40, H56, H128] = ["01000020", "01000080", "01000040"];

/** The strengths by their bits in the option. */
function strengths(bits: number, stateful = false): Partial<MethodsConfig> {
  return { mppe: { bits40: (bits & 0x20) > 0, bits56: (bits & 0x80) > 0, bits128: (bits & 0x40) > 0, stateful } };
}

test("MPPE: of the strengths that the peer offers, the strongest that we allow is taken", () => {
  const cases: [allowed: number, offered: string, answer: string][] = [
    [0xe0, "010000e0", H128],
    [0xe0, "010000a0", H56],
    [0xe0, H40, "ack"],
    [0xa0, "010000e0", H56],
    [0x20, "010000e0", H40],
    [0x20, H40, "ack"],
    [0x40, H128, "ack"],
    [0x80, H56, "ack"],
    // A strength that we do not allow is never agreed on.
    [0x40, H40, "reject"],
    [0x40, "010000a0", "reject"],
    [0x20, H128, "reject"],
    [0x20, H56, "reject"],
    [0x80, "01000060", "reject"],
    // No strength: the peer is told what we want.
    [0x60, "01000000", "01000060"],
    [0xe0, "00000001", "01000060"],
    [0x80, "00000001", H56],
    [0x40, "0100004000", "reject"],
  ];
  for (const [allowed, offered, answer] of cases)
    expect([allowed, offered, verdict(CcpOption.Mppe, offered, strengths(allowed))]).toEqual([
      allowed,
      offered,
      answer,
    ]);
});

test("MPPE is stateful only where it is allowed, and a refusal is logged", () => {
  const { Mppe } = CcpOption;
  const said: string[] = [];
  expect(verdict(Mppe, "00000040", strengths(0x40), said)).toBe("reject");
  expect(said).toEqual(["Refusing MPPE stateful mode offered by peer"]);
  expect(verdict(Mppe, "00000040", strengths(0x40, true), said)).toBe("ack");
  expect(better(Mppe, H128, "00000040", strengths(0x40))).toBeUndefined();
  expect(better(Mppe, H128, "00000040", strengths(0x40, true))).toBe("00000040");
  expect(said).toHaveLength(1);
});

test("MPPE is requested in all strengths except 56 bits, which is requested alone", () => {
  const { Mppe } = CcpOption;
  expect([0x20, 0x40, 0x60, 0x80, 0xa0, 0xe0].map((bits) => asked(Mppe, strengths(bits)))).toEqual(
    ["20", "40", "60", "80", "20", "60"].map((low) => `010000${low}`),
  );
  expect(asked(Mppe, { ...strengths(0x40), mppc: "request" })).toBe("01000041");
  const all = strengths(0xe0);
  expect([H40, H56, H128].map((offer) => better(Mppe, "01000060", offer, all))).toEqual([H40, H56, H128]);
  expect(better(Mppe, H128, H40, strengths(0x40))).toBeUndefined();
  expect(better(Mppe, H128, H56, strengths(0x60))).toBeUndefined();
  for (const offer of ["01000000", "01000041", "01000050", "0100"])
    expect(better(Mppe, H128, offer, strengths(0x40))).toBeUndefined();
});

test("MPPC without encryption", () => {
  const { Mppe } = CcpOption;
  for (const mppc of ["accept", "request"] as const) {
    expect(verdict(Mppe, "00000001", { mppc })).toBe("ack");
    expect(verdict(Mppe, "01000061", { mppc })).toBe("00000001");
    expect(verdict(Mppe, "01000060", { mppc })).toBe("reject");
  }
  expect(verdict(Mppe, "00000001", {})).toBe("reject");
  expect([asked(Mppe, { mppc: "request" }), asked(Mppe, { mppc: "accept" })]).toEqual(["00000001", undefined]);
  expect(better(Mppe, "00000001", "00000001", { mppc: "request" })).toBe("00000001");
  expect(better(Mppe, "00000001", "01000041", { mppc: "request" })).toBeUndefined();
});

test("the agreed options are methods with pppd's names", () => {
  const name = (type: number, value: string): string | undefined => {
    const method = methodOf({ type, value: fromHex(value) });
    return method && methodName(method);
  };
  const { Deflate, DeflateDraft, BsdCompress, Mppe, Stac, Predictor1, Predictor2 } = CcpOption;
  const cases: [type: number, value: string, name: string | undefined][] = [
    [Deflate, "0800", "Deflate (8)"],
    [Deflate, "7800", "Deflate (15)"],
    [Deflate, "8800", undefined],
    [Deflate, "7900", undefined],
    [DeflateDraft, "1800", "Deflate(old#) (9)"],
    [BsdCompress, "28", undefined],
    [BsdCompress, "29", "BSD-Compress (9)"],
    [BsdCompress, "2f", "BSD-Compress (15)"],
    [BsdCompress, "30", undefined],
    [Mppe, H40, "MPPE 40-bit stateless"],
    [Mppe, H56, "MPPE 56-bit stateless"],
    [Mppe, "00000040", "MPPE 128-bit stateful"],
    [Mppe, "01000041", "MPPE 128-bit stateless MPPC"],
    [Mppe, "00000001", "MPPC"],
    [Mppe, "00000000", undefined],
    [Stac, "000103", "Stac LZS"],
    [Stac, "000105", undefined],
    [Predictor1, "", "Predictor 1"],
    [Predictor2, "", undefined],
  ];
  for (const [type, value, expected] of cases)
    expect([type, value, name(type, value)]).toEqual([type, value, expected]);
});
