// Telnet on a connection: commands, text and PPP, damaged. In any pieces the same data comes out, and PPP that begins the
// connection comes out as it went in.

import { bytesOf, fromHex, textOf } from "../../src/bytes/text.ts";
import { HELD_OCTETS, Telnet } from "../../src/front/telnet.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 30;
const PPP = fromHex("7eff7d23 c0217d21 ffff ff03 fffd01 fffa2c e19b 7e");
const COMMANDS = ["fffb00", "fffd03", "fffe01", "fffc18", "fffa2c", "fff0", "ffff", "fff1", "ff", "ff03", "fffb80"];
const WORDS = ["AT\r\0", "ATDT1\r\n", "zaphod\r", "\r\0\0", "~", "A".repeat(300)];

function heard(telnet: Telnet, stream: Uint8Array, cut: (left: number) => number): string {
  let text = "";
  for (let at = 0; at < stream.length;) {
    const end = at + cut(stream.length - at);
    const into = new Uint8Array(end - at + HELD_OCTETS);
    text += textOf(into, 0, telnet.receive(stream, at, end, into));
    at = end;
  }
  return text;
}

function streamOf(rng: Rng, { mutations }: FuzzInput): Uint8Array {
  const pieces: number[] = [];
  for (let piece = 0; piece < PIECES; piece++) {
    let octets = rng
      .pick([fromHex(rng.pick(COMMANDS)), bytesOf(rng.pick(WORDS)), PPP, rng.bytes(rng.below(20))])
      .slice();
    for (const { kind, a, b } of mutations.filter((one) => one.piece === piece)) {
      const at = a % (octets.length + 1);
      if (kind === "flip" && at < octets.length) octets[at]! ^= 1 << (b & 7);
      else if (kind === "cut") octets = octets.slice(0, at);
      else if (kind === "noise") octets = Uint8Array.from([...octets, ...new Rng(b).bytes(a % 100)]);
    }
    pieces.push(...octets);
  }
  return Uint8Array.from(pieces);
}

export const TELNET: Target = {
  name: "telnet",
  kinds: ["flip", "cut", "noise"],
  pieces: PIECES,
  run(input: FuzzInput) {
    const rng = new Rng(input.seed);
    const begins = rng.chance(0.3);
    const random = streamOf(rng, input);
    const stream = begins ? Uint8Array.from([...PPP, ...random]) : random;
    const [whole, cut] = [new Telnet(), new Telnet()];
    const text = heard(whole, stream, (left) => left);
    const again = heard(cut, stream, (left) => 1 + rng.below(Math.min(left, 40)));
    if (text !== again || whole.kind !== cut.kind) throw new Error("the pieces make a difference");
    if (begins && text !== textOf(stream)) throw new Error("PPP was changed");
    const into = new Uint8Array(whole.answerOctets + 2 * stream.length);
    const length = whole.transmit(stream, 0, stream.length, into);
    if (whole.hasAnswers || length > into.length)
      throw new Error("the answers are not sent, or more than there is room for");
    return stream.length;
  },
};
