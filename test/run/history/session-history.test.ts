// What is counted for a session, and how few lines attempts that fail again and again leave.

import { expect, test } from "bun:test";
import { NO_TRAFFIC } from "../../../src/link/counters.ts";
import { readHistory, type SessionRecord } from "../../../src/record/session-record.ts";
import { Exit } from "../../../src/run/exit.ts";
import type { Status } from "../../../src/run/live/published-status.ts";
import { LinkHistory, SessionHistory } from "../../../src/run/history/session-history.ts";

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

test("what comes when the link is down is not counted, a line that leaves a bundle neither, and the compression is kept", () => {
  const records: SessionRecord[] = [];
  let now = 0;
  const machine = { clock: { wall: () => 5000 + now, now: () => now }, processes: { pid: 7 } };
  const line = {
    speed: 9600,
    phase: "network",
    framesReceived: 0,
    framesSent: 0,
    runts: 0,
    overlong: 0,
    aborted: 0,
    faults: 0,
  };
  const status = (bad: readonly number[], rest: object): Status =>
    ({
      interface: "ppp0",
      pid: 7,
      mtu: 1500,
      counters: { received: NO_TRAFFIC, sent: NO_TRAFFIC },
      compression: {},
      lines: bad.map((badFcs, at) => ({ ...line, badFcs, device: `/dev/ttyS${at}` })),
      ...rest,
    }) as unknown as Status;
  const UP = { ipv4: { our: "10.0.0.1", peer: "10.0.0.2" }, compression: { receive: "Deflate (15)" } };
  let present = status([5, 2], UP);
  const history = new LinkHistory(
    machine as never,
    {} as never,
    () => present,
    (record) => void records.push(record),
  );
  history.up();
  now = 1000;
  present = status([8, 4], UP);
  history.lookAfter(now);
  // The second line leaves.
  now = 2000;
  present = status([9], { ...UP, compression: {} });
  history.down({ isLast: true } as never);
  present = status([25], {});
  now = 3000;
  history.lookAfter(now);
  history.ended(Exit.HANGUP, false);
  expect(records.at(-1)).toMatchObject({ bad: 6, exit: 16, receive: "Deflate (15)", our: "10.0.0.1", seconds: 3 });
});
