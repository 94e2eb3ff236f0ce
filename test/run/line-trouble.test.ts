import { expect, test } from "bun:test";
import { lineTroubleOf } from "../../src/run/line-trouble.ts";

const NONE = { frame: 7, overrun: 3, parity: 0, brk: 0, bufOverrun: 1 };
const LINES = { dtr: true, rts: true, cts: false, dsr: true, cd: false, ri: false };

test("a low CTS matters with crtscts, and what the driver counted since the attempt began", () => {
  expect(lineTroubleOf("on", LINES, NONE, NONE)).toEqual([
    "CTS is low, so that nothing is sent: the peer is not ready, or a cable without this wire needs nocrtscts",
  ]);
  expect(lineTroubleOf("off", LINES, NONE, { ...NONE, frame: 12, overrun: 4, bufOverrun: 3 })).toEqual([
    "The port had 5 framing errors: the peer uses another speed or other data bits",
    "The port lost octets 3 times: a lower speed or crtscts may help",
  ]);
  expect(lineTroubleOf("on", { ...LINES, cts: true }, NONE, NONE)).toEqual([]);
  expect(lineTroubleOf("on", undefined, undefined, undefined)).toEqual([]);
});
