// Measures framer, deframer and FCS: payload MB/s and nanoseconds a packet, beside the last run on this machine.

import { consola } from "consola";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Ring } from "../../src/bytes/ring.ts";
import { Deframer } from "../../src/frame/deframer.ts";
import { FCS_INIT, fcsOver } from "../../src/frame/fcs.ts";
import { Framer } from "../../src/frame/framer.ts";
import { Rng } from "../../test/kit/rng.ts";
import { table } from "./table.ts";

const LAST_RUN = join(import.meta.dir, "../../node_modules/.cache/nullmodem-bench.json");
const RUNS = 7;
/** Address, control and protocol. The packet also has room for the FCS behind it. */
const HEADER = Uint8Array.of(0xff, 0x03, 0x00, 0x21);
const FCS = 2;

interface Work {
  readonly name: string;
  /** Payload octets of one packet. */
  readonly octets: number;
  /** Does the work this many times. */
  readonly run: (packets: number) => void;
}

function packetOf(payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(HEADER.length + payload.length + FCS);
  packet.set(HEADER);
  packet.set(payload, HEADER.length);
  return packet;
}

function works(kind: string, payload: Uint8Array): Work[] {
  const packet = packetOf(payload);
  const end = packet.length - FCS;
  const ring = new Ring(new Uint8Array(1 << 16));
  const framer = new Framer(ring);
  framer.accm = 0;
  framer.write(packet, 0, end, false, 0);
  const line = ring.bytes.slice(ring.readAt, ring.readAt + ring.length);
  ring.clear();
  const deframer = new Deframer();
  deframer.accm = 0;
  const name = `${payload.length} octets, ${kind}`;
  let sink = 0;
  return [
    {
      name: `FCS       ${name}`,
      octets: payload.length,
      run: (packets) => {
        for (let count = 0; count < packets; count++) sink ^= fcsOver(FCS_INIT, packet, 0, end);
        if (sink === -1) throw new Error("unreachable");
      },
    },
    {
      name: `framer    ${name}`,
      octets: payload.length,
      run: (packets) => {
        for (let count = 0; count < packets; count++) {
          framer.write(packet, 0, end, false, 0);
          ring.consume(ring.length);
        }
      },
    },
    {
      name: `deframer  ${name}`,
      octets: payload.length,
      run: (packets) => {
        for (let count = 0; count < packets; count++) {
          let found = 0;
          for (let at = 0; at < line.length;) {
            at = deframer.push(line, at, line.length);
            if (deframer.length > 0) found++;
          }
          if (found !== 1) throw new Error(`the deframer found ${found} frames of 1`);
        }
      },
    },
  ];
}

/** Nanoseconds a packet: the best of several runs of about `runMs`. */
function measure({ run }: Work, runMs: number): number {
  let packets = 100;
  let best = Infinity;
  for (let runs = 0; runs < RUNS;) {
    const started = performance.now();
    run(packets);
    const took = performance.now() - started;
    if (took < runMs / 2) {
      packets *= 2;
      continue;
    }
    best = Math.min(best, (took * 1e6) / packets);
    runs++;
  }
  return best;
}

function lastRun(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(LAST_RUN, "utf8")) as Record<string, number>;
  } catch {
    return {};
  }
}

export function benchFraming(quick: boolean): void {
  const rng = new Rng(1);
  const random = rng.bytes(1500);
  const text = Uint8Array.from({ length: 1500 }, () => 32 + rng.below(93));
  const before = lastRun();
  const now: Record<string, number> = {};
  const rows = [...works("random", random), ...works("text", text), ...works("random", random.subarray(0, 64))].map(
    (work) => {
      const ns = measure(work, quick ? 20 : 100);
      now[work.name] = ns;
      const change = before[work.name] === undefined ? "" : `${(100 * (before[work.name]! / ns - 1)).toFixed(0)} %`;
      return [work.name, ((work.octets * 1000) / ns).toFixed(0), ns.toFixed(0), change];
    },
  );
  consola.log(table(["", "MB/s", "ns a packet", "faster than last run"], rows));
  mkdirSync(dirname(LAST_RUN), { recursive: true });
  writeFileSync(LAST_RUN, JSON.stringify(now, null, 1));
}
