// What the doctor sends to make the far side speak, and to see its own octets come back.

import { Ring } from "../../bytes/ring.ts";
import { bytesOf, textOf } from "../../bytes/text.ts";
import { Framer } from "../../frame/framer.ts";
import { Code } from "../../wire/control.ts";
import { Protocol } from "../../wire/protocols.ts";
import type { Ear } from "./ear.ts";
import type { ExaminedPort } from "./examined-port.ts";

const OCTET_BITS = 10;
/** A USB adapter, or the far side's driver, may keep octets for so long. */
const SLOW_MS = 120;
const RETURN = Uint8Array.of(13);
const WORD_LETTERS = 12;

/** A Configure-Request without options. Each PPP answers it, and goes on with its own request. */
export const REQUEST = framed([0xff, 0x03, Protocol.LCP >>> 8, Protocol.LCP & 0xff, Code.ConfReq, 1, 0, 4]);

function framed(packet: readonly number[]): Uint8Array {
  const ring = new Ring(new Uint8Array(64));
  new Framer(ring).write(Uint8Array.of(...packet, 0, 0, 0, 0), 0, packet.length, true, 0);
  return ring.bytes.slice(0, ring.length);
}

/** The time that so many octets take on the line, and a slow driver more. */
function timeOf(octets: number, speed: number): number {
  return SLOW_MS + (octets * OCTET_BITS * 1000) / speed;
}

/** Asks whoever is there at this speed: PPP by a request, a login by Return. */
export async function askAt(port: ExaminedPort, ear: Ear, speed: number): Promise<void> {
  for (const question of [REQUEST, RETURN]) {
    port.write(question);
    // The answer may be as long as a login's banner, and the beginning of one is enough.
    await ear.listen(port, 2 * timeOf(2 * REQUEST.length, speed), () => ear.isUnderstood);
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
  const until = port.now() + 2 * timeOf(2 * word.length, speed);
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
  const until = port.now() + 2 * timeOf(all.length, speed);
  for (let sent = 0; port.now() < until && back.size < all.length;) {
    if (sent < all.length) sent += port.write(all.subarray(sent));
    await port.wait(until - port.now());
    for (const octet of port.read()) back.add(octet);
  }
  return [...all].filter((octet) => !back.has(octet));
}
