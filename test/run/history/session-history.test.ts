// Attempts that fail again and again leave few lines.

import { expect, test } from "bun:test";
import { readHistory } from "../../../src/record/session-record.ts";
import { Exit } from "../../../src/run/exit.ts";
import { SessionHistory } from "../../../src/run/history/session-history.ts";

test("attempts that fail in turn in two ways are two entries, and few lines", () => {
  let text = "";
  let wall = 1000;
  const machine = {
    clock: { wall: () => (wall += 500), now: () => 0 },
    files: {
      size: () => text.length,
      open: () => 3,
      write: (_fd: number, bytes: Uint8Array) => void (text += Buffer.from(bytes).toString()),
    },
    descriptors: { close: () => {} },
    processes: { pid: 7, environment: () => ({}), identity: () => "7" },
    users: { hasLentRights: () => false },
  };
  const config = { device: "/dev/ttyS0", linkname: undefined, notty: false };
  const history = new SessionHistory(machine as never, { config } as never);
  for (let round = 0; round < 4000; round++) history.ended(round % 2 === 0 ? Exit.CONNECT : Exit.NEGOTIATION, false);
  expect(text.trim().split("\n").length).toBeLessThan(30);
  history.end();
  const counts = readHistory(text).map(({ exit, failures }) => [exit, failures]);
  expect(counts).toEqual([
    [Exit.CONNECT, 2000],
    [Exit.NEGOTIATION, 2000],
  ]);
});
