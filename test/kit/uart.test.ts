// Tests of the UARTs at both ends of the virtual cable.

import { expect, test } from "bun:test";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { IFLAG } from "../../src/os/serial/termios.ts";
import { Rng } from "./rng.ts";
import { type PortFormat, pppFormat, received, UartReceiver } from "./uart.ts";
import { Wire } from "./wire.ts";

const every = Uint8Array.from({ length: 256 }, (_, octet) => octet);
const E7: PortFormat = { ...pppFormat(9600), dataBits: 7, parity: "even" };

/** The errors that a port counts, and the octets that it receives. */
function heard(octets: Uint8Array, from: PortFormat, to: PortFormat) {
  const receiver = new UartReceiver(to);
  const out: number[] = [];
  octets.forEach((octet, nth) => receiver.octet(octet, from, nth * 20, out));
  receiver.idle(octets.length * 20, out);
  return { ...receiver.stats, octets: out };
}

test("the same speed, and one that is two percent off: every octet as it was sent", () => {
  for (const speed of [300, 9600, 115200, 4_000_000])
    for (const off of [1, 0.98, 1.02])
      for (const stopBits of [1, 2] as const)
        expect(received(every, { ...pppFormat(speed), stopBits }, pppFormat(speed * off)).octets).toEqual(every);
});

test("half and twice the speed, by hand", () => {
  // 0x55 at half our speed is 00 11 00 11 00 11 00 11 00 11: a start bit, 0x66, no stop bit. The low one begins 0x33.
  expect(heard(Uint8Array.of(0x55), pppFormat(4800), pppFormat(9600))).toMatchObject({ frame: 1, octets: [0x33] });
  // 0xf0 at twice our speed: the start bit and four low bits are two and a half of ours.
  expect(received(Uint8Array.of(0xf0), pppFormat(19200), pppFormat(9600)).octets).toEqual(Uint8Array.of(0xfe));
});

test("a character without a stop bit is a framing error, and passed on unless IGNPAR is set", () => {
  const from = { ...E7, parity: "none" } as const; // one bit shorter: the next start bit is where the stop bit should be
  const to = { ...pppFormat(9600), parity: "even" } as const;
  const two = (format: PortFormat): number[] => {
    const receiver = new UartReceiver(format);
    const out: number[] = [];
    for (let nth = 0; nth < 2; nth++) receiver.octet(0x41, from, (nth * 9000) / 9600, out);
    receiver.idle(100, out);
    expect(receiver.stats.frame + receiver.stats.parity).toBeGreaterThan(0);
    return out;
  };
  const good = two(to);
  const all = two({ ...to, iflag: 0 });
  expect(all.length).toBeGreaterThan(good.length);
  expect(two({ ...to, iflag: IFLAG.INPCK })).toContain(0);
  expect(textOf(Uint8Array.from(two({ ...to, iflag: IFLAG.INPCK | IFLAG.PARMRK })))).toContain("\xff\0");
});

test("parity, data bits and breaks", () => {
  expect(heard(bytesOf("login"), E7, E7)).toEqual({ frame: 0, parity: 0, brk: 0, octets: [...bytesOf("login")] });
  // A receiver without parity takes the parity bit for the eighth bit.
  expect(heard(bytesOf("la"), E7, pppFormat(9600)).octets).toEqual([0x6c, 0xe1]);
  expect(heard(bytesOf("la"), E7, { ...E7, parity: "odd" })).toMatchObject({ parity: 2, octets: [] });
  // Ten low bits of a slow sender are one break to a fast receiver, however long it is.
  const zero = Uint8Array.of(0);
  expect(heard(zero, pppFormat(1200), pppFormat(115200))).toEqual({ frame: 0, parity: 0, brk: 1, octets: [] });
  expect(heard(zero, pppFormat(1200), { ...pppFormat(115200), iflag: 0 }).octets).toEqual([0]);
});

test("a wire between two ports: each at its own time, the last character of a slow receiver as well", () => {
  const wire = new Wire({ baud: 0, rng: new Rng(1) });
  const out = new Uint8Array(256);
  const [fast, slow] = [pppFormat(115200), pppFormat(9600)];
  wire.setPorts(fast, slow);
  wire.take(Uint8Array.of(0xff), 1, 0);
  expect(wire.deliver(wire.arrived(0.1), true, out, 0.1)).toBe(0);
  const due = wire.dueAt();
  // A glitch is no character: the line is high again in the middle of the would-be start bit.
  expect(due).toBe(Infinity);
  wire.take(new Uint8Array(20), 20, 1);
  const all = wire.arrived(5);
  expect(all).toBe(20);
  let length = wire.deliver(all, true, out, 1.8);
  for (let now = 1.8; wire.dueAt() < Infinity; length += wire.deliver(0, true, out, now)) {
    now = wire.dueAt();
    expect(wire.completes(now)).toBe(true);
  }
  expect(length).toBeGreaterThan(0);
  expect(wire.stats).toMatchObject({ taken: 21, delivered: length, lost: 0 });
  // With equal settings everything passes from now on.
  wire.setPorts(slow, slow);
  wire.take(every.subarray(0, 60), 60, 50);
  expect(wire.arrived(50 + 59.5 * (10_000 / 9600))).toBe(59);
  expect(wire.deliver(60, true, out, 200)).toBe(60);
  expect(out.subarray(0, 60)).toEqual(every.subarray(0, 60));
});
