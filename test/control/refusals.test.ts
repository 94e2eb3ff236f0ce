// A malformed answer to a request changes nothing, whatever valid options precede the error.

import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { Ccp } from "../../src/control/ccp-dialect.ts";
import { Ipcp } from "../../src/control/ipcp-dialect.ts";
import { Ipv6cp } from "../../src/control/ipv6cp-dialect.ts";
import { Lcp, type LcpOwner } from "../../src/control/lcp-dialect.ts";
import type { Dialect, Lower } from "../../src/control/dialect.ts";
import { Negotiator } from "../../src/control/negotiator.ts";
import { Code } from "../../src/wire/control.ts";
import { linkConfig } from "../kit/pair.ts";

const { lcp, networks } = linkConfig();
const { limits } = lcp;

/** A protocol that has sent its request. Its packets are in `sent`, its complaints in `log`. */
function asking(make: (lower: Lower) => Dialect) {
  const sent: string[] = [];
  const log: string[] = [];
  let wakeAt = Infinity;
  let id = 0;
  const lower: Lower = {
    send: (_, write) => {
      const buf = new Uint8Array(200);
      sent.push(toHex(buf, 0, write(buf, 0)));
      if (buf[0] === Code.ConfReq) id = buf[1]!;
    },
    roundTrip: () => {},
    log: (_, text) => void log.push(text),
    wakeAt: (at) => (wakeAt = at),
  };
  const negotiator = new Negotiator(make(lower), lower, limits);
  negotiator.open(0);
  negotiator.lowerUp(0);
  return {
    log,
    request: sent[0]!,
    hear: (code: number, options: string): string[] => {
      sent.length = 0;
      const data = fromHex(options.replaceAll(" ", ""));
      const packet = Uint8Array.of(code, id, 0, 4 + data.length, ...data);
      negotiator.receive(packet, 0, packet.length, 10);
      return [...sent];
    },
    repeated: (): string => {
      sent.length = 0;
      negotiator.timeout(wakeAt);
      return sent[0]!;
    },
  };
}

const nobody = new Proxy({}, { get: (_, name) => (name === "random32" ? () => 0x1234 : () => {}) });
const PROTOCOLS: Readonly<Record<string, (lower: Lower) => Dialect>> = {
  LCP: (lower) =>
    new Lcp({ ...lcp, mru: 1400, authRequired: true, demand: ["chap-md5", "pap"] }, lower, nobody as LcpOwner),
  IPCP: (lower) =>
    new Ipcp(
      { ...networks.ipcp!, wantDns: true, vj: { maxSlot: 15, compressSlot: true } },
      lower,
      nobody as ConstructorParameters<typeof Ipcp>[2],
    ),
  IPv6CP: (lower) =>
    new Ipv6cp(
      {
        our: { high: 1, low: 2 },
        peer: { high: 0, low: 0 },
        acceptLocal: true,
        acceptRemote: false,
        noRemote: false,
        noSend: false,
        limits,
      },
      lower,
      nobody as ConstructorParameters<typeof Ipv6cp>[2],
    ),
  CCP: (lower) =>
    new Ccp(
      {
        deflate: { receive: 15, transmit: 15 },
        deflateDraft: true,
        bsd: { receive: 15, transmit: 15 },
        predictor1: "no",
        lzs: "no",
        mppc: "no",
        mppe: undefined,
        limits,
      },
      lower,
      nobody as ConstructorParameters<typeof Ccp>[2],
    ),
};

/** Valid contents of a Nak or a Reject, and errors that make it invalid. */
const GOOD_NAK: Readonly<Record<string, string[]>> = {
  LCP: ["0304c023", "02060000ffff", "01040400", "0506deadbeef"],
  IPCP: ["0306c0a80001", "8106c0a80002", "0206002d0300", "010ac0a80001c0a80002"],
  IPv6CP: ["010a0000000000000005"],
  CCP: ["1a044800", "15032a"],
};
const BAD_NAK: Readonly<Record<string, string[]>> = {
  LCP: ["010305", "02040000", "0504dead", "030300", "04030a", "1104", "1103ff", "05"],
  IPCP: ["0305c0a800", "8104c0a8", "0106c0a80001", "83030a", "0300", "03"],
  IPv6CP: ["0106 00000001", "010a 0000000000000009", "0105", "01"],
  CCP: ["1a09 7800", "1501", "15"],
};
const GOOD_REJECT: Readonly<Record<string, string>> = {
  LCP: "0305c22305",
  IPCP: "810600000000",
  IPv6CP: "010a0000000100000002",
  CCP: "1a047800",
};

function withoutId(packet: string): string {
  return packet.slice(0, 2) + packet.slice(4);
}

for (const [name, make] of Object.entries(PROTOCOLS)) {
  test(`${name}: a malformed Configure-Nak changes nothing`, () => {
    for (const good of GOOD_NAK[name]!)
      for (const bad of BAD_NAK[name]!) {
        const protocol = asking(make);
        // So that the effect of the valid one can be seen.
        expect(asking(make).hear(Code.ConfNak, good)).not.toEqual([]);
        expect(protocol.hear(Code.ConfNak, good + bad)).toEqual([]);
        expect(protocol.log.join()).toContain("Received bad configure-nak");
        expect(protocol.repeated()).toBe(protocol.request);
        // A change would be in the next request, which a Nak of an unknown option causes.
        expect(protocol.hear(Code.ConfNak, "fe02").map(withoutId)).toEqual([withoutId(protocol.request)]);
      }
  });

  test(`${name}: a malformed Configure-Reject or -Ack changes nothing`, () => {
    const good = GOOD_REJECT[name]!;
    for (const bad of [good, "fe02", "fe", good.slice(0, -2), "0100"]) {
      const protocol = asking(make);
      expect(asking(make).hear(Code.ConfRej, good)).not.toEqual([]);
      expect(protocol.hear(Code.ConfRej, good + bad)).toEqual([]);
      expect(protocol.log.join()).toContain("Received bad configure-rej");
      expect(protocol.repeated()).toBe(protocol.request);
    }
    const options = asking(make).request.slice(8);
    for (const bad of [`${options}fe02`, `${options}01`, options.slice(0, -2), ""]) {
      const protocol = asking(make);
      expect(protocol.hear(Code.ConfAck, bad)).toEqual([]);
      expect(protocol.log.join()).toContain("Received bad configure-ack");
      expect(protocol.repeated()).toBe(protocol.request);
    }
  });

  test(`${name}: a Configure-Reject of nothing has the same request sent once more, at first at once`, () => {
    const protocol = asking(make);
    for (let count = 1; count < limits.maxFailure; count++) {
      const sent = protocol.hear(Code.ConfRej, "");
      expect(sent.map(withoutId)).toEqual([withoutId(protocol.request)]);
    }
    expect(protocol.hear(Code.ConfRej, "")).toEqual([]);
    expect(withoutId(protocol.repeated())).toBe(withoutId(protocol.request));
    expect(protocol.log).toEqual([]);
  });
}
