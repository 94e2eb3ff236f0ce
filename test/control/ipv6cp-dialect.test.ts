import { expect, test } from "bun:test";
import { NO_ID } from "../../src/control/options/ipv6cp/interface-identifier.ts";
import { idOfIpv4, idOfMac, Ipv6cp, type Ipv6cpConfig, type Ipv6cpResult } from "../../src/control/ipv6cp-dialect.ts";
import { Negotiator } from "../../src/control/negotiator.ts";
import { Code, type ConfOption, option16, putConfigure } from "../../src/wire/control.ts";
import { describePacket } from "../../src/describe/packet-text.ts";
import { type InterfaceId, interfaceIdOption, linkLocalText, readInterfaceId } from "../../src/wire/ipv6cp.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { fromHex } from "../../src/bytes/text.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";

const ID = (low: number): InterfaceId => ({ high: 0, low });
const RANDOM = /fe80::(?!0000:0000:0000)[0-9a-f:]{19}/g;

function config(changes: Partial<Ipv6cpConfig> = {}): Ipv6cpConfig {
  return {
    our: NO_ID,
    peer: NO_ID,
    acceptLocal: false,
    acceptRemote: false,
    noRemote: false,
    noSend: false,
    limits: { restartMs: 3000, maxConfigure: 10, maxTerminate: 2, maxFailure: 5, firstMs: 60, patienceMs: 60 },
    ...changes,
  };
}

/** One side, with its log and its packets. */
class End {
  readonly negotiator: Negotiator;
  readonly lines: string[] = [];
  readonly sent: Uint8Array[] = [];
  readonly results: Ipv6cpResult[] = [];
  downs = 0;
  finished = 0;
  wakeAt = Infinity;
  /** The reason why its owner refuses the agreement. */
  refusal: string | undefined;

  constructor(changes: Partial<Ipv6cpConfig> = {}, rng: Pick<Rng, "u32"> = new Rng(1)) {
    const lower = {
      send: (_protocol: number, write: (buf: Uint8Array, at: number) => number): void => {
        const buf = new Uint8Array(300);
        const packet = buf.slice(0, write(buf, 0));
        this.sent.push(packet);
        this.lines.push(`sent ${text(packet)}`);
      },
      roundTrip: () => {},
      log: (level: string, line: string) => void this.lines.push(`${level}: ${line}`),
      wakeAt: (at: number) => void (this.wakeAt = at),
    };
    const settings = config(changes);
    const dialect = new Ipv6cp(settings, lower, {
      ipv6cpUp: (result) => {
        this.results.push(result);
        return this.refusal;
      },
      ipv6cpDown: () => void this.downs++,
      ipv6cpFinished: () => void this.finished++,
      closeIpv6cp: (reason, now) => this.negotiator.close(reason, now),
      random32: () => rng.u32(),
    });
    this.negotiator = new Negotiator(dialect, lower, settings.limits);
  }

  start(now = 0): void {
    this.negotiator.open(now);
    this.negotiator.lowerUp(now);
  }

  take(packet: Uint8Array, now = 0): void {
    this.lines.push(`rcvd ${text(packet)}`);
    this.negotiator.receive(packet, 0, packet.length, now);
  }

  /** Receives a packet with these options and returns the answer as a log line without "sent ". */
  hear(code: number, id: number, options: ConfOption[]): string | undefined {
    const before = this.sent.length;
    const buf = new Uint8Array(300);
    this.take(buf.slice(0, putConfigure(buf, 0, code, id, options)));
    return this.sent.length === before ? undefined : text(this.sent.at(-1)!);
  }

  get up(): string | undefined {
    const result = this.results.at(-1);
    return result && this.negotiator.opened ? `${linkLocalText(result.our)} ${linkLocalText(result.peer)}` : undefined;
  }
}

function text(packet: Uint8Array): string {
  return describePacket(Uint8Array.of(Protocol.IPV6CP >>> 8, Protocol.IPV6CP & 0xff, ...packet), 0, packet.length + 2, {
    hidePassword: true,
  });
}

/** Lets two sides negotiate until neither sends anything. Packets that are sometimes lost are repeated. */
function talk(a: End, b: End, lost: () => boolean = () => false): void {
  const heard: [number, number] = [0, 0];
  let now = 0;
  a.start();
  b.start();
  for (let rounds = 0; rounds < 1000; rounds++) {
    const [one, other] = heard;
    if (one < a.sent.length) {
      heard[0]++;
      if (!lost()) b.take(a.sent[one]!, now);
    } else if (other < b.sent.length) {
      heard[1]++;
      if (!lost()) a.take(b.sent[other]!, now);
    } else {
      now = Math.min(a.wakeAt, b.wakeAt);
      if (now === Infinity) return;
      for (const end of [a, b]) if (end.wakeAt <= now) end.negotiator.timeout(now);
    }
  }
  throw new Error("they never fall silent");
}

/** The conversation without its random numbers. */
function blotted(end: End): string[] {
  return end.lines.map((line) => line.replace(RANDOM, "RANDOM"));
}

test("a side without an identifier is given one, in the words of pppd", () => {
  const server = new End({ our: ID(1), peer: ID(2) });
  const client = new End({}, new Rng(2));
  talk(server, client);
  expect(server.up).toBe("fe80::0000:0000:0000:0001 fe80::0000:0000:0000:0002");
  expect(client.up).toBe("fe80::0000:0000:0000:0002 fe80::0000:0000:0000:0001");
  expect(blotted(client)).toEqual([
    "sent [IPV6CP ConfReq id=0x1 <addr RANDOM>]",
    "rcvd [IPV6CP ConfReq id=0x1 <addr fe80::0000:0000:0000:0001>]",
    "sent [IPV6CP ConfAck id=0x1 <addr fe80::0000:0000:0000:0001>]",
    "rcvd [IPV6CP ConfNak id=0x1 <addr fe80::0000:0000:0000:0002>]",
    "sent [IPV6CP ConfReq id=0x2 <addr fe80::0000:0000:0000:0002>]",
    "rcvd [IPV6CP ConfAck id=0x2 <addr fe80::0000:0000:0000:0002>]",
  ]);
});

test("two sides without identifiers: each invents one, with the universal bit clear, and another one at each start", () =>
  withRng((rng) => {
    const [a, b] = [new End({}, rng), new End({}, rng)];
    talk(a, b);
    const [first] = a.results;
    expect(b.results).toEqual([{ our: first!.peer, peer: first!.our }]);
    const ids = [first!.our, first!.peer];
    while (ids.length < 40) {
      a.negotiator.lowerDown(0);
      a.negotiator.lowerUp(0);
      ids.push(readInterfaceId(a.sent.at(-1)!.subarray(6))!);
    }
    expect(new Set(ids.map(linkLocalText)).size).toBe(40);
    for (const { high } of ids) expect(high & 0x02000000).toBe(0);
  }));

test("an invented identifier is never zero and never the other side's, whatever the random numbers are", () => {
  const end = new End({}, { u32: () => 0 });
  end.start();
  expect(end.lines.at(-1)).toBe("sent [IPV6CP ConfReq id=0x1 <addr fe80::0000:0000:0000:0001>]");
  expect(end.hear(Code.ConfReq, 1, [interfaceIdOption(ID(1))])).toBe(
    "[IPV6CP ConfNak id=0x1 <addr fe80::0000:0000:0000:0002>]",
  );
});

test("a peer that insists has its way after one Nak", () => {
  const server = new End({ our: ID(1), peer: ID(2) });
  const client = new End({ our: ID(9), peer: ID(8) });
  talk(server, client);
  expect(server.up).toBe("fe80::0000:0000:0000:0001 fe80::0000:0000:0000:0009");
  expect(client.up).toBe("fe80::0000:0000:0000:0009 fe80::0000:0000:0000:0001");
  const naks = server.lines.filter((line) => line.includes("ConfNak"));
  expect(naks).toEqual([
    "sent [IPV6CP ConfNak id=0x1 <addr fe80::0000:0000:0000:0002>]",
    "rcvd [IPV6CP ConfNak id=0x1 <addr fe80::0000:0000:0000:0008>]",
  ]);
});

test("accept-local accepts the peer's choice for us although we have one; accept-remote accepts the peer's own", () => {
  const server = new End({ our: ID(1), peer: ID(2) });
  const client = new End({ our: ID(9), acceptLocal: true });
  talk(server, client);
  expect(client.up).toBe("fe80::0000:0000:0000:0002 fe80::0000:0000:0000:0001");
  const lenient = new End({ our: ID(1), peer: ID(2), acceptRemote: true });
  talk(lenient, new End({ our: ID(9) }));
  expect(lenient.up).toBe("fe80::0000:0000:0000:0001 fe80::0000:0000:0000:0009");
  expect(lenient.lines.some((line) => line.includes("ConfNak"))).toBe(false);
});

test("two sides that insist on the same identifier end after five Naks, each with the reason", () => {
  const [a, b] = [new End({ our: ID(5) }, new Rng(1)), new End({ our: ID(5) }, new Rng(2))];
  talk(a, b);
  for (const end of [a, b]) {
    expect(end.results).toEqual([]);
    expect(end.finished).toBe(1);
    const lines = blotted(end);
    expect(lines.filter((line) => /^sent .*ConfNak .*RANDOM/.test(line))).toHaveLength(5);
    expect(lines.slice(lines.indexOf("sent [IPV6CP ConfReq id=0x6]"))).toEqual([
      "sent [IPV6CP ConfReq id=0x6]",
      "rcvd [IPV6CP ConfReq id=0x6]",
      "sent [IPV6CP ConfAck id=0x6]",
      "rcvd [IPV6CP ConfAck id=0x6]",
      "error: Could not determine remote LL address",
      'sent [IPV6CP TermReq id=0x7 "Could not determine remote LL address"]',
      'rcvd [IPV6CP TermReq id=0x7 "Could not determine remote LL address"]',
      "sent [IPV6CP TermAck id=0x7]",
      "rcvd [IPV6CP TermAck id=0x7]",
    ]);
  }
});

test("when both sides want the same identifier, the peer is offered it once, and then another one", () => {
  const server = new End({ our: ID(5), peer: ID(5) });
  const client = new End({}, new Rng(2));
  talk(server, client);
  expect(server.up).toMatch(/^fe80::0000:0000:0000:0005 fe80::/);
  expect(client.up?.split(" ").reverse().join(" ")).toBe(server.up);
  expect(blotted(server).filter((line) => line.startsWith("sent [IPV6CP ConfNak"))).toEqual([
    "sent [IPV6CP ConfNak id=0x1 <addr fe80::0000:0000:0000:0005>]",
    "sent [IPV6CP ConfNak id=0x2 <addr RANDOM>]",
  ]);
});

test("no identifier is Naked with the one we have for the peer, then with one made up; in the end Rejected", () => {
  const end = new End({ our: ID(1), peer: ID(2) });
  end.start();
  const answers = Array.from({ length: 7 }, (_, id) =>
    end.hear(Code.ConfReq, id, [interfaceIdOption(NO_ID)])!.replace(RANDOM, "RANDOM"),
  );
  expect(answers).toEqual([
    "[IPV6CP ConfNak id=0x0 <addr fe80::0000:0000:0000:0002>]",
    ...[1, 2, 3, 4].map((id) => `[IPV6CP ConfNak id=0x${id} <addr RANDOM>]`),
    ...[5, 6].map((id) => `[IPV6CP ConfRej id=0x${id} <addr fe80::0000:0000:0000:0000>]`),
  ]);
});

test("a peer without an identifier is told ours for it, also with accept-remote, unless it is our own", () => {
  for (const [peer, told] of [
    [ID(2), "fe80::0000:0000:0000:0002"],
    [ID(1), "RANDOM"],
  ] as const) {
    const end = new End({ our: ID(1), peer, acceptRemote: true });
    end.start();
    const answer = end.hear(Code.ConfReq, 1, [interfaceIdOption(NO_ID)])!;
    expect(answer.replace(RANDOM, "RANDOM")).toBe(`[IPV6CP ConfNak id=0x1 <addr ${told}>]`);
  }
});

test("the peer's last request counts, also when it has no identifier any more", () => {
  const end = new End({ our: ID(1), noRemote: true });
  end.start();
  end.hear(Code.ConfReq, 1, [interfaceIdOption(ID(2))]);
  end.hear(Code.ConfReq, 2, []);
  end.hear(Code.ConfAck, 1, [interfaceIdOption(ID(1))]);
  expect(end.results).toEqual([{ our: ID(1), peer: NO_ID }]);
});

test("compression, unknown options, and an identifier of another length are Rejected", () => {
  const end = new End({ our: ID(1) });
  end.start();
  const odd = { type: 1, value: new Uint8Array(7) };
  const unknown = { type: 77, value: Uint8Array.of(1) };
  expect(end.hear(Code.ConfReq, 3, [interfaceIdOption(ID(1)), option16(2, 0x004f), odd, unknown])).toBe(
    "[IPV6CP ConfRej id=0x3 <compress 0x4f> < 01 09 00 00 00 00 00 00 00> < 4d 03 01>]",
  );
});

test("a peer that leaves its identifier out is asked for it once, with noremote never", () => {
  for (const [noRemote, peer] of [
    [false, ID(2)],
    [false, NO_ID],
    [true, NO_ID],
  ] as const) {
    const end = new End({ our: ID(1), peer, noRemote });
    end.start();
    end.hear(Code.ConfAck, 1, [interfaceIdOption(ID(1))]);
    if (!noRemote) expect(end.hear(Code.ConfReq, 1, [])).toBe(`[IPV6CP ConfNak id=0x1 <addr ${linkLocalText(peer)}>]`);
    const answer = end.hear(Code.ConfReq, 2, []);
    if (peer === NO_ID && !noRemote) {
      expect(answer).toBe('[IPV6CP TermReq id=0x2 "Could not determine remote LL address"]');
      expect(end.lines).toContain("error: Could not determine remote LL address");
    } else {
      expect(answer).toBe("[IPV6CP ConfAck id=0x2]");
      expect(end.results).toEqual([{ our: ID(1), peer }]);
    }
  }
});

test("an agreement in which both sides have the same identifier is refused", () => {
  const end = new End({ our: ID(1), peer: ID(1) });
  end.start();
  end.hear(Code.ConfAck, 1, [interfaceIdOption(ID(1))]);
  end.hear(Code.ConfReq, 1, []);
  end.hear(Code.ConfReq, 2, []);
  expect(end.lines.slice(-2)).toEqual([
    "error: local and remote LL addresses are equal",
    'sent [IPV6CP TermReq id=0x2 "local and remote LL addresses are equal"]',
  ]);
});

test("a Reject of our identifier, whatever it holds, is accepted: we do not send the identifier any more", () => {
  const end = new End({ our: ID(1) });
  end.start();
  expect(end.hear(Code.ConfRej, 1, [interfaceIdOption(ID(77))])).toBe("[IPV6CP ConfReq id=0x2]");
  end.hear(Code.ConfAck, 2, []);
  end.hear(Code.ConfReq, 1, [interfaceIdOption(ID(2))]);
  expect(end.up).toBe("fe80::0000:0000:0000:0001 fe80::0000:0000:0000:0002");
});

test("nosend sends no identifier unless the peer names one", () => {
  const end = new End({ noSend: true });
  end.start();
  expect(end.lines).toEqual(["sent [IPV6CP ConfReq id=0x1]"]);
  expect(end.hear(Code.ConfNak, 1, [interfaceIdOption(NO_ID)])).toBe("[IPV6CP ConfReq id=0x2]");
  expect(end.hear(Code.ConfNak, 2, [interfaceIdOption(ID(7))])).toBe(
    "[IPV6CP ConfReq id=0x3 <addr fe80::0000:0000:0000:0007>]",
  );
});

test("a Nak with zero, or with the peer's own identifier, makes us invent another one; a malformed one is bad", () => {
  const end = new End({}, new Rng(3));
  end.start();
  expect(end.hear(Code.ConfNak, 1, [interfaceIdOption(NO_ID)])!.replace(RANDOM, "RANDOM")).toBe(
    "[IPV6CP ConfReq id=0x2 <addr RANDOM>]",
  );
  const nak = end.hear(Code.ConfReq, 1, [interfaceIdOption(NO_ID)]);
  const proposed = readInterfaceId(end.sent.at(-1)!.subarray(6))!;
  expect(nak).toBe(`[IPV6CP ConfNak id=0x1 <addr ${linkLocalText(proposed)}>]`);
  const answer = end.hear(Code.ConfNak, 2, [interfaceIdOption(proposed)]);
  expect(answer).toMatch(/ConfReq id=0x3/);
  expect(answer).not.toContain(linkLocalText(proposed));
  expect(end.hear(Code.ConfNak, 3, [])).toMatch(/ConfReq id=0x4/);
  for (const options of [
    [option16(2, 0x4f), interfaceIdOption(ID(7))],
    [interfaceIdOption(ID(7)), interfaceIdOption(ID(8))],
    [{ type: 1, value: new Uint8Array(7) }],
  ]) {
    expect(end.hear(Code.ConfNak, 4, options)).toBeUndefined();
    expect(end.lines.at(-1)).toStartWith("error: Received bad configure-nak:  ");
  }
});

test("an owner that refuses the agreement closes it with its reason, and is told of the end", () => {
  const [a, b] = [new End({ our: ID(1) }), new End({ our: ID(2) })];
  a.refusal = "Interface configuration failed";
  talk(a, b);
  expect(a.up).toBeUndefined();
  expect([a.downs, a.finished, b.downs]).toEqual([1, 1, 1]);
  expect(b.lines).toContain("info: IPV6CP terminated by peer (Interface configuration failed)");
});

test("they agree however many packets are lost", () =>
  withRng((rng) => {
    for (let round = 0; round < 50; round++) {
      const [a, b] = [new End({ our: ID(1), peer: ID(2) }, rng), new End({}, rng)];
      let losses = 6;
      talk(a, b, () => losses > 0 && rng.chance(0.5) && losses-- > 0);
      expect(a.up?.split(" ").reverse().join(" ")).toBe(b.up!);
    }
  }));

test("no damage to a packet ends the negotiation or keeps the next packet from being understood", () => {
  const packets = [Code.ConfReq, Code.ConfAck, Code.ConfNak, Code.ConfRej].flatMap((code) => {
    const buf = new Uint8Array(64);
    return [[], [interfaceIdOption(ID(1))], [interfaceIdOption(ID(2)), option16(2, 0x4f)]].map((options) =>
      buf.slice(0, putConfigure(buf, 0, code, 1, options)),
    );
  });
  for (const packet of packets) {
    for (const bad of damaged(packet)) {
      const end = new End({ our: ID(1), peer: ID(2) });
      end.start();
      end.take(bad);
      expect(end.sent.length).toBeLessThanOrEqual(2);
      end.negotiator.lowerDown(0);
      const other = new End({}, new Rng(9));
      end.sent.length = 0;
      end.negotiator.lowerUp(0);
      if (end.sent.length === 0) end.negotiator.open(0); // damaged into something that closed it
      other.start();
      for (let at = 0; at < 4; at++) {
        for (const one of end.sent.splice(0)) other.take(one);
        for (const one of other.sent.splice(0)) end.take(one);
      }
      expect(end.up).toBe("fe80::0000:0000:0000:0001 fe80::0000:0000:0000:0002");
    }
  }
});

test("identifiers are made from hardware and IPv4 addresses", () => {
  expect(linkLocalText(idOfMac(fromHex("0050b6112233")))).toBe("fe80::0250:b6ff:fe11:2233");
  expect(linkLocalText(idOfMac(fromHex("02aabbccddee")))).toBe("fe80::02aa:bbff:fecc:ddee");
  expect(linkLocalText(idOfIpv4(0xc0a80001))).toBe("fe80::0000:0000:c0a8:0001");
});
