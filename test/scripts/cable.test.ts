import { afterEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { closeFd, errno, EAGAIN, EIO, libc, Memory, O, openFd, POLLIN } from "../../src/os/ffi/libc.ts";
import { IFLAG, readTermios, setSpeed, writeTermios } from "../../src/os/serial/termios.ts";
import { openCable, type Cable, type CableOptions } from "../kit/cable.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { type PortFormat, portFormat, received } from "../kit/uart.ts";

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

/** Waits until there is data or the time is over. Returns the data, or undefined at a hangup. */
function receive(fd: number, withinMs = PATIENCE_MS): Uint8Array | undefined {
  poll.view.setInt32(0, fd, true);
  poll.view.setInt16(4, POLLIN, true);
  libc.poll(poll.address, 1, withinMs);
  const count = libc.read(fd, block.address, block.bytes.length);
  if (count > 0) return block.bytes.slice(0, count);
  return count < 0 && errno() === EAGAIN ? new Uint8Array(0) : undefined;
}

function receiveAll(fd: number, length: number): Uint8Array {
  const all = new Uint8Array(length);
  let fill = 0;
  for (let bytes; fill < length && (bytes = receive(fd)) !== undefined && bytes.length > 0; fill += bytes.length)
    all.set(bytes, fill);
  return all.subarray(0, fill);
}

/** Waits until this many octets have come to the end of the line. Returns how many of them reached the terminal. */
async function arrived(one: Cable, way: "ab" | "ba", count: number): Promise<number> {
  let delivered = 0;
  await until(`${count} octets are through`, async () => {
    const stats = (await one.stats())[way];
    delivered = stats.delivered;
    return stats.delivered + stats.dropped + stats.lost >= count;
  });
  return delivered;
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
  expect(receiveAll(far, 256)).toEqual(sample);
  send(far, sample);
  expect(receiveAll(near, 256)).toEqual(sample);
});

// That the line is not slower is tested with a simulated clock, in kit.test.ts.
test("115200 baud: never faster", async () => {
  const { a, b } = await cable({ baud: 115200 });
  const [near, far] = [tty(a), tty(b)];
  const total = 4000; // fits the pty: the writer need not come back
  const started = performance.now();
  expect(send(near, new Uint8Array(total))).toBe(total);
  expect(receiveAll(far, total).length).toBe(total);
  expect(performance.now() - started).toBeGreaterThanOrEqual((total * 10_000) / 115200);
});

test("a writer feels the line", async () => {
  const { a, b } = await cable({ baud: 9600 });
  const near = tty(a);
  tty(b);
  let taken = 0;
  for (let count = 1; count > 0; taken += Math.max(0, count)) count = send(near, new Uint8Array(4096));
  expect(taken).toBeLessThan(65536);
});

test("a cut cable carries nothing, and a mended one carries octets again", async () => {
  const one = await cable();
  const [near, far] = [tty(one.a), tty(one.b)];
  await one.cut();
  send(near, sample);
  expect(await arrived(one, "ab", 256)).toBe(0);
  await one.mend();
  send(near, Uint8Array.of(42));
  expect(receiveAll(far, 1)).toEqual(Uint8Array.of(42));
  expect((await one.stats()).ab).toMatchObject({ taken: 257, delivered: 1, lost: 256 });
});

test("octets that come while no program has the far end open are lost", async () => {
  const one = await cable();
  const near = tty(one.a);
  send(near, sample);
  expect(await arrived(one, "ab", 256)).toBe(0);
  const far = tty(one.b);
  send(near, Uint8Array.of(7));
  expect(receiveAll(far, 1)).toEqual(Uint8Array.of(7));
});

test("a hang-up reaches the program that has the port open", async () => {
  const one = await cable();
  const [near, far] = [tty(one.a), tty(one.b)];
  await one.hangUp("a");
  expect(receive(near)).toBeUndefined();
  expect(send(near, sample) < 0 && errno() === EIO).toBe(true);
  send(far, sample);
  expect(await arrived(one, "ba", 256)).toBe(0);
});

test("damage is repeatable", async () => {
  const run = async (): Promise<Uint8Array> => {
    const one = await cable({ ber: 0.01, drop: 0.05, seed: 3 });
    const [near, far] = [tty(one.a), tty(one.b)];
    send(near, new Uint8Array(2000));
    return receiveAll(far, await arrived(one, "ab", 2000));
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
    const bytes = receiveAll(far, await arrived(one, "ab", 2000));
    await one.damage({});
    send(near, sample);
    expect(receiveAll(far, 256)).toEqual(sample);
    return bytes;
  };
  const damage = { ber: 0.01, drop: 0.05, seed: 3 };
  expect(await run({ seed: 8 }, damage)).toEqual(await run(damage));
});

/** Sets a port as `stty SPEED` does. */
function setPort(fd: number, speed: number): PortFormat {
  const termios = readTermios(fd);
  termios.iflag = IFLAG.IGNBRK | IFLAG.IGNPAR;
  setSpeed(termios, speed);
  writeTermios(fd, termios, "now");
  return portFormat(termios);
}

test("ports: each direction at its sender's speed, every octet while both are set alike", async () => {
  const { a, b } = await cable({ baud: "ports" });
  const [near, far] = [tty(a), tty(b)];
  for (const speed of [9600, 57600]) {
    for (const fd of [near, far]) setPort(fd, speed);
    const started = performance.now();
    send(near, sample);
    expect(receiveAll(far, 256)).toEqual(sample);
    // The two clocks are not the same one.
    expect(performance.now() - started).toBeGreaterThanOrEqual((0.98 * 256 * 10_000) / speed);
  }
  send(far, sample);
  expect(receiveAll(near, 256)).toEqual(sample);
});

test("ports that differ hear what UARTs would, and the errors are counted", async () => {
  const one = await cable({ baud: "ports" });
  const [near, far] = [tty(one.a), tty(one.b)];
  // At a whole ratio, samples would fall on the edges between bits.
  const [slow, fast] = [setPort(near, 9600), setPort(far, 111_000)];
  const few = sample.subarray(0, 60); // at once in the sender's FIFO, so that no pause is between them
  for (const [from, to, sender, receiver, wire] of [
    [near, far, slow, fast, "ab"],
    [far, near, fast, slow, "ba"],
  ] as const) {
    send(from, few);
    const { octets, stats } = received(few, sender, receiver);
    expect(octets).not.toEqual(few);
    expect(receiveAll(to, octets.length)).toEqual(octets);
    const counted = async (): Promise<number> => Object.values((await one.stats())[wire].uart!).reduce((a, b) => a + b);
    const wanted = Object.values(stats).reduce((sum, count) => sum + count);
    await until("the UART has counted", async () => (await counted()) >= wanted);
    expect((await one.stats())[wire]).toMatchObject({ taken: 60, delivered: octets.length, uart: stats });
  }
  // Corrected: the first end has the settings of the second.
  setPort(near, 111_000);
  send(far, sample);
  expect(receiveAll(near, 256)).toEqual(sample);
});

test("its terminals and links are removed with it", async () => {
  const one = await openCable();
  expect(existsSync(one.a)).toBe(true);
  await one.close();
  expect(existsSync(one.a)).toBe(false);
});
