import { describe, expect, test } from "bun:test";
import { type BpfInstruction, bpfProblem, BpfProgram } from "../../src/filter/bpf.ts";
import { CODES, op } from "./assembler.ts";

const HEADER = 0x01000021;
/** 45 00 01 02 … after the header. */
const PACKET = Uint8Array.from({ length: 24 }, (_, at) => (at === 0 ? 0x45 : at - 1));
const LENGTH = 4 + PACKET.length;

function run(program: readonly BpfInstruction[], packet: Uint8Array = PACKET, header = HEADER): number {
  const padded = new Uint8Array(packet.length + 14).fill(0xa5);
  padded.set(packet, 7);
  return new BpfProgram(program).run(header, padded, 7, 7 + packet.length);
}

/** Sets A and X, runs the instruction, returns A. */
function after(name: string, k: number, a = 0, x = 0): number {
  return run([op("ldx #k", x), op("ld #k", a), op(name, k), op("ret a")]);
}
/** The same for X. */
function indexAfter(name: string, k: number, a = 0): number {
  return run([op("ld #k", a), op(name, k), op("txa"), op("ret a")]);
}
/** Returns 1 when the jump is taken, 2 when not. */
function jumped(name: string, k: number, a: number, x = 0): number {
  return run([op("ldx #k", x), op("ld #k", a), op(name, k, 1, 0), op("ret #k", 2), op("ret #k", 1)]);
}

const BIG = 0xfffffff0;

/** The effect of each instruction. Numbers are unsigned and have 32 bits. */
const CASES: Readonly<Record<string, readonly (readonly [found: number, expected: number])[]>> = {
  "ld [k]": [
    [after("ld [k]", 4), 0x45000102],
    [after("ld [k]", LENGTH - 4), 0x13141516],
    [after("ld [k]", LENGTH - 3), 0],
  ],
  "ldh [k]": [
    [after("ldh [k]", 6), 0x0102],
    [after("ldh [k]", LENGTH - 2), 0x1516],
    [after("ldh [k]", LENGTH - 1), 0],
  ],
  "ldb [k]": [
    [after("ldb [k]", 4), 0x45],
    [after("ldb [k]", LENGTH - 1), 0x16],
    [after("ldb [k]", LENGTH), 0],
  ],
  "ld [x+k]": [
    [after("ld [x+k]", 3, 0, 2), 0x00010203],
    [after("ld [x+k]", 1, 0, BIG), 0],
    [after("ld [x+k]", BIG, 9, 0x20), 0],
  ],
  "ldh [x+k]": [
    [after("ldh [x+k]", 3, 0, 2), 0x0001],
    [after("ldh [x+k]", 2, 0, LENGTH - 3), 0],
  ],
  "ldb [x+k]": [
    [after("ldb [x+k]", 4, 0, LENGTH - 5), 0x16],
    [after("ldb [x+k]", 4, 0, LENGTH - 4), 0],
  ],
  "ld #k": [[after("ld #k", BIG), BIG]],
  "ld #len": [[after("ld #len", 0), LENGTH]],
  "ld M[k]": [
    [run([op("ld #k", 77), op("st M[k]", 15), op("ld #k", 1), op("ld M[k]", 15), op("ret a")]), 77],
    [after("ld M[k]", 3, 9), 0],
  ],
  "ldx #k": [[indexAfter("ldx #k", BIG), BIG]],
  "ldx #len": [[indexAfter("ldx #len", 0), LENGTH]],
  "ldx M[k]": [[run([op("ld #k", 78), op("st M[k]", 0), op("ldx M[k]", 0), op("txa"), op("ret a")]), 78]],
  "ldx 4*([k]&0xf)": [
    [indexAfter("ldx 4*([k]&0xf)", 4), 20],
    [indexAfter("ldx 4*([k]&0xf)", 3), 4],
    [indexAfter("ldx 4*([k]&0xf)", LENGTH), 0],
  ],
  "st M[k]": [[run([op("ld #k", 5), op("st M[k]", 7), op("ldx M[k]", 7), op("txa"), op("ret a")]), 5]],
  "stx M[k]": [[run([op("ldx #k", 6), op("stx M[k]", 7), op("ld M[k]", 7), op("ret a")]), 6]],
  "add #k": [[after("add #k", 0x20, BIG), 0x10]],
  "add x": [[after("add x", 0, BIG, 0x20), 0x10]],
  "sub #k": [[after("sub #k", 2, 1), 0xffffffff]],
  "sub x": [[after("sub x", 0, 1, 2), 0xffffffff]],
  "mul #k": [[after("mul #k", 0x10001, 0xffff0003), 0x20003]],
  "mul x": [[after("mul x", 0, 0xffffffff, 0xffffffff), 1]],
  "div #k": [
    [after("div #k", 2, BIG), 0x7ffffff8],
    [after("div #k", BIG, 0xffffffff), 1],
  ],
  "div x": [
    [after("div x", 0, BIG, 0x10), 0x0fffffff],
    [after("div x", 0, 7, 0), 0],
  ],
  "mod #k": [
    [after("mod #k", 0x1000, BIG), 0xff0],
    [after("mod #k", BIG, 0xffffffff), 15],
  ],
  "mod x": [
    [after("mod x", 0, BIG, 7), BIG % 7],
    [after("mod x", 0, 7, 0), 0],
  ],
  "or #k": [[after("or #k", 0x80000001, 2), 0x80000003]],
  "or x": [[after("or x", 0, 2, 0x80000001), 0x80000003]],
  "and #k": [[after("and #k", 0xf000000f, BIG), 0xf0000000]],
  "and x": [[after("and x", 0, BIG, 0xf000000f), 0xf0000000]],
  "xor #k": [[after("xor #k", 0xffffffff, BIG), 15]],
  "xor x": [[after("xor x", 0, BIG, 0xffffffff), 15]],
  "lsh #k": [[after("lsh #k", 31, 3), 0x80000000]],
  "lsh x": [
    [after("lsh x", 0, 3, 31), 0x80000000],
    [after("lsh x", 0, 3, 32), 0],
    [after("lsh x", 0, 3, BIG), 0],
  ],
  "rsh #k": [[after("rsh #k", 28, BIG), 15]],
  "rsh x": [
    [after("rsh x", 0, BIG, 28), 15],
    [after("rsh x", 0, BIG, 32), 0],
    [after("rsh x", 0, 3, BIG), 0],
  ],
  neg: [
    [after("neg", 0, 1), 0xffffffff],
    [after("neg", 0, 0), 0],
    [after("neg", 0, 0x80000000), 0x80000000],
  ],
  tax: [[run([op("ld #k", 9), op("tax"), op("ld #k", 1), op("txa"), op("ret a")]), 9]],
  txa: [[after("txa", 0, 1, BIG), BIG]],
  ja: [
    [run([op("ja", 1), op("ret #k", 2), op("ret #k", 1)]), 1],
    [run([op("ja", 0), op("ret #k", 2), op("ret #k", 1)]), 2],
  ],
  "jeq #k": [
    [jumped("jeq #k", BIG, BIG), 1],
    [jumped("jeq #k", 1, 2), 2],
  ],
  "jeq x": [
    [jumped("jeq x", 0, BIG, BIG), 1],
    [jumped("jeq x", 0, 1, 2), 2],
  ],
  "jgt #k": [
    [jumped("jgt #k", 1, BIG), 1],
    [jumped("jgt #k", BIG, 1), 2],
    [jumped("jgt #k", 1, 1), 2],
  ],
  "jgt x": [
    [jumped("jgt x", 0, BIG, 1), 1],
    [jumped("jgt x", 0, 1, BIG), 2],
    [jumped("jgt x", 0, 1, 1), 2],
  ],
  "jge #k": [
    [jumped("jge #k", 1, BIG), 1],
    [jumped("jge #k", BIG, 1), 2],
    [jumped("jge #k", 1, 1), 1],
  ],
  "jge x": [
    [jumped("jge x", 0, BIG, 1), 1],
    [jumped("jge x", 0, 1, BIG), 2],
    [jumped("jge x", 0, 1, 1), 1],
  ],
  "jset #k": [
    [jumped("jset #k", 0x80000000, BIG), 1],
    [jumped("jset #k", 15, BIG), 2],
  ],
  "jset x": [
    [jumped("jset x", 0, BIG, 0x80000000), 1],
    [jumped("jset x", 0, BIG, 15), 2],
  ],
  "ret #k": [[run([op("ret #k", 0xffffffff)]), 0xffffffff]],
  "ret a": [
    [after("ld #k", 3), 3],
    [run([op("ret a")]), 0],
  ],
};

describe("instruction", () => {
  for (const name of CODES.keys()) {
    test(name, () => {
      const cases = CASES[name] ?? [];
      expect(cases.length).toBeGreaterThan(0);
      expect(cases.map(([found]) => found)).toEqual(cases.map(([, expected]) => expected));
    });
  }
});

test("loads of every width read header and packet as one, at every offset, and nothing beyond the end", () => {
  const short = PACKET.subarray(0, 5);
  const whole = Uint8Array.of(0x01, 0x00, 0x00, 0x21, ...short);
  for (const [size, width] of [
    ["", 4],
    ["h", 2],
    ["b", 1],
  ] as const)
    for (let offset = 0; offset < whole.length + 3; offset++)
      for (let index = 0; index <= offset; index++) {
        const isInside = offset + width <= whole.length;
        const expected = isInside
          ? whole.subarray(offset, offset + width).reduce((sum, octet) => sum * 256 + octet, 0)
          : 0;
        expect(run([op(`ld${size} [k]`, offset), op("ret a")], short)).toBe(expected);
        const indexed = [op("ldx #k", index), op(`ld${size} [x+k]`, offset - index), op("ret a")];
        expect(run(indexed, short)).toBe(expected);
      }
});

test("scratch memory is empty at the start of every run, and the packet stays as it is", () => {
  const program = new BpfProgram([
    op("ld M[k]", 1),
    op("jeq #k", 0, 1),
    op("ret #k", 9),
    op("ld #k", 7),
    op("st M[k]", 1),
    op("ret #k", 1),
  ]);
  const packet = PACKET.slice();
  expect([1, 2, 3].map(() => program.run(HEADER, packet, 0, packet.length))).toEqual([1, 1, 1]);
  expect(packet).toEqual(PACKET);
});

test("what cannot be a program is refused, and with what reason", () => {
  const ret = op("ret #k", 0);
  const wrong: readonly (readonly [program: BpfInstruction[], reason: RegExp])[] = [
    [[], /empty/],
    [[op("ld #len")], /0 of its program leads out/],
    [[ret, op("jeq #k", 0, 1, 0), ret], /1 of its program leads out/],
    [[ret, op("jeq #k", 0, 0, 1), ret], /leads out/],
    [[ret, op("ja", 1), ret], /leads out/],
    [[ret, op("ja", -2), ret], /1 of its program jumps backwards/],
    [[ret, op("ja", -(2 ** 31)), ret], /1 of its program jumps backwards/],
    [[ret, op("ja", 2 ** 31 - 1), ret], /1 of its program leads out/],
    [[op("ld M[k]", 16), ret], /memory word 16/],
    [[op("ldx M[k]", -1), ret], /memory word/],
    [[op("st M[k]", 16), ret], /memory word/],
    [[op("stx M[k]", 16), ret], /memory word/],
    [[op("div #k", 0), ret], /divides by zero/],
    [[op("mod #k", 0), ret], /divides by zero/],
    [[op("lsh #k", 32), ret], /shifts by 32 bits/],
    [[op("rsh #k", 4000), ret], /shifts by 4000 bits/],
  ];
  for (const [program, reason] of wrong) {
    expect(bpfProblem(program)).toMatch(reason);
    expect(() => new BpfProgram(program)).toThrow(reason);
  }
  const known = new Set(CODES.values());
  for (let code = 0; code < 0x10000; code++)
    expect(bpfProblem([{ code, jt: 0, jf: 0, k: 1 }, ret, ret]) === undefined).toBe(known.has(code));
  expect(bpfProblem([op("jeq #k", 0, 255, 254), ...Array.from({ length: 256 }, () => ret)])).toBeUndefined();
});
