// Predictor type 1 (RFC 1978) in both directions, written for clarity, with its packet format.

import type { Rng } from "../kit/rng.ts";
import { fcs16Oracle } from "./fcs32-oracle.ts";

/** The state of both ends: the octet that came after each hash last time. */
class Guesses {
  readonly #table = new Map<number, number>();
  #hash = 0;

  guess(): number {
    return this.#table.get(this.#hash) ?? 0;
  }

  /** The octet that really came. */
  learn(octet: number): void {
    this.#table.set(this.#hash, octet);
    this.#hash = ((this.#hash * 16) ^ octet) % 65536;
  }
}

export class PredictorOracleEncoder {
  readonly #rng: Rng | undefined;
  #guesses = new Guesses();

  /** With `rng`, some packets are sent uncompressed although they would shrink, and some protocols as one octet. */
  constructor(rng?: Rng) {
    this.#rng = rng;
  }

  encode(protocol: number, packet: Uint8Array): Uint8Array {
    const isShort = protocol < 0x100 && (this.#rng?.chance(0.1) ?? false);
    const input = [...(isShort ? [protocol] : [protocol >> 8, protocol & 0xff]), ...packet];
    const data: number[] = [];
    for (let group = 0; group < input.length; group += 8) {
      let flags = 0;
      const missed: number[] = [];
      input.slice(group, group + 8).forEach((octet, place) => {
        if (this.#guesses.guess() === octet) flags += 2 ** place;
        else missed.push(octet);
        this.#guesses.learn(octet);
      });
      data.push(flags, ...missed);
    }
    const length = [input.length >> 8, input.length & 0xff];
    const fcs = fcs16Oracle([...length, ...input]);
    if (data.length >= input.length || this.#rng?.chance(0.05)) return Uint8Array.from([...length, ...input, ...fcs]);
    return Uint8Array.from([(length[0] ?? 0) | 0x80, length[1] ?? 0, ...data, ...fcs]);
  }

  reset(): void {
    this.#guesses = new Guesses();
  }
}

export class PredictorOracleDecoder {
  #guesses = new Guesses();

  /** Protocol and packet. Throws when the payload is not what a compressor in step with us sends. */
  decode(payload: Uint8Array): Uint8Array {
    const octets = [...payload];
    const next = (): number => {
      const octet = octets.shift();
      if (octet === undefined) throw new Error("Predictor: the packet ends too soon");
      return octet;
    };
    const high = next();
    const length = [high & 0x7f, next()];
    const wanted = (high & 0x7f) * 256 + (length[1] ?? 0);
    const input: number[] = [];
    while (input.length < wanted) {
      if (high < 0x80) {
        const octet = next();
        this.#guesses.learn(octet);
        input.push(octet);
        continue;
      }
      const flags = next();
      for (let place = 0; place < 8 && input.length < wanted; place++) {
        const octet = (flags >> place) % 2 === 1 ? this.#guesses.guess() : next();
        this.#guesses.learn(octet);
        input.push(octet);
      }
    }
    const fcs = fcs16Oracle([...length, ...input]);
    if (octets.join() !== fcs.join()) throw new Error(`Predictor: FCS ${octets.join()}, not ${fcs.join()}`);
    return Uint8Array.from(input);
  }

  reset(): void {
    this.#guesses = new Guesses();
  }
}
