import { describe, expect, test } from "bun:test";
import { Answers } from "../../src/auth/answers.ts";
import { Incoming, Outgoing, type TlsChannel, TlsClient, TlsServer } from "../../src/auth/eap-tls.ts";
import { put32 } from "../../src/bytes/be.ts";
import { toHex } from "../../src/bytes/text.ts";
import { EapCode, EapType, putEap, putEapResult } from "../../src/wire/eap.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { written } from "../kit/codec.ts";
import { withRng } from "../kit/rng.ts";
import { End, Wire } from "./endpoints.ts";

/** A message of this length that is unlike all others. */
function flight(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8) + seed) & 0xff);
}

/** The messages of each side in turn, the client first. */
type Script = readonly number[];
/** TLS 1.2 with certificates of the usual size. */
const USUAL: Script = [139, 2059, 1969, 51];

/** Plays one side of a script, and fails when the other side deviates. Each answer takes `rounds` resumes. */
class FakeChannel implements TlsChannel {
  failure = "";
  /** The peer's messages. */
  readonly heard: Uint8Array[] = [];
  readonly #script: readonly Uint8Array[];
  readonly #rounds: number;
  #left: number;
  #turn = 0;
  #stage: "handshaking" | "done" | "failed" = "handshaking";
  #output = new Uint8Array(0);
  readonly #key: Uint8Array;

  constructor(script: Script, isServer: boolean, rounds = 0, key = flight(64, 99)) {
    this.#script = script.map(flight);
    this.#rounds = this.#left = rounds;
    this.#key = key;
    if (!isServer) this.#speak();
  }

  #speak(): void {
    this.#output = Uint8Array.from(this.#script[this.#turn++] ?? []);
    if (this.#turn >= this.#script.length) this.#stage = "done";
  }

  closes = 0;

  close(): void {
    this.closes++;
  }

  get state(): TlsChannel["state"] {
    return this.#left-- > 0 ? "working" : this.#stage;
  }

  receive(message: Uint8Array): void {
    this.#left = this.#rounds;
    this.heard.push(message);
    if (message[0] === 21) {
      this.fail("EAP-TLS: ALERT");
      return;
    }
    if (toHex(message) !== toHex(this.#script[this.#turn] ?? new Uint8Array(0))) {
      this.fail("EAP-TLS: NONSENSE", Uint8Array.of(21, 3, 3, 0, 2, 2, 50));
      return;
    }
    this.#turn++;
    if (this.#turn < this.#script.length) this.#speak();
    else this.#stage = "done";
  }

  fail(reason: string, alert = new Uint8Array(0)): void {
    this.#stage = "failed";
    this.failure = reason;
    this.#output = Uint8Array.from(alert);
  }

  take(): Uint8Array {
    const output = this.#output;
    this.#output = new Uint8Array(0);
    return output;
  }

  masterKey(): Uint8Array | undefined {
    return this.#stage === "done" ? this.#key : undefined;
  }
}

interface Options {
  readonly script?: Script;
  readonly room?: number;
  readonly rounds?: number;
  readonly client?: TlsChannel;
  readonly server?: TlsChannel;
  readonly intervalMs?: number;
  /** The result of the link on the server's side as a client. */
  readonly answers?: Answers;
}

/** `a` is the server, `b` the client. */
function started({
  script = USUAL,
  room = 1500,
  rounds = 0,
  client,
  server,
  intervalMs = 0,
  answers = new Answers(),
}: Options = {}): Wire {
  const { Tls: type } = EapType;
  const common = { packetRoom: () => room, maxRequests: 0, maxReceived: 0 };
  const a = new End(1, {
    eap: {
      ...common,
      intervalMs,
      answers,
      serverMethod: {
        type,
        make: (host) => new TlsServer(host, () => server ?? new FakeChannel(script, true, rounds)),
      },
    },
  });
  const b = new End(2, {
    eap: {
      ...common,
      clientMethod: {
        type,
        make: (host) => new TlsClient(host, () => client ?? new FakeChannel(script, false, rounds)),
      },
    },
  });
  b.eapClient.start("zaphod", 0);
  a.eapServer.start("srv", 0);
  return new Wire(a, b);
}

/** Runs until neither side has anything to do, or until `until` when packets were lost. */
function finish(wire: Wire, until = 0): Wire {
  let said = -1;
  for (const count = () => wire.a.lines.length + wire.b.lines.length; said < count();) {
    said = count();
    wire.run();
    // The most resumes of a channel.
    for (let round = 0; round < 4; round++) {
      wire.a.eapServer.resume(wire.now);
      wire.b.eapClient.resume(wire.now);
    }
  }
  const next = Math.min(wire.a.wakeAt, wire.b.wakeAt);
  if (next > until) return wire;
  wire.run(next);
  return finish(wire, until);
}

const outcomes = ({ a, b }: Wire): unknown[] => [a.outcome("server"), b.outcome("client")];

function request(id: number, data: Uint8Array): Uint8Array {
  return written((buf, at) => putEap(buf, at, EapCode.Request, id, EapType.Tls, data), 2048);
}

function withLength(flags: number, length: number, fragment: Uint8Array): Uint8Array {
  const data = Uint8Array.of(flags | 0x80, 0, 0, 0, 0, ...fragment);
  put32(data, 1, length);
  return data;
}

describe("fragments", () => {
  test("fragments of every size are reassembled, and no packet is longer than the peer accepts", () => {
    withRng((rng) => {
      for (let most = 1; most <= 64; most++) {
        const message = rng.bytes(rng.below(300));
        const [outgoing, incoming] = [new Outgoing(), new Incoming()];
        outgoing.begin(message);
        let got: ReturnType<Incoming["take"]> = "more";
        while (!outgoing.isSent) {
          expect(got).toBe("more");
          const data = outgoing.next(most);
          expect(data.length).toBeLessThanOrEqual(most + 5);
          got = incoming.take(data);
        }
        if (message.length > 0) expect(got).toEqual(message);
      }
    });
  });

  test("only the first fragment has the length, and a message in one piece has none, as in pppd", () => {
    const outgoing = new Outgoing();
    outgoing.begin(flight(5, 1));
    const pieces: string[] = [];
    while (!outgoing.isSent) pieces.push(toHex(outgoing.next(2)));
    expect(pieces).toEqual(["c0000000050108", "400f16", "001d"]);
    outgoing.begin(flight(2, 1));
    expect(toHex(outgoing.next(2))).toBe("000108");
  });

  const lies: readonly [string, readonly Uint8Array[], string][] = [
    [
      "more than was promised",
      [withLength(0x40, 3, flight(2, 0)), Uint8Array.of(0, 1, 2)],
      "data > TLS message length",
    ],
    ["less than was promised", [withLength(0x40, 9, flight(2, 0)), Uint8Array.of(0, 1)], "data != TLS message length"],
    ["two lengths", [withLength(0x40, 9, flight(2, 0)), withLength(0, 8, flight(6, 0))], "that's odd..."],
    ["half a length", [Uint8Array.of(0x80, 0, 0, 1)], "malformed data"],
    ["a promise of everything", [withLength(0x40, 0xffffffff, flight(2, 0))], "TLS message length > 65536"],
    ["nothing, and more to come", [Uint8Array.of(0x40)], "no or invalid data"],
  ];
  for (const [what, packets, complaint] of lies) {
    test(`${what}: the message is dropped, and the next one heard`, () => {
      const incoming = new Incoming();
      expect(packets.map((data) => incoming.take(data)).at(-1)).toBe("broken");
      expect(incoming.complaint).toEndWith(complaint);
      expect(incoming.take(Uint8Array.of(0, 7))).toEqual(Uint8Array.of(7));
    });
  }

  test("fragments without an end are not kept", () => {
    const incoming = new Incoming();
    const fragment = Uint8Array.of(0x40, ...flight(1024, 0));
    for (let taken = 0; taken < 64; taken++) expect(incoming.take(fragment)).toBe("more");
    expect(incoming.take(fragment)).toBe("broken");
  });
});

describe("a handshake", () => {
  test("succeeds with fragments of any size, whichever side needs time", () => {
    for (const rounds of [0, 2])
      for (const room of [11, 60, 61, 149, 150, 1500]) {
        const script = room === 11 ? [9, 3, 4, 1] : USUAL;
        const [client, server] = [new FakeChannel(script, false, rounds), new FakeChannel(script, true, rounds)];
        const wire = finish(started({ script, room, client, server }));
        expect(outcomes(wire)).toEqual([true, true]);
        expect([server.heard, client.heard].map((heard) => heard.map(({ length }) => length))).toEqual([
          [script[0]!, script[2]!],
          [script[1]!, script[3]!],
        ]);
        const keys = { version: "tls", masterKey: flight(64, 99) } as const;
        expect(wire.a.outcomes).toMatchObject([{ name: "zaphod", mppe: { ...keys, isServer: true } }]);
        expect(wire.b.outcomes).toMatchObject([{ mppe: { ...keys, isServer: false } }]);
      }
  });

  test("succeeds if any packet but the last is lost or comes twice", () => {
    const counted = started({ room: 700 });
    let packets = 0;
    counted.passing = (packet) => (packets++, packet);
    finish(counted);
    expect(packets).toBe(17);
    for (const rounds of [0, 3])
      for (let which = 0; which < packets - 1; which++)
        for (const twice of [false, true]) {
          const wire = started({ room: 700, rounds });
          let count = 0;
          wire.passing = (packet, from, protocol) => {
            if (count++ !== which) return packet;
            if (!twice) return undefined;
            (from === wire.a ? wire.b : wire.a).take(protocol, packet, wire.now);
            return packet;
          };
          finish(wire, 3000);
          expect(outcomes(wire)).toEqual([true, true]);
        }
  });

  test("is repeated at each eap-interval", () => {
    const wire = finish(started({ intervalMs: 30000, rounds: 1 }), 95000);
    expect(wire.a.outcomes.map(({ accepted }) => accepted)).toEqual([true, true, true, true]);
    expect(wire.b.outcomes).toHaveLength(4);
  });

  test("that has not ended makes a Success invalid, whether or not an answer is being computed", () => {
    for (const rounds of [0, 9]) {
      const { b } = started({ rounds });
      b.take(Protocol.EAP, request(1, Uint8Array.of(0x20)), 0);
      b.take(
        Protocol.EAP,
        written((buf, at) => putEapResult(buf, at, EapCode.Success, 2)),
        0,
      );
      expect(b.said.at(-1)).toBe("debug: EAP unexpected success message in state Listen (3)");
      expect(b.outcomes).toEqual([]);
    }
  });

  test("that was stopped is not resumed", () => {
    const { b } = started({ rounds: 1 });
    b.take(Protocol.EAP, request(1, Uint8Array.of(0x20)), 0);
    b.eapClient.stop();
    b.eapClient.resume(1);
    expect(b.sent).toEqual([]);
  });
});

describe("a refusal", () => {
  test("reaches the client as an alert before the Failure, and the client confirms the alert", () => {
    const wire = finish(started({ client: new FakeChannel([139, 2059, 1970, 51], false) }));
    const { a, b } = wire;
    expect(a.said).toContain("error: EAP-TLS: NONSENSE");
    expect(b.lines.slice(-5)).toEqual([
      expect.stringMatching(/^rcvd \[EAP Request id=0x\w+ TLS ---  15 03 03 00 02 02 32\]$/),
      "EAP-TLS: ALERT",
      expect.stringMatching(/^sent \[EAP Response id=0x\w+ TLS Ack\]$/),
      // It is not waited for, because it is sent only once.
      "EAP: peer reports authentication failure",
      expect.stringMatching(/^rcvd \[EAP Failure/),
    ]);
    expect(outcomes(wire)).toEqual([false, false]);
  });

  test("reaches the server as an alert, and the client does not wait for an answer", () => {
    const wire = finish(started({ server: new FakeChannel([139, 2060, 1969, 51], true) }));
    expect(wire.b.said.at(-1)).toBe("error: EAP-TLS: NONSENSE");
    expect(wire.b.lines.at(-2)).toContain("15 03 03 00 02 02 32");
    expect(outcomes(wire)).toEqual([false, false]);
  });

  test("follows when the client does not accept the server's last message", () => {
    const wire = started();
    wire.passing = (packet, from) =>
      from === wire.b && wire.b.lines.includes("EAP-TLS generating MPPE keys")
        ? Uint8Array.of(...packet.slice(0, 3), 13, 13, 0, 21, 3, 3, 0, 2, 2, 42)
        : packet;
    finish(wire);
    expect(wire.a.said).toContain("warn: Server authentication failed");
    expect(wire.a.outcome("server")).toBe(false);
  });

  test("follows when the client's last message is not empty", () => {
    for (const extra of [[0], [0, 0], [1]]) {
      const wire = started();
      wire.passing = (packet, from) =>
        from === wire.b && wire.b.lines.includes("EAP-TLS generating MPPE keys")
          ? Uint8Array.of(packet[0]!, packet[1]!, 0, 6 + extra.length, 13, ...[0, ...extra])
          : packet;
      finish(wire);
      expect(wire.a.outcome("server")).toBe(false);
    }
  });

  test("follows when the peer connects our own client's session to our server", () => {
    const answers = new Answers();
    for (const isOurs of [false, true]) {
      const wire = started({ answers });
      wire.passing = (packet, from) => {
        // While we wait for the peer's proof, our client has the same session and reports it.
        if (from === wire.a && isOurs) answers.give([flight(64, 99)]);
        return packet;
      };
      finish(wire);
      expect(wire.a.outcome("server")).toBe(!isOurs);
      if (isOurs) expect(wire.a.said.at(-1)).toBe("warn: EAP: peer zaphod sent our own response back");
    }
  });

  test("a client without a certificate asks for another method", () => {
    const b = new End(2, {
      eap: { clientMethod: { type: EapType.Tls, make: (host) => new TlsClient(host, () => undefined) } },
    });
    b.eapClient.start("zaphod", 0);
    b.take(Protocol.EAP, request(1, Uint8Array.of(0x20)), 0);
    expect(b.lines.at(-1)).toContain("EAP Response id=0x1 Nak <Suggested-type 00>");
  });
});

test("random octets in any packet throw nothing and authenticate nobody", () => {
  withRng((rng) => {
    for (let run = 0; run < 150; run++) {
      const wire = started({ room: 300, rounds: rng.below(2) });
      let flipped = false;
      wire.passing = (packet) => {
        if (!rng.chance(0.1) || packet[4] !== EapType.Tls || packet.length < 7) return packet;
        const spoilt = packet.slice();
        spoilt[6 + rng.below(packet.length - 6)]! ^= 1 << rng.below(8);
        flipped = true;
        return spoilt;
      };
      finish(wire, 3000);
      if (flipped) expect(outcomes(wire)).not.toEqual([true, true]);
      else expect(outcomes(wire)).toEqual([true, true]);
    }
  });
});
