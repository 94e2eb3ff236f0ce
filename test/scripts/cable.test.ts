import { afterEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { closeFd, errno, EAGAIN, EIO, libc, Memory, O, openFd, POLLIN } from "../../src/os/libc.ts";
import { openCable, type Cable, type CableOptions } from "../kit/cable.ts";

const cables: Cable[] = [];
const fds: number[] = [];
const block = new Memory(65536);
const poll = new Memory(8);

async function cable(options?: CableOptions): Promise<Cable> {
  const one = await openCable(options);
  cables.push(one);
  return one;
}

function tty(path: string): number {
  const fd = openFd(path, O.RDWR | O.NOCTTY | O.NONBLOCK);
  fds.push(fd);
  return fd;
}

function send(fd: number, bytes: Uint8Array): number {
  block.bytes.set(bytes);
  return libc.write(fd, block.address, bytes.length);
}

/** Blocks until there is something or the time is over; what there is, undefined at a hang-up. */
function receive(fd: number, withinMs: number): Uint8Array | undefined {
  poll.view.setInt32(0, fd, true);
  poll.view.setInt16(4, POLLIN, true);
  libc.poll(poll.address, 1, withinMs);
  const count = libc.read(fd, block.address, block.bytes.length);
  if (count > 0) return block.bytes.slice(0, count);
  return count < 0 && errno() === EAGAIN ? new Uint8Array(0) : undefined;
}

function receiveAll(fd: number, length: number, withinMs: number): Uint8Array {
  const all = new Uint8Array(length);
  let fill = 0;
  for (const end = performance.now() + withinMs; fill < length && performance.now() < end;) {
    const bytes = receive(fd, 50) ?? new Uint8Array(0);
    all.set(bytes, fill);
    fill += bytes.length;
  }
  return all.subarray(0, fill);
}

afterEach(async () => {
  for (const fd of fds.splice(0)) closeFd(fd);
  for (const one of cables.splice(0)) await one.close();
});

const sample = Uint8Array.from({ length: 256 }, (_, index) => index);

test("every octet passes both ways, raw", async () => {
  const { a, b } = await cable();
  const [near, far] = [tty(a), tty(b)];
  send(near, sample);
  expect(receiveAll(far, 256, 2000)).toEqual(sample);
  send(far, sample);
  expect(receiveAll(near, 256, 2000)).toEqual(sample);
});

test("115200 baud: never faster, at most 0.5 % slower", async () => {
  const { a, b } = await cable({ baud: 115200 });
  const [near, far] = [tty(a), tty(b)];
  const total = 4000; // fits the pty: the writer need not come back
  const started = performance.now();
  expect(send(near, new Uint8Array(total))).toBe(total);
  expect(receiveAll(far, total, 5000).length).toBe(total);
  const took = performance.now() - started;
  const floor = (total * 10_000) / 115200;
  expect(took).toBeGreaterThanOrEqual(floor);
  // 0.02 % slower on a quiet machine; a busy one may wake the relay late.
  expect(took).toBeLessThan(floor * 1.005 + 20);
});

test("a writer feels the line", async () => {
  const { a, b } = await cable({ baud: 9600 });
  const near = tty(a);
  tty(b);
  let taken = 0;
  for (let count = 1; count > 0; taken += Math.max(0, count)) count = send(near, new Uint8Array(4096));
  expect(taken).toBeLessThan(65536);
});

test("cut: nothing arrives; mended: it does again", async () => {
  const one = await cable();
  const [near, far] = [tty(one.a), tty(one.b)];
  await one.cut();
  send(near, sample);
  expect(receive(far, 50)).toEqual(new Uint8Array(0));
  await one.mend();
  send(near, Uint8Array.of(42));
  expect(receiveAll(far, 1, 2000)).toEqual(Uint8Array.of(42));
  expect((await one.stats()).ab).toMatchObject({ taken: 257, delivered: 1, lost: 256 });
});

test("what comes while nobody has the far end open is lost", async () => {
  const one = await cable();
  const near = tty(one.a);
  send(near, sample);
  while ((await one.stats()).ab.lost < 256) await Bun.sleep(1);
  const far = tty(one.b);
  expect(receive(far, 20)).toEqual(new Uint8Array(0));
  send(near, Uint8Array.of(7));
  expect(receiveAll(far, 1, 2000)).toEqual(Uint8Array.of(7));
});

test("hang up: the one who has it open is told", async () => {
  const one = await cable();
  const [near, far] = [tty(one.a), tty(one.b)];
  await one.hangUp("a");
  expect(receive(near, 2000)).toBeUndefined();
  expect(send(near, sample) < 0 && errno() === EIO).toBe(true);
  send(far, sample);
  while ((await one.stats()).ba.lost < 256) await Bun.sleep(1);
});

test("damage is repeatable", async () => {
  const run = async (): Promise<Uint8Array> => {
    const { a, b } = await cable({ ber: 0.01, drop: 0.05, seed: 3 });
    const [near, far] = [tty(a), tty(b)];
    send(near, new Uint8Array(2000));
    return receiveAll(far, 2000, 300);
  };
  const first = await run();
  expect(first.length).toBeLessThan(2000);
  expect(first.some((byte) => byte !== 0)).toBe(true);
  expect(await run()).toEqual(first);
});

test("damage on command: as from the start with the same seed, and an end to it", async () => {
  const run = async (options: CableOptions, later?: CableOptions): Promise<Uint8Array> => {
    const one = await cable(options);
    const [near, far] = [tty(one.a), tty(one.b)];
    if (later !== undefined) await one.damage(later);
    send(near, new Uint8Array(2000));
    const bytes = receiveAll(far, 2000, 300);
    await one.damage({});
    send(near, sample);
    expect(receiveAll(far, 256, 2000)).toEqual(sample);
    return bytes;
  };
  const damage = { ber: 0.01, drop: 0.05, seed: 3 };
  expect(await run({ seed: 8 }, damage)).toEqual(await run(damage));
});

test("its terminals and links are gone with it", async () => {
  const one = await openCable();
  expect(existsSync(one.a)).toBe(true);
  await one.close();
  expect(existsSync(one.a)).toBe(false);
});
