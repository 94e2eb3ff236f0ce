// After which packet the next one must not be compressed, because nobody would notice the loss of the packet.

import { expect, test } from "bun:test";
import { put16, put32 } from "../../src/bytes/be.ts";
import { forbiddenAfter, isNearWrap, Not } from "../../src/compress/vj-loss.ts";

const { COMPRESSED, ONE_WAY, ECHOED } = Not;
const ALL = COMPRESSED | ONE_WAY | ECHOED;

interface Headers {
  readonly ports?: readonly [number, number];
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly window?: number;
  readonly urgent?: number;
  readonly flags?: number;
  readonly data?: number;
  readonly address?: number;
  readonly options?: readonly number[];
  /** Octets of options in the IP header. */
  readonly ipOptions?: number;
  /** What each octet of the data is. */
  readonly text?: number;
}

/** A packet of TCP over IPv4 after `at` octets of something else. It ends after the first octets of its data. */
function tcp(at: number, headers: Headers): Uint8Array {
  const { ports = [1000, 80], sequence = 1000, acknowledgment = 5000, window = 4096, urgent = 0 } = headers;
  const { flags = 0x10, data = 100, address = 0x0a000001, options = [], ipOptions = 0, text = 0x61 } = headers;
  const start = at + 20 + ipOptions;
  const end = start + 20 + options.length;
  const packet = new Uint8Array(end + 8).fill(text);
  packet.fill(0, at, end);
  packet[at] = 0x45 + ipOptions / 4;
  put16(packet, at + 2, end - at + data);
  put32(packet, at + 12, address);
  put32(packet, at + 16, 0x0a000002);
  put16(packet, start, ports[0]);
  put16(packet, start + 2, ports[1]);
  put32(packet, start + 4, sequence);
  put32(packet, start + 8, acknowledgment);
  packet[start + 12] = (5 + options.length / 4) << 4;
  packet[start + 13] = flags;
  put16(packet, start + 14, window);
  put16(packet, start + 18, urgent);
  packet.set(options, start + 20);
  return packet;
}

function bits(before: Headers, after: Headers, isAlike = true): number {
  return forbiddenAfter(tcp(3, before), 3, tcp(7, after), 7, isAlike);
}

test.each([
  ["nothing", {}, 0],
  ["the sequence number", { sequence: 1010 }, 0],
  ["data of another length, at the same place", { data: 105 }, 0],
  ["a window that closes as data is sent", { sequence: 1010, window: 4086 }, ALL],
  ["the same with data of another length", { sequence: 1010, window: 4086, data: 105 }, COMPRESSED],
  ["an octet that is retransmitted as one is acknowledged", { sequence: 999, acknowledgment: 5001 }, ALL],
  ["the acknowledgment number and the window", { acknowledgment: 5010, window: 4086 }, ALL],
  ["a sequence number that sums up to nothing", { sequence: 1000 + 0xffff }, ALL],
  ["an acknowledgment number that does so", { acknowledgment: 5000 + 0xffff }, ALL],
  ["a sequence number that sums up to almost nothing", { sequence: 1000 + 0xfffe }, 0],
  ["the window by one", { window: 4095 }, ALL],
  ["the urgent pointer alone", { urgent: 10 }, ALL],
  ["data that is shorter by what was sent", { sequence: 1010, data: 90 }, ONE_WAY],
  ["data that is shorter by half of it", { sequence: 1010, data: 95 }, ECHOED],
  ["a lagging window may wrap later: one less", { sequence: 1010, window: 4085 }, ALL],
  ["one more", { sequence: 1010, window: 4087 }, ALL],
  ["two less", { sequence: 1010, window: 4084 }, 0],
  ["one less than 0xffff", { sequence: 1000 + 0xfffd, window: 4097 }, ALL],
  ["two less than 0xffff", { sequence: 1000 + 0xfffc, window: 4097 }, 0],
] as const)("of one connection, after a change of %s", (_, after, wanted) => {
  expect(bits({}, after)).toBe(wanted);
});

test("each form has a bit of its own", () => {
  expect(COMPRESSED ^ ONE_WAY ^ ECHOED).toBe(7);
});

test("urgent data whose pointer is gone in the next packet", () => {
  expect(bits({ urgent: 10 }, { sequence: 1010 })).toBe(ALL);
  expect(bits({ urgent: 10 }, { sequence: 1011 })).toBe(0);
});

test("numbers about to wrap in their upper half", () => {
  const [near, far] = [0xffff_0001, 0xfffe_ffff];
  expect(bits({ sequence: near }, { sequence: near + 10 })).toBe(COMPRESSED);
  expect(bits({ acknowledgment: near }, { acknowledgment: near + 10 })).toBe(COMPRESSED);
  expect(bits({ sequence: far, acknowledgment: far }, { sequence: far + 10, acknowledgment: far })).toBe(0);
  expect([near, far].map((sequence) => isNearWrap(tcp(0, { sequence }), 20))).toEqual([true, false]);
});

test.each([
  ["that differs in nothing", {}, ALL],
  ["with other data", { text: 0x62 }, ALL],
  ["with a sequence number that sums up to nothing", { sequence: 1000 + 0xffff }, ALL],
  ["with the ports exchanged", { ports: [80, 1000] }, ALL],
  ["with another port", { ports: [1001, 80] }, 0],
  ["with another port and as much less of the sequence number", { ports: [1001, 80], sequence: 999 }, ALL],
  ["of another address", { address: 0x0a000003 }, 0],
  ["of another address and as much less of the window", { address: 0x0a000011, window: 4080 }, ALL],
  ["with a flag that VJ does not carry", { flags: 0x11 }, 0],
  ["with the flag and as much less of the sequence number", { flags: 0x11, sequence: 999 }, ALL],
  ["with a flag that VJ carries", { flags: 0x18 }, ALL],
  ["with data that is shorter by what was sent", { sequence: 1010, data: 90 }, ONE_WAY],
  ["with options of IP and as much less data", { ipOptions: 4, data: 96, sequence: 1004 }, ONE_WAY],
  // The length of the header counts twice: in the pseudo header with the data, and as the data offset.
  [
    "with options of as many octets less data",
    { options: [1, 1, 1, 1], data: 96, sequence: 1000 - 4 - 0x1000 - 0x202 },
    COMPRESSED,
  ],
  [
    "with such options and a shorter sum",
    { options: [1, 1, 1, 1], data: 96, sequence: 1000 - 0x1000 - 0x202 },
    ONE_WAY,
  ],
] as const)("after a packet of another connection %s", (_, after: Headers, wanted) => {
  expect(bits({}, after, false)).toBe(wanted);
});
