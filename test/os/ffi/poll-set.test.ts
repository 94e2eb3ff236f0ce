import { afterEach, expect, test } from "bun:test";
import { check, closeFd, libc, Memory, O, POLLHUP, POLLIN, POLLOUT } from "../../../src/os/ffi/libc.ts";
import { PollSet } from "../../../src/os/ffi/poll-set.ts";

const open = new Set<number>();
const close = (fd: number): void => void (open.delete(fd), closeFd(fd));
afterEach(() => open.forEach(close));

function pipe(): { reader: number; writer: number } {
  const memory = new Memory(8);
  check(libc.pipe2(memory.address, O.CLOEXEC), "pipe2");
  const [reader, writer] = [memory.view.getInt32(0, true), memory.view.getInt32(4, true)];
  open.add(reader).add(writer);
  return { reader, writer };
}

test("each descriptor has its own wanted events and its own result", () => {
  const [first, second] = [pipe(), pipe()];
  const set = new PollSet([first.reader, first.writer, second.reader]);
  set.want(1, POLLOUT);
  expect(set.wait(0)).toBe(1);
  expect([0, 1, 2].map((at) => set.got(at))).toEqual([0, POLLOUT, 0]);
  libc.write(second.writer, new Memory(1).address, 1);
  set.want(1, 0);
  expect(set.wait(Infinity)).toBe(1);
  expect([0, 1, 2].map((at) => set.got(at))).toEqual([0, 0, POLLIN]);
  close(first.writer);
  set.setFd(2, -1);
  set.setFd(1, -1);
  expect(set.wait(1e12)).toBe(1);
  expect([0, 1, 2].map((at) => set.got(at))).toEqual([POLLHUP, 0, 0]);
});

test("a wait that times out finds nothing, whatever earlier waits have found", () => {
  const { reader, writer } = pipe();
  const set = new PollSet([writer], POLLOUT);
  expect(set.wait(-5)).toBe(1);
  set.setFd(0, reader);
  set.want(0, POLLIN);
  const before = performance.now();
  expect(set.wait(1.5)).toBe(0);
  expect(performance.now() - before).toBeGreaterThanOrEqual(1.5);
  expect(set.got(0)).toBe(0);
  expect(new PollSet([]).wait(0)).toBe(0);
});

test("a signal ends a wait, which then has found nothing", async () => {
  const { reader, writer } = pipe();
  const set = new PollSet([writer], POLLOUT);
  expect(set.wait(0)).toBe(1);
  expect(set.got(0)).toBe(POLLOUT);
  set.setFd(0, reader);
  const heed = (): void => {};
  process.on("SIGUSR2", heed);
  // The signal is repeated, because the first may come before the wait.
  const again = Bun.spawn(["sh", "-c", `while kill -USR2 ${process.pid}; do sleep 0.02; done`]);
  try {
    set.want(0, POLLIN);
    expect(set.wait(Infinity)).toBe(-1);
    expect(set.got(0)).toBe(0);
  } finally {
    again.kill();
    await again.exited;
    process.off("SIGUSR2", heed);
  }
});
