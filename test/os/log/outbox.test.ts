import { expect, test } from "bun:test";
import { textOf } from "../../../src/bytes/text.ts";
import { LineOutput } from "../../../src/os/log/line-output.ts";
import { check, closeFd, libc, Memory, O, setNonblocking } from "../../../src/os/ffi/libc.ts";
import {
  ABSENT,
  drainOutboxes,
  lineOf,
  lossText,
  Outbox,
  outboxTurnMs,
  type Reader,
  UNDELIVERABLE,
} from "../../../src/os/log/outbox.ts";

/** Takes the lines as `answers` say, one answer a call, then everything. */
class Scripted implements Reader {
  heard = "";
  answers: number[] = [];

  take(line: Memory, at: number): number {
    const most = line.bytes.length - at;
    const answer = Math.min(most, this.answers.shift() ?? most);
    if (answer > 0) this.heard += textOf(line.bytes, at, at + answer);
    return answer;
  }

  lossLine(count: number): Memory {
    return lineOf(`${lossText(count)}\n`);
  }
}

function outbox(...answers: number[]): { reader: Scripted; push: (text: string) => void; box: Outbox } {
  const reader = new Scripted();
  reader.answers = answers;
  const box = new Outbox(reader);
  return { reader, box, push: (text) => box.push(lineOf(`${text}\n`)) };
}

test("lines wait while there is no room, and a line that was taken in part goes on where it stopped", () => {
  const { reader, push, box } = outbox(2, 0, 0, 0);
  push("first");
  push("second");
  expect(reader.heard).toBe("fi");
  expect(outboxTurnMs()).toBeLessThan(100);
  expect(box.flush()).toBe(true);
  expect(reader.heard).toBe("first\nsecond\n");
  expect(outboxTurnMs()).toBe(Infinity);
});

test("without anybody's help they go when there is room", async () => {
  const { reader, push } = outbox(0);
  push("line");
  const deadline = performance.now() + 5000;
  while (reader.heard === "" && performance.now() < deadline) await Bun.sleep(1);
  expect(reader.heard).toBe("line\n");
});

test("what does not fit is counted, and the place where it is missing says so", () => {
  const { reader, push, box } = outbox(...Array<number>(1000).fill(0));
  const long = "x".repeat(100_000);
  for (let nth = 0; nth < 5; nth++) push(`${nth}${long}`);
  reader.answers = [];
  push("after");
  push("more");
  expect(reader.heard.split("\n").map((line) => line.slice(0, 15))).toEqual([
    `0${"x".repeat(14)}`,
    `1${"x".repeat(14)}`,
    "3 messages lost",
    "after",
    "more",
    "",
  ]);
  expect(box.flush()).toBe(false);
});

test("a reader that takes nothing at all is not asked for ever, and hears how much it missed", () => {
  const { reader, push } = outbox(...Array<number>(5).fill(UNDELIVERABLE));
  for (const text of ["1", "2", "3"]) push(text);
  reader.answers = [];
  push("4");
  expect(reader.heard).toBe("3 messages lost\n4\n");
  expect(outboxTurnMs()).toBe(Infinity);
});

test("nobody is woken for a reader that is not there; the next line finds it", () => {
  const { reader, push } = outbox(ABSENT);
  push("1");
  expect(outboxTurnMs()).toBe(Infinity);
  push("2");
  expect(reader.heard).toBe("1\n2\n");
});

test("the end waits for a slow reader, and not for one that has stopped", () => {
  const slow = outbox(0, 0, 1, 0, 0, 2, 0);
  slow.push("slow");
  drainOutboxes();
  expect(slow.reader.heard).toBe("slow\n");
  const stopped = outbox(...Array<number>(100_000).fill(0));
  stopped.push("stopped");
  drainOutboxes(50);
  expect(stopped.reader.heard).toBe("");
  stopped.reader.answers = [];
  stopped.box.flush();
});

test("a pipe that is full keeps nobody waiting, blocking as it is", async () => {
  const pipe = new Memory(8);
  check(libc.pipe2(pipe.address, O.CLOEXEC), "pipe2");
  const [readEnd, writeEnd] = [pipe.view.getInt32(0, true), pipe.view.getInt32(4, true)];
  setNonblocking(readEnd, true);
  const output = new LineOutput(writeEnd);
  const LINES = 3000;
  for (let nth = 0; nth < LINES; nth++) output.write(`${nth} ${"x".repeat(50)}\n`);
  const memory = new Memory(65536);
  let text = "";
  const deadline = performance.now() + 10_000;
  while (!text.includes(`${LINES - 1} `) && performance.now() < deadline) {
    const got = libc.read(readEnd, memory.address, memory.bytes.length);
    if (got > 0) text += textOf(memory.bytes, 0, got);
    else await Bun.sleep(1);
  }
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => Number(line.split(" ")[0])),
  ).toEqual([...Array(LINES).keys()]);
  output.close();
  closeFd(writeEnd);
  closeFd(readEnd);
});
