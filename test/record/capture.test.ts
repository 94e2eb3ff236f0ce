// A record file as a capture for Wireshark: which packets it holds, when and in which direction, and what it leaves out.

import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { Capture } from "../../src/record/capture.ts";
import { readRecord } from "../../src/record/pppdump-file.ts";
import { frameOf } from "../kit/raw-peer.ts";

const START = 1_000_000_000;
const hex = (value: number, octets: number): string => value.toString(16).padStart(2 * octets, "0");
const start = `07 ${hex(START, 4)}`;
const SENT = "01";
const RECEIVED = "02";
/** An item with octets of one direction. */
const item = (side: string, octets: Uint8Array): string => `${side} ${hex(octets.length, 2)} ${toHex(octets)}`;

interface Shown {
  readonly milliseconds: number;
  readonly isSent: boolean;
  readonly packet: string;
}

/** Reads an Enhanced Packet Block (pcapng §4.3) whose link type puts the direction before the packet. */
function read(block: Uint8Array): Shown {
  const view = new DataView(block.buffer);
  const microseconds = view.getUint32(12, true) * 2 ** 32 + view.getUint32(16, true);
  const length = view.getUint32(20, true);
  return {
    milliseconds: microseconds / 1000 - START * 1000,
    isSent: block[28] === 1,
    packet: toHex(block.subarray(29, 28 + length)),
  };
}

function captured(file: string, reverse = false) {
  const capture = new Capture({ reverse, decompress: false });
  const blocks = [...readRecord(fromHex(file.replaceAll(" ", "")))].flatMap((one) => capture.item(one));
  return { shown: blocks.map(read), counts: capture.counts };
}

const ECHO = "ff03c02109000008deadbeef";
const SHORT = "21";
const PACKETS = `${start} ${item(SENT, frameOf(fromHex(ECHO)))} 06 07 ${item(RECEIVED, frameOf(fromHex(ECHO), 32))} 05 ${hex(600, 4)} ${item(SENT, frameOf(fromHex("2145")))}`;

test("each packet has its time, to a tenth of a second, and its direction", () => {
  const expected: Shown[] = [
    { milliseconds: 0, isSent: true, packet: ECHO },
    { milliseconds: 700, isSent: false, packet: ECHO },
    { milliseconds: 60_700, isSent: true, packet: "2145" },
  ];
  expect(captured(PACKETS)).toEqual({
    shown: expected,
    counts: { packets: 3, badFrames: 0, nonsense: 0, cut: 0 },
  });
  expect(captured(PACKETS, true).shown).toEqual(expected.map((one) => ({ ...one, isSent: !one.isSent })));
});

test("a frame with a wrong FCS, an aborted one and one without a packet are counted and left out", () => {
  const damaged = frameOf(fromHex(ECHO));
  damaged[damaged.length - 2]! ^= 1;
  const frames = [damaged, fromHex("7e41427d7e"), frameOf([]), frameOf(fromHex("ff0300"))];
  for (const frame of frames)
    expect(captured(`${start} ${item(SENT, frame)}`)).toMatchObject({
      shown: [],
      counts: { packets: 0, badFrames: 1 },
    });
});

test("the shortest frame is a protocol of one octet, with either FCS", () => {
  for (const fcs of [16, 32] as const)
    expect(captured(`${start} ${item(RECEIVED, frameOf(fromHex(SHORT), fcs))}`).shown).toMatchObject([
      { packet: SHORT },
    ]);
});

test("the ends of a direction are nothing to show; items of unknown types and cut ones are counted", () => {
  expect(captured(`${start} 03 04`)).toEqual({ shown: [], counts: { packets: 0, badFrames: 0, nonsense: 0, cut: 0 } });
  expect(captured(`${start} 99 98 97`).counts).toEqual({ packets: 0, badFrames: 0, nonsense: 3, cut: 0 });
  expect(captured(`${start} 01 0010 7eff`).counts).toEqual({ packets: 0, badFrames: 0, nonsense: 0, cut: 1 });
  expect(captured("07 0000").counts).toEqual({ packets: 0, badFrames: 0, nonsense: 0, cut: 1 });
});
