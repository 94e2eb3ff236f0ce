// A link whose LCP does not open reports what it received, with a text for each kind.

import { isLcpOpen } from "../kit/lcp-open.ts";
import { expect, test } from "bun:test";
import { Ring } from "../../src/bytes/ring.ts";
import { bytesOf } from "../../src/bytes/text.ts";
import { Framer } from "../../src/frame/framer.ts";
import { putHeader, HEADROOM } from "../../src/frame/header.ts";
import { Deframer } from "../../src/frame/deframer.ts";
import { FCS_INIT, FCS_ROOM, fcsOver } from "../../src/frame/fcs.ts";
import { Code, option32, putConfigure, putControl } from "../../src/wire/control.ts";
import { LcpOption } from "../../src/wire/lcp.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import type { LinkConfig, LinkHost } from "../../src/link/link-host.ts";
import { cuts } from "../kit/cuts.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng } from "../kit/rng.ts";
import { pppFormat, received } from "../kit/uart.ts";

/** A frame as a peer sends it before anything is agreed. */
function frame(protocol: number, write: (buf: Uint8Array, at: number) => number): Uint8Array {
  const ring = new Ring(new Uint8Array(8192));
  const buf = new Uint8Array(2048);
  const end = write(buf, HEADROOM);
  new Framer(ring).write(
    buf.subarray(0, end + FCS_ROOM),
    putHeader(buf, HEADROOM, protocol, false, false),
    end,
    true,
    0,
  );
  return ring.bytes.slice(0, ring.length);
}

const request = (id = 1): Uint8Array =>
  frame(Protocol.LCP, (buf, at) =>
    putConfigure(buf, at, Code.ConfReq, id, [option32(LcpOption.Asyncmap, 0), option32(LcpOption.Magic, 0x8badf00d)]),
  );

function many(...pieces: (Uint8Array | string)[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...(typeof piece === "string" ? bytesOf(piece) : piece)]));
}

interface Outcome {
  /** The log after the timeout. */
  readonly lines: string[];
  readonly uncleanness: string | undefined;
}

/**
 * The last log line of a link that receives this, `at once` or piece by piece. `hear` may answer the link's packets.
 */
function listen(
  hear: Uint8Array | ((said: Uint8Array) => Uint8Array),
  changes: Partial<LinkConfig> = {},
  host: Partial<LinkHost> = {},
): Outcome {
  const base = linkConfig();
  const side = new Side({ ...base, ...changes, debug: 0 }, new Rng(3), host);
  const { link } = side;
  link.open(0);
  if (hear instanceof Uint8Array) side.take(hear, 1);
  for (let now = 0; !side.has("terminated") && now < 100_000;) {
    const said = side.drain(now);
    if (typeof hear === "function" && said.length > 0) side.take(hear(said), now);
    now = link.nextTimeout();
    if (now < Infinity) link.handleTimeout(now);
    side.collect();
  }
  const { lines } = side;
  return {
    lines: lines.slice(lines.indexOf("LCP: timeout sending Config-Requests") + 1),
    uncleanness: link.uncleanness,
  };
}

const heard = (...args: Parameters<typeof listen>): string => listen(...args).lines.join("\n");

const NOTHING =
  "Heard nothing at all: peer not started, wrong port, cable not plugged in or not a null-modem cable, " +
  "or the other end waits at another speed";

test("silence", () => {
  expect(listen(new Uint8Array(0))).toEqual({ lines: [NOTHING], uncleanness: undefined });
});

test("the end of a text is quoted, and the remedy depends on it", () => {
  const prompt = bytesOf("\r\nDebian GNU/Linux 12 laplink ttyS0\r\n\r\n\x1b[1mlaplink login:\x1b[0m ");
  for (const pieces of cuts(prompt))
    expect(heard(many(...pieces))).toBe(
      'Heard text and no PPP, "NU/Linux 12 laplink ttyS0 laplink login:": a connect script that logs in is missing',
    );
  expect(heard(bytesOf("CLIENTCLIENTCLIENT"))).toEndWith(
    "Windows calls; a connect script that answers CLIENTSERVER is missing",
  );
  expect(heard(bytesOf("\r\nNO CARRIER\r\n"))).toEndWith(
    '"NO CARRIER": a modem; a connect script that dials is missing',
  );
  expect(heard(bytesOf("pi@raspberrypi:~$ pi@raspberrypi:~$ "))).toContain(
    '"pi@raspberrypi:~$ pi@raspberrypi:~$": a connect',
  );
  // As in a log, where no control character reaches a terminal.
  expect(heard(bytesOf('say "a\\b"\x07\x1b]0;title\x07'))).toContain('"say \\"a\\\\b\\"');
  expect(heard(bytesOf('say "a\\b"\x07\x1b]0;title\x07'))).not.toMatch(/[\x00-\x1f]/);
});

test("of a flood only the end is kept", () => {
  const flood = many(...Array.from({ length: 3000 }, (_, line) => `line ${line} of the console\r\n`));
  expect(heard(flood)).toContain('"of the console line 2999 of the console": a connect script');
});

test("our own requests on a line that clears bit 7", () => {
  const echo = (said: Uint8Array): Uint8Array => said.map((octet) => octet & 0x7f);
  expect(listen(echo)).toEqual({
    lines: ["Heard our own requests: a loopback plug, a modem in command mode or a login that echoes"],
    uncleanness: "all had bit 7 set to 0",
  });
  const after = (said: Uint8Array): Uint8Array => many(echo(said), "\r\nlaplink login: ");
  expect(heard(after)).toContain('our own requests, and "ink login: laplink login: laplink login:": a loopback plug');
});

/** An Ack of the request, from a peer that escapes no control characters. */
function rawAck(said: Uint8Array): Uint8Array {
  const deframer = new Deframer();
  deframer.push(said, 0, said.length);
  const ack = deframer.frame.slice(0, deframer.length);
  ack[4] = Code.ConfAck;
  const fcs = ~fcsOver(FCS_INIT, ack, 0, ack.length);
  const octets = [...ack, fcs & 0xff, (fcs >>> 8) & 0xff];
  return Uint8Array.of(
    0x7e,
    ...octets.flatMap((octet) => (octet === 0x7d || octet === 0x7e ? [0x7d, octet ^ 0x20] : octet)),
    0x7e,
  );
}

test("an Ack with control characters is no echo, although it has our magic number", () => {
  const remedy = "Heard LCP in which control characters are not escaped: the receive-all option takes it";
  expect(heard(rawAck)).toBe(remedy);
  expect(heard((said) => many(rawAck(said), request()))).toBe(remedy);
  const side = new Side({ ...linkConfig(), receiveAll: true }, new Rng(3));
  side.link.open(0);
  side.take(rawAck(side.drain(0)), 1);
  expect(side.lines.at(-1)).toStartWith("rcvd [LCP ConfAck");
  const echoed = "Heard our own requests: a loopback plug, a modem in command mode or a login that echoes";
  expect(heard((said) => many("login: ", said.slice(1)).map((octet) => octet & 0x7f))).toContain("our own requests");
  // A loop with so much damage that LCP does not notice it.
  expect(heard((said) => said.map((octet, at) => (at === said.length - 3 ? octet ^ 4 : octet)))).toBe(echoed);
});

test("a looped line is reported as pppd does it; an echoing login prompt is quoted too", () => {
  const looped = (text: string): string[] => {
    const side = new Side({ ...linkConfig(), debug: 0 }, new Rng(8));
    side.link.open(0);
    side.take(bytesOf(text), 0);
    while (!side.lines.includes("Serial line is looped back.")) side.take(side.drain(1), 1);
    return side.lines;
  };
  expect(looped("")).toEqual(["Serial line is looped back."]);
  expect(looped("login: ".repeat(1000)).slice(0, 1)).toEqual(["Serial line is looped back."]);
  expect(looped("\r\nlaplink login: ").slice(0, 2)).toEqual([
    "Serial line is looped back.",
    'Heard "laplink login:" besides: a connect script that logs in is missing',
  ]);
});

test("a line that clears bit 7, or makes it a parity bit, is reported as pppd does it", () => {
  const parity = (odd: number) => (octet: number) => {
    let bits = odd;
    for (let bit = 0; bit < 7; bit++) bits += (octet >>> bit) & 1;
    return (octet & 0x7f) | ((bits & 1) << 7);
  };
  const sent = many(request(), request(2));
  for (const [uncleanness, change] of [
    ["all had bit 7 set to 0", (octet: number) => octet & 0x7f],
    ["all had bit 7 set to 1", (octet: number) => octet | 0x80],
    ["all had even parity", parity(0)],
    ["all had odd parity", parity(1)],
  ] as const) {
    const outcome = listen(sent.map(change));
    expect(outcome.uncleanness).toBe(uncleanness);
    expect(outcome.lines.join("\n")).toContain(
      `the octets ${uncleanness}: both ports must have 8 data bits and no parity`,
    );
    expect(heard(bytesOf("\r\nlaplink login: ").map(change))).toContain('"laplink login:"');
  }
  // A single octet has neither bit 7 set nor even parity. Like pppd, we report nothing.
  expect(listen(bytesOf("A")).uncleanness).toBeUndefined();
});

test("frames that are damaged on the way", () => {
  const one = request();
  one[20]! ^= 4;
  expect(heard(many(one, one, one))).toBe(
    "Heard PPP, but 3 damaged frames and no good one: octets are lost or changed on the way; a lower speed or flow control may help",
  );
  expect(heard(new Uint8Array(40).fill(0x7e))).toStartWith("Heard PPP, but 40 octets and no frame");
});

test("damage and noise while another program has the port open: no advice about speed or flow control", () => {
  const one = request();
  one[20]! ^= 4;
  for (const [hear, what] of [
    [many(one, one, one), "3 damaged frames and no good one"],
    [Uint8Array.from({ length: 40 }, (_, at) => (at * 37 + 128) & 0xff), "40 octets and no frame"],
  ] as const) {
    expect(listen(hear, {}, { isShared: () => true }).lines).toEqual([
      `Heard ${what}: another program has the port open, and may take a part of what comes`,
    ]);
  }
});

test("a peer with another speed, of every pair of speeds", () => {
  const speeds = [300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600];
  const sent = many(...Array.from({ length: 10 }, (_, id) => request(id)));
  for (const from of speeds)
    for (const to of speeds) {
      if (from === to) continue;
      // Each request separately: a slow receiver makes few octets from it.
      const requests = Array.from(
        { length: 10 },
        (_, id) => received(request(id), pppFormat(from), pppFormat(to)).octets,
      );
      for (const octets of [many(...requests), received(sent, pppFormat(from), pppFormat(to)).octets]) {
        const says =
          octets.length === 0
            ? NOTHING
            : `Heard ${octets.length} octets, but neither PPP nor text: the peer probably uses another speed`;
        expect(`${from} to ${to}: ${heard(octets)}`).toBe(`${from} to ${to}: ${says}`);
      }
    }
  expect(heard(new Rng(11).bytes(5000))).toEndWith("the peer probably uses another speed");
});

test("good frames of a peer that has LCP open already", () => {
  const ipcp = frame(Protocol.IPCP, (buf, at) => putConfigure(buf, at, Code.ConfReq, 1, []));
  expect(heard(many(ipcp, ipcp))).toBe(
    "Heard good frames, but no LCP (Internet Protocol Control Protocol instead): to the peer the link is up already",
  );
});

test("an LCP negotiation that failed", () => {
  expect(heard(request())).toBe(
    "Heard the peer's Configure-Requests, but no answer to ours: it does not hear us (our TxD wire, its RxD, its CTS)",
  );
  const broken = many('~\xff}#\xc0!}!}"rubbish~', request());
  expect(heard(broken)).toEndWith("its CTS) (and 1 damaged frame)");
  const end = frame(Protocol.LCP, (buf, at) => putControl(buf, at, Code.TermReq, 2, bytesOf("User request")));
  expect(heard(end)).toBe("Heard LCP, but neither a Configure-Request nor an answer to ours");
});

test("nothing is said of a line on which LCP was open before", () => {
  const rng = new Rng(4);
  const link = new Pair(new Side(linkConfig(), rng), new Side(linkConfig(), rng));
  const { a } = link;
  link.open();
  expect(link.run(() => isLcpOpen(a.link))).toBe(true);
  a.take(request(77), link.now); // the peer begins anew, and falls silent
  for (let now = link.now; !a.has("terminated") && now < 200_000; a.collect())
    a.link.handleTimeout((now = a.link.nextTimeout()));
  expect(a.lines).toContain("LCP: timeout sending Config-Requests");
  expect(a.lines.filter((line) => line.startsWith("Heard"))).toEqual([]);
});
