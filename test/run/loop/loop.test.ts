// The loop on a simulated machine: descriptors are arrays, and time passes only during a poll.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import type { Ring } from "../../../src/bytes/ring.ts";
import { InterfaceBuffers, LineBuffers } from "../../../src/run/loop/buffers.ts";
import { LinePort, type LineStage } from "../../../src/run/loop/line-port.ts";
import { Loop } from "../../../src/run/loop/loop.ts";
import { Pacer } from "../../../src/run/loop/pacer.ts";
import { type Carrier, PacketPump } from "../../../src/run/loop/packet-pump.ts";
import { RateLimit } from "../../../src/run/loop/rate-limit.ts";
import { Errno, type Machine, type Memory, Poll, type PollSet } from "../../../src/run/machine.ts";
import type { PacketPort } from "../../../src/run/packets/port.ts";

const LINE = 3;
const INTERFACE = 4;

/** Descriptors that are read from `incoming` and written to `sent`. After `hangUp` the far end of the line is gone. */
class FakeMachine {
  now = 0;
  isGone = false;
  /** The octets that the line takes before it is full. */
  room = Infinity;
  readonly incoming = new Map<number, number[][]>();
  readonly sent: number[] = [];
  readonly polls: number[] = [];
  /** The octets that each read asked for. */
  readonly wanted: number[] = [];
  readonly errors = new Set<number>();

  feed(fd: number, ...octets: number[]): void {
    this.incoming.set(fd, [...(this.incoming.get(fd) ?? []), octets]);
  }

  get machine(): Machine {
    const found: number[] = [];
    const asked = { fds: [] as number[], events: [] as number[] };
    const pollSet = (fds: readonly number[]): PollSet => {
      asked.fds = [...fds];
      asked.events = fds.map(() => Poll.IN);
      return {
        setFd: (at, fd) => void (asked.fds[at] = fd),
        want: (at, events) => void (asked.events[at] = events),
        got: (at) => found[at] ?? 0,
      };
    };
    const poll = async (_: PollSet, ms: number): Promise<number> => {
      this.polls.push(ms);
      for (const [at, fd] of asked.fds.entries())
        found[at] = fd < 0 ? 0 : this.#events(fd) & (asked.events[at]! | 8 | 16);
      const ready = found.filter((events) => events !== 0).length;
      if (ready > 0) return ready;
      if (ms === Infinity) throw new Error("the loop would wait for ever");
      this.now += Math.max(0, ms);
      return 0;
    };
    const descriptors = {
      ...thisMachine.descriptors,
      pollSet,
      poll,
      runtimeEvents: () => [99],
      read: (fd: number, into: Memory, at: number, length: number) => {
        this.wanted.push(length);
        return this.#read(fd, into, at);
      },
      write: (_: number, from: Memory, at: number, length: number) => this.#write(from, at, length),
    };
    const clock = { ...thisMachine.clock, now: () => this.now, turn: async () => {} };
    return { ...thisMachine, clock, descriptors };
  }

  #events(fd: number): number {
    if (this.errors.has(fd)) return Poll.ERR;
    const isIn = (this.incoming.get(fd)?.length ?? 0) > 0;
    if (fd === LINE && !isIn && this.isGone) return Poll.HUP;
    return (isIn ? Poll.IN : 0) | (fd === LINE && this.room > 0 ? Poll.OUT : 0);
  }

  #read(fd: number, into: Memory, at: number): number {
    const octets = this.incoming.get(fd)?.shift();
    if (octets === undefined) return this.isGone && fd === LINE ? -Errno.EIO : -Errno.EAGAIN;
    into.bytes.set(octets, at);
    return octets.length;
  }

  #write(from: Memory, at: number, length: number): number {
    const taken = Math.min(length, this.room);
    if (taken === 0) return -Errno.EAGAIN;
    this.room -= taken;
    this.sent.push(...from.bytes.subarray(at, at + taken));
    return taken;
  }
}

/** Takes this many octets and leaves the others. */
class Taker implements LineStage {
  readonly packet = new Uint8Array(0);
  readonly packetStart = 0;
  readonly packetEnd = 0;
  readonly taken: number[] = [];
  readonly #most: number;

  constructor(most = Infinity) {
    this.#most = most;
  }

  receive(input: Ring): boolean {
    while (input.length > 0 && this.taken.length < this.#most) {
      this.taken.push(input.bytes[input.readAt]!);
      input.consume(1);
    }
    return false;
  }

  flush(): void {}
  nextTimeout(): number {
    return Infinity;
  }
  handleTimeout(): void {}
}

function setUp(fake: FakeMachine, stage: LineStage, limit?: number) {
  const { machine } = fake;
  const told: string[] = [];
  const carrier = {
    networks: { datapath: { fast: true } },
    hasRoom: () => true,
    send: (packet: Uint8Array, start: number, end: number) => {
      told.push(`packet ${packet.slice(start, end).join()}`);
      return true;
    },
    flush: () => {},
    nextTimeout: () => Infinity,
    handleTimeout: () => {},
  } as unknown as Carrier;
  const own = { dueAt: Infinity };
  const packets = {
    fd: INTERFACE,
    hasKept: false,
    waitsInKernel: true,
    read: (into: Memory, at: number) => machine.descriptors.read(INTERFACE, into, at, 100),
    write: () => {},
    nextTimeout: () => own.dueAt,
    handleTimeout: (now: number) => {
      told.push(`due ${now}`);
      own.dueAt = Infinity;
    },
  } as unknown as PacketPort;
  const pump = new PacketPump(carrier, packets, new InterfaceBuffers(machine.descriptors), () => 7);
  const owner = {
    settle: (_: number): void => {},
    nextDeadline: () => Infinity,
    turnMs: () => Infinity,
    interfaceLost: () => void told.push("interface lost"),
  };
  const loop = new Loop(machine, pump, owner);
  const buffers = new LineBuffers(machine.descriptors);
  const hungUp = (): void => void told.push("hung up");
  const host = { machine, buffers, pacer: new Pacer(0), hungUp };
  const port = new LinePort(host, { fd: LINE, writeFd: LINE, countsOutput: false }, stage);
  if (limit !== undefined) port.limitTo({ sending: new RateLimit(limit), receiving: new RateLimit(limit) }, Infinity);
  loop.add(port);
  return { own, loop, port, pump, owner, told, buffers };
}

function put(ring: Ring, ...octets: number[]): void {
  ring.bytes.set(octets, ring.writeAt);
  ring.commit(octets.length);
}

test("octets that a stage leaves go to the next stage, and a line that is gone ends the loop", async () => {
  const fake = new FakeMachine();
  fake.feed(LINE, 1, 2, 3, 4, 5);
  fake.feed(LINE, 6);
  fake.isGone = true;
  const first = new Taker(2);
  const second = new Taker();
  const { loop, port, owner, told } = setUp(fake, first);
  owner.settle = (now) => {
    if (port.stage === first && first.taken.length === 2) loop.handOver(port, second, now);
  };
  await loop.run();
  expect(first.taken).toEqual([1, 2]);
  expect(second.taken).toEqual([3, 4, 5, 6]);
  expect(told).toEqual(["hung up"]);
});

test("a full line is written to again when it has room, and the rest is sent before the line is given up", async () => {
  const fake = new FakeMachine();
  const { loop, port, owner, buffers } = setUp(fake, new Taker());
  fake.room = 2;
  put(buffers.output, 1, 2, 3, 4, 5);
  let rounds = 0;
  owner.nextDeadline = () => fake.now + 10;
  owner.settle = () => {
    rounds++;
    if (rounds === 2) expect([fake.sent, port.isBlocked]).toEqual([[1, 2], true]);
    if (rounds === 3) fake.room = 2;
    if (rounds === 6) {
      expect(fake.sent).toEqual([1, 2, 3, 4]);
      fake.room = Infinity;
      port.isBlocked = false;
      loop.remove(port);
    }
  };
  await loop.run();
  expect(fake.sent).toEqual([1, 2, 3, 4, 5]);
});

test("packets are read only while they are carried, and a removed interface is reported once", async () => {
  const fake = new FakeMachine();
  fake.feed(INTERFACE, 7, 8);
  const { loop, port, pump, owner, told } = setUp(fake, new Taker());
  let rounds = 0;
  owner.nextDeadline = () => fake.now + 10;
  owner.settle = () => {
    rounds++;
    if (rounds === 3) expect(told).toEqual([]);
    if (rounds === 3) pump.carry(true);
    if (rounds === 5) fake.errors.add(INTERFACE);
    if (rounds === 9) loop.remove(port);
  };
  await loop.run();
  expect(told).toEqual(["packet 7,8", "interface lost"]);
  expect(pump.carrying).toBe(false);
});

test("a line that has reached its limit is not read until time has passed, and the loop sleeps until then", async () => {
  const fake = new FakeMachine();
  // The octets of a tenth of a second may come at once: 100 of 1000 a second.
  fake.feed(LINE, ...Array.from({ length: 100 }, (_, at) => at));
  fake.feed(LINE, 100);
  fake.isGone = true;
  const taker = new Taker();
  const { loop, told } = setUp(fake, taker, 1000);
  await loop.run();
  expect(taker.taken).toHaveLength(101);
  expect(told).toEqual(["hung up"]);
  expect(fake.now).toBeWithin(10, 20);
  expect(fake.polls.length).toBeLessThan(8);
});

test("the packet port's own deadline ends the wait", async () => {
  const fake = new FakeMachine();
  const { loop, port, own, owner, told } = setUp(fake, new Taker());
  const begin = fake.now;
  own.dueAt = begin + 70;
  owner.settle = () => {
    if (told.length > 0) loop.remove(port);
  };
  await loop.run();
  expect(told).toEqual([`due ${begin + 70}`]);
});

test("a stage that looks at each octet at length gets few of them at once", () => {
  const fake = new FakeMachine();
  const { port, buffers } = setUp(fake, Object.assign(new Taker(), { mostOctets: 100 }));
  port.read(0);
  port.stage = new Taker();
  port.read(0);
  expect(fake.wanted).toEqual([100, buffers.input.capacity]);
});

test("idle work has its turn when nothing is ready, after what is to be sent, and ends when it says so", async () => {
  const fake = new FakeMachine();
  const { loop, port, owner, buffers } = setUp(fake, new Taker());
  put(buffers.output, 1, 2);
  fake.feed(LINE, 5);
  const turns: string[] = [];
  loop.idleWork = {
    pauseMs: 5,
    turn: async () => {
      turns.push(`${fake.now}: ${fake.sent.join()} sent, ${fake.incoming.get(LINE)!.length} to read`);
      return turns.length < 2;
    },
    end: () => {},
  };
  owner.nextDeadline = () => 100;
  owner.settle = (now) => {
    if (now >= 100) loop.remove(port);
  };
  await loop.run();
  expect(turns).toEqual(["5: 1,2 sent, 0 to read", "10: 1,2 sent, 0 to read"]);
  expect(fake.polls.slice(-1)).toEqual([90]);
});
