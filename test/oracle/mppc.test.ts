// Compares MPPC with FreeRDP: remote desktops use the bit stream of RFC 2118 and the same bits A, B and C.

import { dlopen, FFIType, type Pointer, ptr, toArrayBuffer } from "bun:ffi";
import { expect, test } from "bun:test";
import { MppcCompressor, MppcDecompressor } from "../../src/compress/mppc.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { compressed, oracleReads, oracleWrites, type Packet, traffic } from "./traffic.ts";

const { ptr: POINTER, u32: U32, i32: I32 } = FFIType;

function open() {
  try {
    return dlopen("libfreerdp2.so.2", {
      mppc_context_new: { args: [U32, I32], returns: POINTER },
      mppc_context_free: { args: [POINTER], returns: FFIType.void },
      mppc_context_reset: { args: [POINTER, I32], returns: FFIType.void },
      mppc_compress: { args: [POINTER, POINTER, U32, POINTER, POINTER, POINTER], returns: I32 },
      mppc_decompress: { args: [POINTER, POINTER, U32, POINTER, POINTER, U32], returns: I32 },
    }).symbols;
  } catch {
    return undefined;
  }
}

const freerdp = open();
const WHY = freerdp === undefined ? " [skipped: no libfreerdp2.so.2 here, Debian's package libfreerdp2-2 has it]" : "";

/** FreeRDP's level with 8192 octets of history. The other level has another bit stream. */
const LEVEL = 0;
// Its flags are those of the header, in one octet.
const FLAGS = 0xe0;
const FLUSHED = 0x80;
const COMPRESSED = 0x20;

class Freerdp {
  readonly #symbols: NonNullable<typeof freerdp>;
  readonly #context: Pointer;
  readonly #data = new BigUint64Array(1);
  readonly #size = new Uint32Array(1);
  readonly #flags = new Uint32Array(1);
  readonly #out = new Uint8Array(20_000);
  #count = 0;
  /** The number of packets with each of the bits A, B, C. */
  readonly bits = { a: 0, b: 0, c: 0 };

  constructor(isCompressor: boolean) {
    if (freerdp === undefined) throw new Error("no FreeRDP");
    this.#symbols = freerdp;
    const context = freerdp.mppc_context_new(LEVEL, isCompressor ? 1 : 0);
    if (context === null || typeof context === "bigint") throw new Error("mppc_context_new failed");
    this.#context = context;
  }

  encode(protocol: number, packet: Uint8Array): Uint8Array | undefined {
    if (protocol < 0x21 || protocol > 0xfa) return undefined;
    const input = Uint8Array.of(protocol >> 8, protocol & 0xff, ...packet);
    this.#data[0] = BigInt(ptr(this.#out));
    this.#size[0] = this.#out.length;
    this.#flags[0] = 0;
    const { mppc_compress } = this.#symbols;
    const status = mppc_compress(
      this.#context,
      ptr(input),
      input.length,
      ptr(this.#data),
      ptr(this.#size),
      ptr(this.#flags),
    );
    expect(status).toBe(1);
    const flags = this.#flags[0]!;
    const data = (flags & COMPRESSED) !== 0 ? this.#out.subarray(0, this.#size[0]) : input;
    const header = ((flags & FLAGS) << 8) | this.#count;
    this.#count = (this.#count + 1) % 4096;
    return Uint8Array.of(header >> 8, header & 0xff, ...data);
  }

  decode(payload: Uint8Array): Uint8Array {
    const header = (payload[0]! << 8) | payload[1]!;
    expect(header & 0xfff).toBe(this.#count);
    this.#count = (this.#count + 1) % 4096;
    const flags = (header >> 8) & FLAGS;
    if ((flags & FLUSHED) !== 0) this.bits.a++;
    if ((flags & 0x40) !== 0) this.bits.b++;
    if ((flags & COMPRESSED) !== 0) this.bits.c++;
    const data = payload.slice(2);
    this.#data[0] = 0n;
    const { mppc_decompress } = this.#symbols;
    expect(mppc_decompress(this.#context, ptr(data), data.length, ptr(this.#data), ptr(this.#size), flags)).toBe(1);
    const size = this.#size[0]!;
    if ((flags & COMPRESSED) === 0) return data.subarray(0, size);
    return new Uint8Array(toArrayBuffer(Number(this.#data[0]) as Pointer, 0, size)).slice();
  }

  reset(): void {
    this.#symbols.mppc_context_reset(this.#context, 1);
  }

  close(): void {
    this.#symbols.mppc_context_free(this.#context);
  }
}

function using(isCompressor: boolean, body: (oracle: Freerdp) => void): void {
  const oracle = new Freerdp(isCompressor);
  try {
    body(oracle);
  } finally {
    oracle.close();
  }
}

function chosen(rng: Rng, count: number): Packet[] {
  return [...traffic(rng, count)];
}

test.skipIf(freerdp === undefined)(`FreeRDP reads what the compressor writes, resets among it${WHY}`, () =>
  withRng((rng) =>
    using(false, (oracle) => {
      const compressor = new MppcCompressor();
      for (let round = 0; round < 40; round++) {
        oracleReads(compressor, oracle, chosen(rng, 25));
        if (rng.chance(0.3)) compressor.reset();
      }
      for (const count of Object.values(oracle.bits)) expect(count).toBeGreaterThan(20);
    }),
  ),
);

test.skipIf(freerdp === undefined)(`the decompressor reads what FreeRDP writes, resets among it${WHY}`, () =>
  withRng((rng) =>
    using(true, (oracle) => {
      const decompressor = new MppcDecompressor();
      let count = 0;
      for (let round = 0; round < 40; round++) {
        count += oracleWrites(oracle, decompressor, chosen(rng, 25)).compressed;
        if (rng.chance(0.3)) oracle.reset();
      }
      expect(count).toBeGreaterThan(400);
    }),
  ),
);

test.skipIf(freerdp === undefined)(`ours is no longer than FreeRDP's${WHY}`, () =>
  using(true, (oracle) => {
    const compressor = new MppcCompressor();
    const total = { ours: 0, theirs: 0 };
    for (const packet of chosen(new Rng(2118), 500)) {
      const theirs = oracle.encode(packet.protocol, packet.bytes);
      const ours = compressed(compressor, packet);
      total.theirs += theirs?.length ?? 0;
      total.ours += ours?.length ?? 0;
    }
    expect(total.ours).toBeLessThan(total.theirs);
  }),
);
