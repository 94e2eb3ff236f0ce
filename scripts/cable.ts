// A null-modem cable between two pseudo terminals, as a process of its own. It has the speed of a real serial line, and
// can damage data, be cut and be joined again on command.
//
// It blocks in ppoll(2), not in Bun's event loop: a byte at 115200 lasts 87 µs, and timers of the event loop have a
// resolution of a millisecond. The loop yields once a turn so that signal handlers run.

import { lstatSync, readlinkSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { check, closeFd, EAGAIN, EINTR, EIO, errno, libc, Memory, O, openFd } from "../src/os/ffi/libc.ts";
import { POLLHUP, POLLIN, POLLOUT } from "../src/os/ffi/libc.ts";
import { openPty } from "../src/os/serial/pty.ts";
import { CC, CFLAG, readTermios, writeTermios } from "../src/os/serial/termios.ts";
import { Rng } from "../test/kit/rng.ts";
import { portFormat } from "../test/kit/uart.ts";
import { Wire } from "../test/kit/wire.ts";

const USAGE = `usage: bun scripts/cable.ts [options] LINK_A LINK_B

Makes two pseudo terminals joined by a null-modem cable, symbolic links LINK_A and LINK_B to them, prints
"ready /dev/pts/N /dev/pts/M" and relays until it is told to stop (end of input, SIGINT, SIGTERM).

  --baud N    pace both directions as an N bit/s 8N1 line (0: as fast as it goes)
  --baud ports  as the programs at both ends set their ports (stty, termios): each direction has its sender's speed, and
              ends that are set differently hear what UARTs would
  --clean-to N  with --baud ports: octets that are sent at a higher speed than N are damaged
  --ber P     probability that a bit flips
  --drop P    probability that a byte is lost
  --seed N    seed of the damage (1)

Commands, one a line on standard input; each is answered with one line:
  cut         the cable is out: nothing arrives any more      mend       it is back
  hangup a|b  that terminal is gone for good, as a USB adapter that was pulled out
  damage BER DROP SEED   what --ber, --drop and --seed say, from now on
  stats       counters of both directions as JSON, those of the receiver's UART as TIOCGICOUNT has them
  quit
`;

/** The speed as a code. stty does not show a speed that is a number. */
const B115200 = 0o10002;
const PR_SET_TIMERSLACK = 29;
const SYS_PPOLL = { x64: 271, arm64: 73 }[process.arch as string];
/** The longest sleep. A signal that arrives outside ppoll is noticed after this time at the latest. */
const MAX_SLEEP_MS = 200;
/** How often a side that no program had open is checked. */
const CLOSED_CHECK_MS = 2;
const MAX_SEED = 2 ** 32 - 1;

/**
 * One end: the pty whose slave a program opens, the wire that starts here, and the data that its tty has not taken yet.
 */
interface End {
  readonly name: "a" | "b";
  readonly link: string;
  readonly slave: string;
  /** -1 after a hang-up. */
  master: number;
  readonly wire: Wire;
  /** Data from the other end: pending.bytes[pendingAt, pendingEnd). */
  readonly pending: Memory;
  pendingAt: number;
  pendingEnd: number;
  /** True when no program has the slave open. It is checked again at `checkAt`. */
  closed: boolean;
  checkAt: number;
}

function makeRaw(slave: string): void {
  const fd = openFd(slave, O.RDWR | O.NOCTTY);
  const termios = readTermios(fd);
  const cflag = B115200 | CFLAG.CS8 | CFLAG.CREAD | CFLAG.CLOCAL;
  Object.assign(termios, { iflag: 0, oflag: 0, lflag: 0, cflag, ispeed: 115200, ospeed: 115200 });
  termios.cc[CC.VMIN] = 1;
  termios.cc[CC.VTIME] = 0;
  writeTermios(fd, termios, "now");
  // Do not keep the slave open. A pty keeps its settings while the master is open, and a hang-up shows that nobody
  // listens.
  closeFd(fd);
}

function link(path: string, target: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(path);
  symlinkSync(target, path);
}

function unlink(path: string, target: string): void {
  const ours = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(path) === target;
  if (ours) rmSync(path);
}

function numberOf(text: string | undefined, name: string, max: number): number {
  const number = Number(text ?? 0);
  if (!(number >= 0 && number <= max)) throw new Error(`--${name}: ${text} is not a number from 0 to ${max}`);
  return number;
}

/** The relay. `step` does one turn: deliver data, sleep until something happens, take data. */
class Cable {
  readonly ends: readonly [End, End];
  stopped = false;
  readonly #polls = new Memory(3 * 8);
  readonly #timeout = new Memory(16);
  readonly #probe = new Memory(8);
  readonly #chunk = new Memory(65536);
  #stdin = 0;
  #command = "";

  /** True when the speeds of the ports count. */
  readonly #hasPorts: boolean;

  constructor(links: readonly [string, string], wires: readonly [Wire, Wire], hasPorts: boolean) {
    this.#hasPorts = hasPorts;
    const end = (index: 0 | 1): End => {
      const { master, slave } = openPty();
      makeRaw(slave);
      link(links[index], slave);
      return {
        name: index === 0 ? "a" : "b",
        link: links[index],
        slave,
        master,
        wire: wires[index],
        pending: new Memory(65536),
        pendingAt: 0,
        pendingEnd: 0,
        closed: true,
        checkAt: 0,
      };
    };
    this.ends = [end(0), end(1)];
  }

  step(): void {
    const [a, b] = this.ends;
    const before = performance.now();
    this.#deliver(a, b, before);
    this.#deliver(b, a, before);
    const wakeAt = Math.min(before + MAX_SLEEP_MS, this.#wakeAt(a, b, before), this.#wakeAt(b, a, before));
    this.#sleep(wakeAt);
    this.#readPorts();
    const now = performance.now();
    this.#deliver(a, b, now);
    this.#deliver(b, a, now);
    this.#take(a, 0, now);
    this.#take(b, 1, now);
    if (this.#polls.view.getInt16(2 * 8 + 6, true) !== 0) this.#readCommands();
  }

  /** Reads the settings that programs have made. The master of a terminal reports them as well. */
  #readPorts(): void {
    const [a, b] = this.ends;
    if (!this.#hasPorts || a.master < 0 || b.master < 0) return;
    const [portA, portB] = [portFormat(readTermios(a.master)), portFormat(readTermios(b.master))];
    a.wire.setPorts(portA, portB);
    b.wire.setPorts(portB, portA);
  }

  /** Hands data that has arrived at `to` to its tty, as much as the tty takes. */
  #deliver(from: End, to: End, now: number): void {
    if (!this.#flush(to)) return;
    const count = from.wire.arrived(now);
    if (count === 0 && !from.wire.completes(now)) return;
    to.pendingAt = 0;
    to.pendingEnd = from.wire.deliver(count, this.#isOpen(to), to.pending.bytes, now);
    this.#flush(to);
  }

  /** Returns true when no data is pending. */
  #flush(to: End): boolean {
    if (to.pendingAt < to.pendingEnd && !this.#isOpen(to)) to.pendingAt = to.pendingEnd;
    while (to.pendingAt < to.pendingEnd) {
      const count = libc.write(to.master, to.pending.at(to.pendingAt), to.pendingEnd - to.pendingAt);
      if (count > 0) to.pendingAt += count;
      else if (errno() !== EINTR) return false;
    }
    return true;
  }

  #isOpen(end: End): boolean {
    if (end.master < 0) return false;
    // Check this each time: a pty keeps written data for the next program that opens it.
    const { view, address } = this.#probe;
    view.setInt32(0, end.master, true);
    view.setInt16(4, 0, true);
    check(libc.poll(address, 1, 0), "poll");
    end.closed = (view.getInt16(6, true) & POLLHUP) !== 0;
    return !end.closed;
  }

  #wakeAt(from: End, to: End, now: number): number {
    const due = to.pendingAt < to.pendingEnd ? Infinity : from.wire.dueAt();
    if (!from.closed || from.master < 0) return due;
    if (from.checkAt <= now) {
      from.closed = false; // to be told otherwise by poll
      return due;
    }
    return Math.min(due, from.checkAt);
  }

  #sleep(wakeAt: number): void {
    const { view, address } = this.#polls;
    this.ends.forEach((end, index) => {
      const wanted = (end.wire.room > 0 ? POLLIN : 0) | (end.pendingAt < end.pendingEnd ? POLLOUT : 0);
      // A closed end would report its hang-up in every poll.
      view.setInt32(index * 8, end.closed || end.master < 0 ? -1 : end.master, true);
      view.setInt16(index * 8 + 4, wanted, true);
      view.setInt16(index * 8 + 6, 0, true);
    });
    view.setInt32(16, this.#stdin, true);
    view.setInt16(20, POLLIN, true);
    view.setInt16(22, 0, true);
    const nanoseconds = Math.max(0, Math.ceil((wakeAt - performance.now()) * 1e6));
    this.#timeout.view.setBigInt64(0, BigInt(Math.floor(nanoseconds / 1e9)), true);
    this.#timeout.view.setBigInt64(8, BigInt(nanoseconds % 1e9), true);
    const ready = libc.syscall(SYS_PPOLL!, address, 3, this.#timeout.address, 0, 0);
    if (ready < 0) {
      if (errno() !== EINTR) check(ready, "ppoll");
      for (const at of [6, 14, 22]) view.setInt16(at, 0, true);
    }
  }

  #take(from: End, index: 0 | 1, now: number): void {
    const events = this.#polls.view.getInt16(index * 8 + 6, true);
    if ((events & POLLIN) !== 0) {
      const room = Math.min(from.wire.room, this.#chunk.bytes.length);
      if (room === 0) return;
      const count = libc.read(from.master, this.#chunk.address, room);
      if (count > 0) return from.wire.take(this.#chunk.bytes, count, now);
      const error = errno();
      if (error === EAGAIN || error === EINTR) return;
      if (count < 0 && error !== EIO) check(count, "read", from.slave);
    }
    if ((events & POLLHUP) !== 0) {
      from.closed = true;
      from.checkAt = now + CLOSED_CHECK_MS;
    }
  }

  #readCommands(): void {
    const count = libc.read(this.#stdin, this.#chunk.address, 4096);
    if (count <= 0) {
      this.stopped = true;
      return;
    }
    this.#command += new TextDecoder().decode(this.#chunk.bytes.subarray(0, count));
    const lines = this.#command.split("\n");
    this.#command = lines.pop()!;
    for (const line of lines) say(this.#run(line.trim()));
  }

  #run(command: string): string {
    const [a, b] = this.ends;
    const [verb, ...words] = command.split(" ");
    switch (verb === "damage" ? verb : command) {
      case "cut":
      case "mend":
        a.wire.cut = b.wire.cut = command === "cut";
        return command;
      case "hangup a":
      case "hangup b":
        this.#hangUp(command === "hangup a" ? a : b);
        return command;
      case "damage":
        return this.#damage(words);
      case "stats":
        return JSON.stringify({ ab: a.wire.stats, ba: b.wire.stats });
      case "quit":
        this.stopped = true;
        return command;
      default:
        return `error: no such command: ${command}`;
    }
  }

  #damage([ber, drop, seed]: readonly string[]): string {
    try {
      const [bitErrors, drops] = [numberOf(ber, "ber", 1), numberOf(drop, "drop", 1)];
      const first = 2 * numberOf(seed ?? "1", "seed", MAX_SEED);
      this.ends.forEach(({ wire }, index) => wire.setDamage(bitErrors, drops, new Rng(first + index)));
      return "damage";
    } catch (error) {
      return `error: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  #hangUp(end: End): void {
    if (end.master >= 0) closeFd(end.master);
    end.master = -1;
    end.closed = true;
  }

  close(): void {
    for (const end of this.ends) {
      unlink(end.link, end.slave);
      this.#hangUp(end);
    }
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean" },
      baud: { type: "string" },
      ber: { type: "string" },
      drop: { type: "string" },
      seed: { type: "string" },
      "clean-to": { type: "string" },
    },
  });
  const [linkA, linkB] = positionals;
  if (values.help || linkA === undefined || linkB === undefined || positionals.length > 2) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  if (SYS_PPOLL === undefined) throw new Error(`ppoll's number is not known on ${process.arch}`);
  const hasPorts = values.baud === "ports";
  const baud = hasPorts ? 0 : numberOf(values.baud, "baud", 1e8);
  const damage = { bitErrors: numberOf(values.ber, "ber", 1), drops: numberOf(values.drop, "drop", 1) };
  const seed = numberOf(values.seed ?? "1", "seed", MAX_SEED);
  const clean = values["clean-to"];
  const cleanTo = clean === undefined ? Infinity : numberOf(clean, "clean-to", 1e8);
  const wire = (stream: number): Wire => new Wire({ baud, ...damage, cleanTo, rng: new Rng(2 * seed + stream) });

  const cable = new Cable([linkA, linkB], [wire(0), wire(1)], hasPorts);
  const stop = (): void => void (cable.stopped = true);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  libc.prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
  try {
    say(`ready ${cable.ends[0].slave} ${cable.ends[1].slave}`);
    while (!cable.stopped) {
      cable.step();
      await new Promise(setImmediate);
    }
  } finally {
    cable.close();
  }
  return 0;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`cable: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
