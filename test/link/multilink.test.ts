import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { put32, u32 } from "../../src/bytes/be.ts";
import { toHex } from "../../src/bytes/text.ts";
import { MpReceiver } from "../../src/link/mp-receiver.ts";
import { fragmentLength, type MpLink, MpSender, SMALLEST } from "../../src/link/mp-sender.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";

const MRRU = 1500;
const B = 0x80;
const E = 0x40;

/** A fragment in the layout of the RFC. */
function fragment(number: number, flags: number, body: Uint8Array | number[] = [], short = false): Uint8Array {
  return short
    ? Uint8Array.of(flags | (number >>> 8), number, ...body)
    : Uint8Array.of(flags, number >>> 16, number >>> 8, number, ...body);
}

/** Packets in hex. "lost" precedes each one with a loss before it. */
function taken(receiver: MpReceiver): string[] {
  const found: string[] = [];
  while (receiver.take()) {
    if (receiver.takeLost()) found.push("lost");
    found.push(toHex(receiver.packet, receiver.start, receiver.end));
  }
  if (receiver.takeLost()) found.push("lost");
  return found;
}

function hears(receiver: MpReceiver, link: number, ...fragments: Uint8Array[]): string[] {
  return fragments.flatMap((one) => {
    receiver.receive(link, one, 0, one.length);
    return taken(receiver);
  });
}

// ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test("long and short headers, and the wrap of their numbers", () => {
  for (const [short, first, second, last, count] of [
    [false, "80000000", "40000001", "c0ffffff", 2 ** 24],
    [true, "8000", "4001", "cfff", 2 ** 12],
  ] as const) {
    const sender = new MpSender(short);
    const buf = new Uint8Array(8).fill(0xa5);
    const put = (begins: boolean, ends: boolean) => {
      const at = sender.putHeader(buf, 6, begins, ends);
      expect(buf[at - 1]).toBe(0xa5);
      return toHex(buf, at, 6);
    };
    expect(put(true, false)).toBe(first);
    expect(put(false, true)).toBe(second);
    for (let number = 2; number < count - 1; number++) sender.putHeader(buf, 6, false, false);
    expect(put(true, true)).toBe(last);
    expect(put(true, false)).toBe(first);
    expect(buf[6]).toBe(0xa5);
  }
});

// ── the receiver by hand ─────────────────────────────────────────────────────────────────────────────────────────────

describe("MpReceiver", () => {
  const bundle = (links: number, mrru = MRRU, short = false) => {
    const receiver = new MpReceiver(short, mrru);
    for (let link = 0; link < links; link++) expect(receiver.addLink()).toBe(link);
    return receiver;
  };

  test("a whole packet in its turn is not copied", () => {
    const receiver = bundle(1);
    const frame = Uint8Array.of(0xff, 3, 0, 0x3d, ...fragment(0, B | E, [0x21, 0x45, 0x00]), 0xa5, 0xa5);
    receiver.receive(0, frame, 4, 11);
    expect(receiver.take()).toBe(true);
    expect(receiver.packet).toBe(frame);
    expect([receiver.start, receiver.end]).toEqual([8, 11]);
    expect(receiver.take()).toBe(false);
  });

  test("pieces in any order across two links", () => {
    const receiver = bundle(2);
    expect(hears(receiver, 1, fragment(2, E, [3]), fragment(3, B | E, [4]))).toEqual([]);
    expect(receiver.awaited).toBe(0);
    expect(hears(receiver, 0, fragment(0, B, [1]))).toEqual([]);
    expect(receiver.awaited).toBe(1);
    expect(hears(receiver, 0, fragment(1, 0, [2]))).toEqual(["010203", "04"]);
    expect(receiver.awaited).toBe(-1);
    expect(receiver.stats).toEqual({ packets: 2, fragments: 4, lost: 0, dropped: 0 });
  });

  test("a number is lost when every link has delivered a higher one, and not before (§4.1)", () => {
    const receiver = bundle(3);
    expect(hears(receiver, 0, fragment(0, B | E, [1]), fragment(2, B | E, [3]))).toEqual(["01"]);
    expect(hears(receiver, 1, fragment(3, B, [4]))).toEqual([]);
    expect(hears(receiver, 2, fragment(4, E, [5]))).toEqual(["lost", "03", "0405"]);
    expect(receiver.stats.lost).toBe(1);
  });

  test("on a single link the next fragment shows a loss", () => {
    const receiver = bundle(1);
    expect(hears(receiver, 0, fragment(0, B, [1]), fragment(2, E, [3]))).toEqual(["lost"]);
    expect(hears(receiver, 0, fragment(3, B, [4]), fragment(4, B, [5]), fragment(5, E, [6]))).toEqual(["lost", "0506"]);
    expect(receiver.stats).toEqual({ packets: 1, fragments: 5, lost: 1, dropped: 3 });
  });

  test("a link that has left holds up nothing, and one that joins is waited for", () => {
    const receiver = bundle(2);
    expect(hears(receiver, 0, fragment(0, B | E, [1]), fragment(2, B | E, [3]))).toEqual(["01"]);
    receiver.removeLink(1);
    expect(taken(receiver)).toEqual(["lost", "03"]);
    expect(receiver.addLink()).toBe(1);
    expect(hears(receiver, 0, fragment(4, B | E, [5]))).toEqual([]);
    expect(hears(receiver, 1, fragment(3, B | E, [4]))).toEqual(["04", "05"]);
    expect(hears(receiver, 0, fragment(6, B | E, [7]))).toEqual([]);
    receiver.removeLink(0);
    receiver.removeLink(1);
    expect(taken(receiver)).toEqual(["lost", "07"]);
    expect(hears(receiver, 1, fragment(7, B | E, [8]))).toEqual([]);
  });

  test("a silent link is given up once, and waited for again when it is heard", () => {
    const receiver = bundle(2);
    expect(hears(receiver, 0, fragment(1, B | E, [2]), fragment(3, B | E, [4]))).toEqual([]);
    expect(receiver.awaited).toBe(0);
    receiver.giveUp();
    expect(taken(receiver)).toEqual(["lost", "02", "lost", "04"]);
    expect(receiver.awaited).toBe(-1);
    receiver.giveUp();
    expect(hears(receiver, 0, fragment(5, B | E, [6]))).toEqual(["lost", "06"]);
    expect(hears(receiver, 1, fragment(4, B | E, [5]))).toEqual([]);
    expect(hears(receiver, 0, fragment(7, B | E, [8]))).toEqual([]);
    receiver.giveUp();
    expect(taken(receiver)).toEqual(["lost", "08"]);
    expect(hears(receiver, 1, fragment(8, B | E, [9]))).toEqual(["09"]);
    expect(hears(receiver, 0, fragment(10, B | E, [11]))).toEqual([]);
    expect(hears(receiver, 1, fragment(9, B | E, [10]))).toEqual(["0a", "0b"]);
  });

  test("packets that the owner takes later still come in order and once", () => {
    const receiver = bundle(1);
    for (const number of [0, 1, 2, 2]) receiver.receive(0, fragment(number, B | E, [number]), 0, 5);
    expect(taken(receiver)).toEqual(["00", "01", "02"]);
    for (const number of [4, 3, 4]) receiver.receive(0, fragment(number, number === 3 ? B : E, [number]), 0, 5);
    expect(taken(receiver)).toEqual(["0304"]);
    for (const number of [5, 6]) receiver.receive(0, fragment(number, B | E, [number]), 0, 5);
    expect(receiver.take()).toBe(true);
    expect(hears(receiver, 0, fragment(6, B | E, [6]), fragment(7, B | E, [7]))).toEqual(["06", "07"]);
    expect(receiver.awaited).toBe(-1);
  });

  test("a number is doubted from half of all numbers on, at most 32768 ahead", () => {
    for (const [short, last] of [
      [true, 2047],
      [false, 32767],
    ] as const) {
      const receiver = new MpReceiver(short, MRRU);
      const link = receiver.addLink();
      const hear = (number: number): string[] => hears(receiver, link, fragment(number, B | E, [number], short));
      expect(hear(0)).toEqual(["00"]);
      expect(hear(1 + last + 1)).toEqual([]);
      expect([receiver.stats.dropped, receiver.stats.lost]).toEqual([1, 0]);
      expect(hear(1 + last)).toEqual(["lost", toHex(Uint8Array.of(1 + last))]);
      expect([receiver.stats.dropped, receiver.stats.lost]).toEqual([1, last]);
    }
  });

  test("a fragment that there was no room for counts as lost, and no other one does", () => {
    for (const isGivenUp of [false, true]) {
      const receiver = bundle(2);
      for (let number = 1; number < 62; number++)
        expect(hears(receiver, 0, fragment(number, B | E, new Uint8Array(1000)))).toEqual([]);
      expect(hears(receiver, 0, fragment(63, B | E, new Uint8Array(10_000)))).toEqual([]);
      expect(receiver.stats.dropped).toBe(1);
      expect(hears(receiver, 1, fragment(0, B | E, [0])).length).toBe(62);
      expect(hears(receiver, 1, fragment(65, B | E, [65]))).toEqual(["lost"]);
      expect(receiver.awaited).toBe(63);
      if (isGivenUp) {
        receiver.giveUp();
        expect(taken(receiver)).toEqual(["lost", "41"]);
      } else expect(hears(receiver, 0, fragment(64, B | E, [64]))).toEqual(["lost", "40", "41"]);
    }
  });

  test("a missing number is given up when no more fragments can be held", () => {
    const receiver = bundle(2);
    let number = 0;
    let found: string[] = [];
    while (found.length === 0 && number < 1000)
      found = hears(receiver, 0, fragment(++number, B | E, new Uint8Array(1000).fill(number)));
    expect(number).toBeGreaterThan(50);
    expect(found.length).toBe(number + 1);
    expect(found[1]).toBe("01".repeat(1000));
    expect(receiver.stats).toEqual({ packets: number, fragments: number, lost: 1, dropped: 0 });
  });

  test("packets as long as the MRRU and their protocol, whole or in pieces, and none longer", () => {
    const receiver = bundle(1, 200);
    const body = new Uint8Array(202).fill(7);
    const long = new Uint8Array(203);
    expect(hears(receiver, 0, fragment(0, B | E, body))).toEqual([toHex(body)]);
    expect(hears(receiver, 0, fragment(1, B, body), fragment(2, E))).toEqual([toHex(body)]);
    expect(hears(receiver, 0, fragment(3, B | E, long))).toEqual(["lost"]);
    expect(hears(receiver, 0, fragment(4, B, body), fragment(5, 0, [1]), fragment(6, E, [2]))).toEqual([
      "lost",
      "lost",
    ]);
    expect(hears(receiver, 0, fragment(8, B | E, long), fragment(9, B | E, [9]))).toEqual(["lost", "09"]);
  });

  test("a packet that is too long in its middle is lost whole, and its short end is no packet", () => {
    const part = (number: number, flags: number, length: number) => fragment(number, flags, new Uint8Array(length));
    const pieces = [part(0, B, 150), part(1, 0, 100), part(2, E, 10)];
    const next = fragment(3, B | E, [3]);
    // In order, and held until the first comes.
    expect(hears(bundle(1, 200), 0, ...pieces, next)).toEqual(["lost", "lost", "03"]);
    const receiver = bundle(2, 200);
    expect(hears(receiver, 1, pieces[1]!, pieces[2]!, next)).toEqual([]);
    expect(hears(receiver, 0, pieces[0]!)).toEqual(["lost", "03"]);
    expect(receiver.stats).toEqual({ packets: 1, fragments: 4, lost: 0, dropped: 3 });
  });

  test("an empty fragment carries its number and no packet (§4.1)", () => {
    const receiver = bundle(2);
    expect(hears(receiver, 0, fragment(0, B | E), fragment(3, B | E, [4]))).toEqual([]);
    expect(hears(receiver, 1, fragment(2, B | E))).toEqual(["lost", "04"]);
    expect(hears(receiver, 1, fragment(4, B | E))).toEqual([]);
    expect(receiver.stats).toEqual({ packets: 1, fragments: 4, lost: 1, dropped: 0 });
  });

  test("late and repeated fragments are dropped", () => {
    const receiver = bundle(2, MRRU, true);
    const two = fragment(2, B | E, [3], true);
    expect(hears(receiver, 0, two, two)).toEqual([]);
    expect(hears(receiver, 1, fragment(0, B, [1], true), fragment(1, E, [2], true))).toEqual(["0102", "03"]);
    expect(hears(receiver, 0, two, two)).toEqual([]);
    expect(hears(receiver, 1, fragment(1, E, [2], true))).toEqual([]);
    expect(hears(receiver, 1, fragment(3, B | E, [4], true))).toEqual(["04"]);
    expect(receiver.stats).toEqual({ packets: 3, fragments: 8, lost: 0, dropped: 4 });
  });

  test("a peer that restarts its numbers is followed; a single wrong number is not", () => {
    const receiver = bundle(2);
    // The first fragment of all is believed.
    expect(hears(receiver, 0, fragment(0xfffffe, B | E, [1]))).toEqual(["lost", "01"]);
    expect(hears(receiver, 1, fragment(0xffffff, B | E, [2]), fragment(0, B | E, [3]))).toEqual(["02", "03"]);
    expect(hears(receiver, 0, fragment(0x400000, B | E, [9]), fragment(1, B | E, [4]))).toEqual(["04"]);
    expect(hears(receiver, 0, fragment(0x300000, B | E, [9]), fragment(0x900000, B | E, [9]))).toEqual([]);
    expect(hears(receiver, 1, fragment(2, B | E, [5]))).toEqual(["05"]);
    let next = 3;
    for (const again of [0x123456, 0x123400, 0xfffff0]) {
      // It is held for a number that does not come any more.
      expect(hears(receiver, 0, fragment(next + 5, B | E, [0xee]))).toEqual([]);
      next = (again + 140) & 0xffffff;
      const found: string[] = [];
      for (let n = 0; n < 140; n++) found.push(...hears(receiver, n & 1, fragment((again + n) & 0xffffff, B | E, [n])));
      expect(found[0]).toBe("lost");
      expect(found.slice(1)).toEqual(Array.from({ length: 13 }, (_, n) => toHex(Uint8Array.of(n + 127))));
      expect(receiver.awaited).toBe(-1);
    }
  });
});

// ── both over lines with delays and losses ───────────────────────────────────────────────────────────────────────────

interface Line {
  rate: number;
  delay: number;
  loss: number;
  jitter: number;
  up: boolean;
  /** Its number in the receiver. */
  link: number;
  freeAt: number;
  lastAt: number;
  queue: { at: number; id: number; bytes: Uint8Array }[];
}

const FRAME = 11;

class Simulation {
  now = 0;
  readonly receiver: MpReceiver;
  readonly sender: MpSender;
  readonly lines: Line[];
  readonly sent: Uint8Array[] = [];
  /** Packets with a lost fragment. */
  readonly hit = new Set<number>();
  readonly delivered: number[] = [];
  gaveUp = 0;
  lossSeen = 0;
  readonly #rng: Rng;
  readonly #shares = new Int32Array(8);
  #awaited = -1;
  #awaitedSince = 0;

  constructor(
    rng: Rng,
    short: boolean,
    lines: readonly { rate: number; delay: number; loss?: number; jitter?: number }[],
  ) {
    this.#rng = rng;
    this.sender = new MpSender(short);
    this.receiver = new MpReceiver(short, MRRU);
    this.lines = lines.map(({ rate, delay, loss = 0, jitter = 0 }) => ({
      rate, delay, loss, jitter, up: true, link: this.receiver.addLink(), freeAt: 0, lastAt: 0, queue: [],
    })); // prettier-ignore
  }

  send(length: number): void {
    const id = this.sent.length;
    const packet = this.#rng.bytes(length);
    put32(packet, 0, id);
    this.sent.push(packet);
    const lines = this.lines.filter((line) => line.up);
    const links = lines.map(({ rate, freeAt }) => ({
      rate,
      backlog: Math.max(0, freeAt - this.now) * rate,
      largest: 700,
    }));
    this.sender.split(length, links, this.#shares);
    let at = 0;
    for (const [n, line] of lines.entries())
      for (let left = this.#shares[n]!; left > 0;) {
        const size = fragmentLength(left, 700);
        this.transmit(line, id, packet.subarray(at, at + size), at === 0, at + size === length);
        at += size;
        left -= size;
      }
    expect(at).toBe(length);
  }

  transmit(line: Line, id: number, body: Uint8Array, begins: boolean, ends: boolean): void {
    const bytes = new Uint8Array(8 + body.length);
    bytes.set(body, 8);
    const start = this.sender.putHeader(bytes, 8, begins, ends);
    line.freeAt = Math.max(line.freeAt, this.now) + (body.length + FRAME) / line.rate;
    line.lastAt = Math.max(line.lastAt, line.freeAt + line.delay + this.#rng.float() * line.jitter);
    if (this.#rng.chance(line.loss)) this.hit.add(id);
    else line.queue.push({ at: line.lastAt, id, bytes: bytes.subarray(start) });
  }

  run(until: number): void {
    for (;;) {
      let next: Line | undefined;
      for (const line of this.lines)
        if ((line.queue[0]?.at ?? Infinity) < Math.min(until, next?.queue[0]?.at ?? Infinity)) next = line;
      const arrival = next?.queue.shift();
      this.#time(arrival?.at ?? until);
      if (next === undefined || arrival === undefined) return;
      this.receiver.receive(next.link, arrival.bytes, 0, arrival.bytes.length);
      this.#take();
    }
  }

  #time(now: number): void {
    if (this.#awaited >= 0 && now - this.#awaitedSince > 1000) {
      this.gaveUp++;
      this.receiver.giveUp();
      this.#take();
    }
    this.now = now;
  }

  #take(): void {
    const { receiver } = this;
    while (receiver.take()) {
      const id = u32(receiver.packet, receiver.start);
      const before = this.delivered.at(-1) ?? -1;
      if (id <= before) throw new Error(`packet ${id} after ${before}`);
      if (!Buffer.from(this.sent[id]!).equals(receiver.packet.subarray(receiver.start, receiver.end)))
        throw new Error(`packet ${id} is not what was sent`);
      // Header compression must be told of a gap before it gets the next packet.
      const isTold = receiver.takeLost();
      if (id !== before + 1 && !isTold && this.lossSeen === 0) throw new Error(`not told of the loss before ${id}`);
      this.lossSeen = 0;
      this.delivered.push(id);
    }
    if (receiver.takeLost()) this.lossSeen++;
    const { awaited } = receiver;
    if (awaited !== this.#awaited) {
      this.#awaited = awaited;
      this.#awaitedSince = this.now;
    }
  }

  remove(line: Line): void {
    line.up = false;
    for (const { id } of line.queue) this.hit.add(id);
    line.queue.length = 0;
    this.receiver.removeLink(line.link);
    this.#take();
  }

  add(line: Line): void {
    line.up = true;
    line.freeAt = line.lastAt = this.now;
    line.link = this.receiver.addLink();
  }

  /** Delivers everything, and tells the receiver that nothing more will come. */
  end(): void {
    this.run(this.now + 10_000);
    for (let twice = 0; twice < 2; twice++) {
      for (const line of this.lines) if (line.up) this.#sure(line);
      this.run(this.now + 10_000);
    }
  }

  #sure(line: Line): void {
    const { loss } = line;
    line.loss = 0;
    this.transmit(line, -1, new Uint8Array(0), true, true);
    line.loss = loss;
  }

  expectAllButHit(): void {
    const expected = this.sent.map((_, id) => id).filter((id) => !this.hit.has(id));
    expect(this.delivered).toEqual(expected);
    expect(this.receiver.stats.packets).toBe(expected.length);
    expect(this.receiver.awaited).toBe(-1);
  }
}

const LINES = {
  "two alike": [
    { rate: 11.5, delay: 5 },
    { rate: 11.5, delay: 5, jitter: 3 },
  ],
  "a fast one far away and a slow one": [
    { rate: 30, delay: 120, jitter: 20 },
    { rate: 6, delay: 2 },
  ],
  "three of all kinds": [
    { rate: 11.5, delay: 1, jitter: 60 },
    { rate: 3, delay: 40 },
    { rate: 23, delay: 200, jitter: 5 },
  ],
};

function load(simulation: Simulation, rng: Rng, packets: number, turn: (n: number) => void = () => {}): void {
  const rate = simulation.lines.reduce((sum, line) => sum + line.rate, 0);
  for (let n = 0; n < packets; n++) {
    const length = rng.chance(0.4) ? 5 + rng.below(90) : 100 + rng.below(MRRU - 100);
    // Bursts and pauses. On average nine tenths of what the lines can carry.
    if (!rng.chance(0.7)) simulation.run(simulation.now + (rng.float() * 2 * 3.7 * (length + 30)) / rate);
    turn(n);
    // Not more than a pacer permits, also when links are gone.
    const soonest = Math.min(...simulation.lines.filter(({ up }) => up).map(({ freeAt }) => freeAt));
    simulation.run(Math.max(simulation.now, soonest - 60));
    simulation.send(length);
  }
  simulation.end();
}

describe("over lines", () => {
  for (const [name, lines] of Object.entries(LINES))
    for (const short of [false, true])
      test(`${name}, ${short ? "short" : "long"} numbers: all is delivered in order`, () =>
        withRng((rng) => {
          const simulation = new Simulation(rng, short, lines);
          load(simulation, rng, short ? 3500 : 800);
          simulation.expectAllButHit();
          const { fragments, lost, dropped } = simulation.receiver.stats;
          expect({ lost, dropped }).toEqual({ lost: 0, dropped: 0 });
          if (short) expect(fragments).toBeGreaterThan(4096);
          expect(simulation.gaveUp).toBe(0);
        }));

  for (const [name, lines] of Object.entries(LINES))
    test(`${name}, losing fragments: only their packets are missing`, () =>
      withRng((rng) => {
        const simulation = new Simulation(
          rng,
          rng.chance(0.5),
          lines.map((line) => ({ ...line, loss: 0.03 })),
        );
        load(simulation, rng, 1000);
        simulation.expectAllButHit();
        expect(simulation.hit.size).toBeGreaterThan(10);
      }));

  test("links that leave and come back lose only what was on them", () =>
    withRng((rng) => {
      for (const loss of [0, 0.02]) {
        const simulation = new Simulation(
          rng,
          false,
          LINES["three of all kinds"].map((line) => ({ ...line, loss })),
        );
        const { lines } = simulation;
        load(simulation, rng, 1000, () => {
          if (!rng.chance(0.05)) return;
          const line = rng.pick(lines);
          if (!line.up) simulation.add(line);
          else if (lines.filter(({ up }) => up).length > 1) simulation.remove(line);
        });
        simulation.expectAllButHit();
        expect(simulation.hit.size).toBeGreaterThan(5);
      }
    }));

  test("a dead line is waited for once, and the other packets arrive", () =>
    withRng((rng) => {
      const simulation = new Simulation(rng, false, LINES["two alike"]);
      load(simulation, rng, 600, (n) => {
        if (n === 200) simulation.lines[1]!.loss = 1;
      });
      simulation.expectAllButHit();
      expect(simulation.gaveUp).toBeLessThan(4);
    }));

  test("long numbers wrap without a loss", () =>
    withRng((rng) => {
      const simulation = new Simulation(rng, false, LINES["three of all kinds"]);
      const buf = new Uint8Array(4);
      for (let number = 0; number < 2 ** 24 - 300; number++) simulation.sender.putHeader(buf, 4, true, true);
      // A single packet on the line, because the receiver accepts the first number.
      simulation.send(40);
      simulation.run(1000);
      load(simulation, rng, 500);
      simulation.expectAllButHit();
      expect(simulation.receiver.stats).toMatchObject({ lost: 0, dropped: 0 });
    }));
});

// ── hostile fragments ────────────────────────────────────────────────────────────────────────────────────────────────

/** How many packets can be held after a missing one. */
function capacity(receiver: MpReceiver, link: number, from: number): number {
  const before = receiver.stats.packets;
  for (let n = 1; n < 1000; n++) {
    hears(receiver, link, fragment((from + n) & 0xffffff, B | E, new Uint8Array(300)));
    if (receiver.stats.packets > before) return n;
  }
  return Infinity;
}

test("each truncation and each flipped bit of a fragment loses a few packets at most", () => {
  const good = fragment(3, B | E, [0x21, 0x45, 0, 0, 0x14]);
  for (const short of [false, true])
    for (const bad of damaged(short ? fragment(3, B | E, [0x21, 0x45], true) : good)) {
      const receiver = new MpReceiver(short, MRRU);
      for (let link = 0; link < 2; link++) receiver.addLink();
      const at = (n: number) => fragment(n, B | E, [n], short);
      hears(receiver, 0, at(0), at(2));
      hears(receiver, 1, at(1));
      hears(receiver, 0, bad);
      const found: string[] = [];
      for (let n = 4; n < 40; n++) found.push(...hears(receiver, n & 1, at(n)));
      expect(found.filter((text) => text.length === 2).length).toBeGreaterThan(33);
      // It also recovers when a number is given up too early and a wrong number is accepted.
      receiver.giveUp();
      taken(receiver);
      found.length = 0;
      for (let n = 40; n < 200; n++) found.push(...hears(receiver, n & 1, at(n)));
      expect(found.slice(-25)).toEqual(Array.from({ length: 25 }, (_, n) => toHex(Uint8Array.of(n + 175))));
    }
});

test("random fragments neither throw nor fill the memory for ever", () =>
  withRng((rng) => {
    const fresh = new MpReceiver(false, MRRU);
    fresh.addLink();
    fresh.addLink();
    const expected = capacity(fresh, fresh.addLink(), 0);
    for (let round = 0; round < 20; round++) {
      const receiver = new MpReceiver(false, MRRU);
      for (let link = 0; link < 3; link++) receiver.addLink();
      let number = rng.below(2 ** 24);
      for (let n = 0; n < 1000; n++) {
        const near = (number += rng.below(4) - 1) & 0xffffff;
        const body = rng.bytes(rng.below(rng.pick([3, 100, 2000])));
        const piece = rng.chance(0.1) ? body : fragment(near, rng.pick([0, B, E, B | E]), body);
        receiver.receive(rng.below(5) - 1, piece, rng.below(2) && Math.min(1, piece.length), piece.length);
        if (rng.chance(0.05)) receiver.giveUp();
        if (rng.chance(0.01)) receiver.removeLink(rng.below(4));
        if (rng.chance(0.02)) receiver.addLink();
        // Not every owner takes all packets.
        if (rng.chance(0.9)) taken(receiver);
      }
      for (let link = 0; link < 200; link++) receiver.removeLink(link);
      taken(receiver);
      const { packets, fragments, dropped } = receiver.stats;
      expect(packets + dropped).toBeLessThanOrEqual(fragments);
      const links = [receiver.addLink(), receiver.addLink()];
      // The peer starts again, and all the room must be free again. One of two places is far from where the junk led.
      const again = number + 0x800000;
      for (const place of [number + 0x400000, again])
        for (let n = 0; n < 140; n++) hears(receiver, links[0]!, fragment((place + n) & 0xffffff, B | E, [n]));
      expect(capacity(receiver, links[0]!, again + 140)).toBe(expected);
    }
  }));

test("nothing is allocated for a packet", () => {
  const sender = new MpSender(false);
  const receiver = new MpReceiver(false, MRRU);
  const links = [
    { rate: 10, backlog: 0, largest: 1500 },
    { rate: 10, backlog: 0, largest: 1500 },
  ];
  const shares = new Int32Array(2);
  const frames = [new Uint8Array(1600), new Uint8Array(1600), new Uint8Array(1600)] as const;
  for (const _ of links) receiver.addLink();
  const turn = () => {
    sender.split(1400, links, shares);
    const [first, second, third] = frames;
    const start = sender.putHeader(first, 8, true, false);
    sender.putHeader(second, 8, false, true);
    sender.putHeader(third, 8, true, true);
    receiver.receive(1, second, start, 8 + shares[1]!);
    receiver.receive(1, third, start, 100);
    receiver.receive(0, first, start, 8 + shares[0]!);
    while (receiver.take()) receiver.takeLost();
  };
  for (let n = 0; n < 2000; n++) turn();
  Bun.gc(true);
  const before = heapStats();
  for (let n = 0; n < 20_000; n++) turn();
  const after = heapStats();
  expect(receiver.stats).toEqual({ packets: 44_000, fragments: 66_000, lost: 0, dropped: 0 });
  expect(after.objectCount - before.objectCount).toBeLessThan(1000);
});

// ── how packets are cut ──────────────────────────────────────────────────────────────────────────────────────────────

describe("MpSender", () => {
  const split = (length: number, links: MpLink[], sender = new MpSender(false)) => {
    const shares = new Int32Array(links.length).fill(-1);
    sender.split(length, links, shares);
    return [...shares];
  };
  const link = (rate: number, backlog = 0, largest = 1500): MpLink => ({ rate, backlog, largest });

  /** The octets of each line for a flow as large as they can carry together. */
  const flow = (rates: number[], sizes: () => number): number[] => {
    const sender = new MpSender(false);
    const given = rates.map(() => 0);
    const freeAt = rates.map(() => 0);
    let now = 0;
    for (let n = 0; n < 3000; n++) {
      const length = sizes();
      const links = rates.map((rate, i) => link(rate, Math.max(0, freeAt[i]! - now) * rate));
      for (const [i, share] of split(length, links, sender).entries()) {
        if (share === 0) continue;
        given[i]! += share;
        freeAt[i] = Math.max(now, freeAt[i]!) + (share + FRAME) / rates[i]!;
      }
      // Like a pacer, it takes the next packet when the first line is about to finish.
      now = Math.max(now, Math.min(...freeAt) - 6);
    }
    return given;
  };

  test("links get shares in proportion to their rates", () => {
    const rng = new Rng(5);
    for (const sizes of [() => 1500, () => 40 + rng.below(1400), () => (rng.chance(0.5) ? 52 : 1500), () => 60]) {
      for (const rates of [
        [11, 11],
        [33, 11],
        [11, 33],
        [10, 20, 30],
      ]) {
        const given = flow(rates, sizes);
        const sum = given.reduce((all, one) => all + one);
        const total = rates.reduce((all, one) => all + one);
        for (const [i, octets] of given.entries())
          expect(Math.abs(octets / sum - rates[i]! / total)).toBeLessThan(0.03);
      }
    }
  });

  test("the pieces of a packet arrive together", () => {
    const links = [link(30, 200), link(10, 0), link(20, 500)];
    const shares = split(1500, links);
    const done = links.map(({ rate, backlog }, i) => (backlog + shares[i]! + FRAME) / rate);
    expect(Math.max(...done) - Math.min(...done)).toBeLessThan(0.4);
  });

  test("small packets are sent whole on the link that is free first, and in turn when all are free", () => {
    expect(split(84, [link(11, 500), link(11)])).toEqual([0, 84]);
    expect(split(84, [link(33, 500), link(11, 400)])).toEqual([84, 0]);
    expect(split(2 * SMALLEST - 1, [link(11), link(11)])).toEqual([2 * SMALLEST - 1, 0]);
    const sender = new MpSender(false);
    const links = [link(11), link(11), link(11)];
    expect([1, 2, 3, 4].map(() => split(50, links, sender).findIndex((share) => share > 0))).toEqual([0, 1, 2, 0]);
  });

  test("a link with a large backlog gets less, and one that takes nothing gets nothing", () => {
    expect(split(1500, [link(11, 3000), link(11)])).toEqual([0, 1500]);
    expect(split(1500, [link(11, 0, 0), link(11, 3000)])).toEqual([0, 1500]);
    expect(split(1500, [link(11, 0, 0), link(0, 0, 0)])).toEqual([0, 0]);
    expect(split(1500, [])).toEqual([]);
  });

  test("of three links, one with a large backlog gets nothing and the others share", () => {
    expect(split(1000, [link(20), link(20, 9000), link(20)])).toEqual([500, 0, 500]);
    expect(split(1000, [link(20, 9000), link(30), link(30), link(20, 9000)])).toEqual([0, 500, 500, 0]);
  });

  test("an unknown rate counts as the highest", () => {
    expect(split(1000, [link(0), link(0)])).toEqual([500, 500]);
    expect(split(1000, [link(0), link(10), link(20)])).toEqual(split(1000, [link(20), link(10), link(20)]));
  });

  test("whatever the links, the pieces are the whole packet, and none is tiny", () =>
    withRng((rng) => {
      for (let round = 0; round < 5000; round++) {
        const links = Array.from({ length: 1 + rng.below(5) }, () =>
          link(
            rng.pick([0, 0.9, 11.52, 300]),
            rng.pick([0, rng.below(100), rng.below(50_000)]),
            rng.pick([0, 64, 1490]),
          ),
        );
        const length = 1 + rng.below(rng.pick([100, 1500, 65537]));
        const shares = split(length, links);
        const takes = links.some(({ largest }) => largest > 0);
        expect(shares.reduce((sum, share) => sum + share)).toBe(takes ? length : 0);
        for (const [i, share] of shares.entries()) {
          if (share === 0) continue;
          const { largest } = links[i]!;
          expect(share === length || share >= SMALLEST).toBe(true);
          let left = share;
          let count = 0;
          for (; left > 0; count++) {
            const size = fragmentLength(left, largest);
            expect(size >= 1 && size <= largest && size <= left).toBe(true);
            left -= size;
          }
          expect(left).toBe(0);
          expect(count).toBe(Math.ceil(share / largest));
        }
      }
    }));
});
