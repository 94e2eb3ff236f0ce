import { expect, test } from "bun:test";
import { linesOf } from "../../../src/run/diagnose/finding.ts";
import { lineTroubleOf, speedTrouble } from "../../../src/run/diagnose/line-trouble.ts";

/** The lines of the log. */
const trouble = (...from: Parameters<typeof lineTroubleOf>): string[] => lineTroubleOf(...from).flatMap(linesOf);

const NONE = { frame: 7, overrun: 3, parity: 0, brk: 0, bufOverrun: 1 };
const LINES = { dtr: true, rts: true, cts: false, dsr: true, cd: false, ri: false };

test("a low CTS is reported with crtscts, and so are the errors that the driver counted since the attempt began", () => {
  expect(trouble("on", LINES, NONE, NONE)).toEqual([
    "CTS is low, so that nothing is sent: the peer is not ready, or a cable without this wire needs nocrtscts",
  ]);
  expect(trouble("off", LINES, NONE, { ...NONE, frame: 12, overrun: 4, bufOverrun: 3 })).toEqual([
    "The port had 5 framing errors: the peer uses another speed or other data bits",
    "The port lost octets 3 times: a lower speed or crtscts may help",
  ]);
  expect(trouble("off", LINES, NONE, { ...NONE, brk: 9 })).toEqual([
    "The port had 9 breaks: the peer uses a lower speed, or a wire is loose",
  ]);
  expect(trouble("on", { ...LINES, cts: true }, NONE, NONE)).toEqual([]);
  expect(trouble("off", { ...LINES, dsr: false }, NONE, NONE)).toEqual([
    "No modem line is up: the far side's port is closed, the cable is not plugged in, or it has only three wires; " +
      "open the far side's port; with three wires give pppd the options local and nocrtscts",
  ]);
  expect(trouble("on", undefined, undefined, undefined)).toEqual([]);
});

test("a speed that the hardware cannot do: the speed that is set instead, and those that it can do", () => {
  const says = (asked: number, set: number, base?: number) =>
    speedTrouble("/dev/ttyS0", asked, set, base).flatMap(linesOf);
  const able = "it can do 115200, 57600, 38400, 19200, 9600, 4800";
  // As in a 16550A with the usual clock: too high a speed becomes 9600, one in between the next divisor.
  expect(says(230400, 9600, 115200)).toEqual([`/dev/ttyS0 cannot do 230400 bit/s and is set to 9600; ${able}`]);
  expect(says(250000, 9600, 115200)).toEqual([`/dev/ttyS0 cannot do 250000 bit/s and is set to 9600; ${able}`]);
  expect(says(31250, 31250, 115200)).toEqual([
    "/dev/ttyS0 cannot do 31250 bit/s and runs at 28800, 8 % off; it can do 115200, 57600, 38400, 19200, 9600, 4800",
  ]);
  expect(says(460800, 9600)).toEqual(["/dev/ttyS0 cannot do 460800 bit/s and is set to 9600"]);
  for (const speed of [300, 1200, 9600, 19200, 38400, 57600, 115200]) expect(says(speed, speed, 115200)).toEqual([]);
  // Close enough; no speed asked for; a base without meaning.
  expect(says(921600, 923076)).toEqual([]);
  expect(says(0, 9600, 115200)).toEqual([]);
  expect(says(115200, 115200, 9600)).toEqual([]);
});
