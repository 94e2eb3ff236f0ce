// BPF programs in the paper's mnemonics (McCanne and Jacobson 1993, table 1), for tests. Here codes are computed from
// their fields; in src/filter/bpf.ts they are written out.

import type { BpfInstruction } from "../../src/filter/bpf.ts";
import type { Rng } from "../kit/rng.ts";

const LOADS = { "": 0x00, h: 0x08, b: 0x10 };
const ALU = ["add", "sub", "mul", "div", "or", "and", "lsh", "rsh", "neg", "mod", "xor"];
const JUMPS = ["ja", "jeq", "jgt", "jge", "jset"];

/** Code by mnemonic and addressing mode: "ldh [k]", "add x", "jeq #k". */
export const CODES: ReadonlyMap<string, number> = new Map([
  ...Object.entries(LOADS).flatMap(([size, code]): [string, number][] => [
    [`ld${size} [k]`, code | 0x20],
    [`ld${size} [x+k]`, code | 0x40],
  ]),
  ["ld #k", 0x00],
  ["ld M[k]", 0x60],
  ["ld #len", 0x80],
  ["ldx #k", 0x01],
  ["ldx M[k]", 0x61],
  ["ldx #len", 0x81],
  ["ldx 4*([k]&0xf)", 0xb1],
  ["st M[k]", 0x02],
  ["stx M[k]", 0x03],
  ...ALU.flatMap((name, at): [string, number][] =>
    name === "neg"
      ? [["neg", 0x84]]
      : [
          [`${name} #k`, 0x04 | (at << 4)],
          [`${name} x`, 0x0c | (at << 4)],
        ],
  ),
  ...JUMPS.flatMap((name, at): [string, number][] =>
    name === "ja"
      ? [["ja", 0x05]]
      : [
          [`${name} #k`, 0x05 | (at << 4)],
          [`${name} x`, 0x0d | (at << 4)],
        ],
  ),
  ["ret #k", 0x06],
  ["ret a", 0x16],
  ["tax", 0x07],
  ["txa", 0x87],
]);

export function op(name: string, k = 0, jt = 0, jf = 0): BpfInstruction {
  const code = CODES.get(name);
  if (code === undefined) throw new Error(`no such instruction: ${name}`);
  return { code, jt, jf, k: k >>> 0 };
}

/** Numbers that are likely to cause errors, and others. */
export function someNumber(rng: Rng): number {
  const edges = [0, 1, 2, 3, 4, 5, 15, 16, 31, 32, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe];
  return rng.chance(0.3) ? rng.pick(edges) : rng.chance(0.7) ? rng.below(80) : rng.u32();
}

/** A valid program. It writes all scratch memory first, because its initial content does not count. */
export function randomProgram(rng: Rng): BpfInstruction[] {
  const names = [...CODES.keys()].filter((name) => !name.startsWith("ret"));
  const program = Array.from({ length: 16 }, (_, at) => [op("ld #k", someNumber(rng)), op("st M[k]", at)]).flat();
  const length = 3 + rng.below(60);
  for (let left = length; left > 0; left--) {
    const name = rng.chance(0.01) ? rng.pick(["ret #k", "ret a"]) : rng.pick(names);
    let k = someNumber(rng);
    if (/M\[/.test(name)) k = rng.below(16);
    if (/^(div|mod) #/.test(name)) k = Math.max(1, k);
    if (/^[lr]sh #/.test(name)) k &= 31;
    if (name === "ja") k = rng.below(Math.min(left, 5));
    // A load beyond the end ends the program, and a long jump skips most of it. So both are rare here.
    if (/^ld[hb]? \[x/.test(name) && rng.chance(0.95)) program.push(op("ldx #k", rng.below(12)));
    if (/^ld.* .*\[(x\+)?k\]/.test(name) && rng.chance(0.95)) k = rng.below(12);
    const target = (): number => rng.below(Math.min(left, rng.chance(0.9) ? 3 : 256));
    program.push(op(name, k, target(), target()));
  }
  return [...program, op("ret a")];
}
