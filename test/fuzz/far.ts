// The test of a cable with another doctor: messages of every kind in any order, damaged and cut. Whatever comes, it ends
// within its time limits, keeps little, and sets no speed that the port cannot do.

import { put32 } from "../../src/bytes/be.ts";
import { blockOf } from "../../src/front/far-block.ts";
import { farFrame } from "../../src/front/far-frame.ts";
import { lead } from "../../src/front/far-leader.ts";
import { FarTest } from "../../src/front/far-test.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Mutation, Target } from "./target.ts";

const PIECES = 40;
const SPEEDS = [9600, 57600, 115200];
const OUR_NUMBER = 0x12345678;
const PATIENCE_MS = 20_000;
/** Of a test that hears nothing any more: more than all its waits together. */
const END_MS = 300_000;
const MOST_OUTPUT = 200_000;
const STEP_MS = 10;

function message(rng: Rng, test: FarTest): Uint8Array {
  const kind = rng.below(10);
  if (kind === 0) return rng.bytes(rng.below(200));
  if (kind === 1) return blockOf(rng.below(256), rng.below(600));
  if (kind === 2) {
    const body = new Uint8Array(9);
    body[0] = 1;
    put32(body, put32(body, 1, rng.u32()), rng.chance(0.7) ? OUR_NUMBER : rng.u32());
    return farFrame({ type: 1, number: 0, body });
  }
  const body = rng.bytes(rng.pick([0, 1, 2, 4, 12, 40, 85, 120]));
  if (rng.chance(0.5) && body.length === 4) put32(body, 0, rng.pick([...SPEEDS, 1200]));
  const isReply = rng.chance(0.4);
  const number = isReply ? rng.pick([test.lastNumber, rng.below(256)]) : rng.below(4);
  return farFrame({ type: rng.below(13) | (isReply ? 0x80 : 0), number, body });
}

function changed(piece: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  for (const { kind, a, b } of mutations) {
    const at = a % (piece.length + 1);
    if (kind === "flip" && at < piece.length) piece[at]! ^= 1 << (b & 7);
    else if (kind === "cut") piece = piece.slice(0, at);
    else if (kind === "noise") piece = Uint8Array.from([...piece, ...new Rng(b).bytes(a % 200)]);
  }
  return piece;
}

export const FAR: Target = {
  name: "far",
  kinds: ["flip", "cut", "noise"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const host = {
      random: () => OUR_NUMBER,
      look: () => (rng.chance(0.5) ? rng.below(64) : undefined),
      drive: () => {},
      setSpeed(speed: number) {
        if (!SPEEDS.includes(speed)) throw new Error(`the port cannot do ${speed}`);
      },
      unsent: () => 0,
    };
    const isStuck = rng.chance(0.2);
    const test = new FarTest(host, { meetAt: 9600, speeds: SPEEDS, patienceMs: PATIENCE_MS }, lead, 0);
    let now = 0;
    let fed = 0;
    const pass = (milliseconds: number): void => {
      for (const until = now + milliseconds; now < until && test.outcome === undefined; now += STEP_MS) {
        test.handleTimeout(now);
        let waiting = 0;
        for (let octets; !isStuck && (octets = test.takeOutput()).length > 0;) waiting += octets.length;
        if (waiting > MOST_OUTPUT) throw new Error(`${waiting} octets of output wait`);
      }
    };
    for (let piece = 0; piece < PIECES && test.outcome === undefined; piece++) {
      const octets = changed(
        message(rng, test),
        mutations.filter((one) => one.piece === piece),
      );
      test.receive(octets, 0, octets.length, now);
      fed += octets.length;
      pass(rng.pick([0, 0, 10, 100, 700]));
    }
    pass(END_MS);
    if (test.outcome === undefined) throw new Error("it does not end");
    return fed;
  },
};
