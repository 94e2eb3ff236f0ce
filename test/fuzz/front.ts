// The detecting front: pieces of everything that callers send, damaged and cut anywhere. Whatever comes, it decides or
// listens on, and a PPP peer that comes after it is recognised with its whole frame.

import { Ring } from "../../src/bytes/ring.ts";
import { bytesOf, fromHex, textOf } from "../../src/bytes/text.ts";
import { type Answered, Front } from "../../src/front/front.ts";
import { type Connection, ModemLine } from "../../src/front/modem-line.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Mutation, Target } from "./target.ts";

const PIECES = 40;
/** A Configure-Request as a peer sends it first. It begins with a flag, so that what came before does not belong to it. */
const REQUEST = fromHex("7eff7d23 c0217d217d217d207d2e 7d227d267d207d207d207d20 7d277d22 7d287d22 e19b 7e");
const WORDS = [
  "CLIEN",
  "AT",
  "ATZ\r",
  "ATDT",
  "AT&C1&D2\r",
  "ATE0V1\r",
  "ATV0\r",
  "ATS3=65\r",
  "ATS5=13\r",
  "ATS2=126\r",
  "ATS0=1\r",
  "ATE0&W\r",
  "ATA\r",
  "A/",
  "ATQ1\r",
  "ATDTslip\r",
  "+++",
  "\r",
  "\n",
  "OK\r\n",
  "0\r",
  "zaphod\r",
  "pass\x15word\x7f\r\n",
  "login: ",
  "atlas\r\0",
  "~",
  "}",
  "~\xff",
  "~\xff}",
  "\xff\x03",
  "\xc0E\0",
  "\xc0\x75",
  "\xdb",
  "\x7e\x21E\0\0",
  "\xff\xfb\x01\xff\xfd\x03",
  "\x80\0\xf8",
  "A".repeat(300),
];

/** Keeps what it gets, as a link would. */
class Keeper implements Connection {
  readonly packet = new Uint8Array(0);
  readonly packetStart = 0;
  readonly packetEnd = 0;
  isMuted = false;
  octets = 0;
  receive(input: Ring): boolean {
    this.octets += input.length;
    input.consume(input.length);
    return false;
  }
  flush(): void {}
  nextTimeout(): number {
    return Infinity;
  }
  handleTimeout(): void {}
}

function changed(piece: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  for (const { kind, a, b } of mutations) {
    const at = a % (piece.length + 1);
    if (kind === "flip" && at < piece.length) piece[at]! ^= 1 << (b & 7);
    else if (kind === "cut") piece = piece.slice(0, at);
    else if (kind === "noise") piece = Uint8Array.from([...piece, ...new Rng(b).bytes(a % 200)]);
    else if (kind === "long") piece = Uint8Array.from([...piece, ...new Uint8Array(a % 3000).fill(b & 255)]);
  }
  return piece;
}

function put(ring: Ring, octets: Uint8Array): void {
  for (let at = 0; at < octets.length;) {
    const count = Math.min(octets.length - at, ring.writable);
    if (count === 0) throw new Error("the front leaves no room for more octets");
    ring.bytes.set(octets.subarray(at, at + count), ring.writeAt);
    ring.commit(count);
    at += count;
  }
}

function leftIn(ring: Ring): string {
  let text = "";
  for (let at = 0; at < ring.length; at++)
    text += String.fromCharCode(ring.bytes[(ring.readAt + at) & (ring.bytes.length - 1)]!);
  return text;
}

/** Plays the line of a caller that has dialled. */
function playOnline(front: Front, input: Ring, output: Ring, rng: Rng): void {
  const keeper = new Keeper();
  const line = new ModemLine({ modem: front.modem, connection: keeper, input, output }, 0);
  for (let step = 0, now = 0; step < 30 && !line.isHungUp; step++) {
    now += rng.pick([0, 10, 999, 1000, 1500]);
    put(input, bytesOf(rng.pick(["+", "++", "+++", "ATO\r", "ATH\r", "~}#", ""])));
    if (line.nextTimeout() <= now) line.handleTimeout(now);
    line.receive(input, now);
    line.flush(now);
    output.consume(output.length);
    if (input.length > 3 && !line.isHungUp) throw new Error("octets are kept from both the modem and the connection");
  }
}

/** Answers whoever has typed a name and a password. */
function judge(front: Front, input: Ring, rng: Rng): void {
  for (let asked; (asked = front.takeCredentials()) !== undefined; front.receive(input, 0)) {
    if (asked.user === "" || /[^ -~\x80-\xff]/.test(asked.user)) throw new Error("no name can be this");
    front.judged(rng.chance(0.1), input);
  }
  if (front.hasFailedLogin) front.listenAgain();
}

export const FRONT: Target = {
  name: "front",
  kinds: ["flip", "cut", "noise", "long"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const input = new Ring(new Uint8Array(65536));
    const output = new Ring(new Uint8Array(4096));
    const answers = rng.pick<readonly Answered[]>([
      ["ppp", "windows", "modem"],
      ["ppp"],
      ["ppp", "modem"],
      ["ppp", "login"],
      ["ppp", "windows", "modem", "login"],
    ]);
    const settings = { speed: 9600, isStrict: rng.chance(0.5) };
    const front = new Front({ answers, rings: rng.chance(0.3), modem: settings }, output);
    let fed = 0;
    const feed = (octets: Uint8Array): number => {
      let at = 0;
      while (at < octets.length && front.decision === undefined) {
        const piece = octets.subarray(at, at + 1 + rng.below(octets.length));
        put(input, piece);
        fed += piece.length;
        at += piece.length;
        if (front.receive(input, fed)) throw new Error("the front has no packets");
        if (front.nextTimeout() <= fed + 300 && rng.chance(0.5)) front.handleTimeout(fed + 300);
        judge(front, input, rng);
        front.flush();
        if (rng.chance(0.7)) output.consume(output.length);
      }
      return Math.min(at, octets.length);
    };
    for (let piece = 0; piece < PIECES && front.decision === undefined; piece++) {
      const octets = rng.chance(0.3) ? rng.bytes(rng.below(120)) : bytesOf(rng.pick(WORDS));
      feed(
        changed(
          octets,
          mutations.filter((one) => one.piece === piece),
        ),
      );
    }
    const came = front.decision;
    if (came === undefined) {
      const request = textOf(REQUEST, 0, feed(REQUEST));
      if (front.decision !== "ppp") throw new Error("PPP after other octets was missed");
      if (leftIn(input) !== request) throw new Error("PPP's octets are not left as they came");
    } else if (came === "modem") playOnline(front, input, output, rng);
    return fed;
  },
};
