import { expect, test } from "bun:test";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { DAMAGED } from "../../src/compress/codec.ts";
import { PredictorCompressor, PredictorDecompressor } from "../../src/compress/predictor.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { PredictorOracleDecoder, PredictorOracleEncoder } from "./predictor-oracle.ts";
import { compressed, decompressed, oracleReads, oracleWrites, packetOf, traffic } from "./traffic.ts";

// The same packet twice in Predictor type 1 (RFC 1978 §3). The oracle writes the same octets.
const PACKET = { protocol: 0x21, bytes: bytesOf("A".repeat(16) + "B".repeat(16)) };
const PAYLOADS = ["8022c12141414141ff834242424242ff0314e4", "8022d00021414141ffbb4242ff0314e4"];

test("the known packets are written and read by both", () => {
  const compressor = new PredictorCompressor();
  const decompressor = new PredictorDecompressor();
  const encoder = new PredictorOracleEncoder();
  const decoder = new PredictorOracleDecoder();
  for (const payload of PAYLOADS) {
    expect(toHex(encoder.encode(0x21, PACKET.bytes))).toBe(payload);
    expect(packetOf(decoder.decode(fromHex(payload)))).toEqual(PACKET);
    expect(toHex(compressed(compressor, PACKET) ?? new Uint8Array())).toBe(payload);
    expect(packetOf(decompressed(decompressor, fromHex(payload)))).toEqual(PACKET);
  }
});

test("the oracle reads what the compressor writes", () =>
  withRng((rng) => {
    const tally = oracleReads(new PredictorCompressor(), new PredictorOracleDecoder(), traffic(rng, 400));
    expect(tally.compressed).toBeGreaterThan(300);
  }));

test("the decompressor reads what the oracle writes, packets in the clear among it", () =>
  withRng((rng) => {
    const tally = oracleWrites(new PredictorOracleEncoder(rng), new PredictorDecompressor(), traffic(rng, 400));
    expect(tally.compressed).toBeGreaterThan(250);
  }));

test("a lost packet or a flipped bit gives no wrong packet, and a reset of both ends all trouble", () => {
  // The seed is fixed: one damage in 65536 passes any check of sixteen bits.
  const rng = new Rng(1978);
  const encoder = new PredictorOracleEncoder();
  const decompressor = new PredictorDecompressor();
  const packets = [...traffic(rng, 12)].map(({ protocol, bytes }) => ({ protocol, bytes: bytes.subarray(0, 60) }));
  const pass = (): void => {
    for (const { protocol, bytes } of packets) {
      const payload = encoder.encode(protocol, bytes);
      expect(packetOf(decompressed(decompressor, payload))).toEqual({ protocol, bytes });
    }
  };
  const wanted = { protocol: 0x21, bytes: bytesOf("the quick brown fox; the quick brown dog") };
  pass();
  const payload = encoder.encode(wanted.protocol, wanted.bytes);
  for (const bad of damaged(payload)) {
    const found = decompressed(decompressor, bad);
    // The last flag octet has unused bits.
    if (typeof found !== "number") expect(packetOf(found)).toEqual(wanted);
    encoder.reset();
    decompressor.reset();
    pass();
  }
  const news = bytesOf("What nobody has said before, and then once more.");
  encoder.encode(0x21, news);
  expect(decompressed(decompressor, encoder.encode(0x21, news))).toBe(DAMAGED);
});
