// Telnet on a connection: commands in any pieces, and plain PPP that must come through as it is.

import { expect, test } from "bun:test";
import { bytesOf, fromHex, textOf, toHex } from "../../src/bytes/text.ts";
import { ComPort } from "../../src/front/com-port.ts";
import { ANSWERING, HELD_OCTETS, SERIAL_PORT, Telnet } from "../../src/front/telnet.ts";
import { cuts } from "../kit/cuts.ts";
import { Rng } from "../kit/rng.ts";

function heard(pieces: readonly Uint8Array[], telnet = new Telnet(ANSWERING)): { data: Uint8Array; telnet: Telnet } {
  const data: number[] = [];
  for (const piece of pieces) {
    const into = new Uint8Array(piece.length + HELD_OCTETS);
    data.push(...into.subarray(0, telnet.receive(piece, 0, piece.length, into)));
  }
  return { data: Uint8Array.from(data), telnet };
}

function said(telnet: Telnet, data: Uint8Array): string {
  const into = new Uint8Array(telnet.answerOctets + 2 * data.length);
  return toHex(into.subarray(0, telnet.transmit(data, 0, data.length, into)));
}

const PPP = fromHex("7eff7d23c021ffff7e ff03c021 0d00 fffd01 fffa2cff 7e");
const AT = bytesOf("ATDT777\r");

test("raw PPP is not changed, however it begins", () => {
  for (const start of ["", "ff03c021", "ff7d23c021", "ffff", "fff0", "fffa2c", "fffbc0", "7e", "00", "0d0a"])
    for (const pieces of cuts(Uint8Array.from([...fromHex(start), ...PPP]))) {
      const { data, telnet } = heard(pieces);
      expect(toHex(data)).toBe(start + toHex(PPP));
      expect(telnet.kind).toBe("plain");
      expect(said(telnet, PPP)).toBe(toHex(PPP));
    }
});

test("a modem program without telnet hears its octets as they are", () => {
  for (const pieces of cuts(Uint8Array.from([...AT, ...PPP]))) {
    const { data, telnet } = heard(pieces);
    expect([toHex(data), telnet.kind]).toEqual([toHex(AT) + toHex(PPP), "plain"]);
  }
});

// qemu offers first; PuTTY names its terminal; a telnet program may send text first.
for (const [name, stream, data, answers] of [
  ["qemu", "fffb01 fffb03 fffb00 fffd00", "", "fffb00fffb01fffb03fffd00 fffe01 fffd03"],
  [
    "PuTTY",
    "fffb1f fffb20 fffb18 fffb27 fffd01 fffb03 fffd03",
    "",
    "fffb00fffb01fffb03fffd00 fffe1f fffe20 fffe18 fffe27 fffd03",
  ],
  ["text first", "4154 fffd03", "4154", "fffb00fffb01fffb03fffd00"],
  ["refusals", "fffb03 fffe00 fffc00 fffe00 fffc2a", "", "fffb00fffb01fffb03fffd00 fffd03 fffc00 fffe00"],
  [
    "data and commands",
    "fffb00 41ffff42 fff1 43 fff6 fffa18 01ffff02 fff0 44",
    "41ff4243 44",
    "fffb00fffb01fffb03fffd00",
  ],
  ["a parameter that another command ends", "fffb00 fffa2c01 fffb03 45", "45", "fffb00fffb01fffb03fffd00 fffd03"],
  [
    "NUL behind CR, until binary",
    "fffb03 0d00 0d0a 0d0000 fffb00 0d00",
    "0d 0d0a 0d00 0d00",
    "fffb00fffb01fffb03fffd00 fffd03",
  ],
] as const)
  test(`telnet: ${name}`, () => {
    for (const pieces of cuts(fromHex(stream))) {
      const { data: got, telnet } = heard(pieces);
      expect([toHex(got), telnet.kind]).toEqual([data.replaceAll(" ", ""), "telnet"]);
      expect(said(telnet, bytesOf(""))).toBe(answers.replaceAll(" ", ""));
    }
  });

test("each octet that is text leaves it open whether this is telnet, and each other one decides for plain PPP", () => {
  const text = (octet: number): boolean => [0, 8, 9, 10, 13].includes(octet) || (octet >= 0x20 && octet < 0x7e);
  for (let octet = 0; octet < 255; octet++)
    expect([octet, heard([Uint8Array.of(octet)]).telnet.kind]).toEqual([octet, text(octet) ? "unknown" : "plain"]);
});

test("each command of telnet is removed, and no command is below ec", () => {
  for (let octet = 0xe0; octet < 0xfa; octet++) {
    const isCommand = octet >= 0xec;
    const { data, telnet } = heard([fromHex("fffb00"), Uint8Array.of(0xff, octet, 0x41)]);
    expect([octet, toHex(data), telnet.kind]).toEqual([
      octet,
      isCommand ? "41" : `ff${octet.toString(16)}41`,
      isCommand ? "telnet" : "plain",
    ]);
  }
});

test("a caller begins with an option up to 49", () => {
  for (let option = 0; option < 60; option++)
    expect([option, heard([Uint8Array.of(0xff, 0xfd, option)]).telnet.kind]).toEqual([
      option,
      option <= 49 ? "telnet" : "plain",
    ]);
});

test("a subnegotiation has 256 octets at most", () => {
  const kind = (length: number): string =>
    heard([fromHex("fffb00fffa"), new Uint8Array(length).fill(0x41), fromHex("fff042")]).telnet.kind;
  expect([kind(256), kind(257)]).toEqual(["telnet", "plain"]);
});

test("answers are dropped beyond 1024 octets", () => {
  const { telnet } = heard([fromHex("fffb00" + Array.from({ length: 400 }, () => "fffd2a").join(""))]);
  // Answers have three octets each.
  expect(telnet.answerOctets).toBe(1023);
});

test("what is sent is doubled only where telnet was recognised", () => {
  const { telnet } = heard([fromHex("fffb00")]);
  said(telnet, bytesOf(""));
  expect(said(telnet, fromHex("41ff03ffff"))).toBe("41ffff03ffffffff");
  expect(said(heard([AT]).telnet, fromHex("41ff03"))).toBe("41ff03");
});

test("a peer that negotiates but does not double its octets is heard, and gets nothing doubled", () => {
  for (const frame of ["7eff7d23c021", "7eff03c021"])
    for (const pieces of cuts(fromHex(`fffb00fffd0341${frame}fffb017e`))) {
      const { data, telnet } = heard(pieces);
      expect([toHex(data), telnet.kind]).toEqual([`41${frame}fffb017e`, "plain"]);
    }
  const { data } = heard([fromHex("fffb00fffa2c"), new Uint8Array(300).fill(0x41), PPP]);
  expect(textOf(data)).toEndWith(textOf(PPP));
});

test("a flood of commands makes no flood of answers, and the same command is answered once", () => {
  const { telnet } = heard([fromHex("fffb00".repeat(1000) + "fffd2a".repeat(5000))]);
  expect(telnet.answerOctets).toBeLessThanOrEqual(1024);
  const { telnet: other } = heard([fromHex("fffd03".repeat(9))]);
  expect(said(other, bytesOf(""))).toBe("fffb00fffb01fffb03fffd00");
});

test("two ends that answer each other fall silent", () => {
  const [one, other] = [new Telnet(), new Telnet()];
  heard([fromHex("fffb03fffd01")], one);
  let rounds = 0;
  for (let from = one, to = other; from.hasAnswers && rounds < 20; rounds++) {
    heard([fromHex(said(from, bytesOf("")))], to);
    [from, to] = [to, from];
  }
  expect(rounds).toBeLessThan(5);
});

test("any data goes through two ends in any pieces", () => {
  const rng = new Rng(7);
  const [one, other] = [new Telnet(), new Telnet()];
  heard([fromHex("fffb00")], one);
  heard([fromHex("fffb00")], other);
  said(one, bytesOf(""));
  for (let round = 0; round < 200; round++) {
    const data = rng.bytes(rng.below(50)).map((octet) => (octet < 60 ? 0xff : octet < 90 ? 0xfb : octet));
    const wire = fromHex(said(one, data));
    const at = rng.below(wire.length + 1);
    expect(toHex(heard([wire.slice(0, at), wire.slice(at)], other).data)).toBe(toHex(data));
  }
});

const PORT = { speed: 115200, stopBits: 1, flow: "crtscts", watchesCarrier: true } as const;
const OPENING = "fffb00fffb2cfffd00";

test("RFC 2217: the port gets speed, format, flow control and DTR once it has agreed", () => {
  const telnet = new Telnet(SERIAL_PORT, new ComPort(PORT));
  heard([fromHex("fffb00fffd2c fffd2c")], telnet);
  expect(said(telnet, bytesOf(""))).toBe(
    `${OPENING}${["010001c200", "0208", "0301", "0401", "0503", "0508", "0b80"].map((one) => `fffa2c${one}fff0`).join("")}`,
  );
  const other = new Telnet(
    SERIAL_PORT,
    new ComPort({ ...PORT, speed: 0xff00, flow: undefined, watchesCarrier: false }),
  );
  heard([fromHex("fffd2c")], other);
  expect(said(other, bytesOf(""))).toStartWith(`${OPENING}fffa2c010000ffff00fff0fffa2c0208fff0`);
});

test("RFC 2217: the speed that the port has, and the loss of its carrier, in any pieces", () => {
  for (const pieces of cuts(fromHex("fffd2c fffa2c6500002580fff0 fffa2c6b00fff0 fffa2c6b88fff0 41 fffa2c6b08fff0"))) {
    const port = new ComPort(PORT);
    const telnet = new Telnet(SERIAL_PORT, port);
    expect(textOf(heard(pieces, telnet).data)).toBe("A");
    expect([port.speed, telnet.isHungUp]).toEqual([9600, true]);
  }
  const local = new Telnet(SERIAL_PORT, new ComPort({ ...PORT, watchesCarrier: false }));
  heard([fromHex("fffd2c fffa2c6b88fff0 fffa2c6b08fff0")], local);
  expect(local.isHungUp).toBe(false);
});

test("a host without a serial port gets no settings, and plain PPP stays plain", () => {
  const telnet = new Telnet(SERIAL_PORT, new ComPort(PORT));
  heard([fromHex("fffb00fffe2c")], telnet);
  expect(said(telnet, bytesOf(""))).toBe(`${OPENING}fffc2c`);
  const plain = new Telnet(SERIAL_PORT, new ComPort(PORT));
  heard([PPP], plain);
  expect([plain.kind, said(plain, PPP)]).toEqual(["plain", toHex(PPP)]);
});
