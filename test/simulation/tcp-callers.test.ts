// Callers by TCP in simulated time, one after the other on the same port.

import { expect, test } from "bun:test";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { Poll } from "../../src/run/machine.ts";
import { errnoOf } from "./errors.ts";
import { Laplink } from "./laplink.ts";
import { Channel } from "./process.ts";

/** Sends its words, takes the answers, and hangs up when it has got `last`. */
class Caller extends Channel {
  got = "";
  isClosed = false;
  #says: Uint8Array;
  readonly #last: string;

  constructor(words: string, last: string) {
    super();
    this.#says = bytesOf(words);
    this.#last = last;
  }

  get #isOver(): boolean {
    return this.#says.length === 0 && this.got.includes(this.#last);
  }

  events(): number {
    return (this.#says.length > 0 || this.#isOver ? Poll.IN : 0) | Poll.OUT;
  }

  override read(into: Uint8Array, length: number): number {
    const count = Math.min(length, this.#says.length);
    if (count === 0) return this.#isOver ? 0 : -errnoOf("EAGAIN");
    into.set(this.#says.subarray(0, count));
    this.#says = this.#says.slice(count);
    return count;
  }

  override write(bytes: Uint8Array): number {
    this.got += textOf(bytes);
    this.changed();
    return bytes.length;
  }

  close(): void {
    this.isClosed = true;
  }
}

const WORDS = ["socket-listen", "127.0.0.1:5000", "autodetect", "persist", "maxfail", "0", "holdoff", "0", "noauth"];

function listening(...words: string[]) {
  const { computers, time } = new Laplink({ seed: 1 });
  const server = computers[0].start([...WORDS, "nodetach", "10.0.0.1:10.0.0.2", ...words]);
  const call = (words: string, last: string): Caller => {
    const caller = new Caller(words, last);
    computers[0].network.callers.push(caller);
    expect(time.runUntil(() => caller.isClosed, 60_000)).toBe(true);
    return caller;
  };
  return { server, call };
}

test("a caller's settings of the modem, even stored ones, are not for the next caller", () => {
  const { server, call } = listening();
  expect(call("ATE0V0S3=65&W\r", "0").got).toContain("0");
  expect(call("ATZ\r", "OK").got).toBe("ATZ\r\r\nOK\r\n");
  expect(server.fault).toBeUndefined();
});

test("hundreds of calls leave no descriptors and no timers", () => {
  const { server, call } = listening();
  const left = (): number[] => [server.process.descriptorCount, server.process.timerCount];
  call("ATDT777\r", "~");
  const before = left();
  for (let calls = 0; calls < 300; calls++)
    call(["ATDT777\r", "AT\r", "CLIENT", "\xff\xfd\x03AT\r"][calls % 4]!, ["~", "OK", "SERVER", "OK"][calls % 4]!);
  expect([left(), server.fault, server.process.trouble]).toEqual([before, undefined, undefined]);
});
