// The calling side: pieces of everything that other ends send, damaged and cut anywhere, at times of their own. Whatever comes,
// it goes on or comes to an end, and a PPP peer that answers at the right speed is found with its whole frame.

import { Ring } from "../../src/bytes/ring.ts";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { Caller } from "../../src/front/caller.ts";
import { questionFrame } from "../../src/front/question.ts";
import { candidates } from "../../src/front/speeds.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Mutation, Target } from "./target.ts";

const PIECES = 60;
const SPEEDS = candidates([]);
/** Another peer's request, which begins with a flag. */
const REQUEST = questionFrame(0x0badcafe);
const WORDS = [
  "CLIENT",
  "CLIENTSERVE",
  "near login: ",
  "Password: ",
  "\r\nLogin incorrect\r\n",
  "Last login: Mon Nov 30\r\n",
  "near> ",
  "AT\r\r\nOK\r\n",
  "\r\nOK\r\n",
  "\r\nBUSY\r\n",
  "\r\nNO CARRIER\r\n",
  "\r\nCONNEC",
  "0\r",
  "\r",
  "~\xff}#",
  "\x7e",
  "\0\0\0",
  "\xe0\0\xe0",
  "A".repeat(500),
];

function changed(piece: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  for (const { kind, a, b } of mutations) {
    const at = a % (piece.length + 1);
    if (kind === "flip" && at < piece.length) piece[at]! ^= 1 << (b & 7);
    else if (kind === "cut") piece = piece.slice(0, at);
    else if (kind === "noise") piece = Uint8Array.from([...piece, ...new Rng(b).bytes(a % 200)]);
    else if (kind === "echo") piece = Uint8Array.from([...piece, ...questionFrame(a)]);
  }
  return piece;
}

class Play {
  now = 0;
  fed = 0;
  readonly input = new Ring(new Uint8Array(65536));
  readonly output = new Ring(new Uint8Array(256));
  readonly caller: Caller;
  readonly #rng: Rng;

  constructor(rng: Rng) {
    this.#rng = rng;
    const user = rng.chance(0.5) ? "zaphod" : undefined;
    const account = { user, password: rng.chance(0.5) ? "gargleBlaster" : undefined, number: "777" };
    this.caller = new Caller({ ...account, speeds: SPEEDS, magic: rng.below(1000) }, this.output);
  }

  get isOver(): boolean {
    return this.caller.decision !== undefined || this.caller.failure !== undefined;
  }

  feed(octets: Uint8Array): void {
    for (const octet of octets) {
      if (this.isOver) return;
      this.input.bytes[this.input.writeAt] = octet;
      this.input.commit(1);
      this.fed++;
      if (this.caller.receive(this.input, this.now)) throw new Error("the caller has no packets");
    }
  }

  /** Time passes, and the port gets the speed that is wanted. */
  pass(): void {
    const { caller, input, output } = this;
    caller.flush();
    if (this.#rng.chance(0.8)) output.consume(output.length);
    if (this.isOver) return;
    if (caller.wants !== undefined) {
      input.clear();
      if (this.#rng.chance(0.02)) caller.cannotTune(this.now);
      else caller.tuned(this.now);
      return;
    }
    const next = caller.nextTimeout();
    if (next === Infinity) throw new Error("the caller waits for nothing");
    this.now = Math.max(this.now, this.#rng.chance(0.5) ? next : this.now + this.#rng.below(300));
    caller.handleTimeout(this.now);
  }
}

export const CALLER: Target = {
  name: "caller",
  kinds: ["flip", "cut", "noise", "echo"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const play = new Play(rng);
    for (let piece = 0; piece < PIECES && !play.isOver; piece++) {
      const octets = rng.chance(0.3) ? rng.bytes(rng.below(60)) : bytesOf(rng.pick(WORDS));
      play.feed(
        changed(
          octets,
          mutations.filter((one) => one.piece === piece),
        ),
      );
      play.pass();
    }
    if (play.isOver) return play.fed;
    while (play.caller.wants !== undefined) play.pass();
    if (!play.isOver) {
      play.feed(REQUEST);
      const { decision } = play.caller;
      if (decision !== "ppp" && decision !== "login") throw new Error("PPP after other octets was missed");
      const left = Array.from(
        { length: play.input.length },
        (_, at) => play.input.bytes[(play.input.readAt + at) % 65536]!,
      );
      if (textOf(Uint8Array.from(left)) !== textOf(REQUEST)) throw new Error("PPP's octets are not left as they came");
    }
    return play.fed;
  },
};
