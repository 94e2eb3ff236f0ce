// The question to a caller who may speak PPP: a Configure-Request in a frame that every PPP understands.

import { expect, test } from "bun:test";
import { toHex } from "../../src/bytes/text.ts";
import { ACCM_ALL } from "../../src/frame/accm.ts";
import { Deframer } from "../../src/frame/deframer.ts";
import { questionFrame } from "../../src/front/question.ts";

test.each([0, 0x12345678, 0xdeadbeef, 0xffffffff])("the request with the magic number %d", (magic) => {
  const frame = questionFrame(magic);
  expect([frame[0], frame.at(-1), frame.indexOf(0x7e, 1)]).toEqual([0x7e, 0x7e, frame.length - 1]);
  // LCP's packets have their control characters escaped, whatever was agreed on (RFC 1661 §6).
  expect(frame.some((octet) => octet < 0x20)).toBe(false);
  const deframer = new Deframer();
  deframer.accm = ACCM_ALL;
  deframer.push(frame, 0, frame.length);
  const hex = magic.toString(16).padStart(8, "0");
  expect(toHex(deframer.frame, 0, deframer.length)).toBe(`ff03c0210100000a0506${hex}`);
});
