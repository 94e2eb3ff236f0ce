// Measures VJ: nanoseconds a packet in each direction, on three kinds of TCP traffic.

import { consola } from "consola";
import { put16, put32 } from "../../src/bytes/be.ts";
import { VJ_HEADROOM, VjCompressor, VjDecompressor } from "../../src/compress/vj.ts";
import { ipv4HeaderChecksum, TcpFlag } from "../../src/wire/ip.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { table } from "./table.ts";

const RUNS = 7;
const SLOTS = 16;
const HEADERS = 40;
/** Packets in a stream before it repeats. The first packet of each connection is then sent uncompressed. */
const STREAM = 1024;

interface Stream {
  readonly name: string;
  /** Octets of data in every packet. */
  readonly data: number;
  readonly connections: number;
  /** How much each packet of a connection adds to its sequence and acknowledgment number. */
  readonly bySequence: number;
  readonly byAcknowledgment: number;
}

const STREAMS: readonly Stream[] = [
  { name: "bulk data, 1460 octets", data: 1460, connections: 1, bySequence: 1460, byAcknowledgment: 0 },
  { name: "its acks", data: 0, connections: 1, bySequence: 0, byAcknowledgment: 2920 },
  { name: "interactive, 1 octet", data: 1, connections: 1, bySequence: 1, byAcknowledgment: 1 },
  { name: "interactive, 8 connections in turn", data: 1, connections: 8, bySequence: 1, byAcknowledgment: 1 },
];

/** The headers of successive packets. TCP checksums are left out, because nothing here checks them. */
function headersOf({ data, connections, bySequence, byAcknowledgment }: Stream): Uint8Array[] {
  return Array.from({ length: STREAM }, (_, at) => {
    const connection = at % connections;
    const turn = Math.floor(at / connections);
    const header = new Uint8Array(HEADERS);
    header[0] = 0x45;
    put16(header, 2, HEADERS + data);
    put16(header, 4, at * connections);
    header[8] = 64;
    header[9] = 6;
    put32(header, 12, 0x0a000001);
    put32(header, 16, 0x0a000002);
    put16(header, 20, 1025 + connection);
    put16(header, 22, 23);
    put32(header, 24, 1000 + turn * bySequence);
    put32(header, 28, 2000 + turn * byAcknowledgment);
    header[32] = 0x50;
    header[33] = TcpFlag.ACK | (data > 0 ? TcpFlag.PSH : 0);
    put16(header, 34, 32120);
    put16(header, 10, ipv4HeaderChecksum(header, 0, 20));
    return header;
  });
}

/** Nanoseconds a packet: the best of several runs of about `runMs`. `pass` runs a whole stream. */
function measure(pass: () => void, runMs: number): number {
  let passes = 1;
  let best = Infinity;
  for (let runs = 0; runs < RUNS;) {
    const started = performance.now();
    for (let count = 0; count < passes; count++) pass();
    const took = performance.now() - started;
    if (took < runMs / 2) {
      passes *= 2;
      continue;
    }
    best = Math.min(best, (took * 1e6) / (passes * STREAM));
    runs++;
  }
  return best;
}

function row(stream: Stream, runMs: number): string[] {
  const headers = headersOf(stream);
  const buf = new Uint8Array(VJ_HEADROOM + HEADERS + stream.data);
  const dataAt = VJ_HEADROOM + HEADERS;
  const compressor = new VjCompressor(SLOTS, true);
  const compress = (): void => {
    for (const header of headers) {
      buf.set(header, VJ_HEADROOM);
      compressor.compress(buf, VJ_HEADROOM, buf.length);
    }
  };

  // The size of the compressed headers, measured in a second pass, when all slots are filled.
  compress();
  let octets = 0;
  let isNew = false;
  const sent = headers.map((header) => {
    buf.set(header, VJ_HEADROOM);
    const protocol = compressor.compress(buf, VJ_HEADROOM, buf.length);
    octets += dataAt - compressor.start;
    return { protocol, header: buf.slice(compressor.start, dataAt) };
  });
  const decompressor = new VjDecompressor(SLOTS, true);
  const decompress = (): void => {
    for (const { protocol, header } of sent) {
      const start = dataAt - header.length;
      buf.set(header, start);
      if (protocol === Protocol.VJ_COMP) isNew ||= !decompressor.compressed(buf, start, buf.length);
      else isNew ||= !decompressor.uncompressed(buf, start, buf.length);
    }
  };

  const ns = [compress, decompress].map((pass) => measure(pass, runMs));
  if (isNew) throw new Error(`${stream.name}: the decompressor dropped packets`);
  return [stream.name, (octets / STREAM).toFixed(1), ...ns.map((each) => each.toFixed(0))];
}

export function benchVj(quick: boolean): void {
  const rows = STREAMS.map((stream) => row(stream, quick ? 20 : 100));
  consola.log(table(["", `octets for ${HEADERS}`, "ns compress", "ns decompress"], rows));
}
