// What the doctor sends to make the far side speak, and to see its own octets come back.

import { bytesOf, textOf } from "../../bytes/text.ts";
import { CLEAR_LINE } from "../../front/conversation.ts";
import { dwellMs } from "../../front/speeds.ts";
import type { Ear } from "./ear.ts";
import type { ExaminedPort } from "./examined-port.ts";

const WORD_LETTERS = 12;

/** Asks whoever is there at this speed: PPP by `question`, a login by Return. */
export async function askAt(port: ExaminedPort, ear: Ear, speed: number, question: Uint8Array): Promise<void> {
  for (const words of [question, bytesOf(`${CLEAR_LINE}\r`)]) {
    port.write(words);
    // The answer may be as long as a login's banner, and the beginning of one is enough.
    await ear.listen(port, dwellMs(speed), () => ear.isUnderstood);
    if (ear.isUnderstood) return;
  }
}

/** A word that no far side says by itself: "nm" and letters. A login shows it and does nothing with it. */
export function wordOf(random: () => number): string {
  const letters = Array.from({ length: WORD_LETTERS }, () => String.fromCharCode(0x61 + (random() % 26)));
  return `nm${letters.join("")}`;
}

/** True when a word comes back, whatever its bit 7. Everything that comes goes to `ear` as well. */
export async function comesBack(port: ExaminedPort, ear: Ear, word: string, speed: number): Promise<boolean> {
  let heard = "";
  const isBack = (): boolean => heard.includes(word);
  port.write(bytesOf(word));
  const until = port.now() + dwellMs(speed);
  while (port.now() < until && !isBack()) {
    await port.wait(until - port.now());
    const octets = port.read();
    ear.hear(octets);
    heard += textOf(octets.map((octet) => octet & 0x7f));
  }
  return isBack();
}

/** Sends all 256 octets through a plug. Returns those that do not come back. */
export async function lostOctets(port: ExaminedPort, speed: number): Promise<number[]> {
  const all = Uint8Array.from({ length: 256 }, (_, octet) => octet);
  const back = new Set<number>();
  const until = port.now() + 10 * dwellMs(speed);
  for (let sent = 0; port.now() < until && back.size < all.length;) {
    if (sent < all.length) sent += port.write(all.subarray(sent));
    await port.wait(until - port.now());
    for (const octet of port.read()) back.add(octet);
  }
  return [...all].filter((octet) => !back.has(octet));
}
