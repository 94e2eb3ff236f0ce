// The lines of the history, and what becomes of damaged ones.

import { expect, test } from "bun:test";
import { readHistory, recordLine, type SessionRecord } from "../../src/record/session-record.ts";
import { Rng } from "../kit/rng.ts";

const SESSION: SessionRecord = {
  began: 1_764_500_000_000,
  pid: 812,
  device: "/dev/ttyS0",
  seconds: 60,
  interface: "ppp0",
  peer: "zaphod\u{dce9}",
  in: 1000,
  out: 2000,
  bad: 1,
  samples: { every: 1, in: [400, 600], out: [2000, 0], bad: [0, 1], rtt: [-1, 12.5] },
};

test("the last line of a session stands, and a mark that comes late does not undo the end", () => {
  const up = { ...SESSION, seconds: 0, samples: undefined };
  const ended = { ...SESSION, exit: 5 };
  const other = { ...SESSION, began: SESSION.began - 1, device: "/dev/ttyS1" };
  expect(readHistory([up, ended, other].map(recordLine).join(""))).toEqual([ended, other]);
  expect(readHistory([ended, up].map(recordLine).join(""))).toEqual([ended]);
});

test("damaged, foreign and cut lines are passed over, and no value of a wrong kind gets through", () => {
  const good = recordLine(SESSION);
  expect(readHistory(`${good.slice(0, 80)}\n${good}\n\0\xff\n[1]\nnull\n{"began":1}\n`)).toEqual([SESSION]);
  const rng = new Rng(7);
  for (let round = 0; round < 3000; round++) {
    const octets = Buffer.from(good);
    for (let hits = 1 + rng.below(4); hits > 0; hits--) octets[rng.below(octets.length)] = rng.below(256);
    for (const { began, in: received, device, exit, samples } of readHistory(octets.toString())) {
      expect([began, received].every(Number.isFinite)).toBe(true);
      expect(typeof device).toBe("string");
      expect(["undefined", "number"]).toContain(typeof exit);
      if (samples !== undefined) expect(samples.out.every(Number.isFinite) && samples.every > 0).toBe(true);
    }
  }
});

test("samples of another version are left out, and the session stays", () => {
  const line = recordLine(SESSION).replace('"rtt":[-1,12.5]', '"rtt":[-1]');
  expect(readHistory(line)).toEqual([{ ...SESSION, samples: undefined }]);
});
