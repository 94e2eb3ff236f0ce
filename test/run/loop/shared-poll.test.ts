// The poll of several sessions in one process. In the simulated process timers, children and signals wait during a poll, as
// they do in the real one.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { check, libc, Memory, O } from "../../../src/os/ffi/libc.ts";
import { SharedPoll } from "../../../src/run/loop/shared-poll.ts";
import { Poll, sleep } from "../../../src/run/machine.ts";
import { Channel, Process } from "../../simulation/process.ts";
import { Time } from "../../simulation/time.ts";

/** Something that becomes readable. */
class Bell extends Channel {
  isRung = false;
  ring(): void {
    this.isRung = true;
    this.changed();
  }
  events(): number {
    return this.isRung ? Poll.IN : 0;
  }
  override read(): number {
    this.isRung = false;
    return 1;
  }
  close(): void {}
}

function setUp() {
  const time = new Time();
  const process = new Process(1, time, () => 0);
  const { clock, descriptors } = process;
  const shared = new SharedPoll({ ...thisMachine, clock, descriptors });
  const told: string[] = [];
  /** A session that waits for its bell and counts the rounds in which it did not ring. */
  const session = (name: string, rounds: number, patienceMs = Infinity) => {
    const bell = new Bell();
    const fd = process.open(bell);
    const { machine } = shared;
    const set = machine.descriptors.pollSet([fd]);
    const ended = shared.run(async () => {
      for (let round = 0; round < rounds; round++) {
        const ready = await machine.descriptors.poll(set, patienceMs);
        told.push(`${time.now} ${name} ${ready}${set.got(0)}`);
        bell.isRung = false;
      }
    });
    return { bell, ended };
  };
  return { time, process, shared, told, session };
}

test("each session gets a round for its own descriptor and its own deadline", () => {
  const { time, process, told, session } = setUp();
  // When b has ended, the runtime gets a turn, and a gets a round after it.
  const a = session("a", 3);
  session("b", 2, 30);
  time.run(10);
  a.bell.ring();
  time.run(100);
  expect(told).toEqual(["10 a 11", "30 b 00", "60 b 00", "80 a 00"]);
  expect(process.trouble).toBeUndefined();
});

test("the timer of one session fires while the others are in their poll, and all get a round after it", () => {
  const { time, process, shared, told, session } = setUp();
  session("a", 9);
  session("b", 9);
  let slept = -1;
  void shared.run(() => sleep(shared.machine.clock, 50).then(() => void (slept = time.now)));
  time.run(60);
  expect(slept).toBe(50);
  expect(told).toEqual(["50 a 00", "50 b 00"]);
  let stop = (): void => {};
  process.post(() => void (stop = shared.machine.clock.every(25, () => void told.push(`${time.now} every`))), "child");
  time.run(75);
  stop();
  expect(told.filter((line) => line.endsWith("every"))).toEqual(["85 every", "110 every", "135 every"]);
  time.run(1000);
  expect(told.filter((line) => line.endsWith("every")).length).toBe(3);
  expect(process.trouble).toBeUndefined();
});

test("a signal and a child's end give every session a round", () => {
  const { time, process, told, session } = setUp();
  session("a", 9);
  session("b", 9);
  time.run(10);
  process.post(() => void told.push("signal"), "signal");
  time.run(10);
  process.post(() => void told.push("child"), "child");
  time.run(1000);
  expect(told).toEqual(["signal", "10 a 00", "10 b 00", "child", "20 a 00", "20 b 00"]);
});

test("a session that asks for turns of the runtime does not make the others spin", () => {
  const { time, process, shared, told, session } = setUp();
  session("a", 1e9);
  const { clock, descriptors } = shared.machine;
  for (let turner = 0; turner < 2; turner++)
    void shared.run(async () => {
      const set = descriptors.pollSet([-1]);
      for (;;) {
        await clock.turn();
        await descriptors.poll(set, 20);
      }
    });
  time.run(1000);
  expect(process.trouble).toBeUndefined();
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThan(120);
});

test("a poll whose set is replaced ends", () => {
  const { time, shared, told, session } = setUp();
  session("a", 9);
  const { descriptors } = shared.machine;
  const old = descriptors.pollSet([-1]);
  void Promise.resolve(descriptors.poll(old, Infinity)).then((ready) => told.push(`replaced ${ready}`));
  time.run(10);
  descriptors.pollSet([-1], old);
  time.run(10);
  expect(told).toEqual(["replaced 0"]);
});

test("what waits for neither descriptor nor timer is looked after, and without a session in its poll nobody polls", () => {
  const { time, process, shared, told, session } = setUp();
  const a = session("a", 2);
  const { promise, resolve } = Promise.withResolvers<void>();
  void shared.run(async () => {
    await promise;
    told.push(`${time.now} b`);
  });
  time.run(90);
  process.post(resolve);
  time.run(910);
  expect(told).toEqual(["100 b", "100 a 00"]);
  a.bell.ring();
  time.run(10);
  expect(told.at(-1)).toBe("1000 a 11");
  const before = time.events;
  time.run(10_000);
  expect(time.events).toBe(before);
});

test("on this machine two sessions wait at once, and each hears of its pipe", async () => {
  const shared = new SharedPoll(thisMachine);
  const { descriptors, clock } = shared.machine;
  const pipes = [pipe(), pipe()];
  const heard: number[] = [];
  const sessions = pipes.map(([readEnd], at) =>
    shared.run(async () => {
      const set = descriptors.pollSet([readEnd]);
      while (set.got(0) === 0) await descriptors.poll(set, 10_000);
      heard.push(at);
    }),
  );
  await sleep(clock, 20);
  descriptors.writeAll(pipes[1]![1], Uint8Array.of(1));
  await sessions[1];
  expect(heard).toEqual([1]);
  descriptors.writeAll(pipes[0]![1], Uint8Array.of(1));
  await Promise.all(sessions);
  expect(heard).toEqual([1, 0]);
  for (const fd of pipes.flat()) descriptors.close(fd);
});

function pipe(): readonly [readEnd: number, writeEnd: number] {
  const ends = new Memory(8);
  check(libc.pipe2(ends.address, O.CLOEXEC), "pipe2");
  return [ends.view.getInt32(0, true), ends.view.getInt32(4, true)];
}
