// Every kind of caller, in any pieces: who is recognised, after how many octets, and what is left for PPP.

import { expect, test } from "bun:test";
import { Ring } from "../../src/bytes/ring.ts";
import { bytesOf, fromHex, textOf } from "../../src/bytes/text.ts";
import { ACCM_ALL } from "../../src/frame/accm.ts";
import { Framer } from "../../src/frame/framer.ts";
import { FCS_ROOM } from "../../src/frame/fcs.ts";
import { type Answered, type Caller, Front } from "../../src/front/front.ts";
import { cuts } from "../kit/cuts.ts";
import { Rng } from "../kit/rng.ts";

const ALL: readonly Answered[] = ["ppp", "windows", "modem"];
const MODEM = { speed: 115200, isStrict: false };

function concat(...pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

interface Heard {
  readonly callers: Caller[];
  readonly decision: Answered | undefined;
  readonly said: string;
  readonly left: Uint8Array;
  /** The octets that had come when there was a decision. */
  readonly octets: number;
}

function play(pieces: readonly Uint8Array[], answers = ALL): Heard {
  const input = new Ring(new Uint8Array(65536));
  const output = new Ring(new Uint8Array(4096));
  const front = new Front({ answers, modem: MODEM }, output);
  let octets = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const count = Math.min(piece.length - at, input.writable);
      input.bytes.set(piece.subarray(at, at + count), input.writeAt);
      input.commit(count);
      at += count;
      if (front.decision === undefined) octets += count;
      expect(front.receive(input, 0)).toBe(false);
      front.flush();
    }
  }
  front.handleTimeout(1e9);
  const callers: Caller[] = [];
  for (let caller; (caller = front.takeCaller()) !== undefined;) callers.push(caller);
  const left: number[] = [];
  for (; input.length > 0; input.consume(1)) left.push(input.bytes[input.readAt]!);
  return {
    callers,
    decision: front.decision,
    said: textOf(output.bytes, 0, output.length),
    left: Uint8Array.from(left),
    octets,
  };
}

/** A frame of this packet, header included. */
function frame(packet: string, accm = ACCM_ALL): Uint8Array {
  const ring = new Ring(new Uint8Array(1024));
  const framer = new Framer(ring);
  framer.accm = accm;
  const bytes = concat(fromHex(packet), new Uint8Array(FCS_ROOM));
  framer.write(bytes, 0, bytes.length - FCS_ROOM, accm === ACCM_ALL, 0);
  return ring.bytes.slice(0, ring.length);
}

const REQUEST = frame("ff03 c021 01010014 0206 00000000 0506 12345678 0702 0802");
const ECHO = frame("c021 09010008 12345678");
const IP = frame("21 45000054 00004000 40013c58 c0a80001 c0a80101 0800", 0);
/** The same with all control characters escaped, and ^S put between them by the line. */
const STOPPED = ((escaped) => concat(escaped.subarray(0, 9), fromHex("11"), escaped.subarray(9)))(
  frame("21 45000054 00004000 40013c58 c0a80001 c0a80101 0800"),
);
const VJ = frame("2d 0112 3456 4142", 0);
const COMPRESSED = frame("fd 00004142434445", 0);
const GARBAGE = bytesOf("\x00\xf8\x80login\x7f\x1c~\x83garbage\xc0");

/** The kinds of PPP, the octets until each is recognised, and the octets before them that are not PPP. */
const PPP: Readonly<Record<string, { stream: Uint8Array; octets: number; garbage?: number }>> = {
  "a Configure-Request": { stream: REQUEST, octets: 4 },
  "control not escaped": { stream: concat(fromHex("7eff03c021"), REQUEST.subarray(8)), octets: 3 },
  "no flag": { stream: REQUEST.subarray(1), octets: 3 },
  "no flag, control not escaped": { stream: fromHex("ff03c021010100047e"), octets: 4 },
  "two flags": { stream: concat(fromHex("7e"), REQUEST), octets: 5, garbage: 1 },
  "bit 7 is lost": { stream: REQUEST.map((octet) => octet & 0x7f), octets: 4 },
  "no address, LCP": { stream: ECHO, octets: 3 },
  "an IP packet, all compressed": { stream: IP, octets: IP.length },
  "with ^S of the line": { stream: STOPPED, octets: STOPPED.length },
  "VJ's packet": { stream: VJ, octets: VJ.length },
  "compressed data": { stream: COMPRESSED, octets: COMPRESSED.length },
  "after garbage": { stream: concat(GARBAGE, REQUEST), octets: GARBAGE.length + 4, garbage: GARBAGE.length },
  "after a modem's commands": { stream: concat(bytesOf("ATZ\r"), REQUEST), octets: 8, garbage: 4 },
  "in the middle of a command": { stream: concat(bytesOf("ATZ"), REQUEST), octets: 7, garbage: 3 },
  "after a piece of a frame": { stream: concat(IP.subarray(9), IP), octets: 2 * IP.length - 9, garbage: IP.length - 9 },
};

for (const [name, { stream, octets, garbage = 0 }] of Object.entries(PPP))
  test(`PPP: ${name}`, () => {
    for (const pieces of cuts(stream)) {
      const heard = play(pieces);
      expect([heard.decision, heard.callers.at(-1)]).toEqual(["ppp", "ppp"]);
      expect(textOf(heard.left)).toBe(textOf(stream.subarray(garbage)));
    }
    expect(play(Array.from(stream, (octet) => Uint8Array.of(octet))).octets).toBe(octets);
  });

test("a frame with a wrong FCS, or with a protocol that does not exist, is no PPP", () => {
  const damaged = IP.slice();
  damaged[8]! ^= 1;
  expect(play([damaged]).decision).toBeUndefined();
  expect(play([frame("d1 4142434445", 0)]).decision).toBeUndefined();
});

test("Windows: CLIENT is answered with CLIENTSERVER, and what follows is for PPP", () => {
  for (const before of ["", "\r\n", "CLI"])
    for (const pieces of cuts(concat(bytesOf(`${before}CLIENT`), REQUEST))) {
      const heard = play(pieces);
      expect([heard.decision, heard.said]).toEqual(["windows", "CLIENTSERVER"]);
      expect(textOf(heard.left)).toBe(textOf(REQUEST));
    }
  expect(play(Array.from(bytesOf("CLIENT"), (octet) => Uint8Array.of(octet))).octets).toBe(6);
});

test("a modem program that dials gets CONNECT, and what follows is for PPP", () => {
  for (const pieces of cuts(concat(bytesOf("ATDT777\r"), REQUEST))) {
    const heard = play(pieces);
    expect([heard.decision, heard.said]).toEqual(["modem", "ATDT777\r\r\nCONNECT 115200\r\n"]);
    expect(textOf(heard.left)).toBe(textOf(REQUEST));
  }
});

function headerSum(header: number[]): void {
  header[10] = header[11] = 0;
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += (header[at]! << 8) | header[at + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  header[10] = (~sum >>> 8) & 255;
  header[11] = ~sum & 255;
}

test("SLIP and CSLIP are named after one header, and nothing is answered", () => {
  const header = [0x45, 0, 0, 28, 0, 0xdb, 0x40, 0, 64, 6, 0, 0, 0xc0, 168, 0, 1, 0xc0, 168, 1, 1];
  headerSum(header);
  const escaped = (octets: readonly number[]): number[] =>
    octets.flatMap((octet) => (octet === 0xc0 ? [0xdb, 0xdc] : octet === 0xdb ? [0xdb, 0xdd] : [octet]));
  const plain = [0xc0, ...escaped(header), 0xc0];
  const cslip = [0xc0, ...escaped(header.map((octet, at) => (at === 0 ? 0x75 : at === 9 ? 3 : octet))), 0xc0];
  for (const stream of [plain, cslip, [0x41, 0xc0, ...plain], [0xc0, 0x81, 0x42, 0xc0, ...cslip]])
    for (const pieces of cuts(Uint8Array.from(stream)))
      expect(play(pieces)).toMatchObject({ callers: ["slip"], decision: undefined, said: "" });
  header[3] = 29;
  expect(play([Uint8Array.of(0xc0, ...escaped(header))]).callers).toEqual([]);
});

test("SLIP that is listed gets every octet from the END on, whatever came before", () => {
  const header = [0x45, 0, 0, 28, 0, 0xdb, 0x40, 0, 64, 17, 0, 0, 192, 168, 0, 1, 192, 168, 1, 1];
  headerSum(header);
  const packet = [
    0xc0,
    ...header.flatMap((one) => (one === 0xc0 ? [0xdb, 0xdc] : one === 0xdb ? [0xdb, 0xdd] : [one])),
    1,
    2,
    0xc0,
  ];
  for (const before of [[], [0x41, 0x0d], [0xc0, 0x7e, 0x21, 0x33]])
    for (const pieces of cuts(Uint8Array.from([...before, ...packet]))) {
      const heard = play(pieces, ["ppp", "slip"]);
      expect(heard.decision).toBe("slip");
      expect([...heard.left]).toEqual(packet);
    }
});

test("a person or a login script: Enter, or a line of text; a word with AT in it is no command", () => {
  for (const text of ["\r", "zaphod\r\n", "what\r", "CAT\r\n", "date 5\r"])
    for (const pieces of cuts(bytesOf(text)))
      expect(play(pieces)).toMatchObject({ callers: ["person"], decision: undefined, said: "" });
  expect(play([bytesOf("ATZ\r\n")]).callers).toEqual([]);
  expect(play([bytesOf("\r\r\rATZ\r\r")]).callers).toEqual([]);
});

test("our own answers that come back end the answering, so that a line which echoes does not talk to itself", () => {
  for (const [command, all] of [
    ["ATE1\r", 3],
    ["ATE0\r", 2],
    ["ATV0\r", 3],
  ] as const) {
    const input = new Ring(new Uint8Array(4096));
    const output = new Ring(new Uint8Array(4096));
    const front = new Front({ answers: ALL, modem: MODEM }, output);
    const put = (octets: Uint8Array): void => {
      for (const octet of octets) {
        input.bytes[input.writeAt] = octet;
        input.commit(1);
      }
      front.receive(input, 0);
      front.flush();
    };
    put(bytesOf(command));
    let rounds = 0;
    for (; output.length > 0 && rounds < 50; rounds++) {
      const said = output.bytes.slice(output.readAt, output.readAt + output.length);
      output.consume(output.length);
      put(said);
    }
    expect(rounds).toBeLessThanOrEqual(all);
    expect(front.takeCaller()).toBe("echo");
    put(REQUEST);
    expect(front.decision).toBe("ppp");
  }
});

test("octets at another speed are noise; text, and frames that begin in the middle, are not", () => {
  expect(play([new Rng(1).bytes(64)]).callers).toContain("noise");
  const slow = Array.from({ length: 70 }, (_, at) => [0x00, 0x80, 0xf8, 0x1c][at % 4]!);
  expect(play([Uint8Array.from(slow)]).callers).toEqual(["noise"]);
  const text = "Fedora release 99\r\nKernel 6.1 on an x86_64\r\n\r\nzaphod login: ".repeat(3);
  expect(play([bytesOf(text)]).callers).toEqual(["person"]);
  const middle = Array.from({ length: 40 }, () => REQUEST.subarray(6, 30)).slice(0, 4);
  expect(play(middle.map((one) => one.filter((octet) => octet !== 0x7e))).callers).toEqual([]);
});

test("callers that are not listed are named and not answered", () => {
  expect(play([bytesOf("CLIENT")], ["ppp"])).toMatchObject({ callers: ["windows"], decision: undefined, said: "" });
  expect(play([bytesOf("ATZ\r")], ["ppp"])).toMatchObject({ callers: ["person"], decision: undefined, said: "" });
  expect(play([REQUEST], ["modem"])).toMatchObject({ callers: ["ppp"], decision: undefined });
});

test("more octets without a flag than a frame can have do not fill the ring", () => {
  const text = bytesOf("x".repeat(500));
  const heard = play([...Array.from({ length: 160 }, () => text), REQUEST]);
  expect(heard.decision).toBe("ppp");
  expect(textOf(heard.left)).toBe(textOf(REQUEST));
});

test("words for which the output has no room are said later, whole", () => {
  const input = new Ring(new Uint8Array(1024));
  const output = new Ring(new Uint8Array(64));
  const front = new Front({ answers: ALL, modem: MODEM }, output);
  output.commit(output.capacity - 5);
  for (const octet of bytesOf("ATZ\r")) {
    input.bytes[input.writeAt] = octet;
    input.commit(1);
  }
  front.receive(input, 0);
  front.flush();
  expect(output.free).toBe(5);
  output.consume(output.length);
  front.flush();
  front.flush();
  let said = "";
  for (; output.length > 0; output.consume(1)) said += String.fromCharCode(output.bytes[output.readAt]!);
  expect(said).toBe("ATZ\r\r\nOK\r\n");
});

test("words that find no room do not add up, and do not keep later ones from being said", () => {
  const input = new Ring(new Uint8Array(65536));
  const output = new Ring(new Uint8Array(4096));
  const front = new Front({ answers: ["modem", "login"], modem: MODEM, greetAt: 0 }, output);
  output.commit(output.capacity);
  const hear = (text: string): void => {
    input.put(bytesOf(text));
    front.receive(input, 0);
    front.flush();
  };
  front.handleTimeout(0);
  for (let line = 0; line < 200; line++) hear("zap\x15\r");
  for (let line = 0; line < 500; line++) hear("ATI\r");
  output.consume(output.length);
  front.flush();
  expect(output.length).toBeGreaterThan(0);
  output.consume(output.length);
  hear("ATE0\r");
  expect(textOf(output.bytes.slice(output.readAt, output.readAt + output.readable))).toContain("OK");
});

test("RING is neither a person nor a name", () => {
  for (const greetAt of [0, Infinity]) {
    const input = new Ring(new Uint8Array(65536));
    const front = new Front({ answers: ["ppp", "login"], modem: MODEM, greetAt }, new Ring(new Uint8Array(4096)));
    front.handleTimeout(0);
    for (let now = 0; now < 60_000; now += 6000) {
      input.put(bytesOf("\r\nRING\r\n"));
      front.receive(input, now);
      front.handleTimeout(now + 3000);
      expect(front.takeCredentials()).toBeUndefined();
    }
    expect([front.takeCaller(), front.takeCaller()]).toEqual([greetAt === 0 ? "prompted" : undefined, undefined]);
    expect(front.nextTimeout()).toBe(Infinity);
  }
});
