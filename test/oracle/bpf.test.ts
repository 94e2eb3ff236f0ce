// Compares the interpreter with libpcap's bpf_filter(), called by ffi.

import { dlopen, type Pointer } from "bun:ffi";
import { expect, test } from "bun:test";
import { type BpfInstruction, bpfProblem, BpfProgram } from "../../src/filter/bpf.ts";
import { Memory } from "../../src/os/ffi/libc.ts";
import { compileFilter } from "../../src/os/net/libpcap.ts";
import { CODES, randomProgram, someNumber } from "../filter/assembler.ts";
import { type Rng, withRng } from "../kit/rng.ts";

const SYMBOLS = {
  bpf_filter: { args: ["ptr", "ptr", "u32", "u32"], returns: "u32" },
  bpf_validate: { args: ["ptr", "i32"], returns: "i32" },
} as const;

function openOracle() {
  for (const name of ["libpcap.so.0.8", "libpcap.so.1"])
    try {
      return dlopen(name, SYMBOLS).symbols;
    } catch {
      // The next name.
    }
  return undefined;
}

const oracle = openOracle();
const skip = oracle === undefined ? "libpcap is not installed (Debian package libpcap0.8)" : undefined;
const on = (name: string): string => (skip === undefined ? name : `${name} [skipped: ${skip}]`);

const memory = new Memory(4096);
const packetMemory = new Memory(256);

/** The program in libpcap's memory layout. */
function place(program: readonly BpfInstruction[]): Pointer {
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    memory.view.setUint16(8 * at, code, true);
    memory.bytes[8 * at + 2] = jt;
    memory.bytes[8 * at + 3] = jf;
    memory.view.setUint32(8 * at + 4, k, true);
  }
  return memory.address;
}

/** `whole` begins with the header. */
function theirs(program: readonly BpfInstruction[], whole: Uint8Array): number {
  packetMemory.bytes.set(whole);
  return oracle!.bpf_filter(place(program), packetMemory.address, whole.length, whole.length);
}

/** The header is not before the packet. */
function ours(program: BpfProgram, whole: Uint8Array): number {
  const header = new DataView(whole.buffer, whole.byteOffset).getUint32(0);
  const packet = whole.slice().fill(0xa5, 0, 4);
  return program.run(header, packet, 4, packet.length);
}

test.skipIf(skip !== undefined)(on("random programs make of random packets what libpcap makes of them"), () =>
  withRng((rng) => {
    const results = new Map<number, number>();
    const seen = new Set<number>();
    for (let round = 0; round < 4000; round++) {
      const program = randomProgram(rng);
      expect(bpfProblem(program)).toBeUndefined();
      const compiled = new BpfProgram(program);
      for (const { code } of program) seen.add(code);
      for (let turn = 0; turn < 4; turn++) {
        const whole = rng.bytes(4 + rng.below(80));
        const result = ours(compiled, whole);
        if (result !== theirs(program, whole))
          expect({ program, whole, result }).toEqual({ program, whole, result: theirs(program, whole) });
        results.set(result, (results.get(result) ?? 0) + 1);
      }
    }
    expect(seen.size).toBe(CODES.size);
    // Most programs returned something.
    expect(results.size).toBeGreaterThan(2000);
    expect(results.get(0)).toBeLessThan(10_000);
  }),
);

test.skipIf(skip !== undefined)(on("no damaged program is taken that libpcap refuses"), () =>
  withRng((rng) => {
    let taken = 0;
    for (let round = 0; round < 20_000; round++) {
      const program = randomProgram(rng).slice(32);
      const at = rng.below(program.length);
      const { code, jt, jf, k } = program[at]!;
      program[at] = {
        code: rng.chance(0.3) ? rng.below(256) : code,
        jt: rng.chance(0.3) ? rng.below(256) : jt,
        jf: rng.chance(0.3) ? rng.below(256) : jf,
        k: rng.chance(0.3) ? someNumber(rng) : k,
      };
      if (bpfProblem(program) !== undefined) continue;
      taken++;
      if (oracle!.bpf_validate(place(program), program.length) === 0)
        expect({ program, theirs: "no program" }).toEqual({ program, theirs: "a program" });
    }
    expect(taken).toBeGreaterThan(1000);
    expect(taken).toBeLessThan(19_000);
  }),
);

const EXPRESSIONS = [
  "inbound",
  "outbound and (icmp or icmp6)",
  "tcp",
  "port 80",
  "not (icmp or udp port 123)",
  "ip6 and udp dst port 53",
  "src net 10.0.0.0/8 and tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
  "inbound or not (tcp[13] & 4 != 0)",
  "ip[2:2] - 4 * (ip[0] & 0xf) > 20 or ip[8] % 7 = 3 or ip[6:2] & 0x1fff != 0",
  "less 40 or greater 48",
  "ip broadcast or ip multicast or ip6 multicast",
  "portrange 1-1000 and host 10.0.0.1",
];

/** Similar to IP as far as the expressions test it. */
function somePacket(rng: Rng): Uint8Array {
  const whole = rng.bytes(4 + rng.below(80));
  const v4 = rng.chance(0.6);
  const proto = rng.pick([1, 6, 17, 58]);
  const set = (at: number, ...octets: readonly number[]): void => {
    for (const [n, octet] of octets.entries()) if (at + n < whole.length) whole[at + n] = octet;
  };
  set(0, rng.below(2), 0, 0, v4 ? 0x21 : 0x57);
  if (v4) {
    set(4, 0x45 + (rng.chance(0.2) ? 2 : 0));
    if (rng.chance(0.8)) set(10, 0, 0);
    set(13, proto);
    set(16, 10, 0, 0, rng.below(3));
    if (rng.chance(0.5)) set(20, rng.pick([10, 224, 255]), 0, 0, rng.below(3));
    set(24, 0, rng.pick([53, 80, 123]), 0, rng.pick([53, 80, 123]));
  } else {
    set(4, 0x60);
    set(10, proto);
    if (rng.chance(0.3)) set(28, 0xff, 2);
    set(44, 0, rng.pick([53, 80, 123]), 0, rng.pick([53, 80, 123]));
  }
  return whole;
}

test.skipIf(skip !== undefined)(on("what libpcap makes of expressions means the same here"), () =>
  withRng((rng) => {
    for (const expression of EXPRESSIONS) {
      const program = compileFilter(expression, 0);
      if (program === undefined || typeof program === "string") throw new Error(`${expression}: ${program}`);
      const compiled = new BpfProgram(program);
      let matched = 0;
      for (let turn = 0; turn < 1000; turn++) {
        const whole = somePacket(rng);
        const result = ours(compiled, whole);
        if (result !== theirs(program, whole))
          expect({ expression, whole, result }).toEqual({ expression, whole, result: theirs(program, whole) });
        if (result !== 0) matched++;
      }
      expect([expression, matched > 0 && matched < 1000]).toEqual([expression, true]);
    }
  }),
);
