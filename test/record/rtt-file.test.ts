import { expect, test } from "bun:test";
import { u32 } from "../../src/bytes/be.ts";
import { RTT_FILE_SIZE, RTT_HEADER, RttRing } from "../../src/record/rtt-file.ts";

/** The content as pppd's own readers see it: the newest element first. */
function read(bytes: Uint8Array) {
  const elements = (bytes.length - RTT_HEADER) / 8;
  const newest = u32(bytes, 8) / 2;
  const found: { time: number; lost: number; micros: number }[] = [];
  for (let back = 0; back < elements; back++) {
    const at = RTT_HEADER + 8 * ((newest - back + elements) % elements);
    const value = u32(bytes, at + 4);
    if (u32(bytes, at) !== 0) found.push({ time: u32(bytes, at), lost: value >>> 24, micros: value & 0xffffff });
  }
  return { magic: u32(bytes, 0).toString(16), status: u32(bytes, 4), interval: u32(bytes, 12), found };
}

function ring(bytes = new Uint8Array(RTT_FILE_SIZE).fill(0xa5)): RttRing {
  const made = new RttRing(bytes);
  made.open(30);
  return made;
}

test("a file of something else is begun anew, and says that it is written", () => {
  const made = ring();
  expect(read(made.bytes)).toEqual({ magic: "19450425", status: 1, interval: 30, found: [] });
  made.close();
  expect(read(made.bytes).status).toBe(0);
});

test("answers stand where the index says, too much of anything cut to what fits", () => {
  const made = ring();
  // pppd's first element is the second too: index 2.
  expect(made.answered(1_800_000_000, 1234, 0)).toBe(RTT_HEADER + 8);
  made.answered(3_000_000_000, 0x2000000, 300);
  expect(read(made.bytes).found).toEqual([
    { time: 3_000_000_000, lost: 255, micros: 0xffffff },
    { time: 1_800_000_000, lost: 0, micros: 1234 },
  ]);
});

test("the ring keeps the latest 1022 answers, through a restart, and starts over at a bad index", () => {
  const made = ring();
  for (let time = 1; time <= 1500; time++) made.answered(time, time * 10, time & 3);
  made.close();
  const again = ring(made.bytes.slice());
  again.answered(1501, 15010, 1);
  const { found, status } = read(again.bytes);
  expect(status).toBe(1);
  expect(found).toEqual(
    Array.from({ length: 1022 }, (_, back) => ({
      time: 1501 - back,
      lost: (1501 - back) & 3,
      micros: (1501 - back) * 10,
    })),
  );
  for (const bad of [2043, 2044, 0xffffffff]) {
    again.bytes.set([bad >>> 24, bad >>> 16, bad >>> 8, bad], 8);
    expect(again.answered(2000, 1, 0)).toBe(RTT_HEADER);
  }
});
