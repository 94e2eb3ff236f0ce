// The speed of a slower sender, from what a UART at a higher speed makes of it.

import { expect, test } from "bun:test";
import { bytesOf } from "../../src/bytes/text.ts";
import { questionFrame } from "../../src/front/question.ts";
import { slowerSpeed } from "../../src/front/slower-speed.ts";
import { SPEEDS } from "../../src/front/speeds.ts";
import { Rng } from "../kit/rng.ts";
import { pppFormat, received } from "../kit/uart.ts";

const SENT = {
  "a Configure-Request": questionFrame(0x12345678),
  CLIENT: bytesOf("CLIENT"),
  ATZ: bytesOf("ATZ\r"),
  "a login prompt": bytesOf("\r\nnear login: "),
};

function heard(octets: Uint8Array, from: number, to: number): number[] {
  const all = { iflag: 0 };
  return [...received(octets, { ...pppFormat(from), ...all }, { ...pppFormat(to), ...all }).octets];
}

for (const [name, octets] of Object.entries(SENT))
  test(`${name}: a port at 115200 tells 57600, 38400, 19200 and 9600`, () => {
    for (const speed of [57600, 38400, 19200, 9600])
      expect(slowerSpeed(heard(octets, speed, 115200), 115200, SPEEDS)).toBe(speed);
  });

test("where nothing but breaks comes, the fastest such speed is tried first", () => {
  for (const speed of [9600, 4800, 2400])
    expect(slowerSpeed(heard(SENT.CLIENT, speed, 115200), 115200, SPEEDS)).toBe(9600);
});

test("faster senders and noise show no speed, nor do few octets", () => {
  for (const speed of [460800, 921600])
    expect(slowerSpeed(heard(SENT["a Configure-Request"], speed, 115200), 115200, SPEEDS)).toBeUndefined();
  const rng = new Rng(1);
  for (let round = 0; round < 20; round++) expect(slowerSpeed([...rng.bytes(40)], 115200, SPEEDS)).toBeUndefined();
  expect(slowerSpeed([0, 0, 0], 115200, SPEEDS)).toBeUndefined();
});
