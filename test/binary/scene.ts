// A scene for failure tests: a machine with our pppd, and the test itself at the other end of its line. It also lists
// everything that a pppd must not leave behind.

import { readdirSync, readFileSync } from "node:fs";
import { closeFd, EAGAIN, EINTR, errno, libc, Memory, O, openFd, POLLIN, POLLOUT } from "../../src/os/ffi/libc.ts";
import { openPty } from "../../src/os/serial/pty.ts";
import { IFLAG, LFLAG, readTermios, setSpeed, type Termios, writeTermios } from "../../src/os/serial/termios.ts";
import { linkConfig, Side } from "../kit/pair.ts";
import { stopOutput } from "../kit/flow.ts";
import { type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { built, Program, type ProgramOptions } from "../kit/program.ts";
import { until } from "../kit/patience.ts";
import { Rng } from "../kit/rng.ts";

/** Why no scene can be made here, or undefined. */
export const missing: string | undefined = machinesMissing() ?? tunMissing();

/** The name of a test, with the reason when it is skipped. */
export function titled(name: string, reason: string | undefined = missing): string {
  return reason === undefined ? name : `${name} [skipped: ${reason}]`;
}

export const pppdPath = (): string => built("pppd");

export { until };

type SideConfig = Parameters<typeof linkConfig>[0];

const TURN_MS = 2;
const CHUNK = 65536;

/** The test's end of a pty: silent, a peer that speaks PPP, or one that sends noise. */
export class FarSide {
  readonly tty: string;
  #peer: Side | undefined;
  #answering = true;
  #reading = true;
  #echoing = false;
  /** The octets for which the line had no room yet. */
  #pending: Uint8Array = new Uint8Array(0);
  readonly #master: number;
  readonly #memory = new Memory(CHUNK);
  readonly #poll = new Memory(8);
  #timer: Timer | undefined;
  #open = true;

  constructor() {
    const { master, slave } = openPty();
    this.#master = master;
    this.tty = slave;
    // Settings that differ from pppd's own.
    const fd = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
    const termios = readTermios(fd);
    termios.lflag = LFLAG.ICANON | LFLAG.ISIG;
    termios.iflag = IFLAG.IXON;
    termios.oflag = 0;
    setSpeed(termios, 9600);
    writeTermios(fd, termios, "now");
    closeFd(fd);
    this.#timer = setInterval(() => this.#turn(), TURN_MS);
  }

  /** Speaks PPP from now on. */
  answer(config: SideConfig = {}): Side {
    const peer = new Side(linkConfig(config), new Rng(1));
    this.#peer = peer;
    peer.link.open(performance.now());
    return peer;
  }

  /** Answers nothing any more, but still reads the line. */
  fallSilent(): void {
    this.#answering = false;
  }

  /** From now on the line takes nothing, as with XOFF, with a low CTS, or when no program reads the buffers. */
  stop(how: "flow" | "reader"): void {
    if (how === "reader") {
      this.#reading = false;
      return;
    }
    const fd = openFd(this.tty, O.RDWR | O.NOCTTY | O.NONBLOCK);
    stopOutput(fd);
    closeFd(fd);
  }

  /** Sends back everything it receives, like a looped line. */
  echo(): void {
    this.#echoing = true;
  }

  /** Sends an IP packet. */
  send(packet: Uint8Array): void {
    this.#peer!.send(packet, performance.now());
  }

  /** The line is gone for good. */
  hangUp(): void {
    if (!this.#open) return;
    clearInterval(this.#timer);
    this.#open = false;
    closeFd(this.#master);
  }

  #turn(): void {
    this.#read();
    const peer = this.#peer;
    if (peer === undefined || !this.#answering) return;
    const now = performance.now();
    if (peer.link.nextTimeout() <= now) peer.link.handleTimeout(now);
    peer.collect();
    if (this.#pending.length === 0) this.#pending = peer.drain(now);
    this.#pending = this.#pending.subarray(this.#write(this.#pending));
  }

  #read(): void {
    while (this.#reading) {
      const got = libc.read(this.#master, this.#memory.address, CHUNK);
      if (got <= 0) return;
      if (this.#echoing) libc.write(this.#master, this.#memory.address, got);
      if (this.#answering) this.#peer?.take(this.#memory.bytes.slice(0, got), performance.now());
    }
  }

  /** How many of the bytes were sent. All count as sent when no program has the line open. */
  #write(bytes: Uint8Array): number {
    if (bytes.length === 0) return 0;
    const piece = new Memory(bytes.length);
    piece.bytes.set(bytes);
    const put = libc.write(this.#master, piece.address, bytes.length);
    if (put >= 0) return put;
    return errno() === EAGAIN ? 0 : bytes.length;
  }

  /** Repeats `piece` up to `total` bytes as fast as they are taken, and sends a flag. */
  async flood(piece: Uint8Array, total: number): Promise<void> {
    const long = new Uint8Array(Math.max(1, Math.floor(CHUNK / piece.length)) * piece.length);
    for (let at = 0; at < long.length; at += piece.length) long.set(piece, at);
    await this.#say(long, total);
    await this.#say(Uint8Array.of(0x7e), 1);
  }

  async #say(piece: Uint8Array, total: number): Promise<void> {
    const memory = new Memory(piece.length);
    memory.bytes.set(piece);
    const { view, address } = this.#poll;
    for (let sent = 0, at = 0; sent < total;) {
      view.setInt32(0, this.#master, true);
      view.setInt16(4, POLLIN | POLLOUT, true);
      libc.poll(address, 1, 20);
      if (view.getInt16(6, true) & POLLIN) this.#read();
      const put = libc.write(this.#master, memory.at(at), Math.min(piece.length - at, total - sent));
      if (put > 0) {
        sent += put;
        at = (at + put) % piece.length;
      } else {
        const error = errno();
        if (error !== EAGAIN && error !== EINTR) throw new Error(`nobody hears the flood: errno ${error}`);
      }
      await new Promise(setImmediate);
    }
  }
}

/** Everything of a machine that a session can change, one line each. */
export async function traces(machine: Machine, tty?: string): Promise<string[]> {
  const shown = await Promise.all([
    machine.run("ip", "-o", "addr", "show", "scope", "global"),
    machine.run("ip", "route", "show", "table", "all"),
    machine.run("ip", "neigh", "show", "proxy"),
    machine.run("cat", "/proc/sys/net/ipv4/ip_forward"),
  ]);
  const files = ["/run", "/run/lock"].flatMap((folder) =>
    readdirSync(machine.path(folder)).map((name) => `${folder}/${name}`),
  );
  const lines = shown.flatMap(({ stdout }) => stdout.split("\n")).filter((line) => line !== "");
  const commands = machine.processes().map(({ command }) => `process ${command}`);
  return [
    ...machine.interfaces(),
    ...lines,
    ...files.sort(),
    ...commands,
    ...(tty === undefined ? [] : [settings(tty)]),
  ];
}

/** The settings of a terminal that no program has open. */
function settings(tty: string): string {
  const fd = openFd(tty, O.RDWR | O.NOCTTY | O.NONBLOCK);
  const { iflag, oflag, cflag, lflag, ispeed, ospeed, cc }: Termios = readTermios(fd);
  closeFd(fd);
  return `tty ${[iflag, oflag, cflag, lflag].map((word) => word.toString(16)).join(" ")} ${ispeed} ${ospeed} ${[...cc]}`;
}

/** A machine, its line, and the test at the far side of the line. */
export class Scene {
  readonly far: FarSide;
  readonly machine: Machine;
  #before: readonly string[] = [];
  readonly #programs: Program[] = [];

  constructor(far: FarSide, machine: Machine) {
    this.far = far;
    this.machine = machine;
  }

  /** The test's line is its ttyS1. `ttys` are further ones. */
  static async open(files: Readonly<Record<string, string>> = {}, ttys: Readonly<Record<string, string>> = {}) {
    const far = new FarSide();
    const machine = await openMachine("trouble", { ttys: { ttyS1: far.tty, ...ttys }, files });
    const scene = new Scene(far, machine);
    await scene.remember();
    return scene;
  }

  /** Takes the present state as the state to return to. */
  async remember(): Promise<void> {
    this.#before = await traces(this.machine, this.far.tty);
  }

  /** Starts pppd in the foreground on the line with these words added, logging to stdout. */
  pppd(words: readonly string[], options: ProgramOptions = {}): Program {
    return this.run(
      [pppdPath(), "/dev/ttyS1", "115200", "local", "lock", "noauth", "nodetach", "debug", ...words],
      options,
    );
  }

  run(argv: readonly string[], options: ProgramOptions = {}): Program {
    const program = new Program(argv, { machine: this.machine, ...options });
    this.#programs.push(program);
    return program;
  }

  /** The differences from the kept state, which must disappear soon. `hungUp`: the line itself is gone. */
  async leftBehind(hungUp = false): Promise<string[]> {
    let difference: string[] = [];
    const look = async (): Promise<boolean> => {
      const after = await traces(this.machine, hungUp ? undefined : this.far.tty);
      const before = hungUp ? this.#before.filter((line) => !line.startsWith("tty ")) : this.#before;
      const more = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
      const less = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`);
      difference = [...more, ...less];
      return difference.length === 0;
    };
    await until("nothing left behind", look, 2000).catch(() => {});
    return difference;
  }

  async close(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop(8000)));
    this.far.hangUp();
    await this.machine.close();
  }
}

/** The resident memory of a process in kilobytes. */
export function residentKb(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]);
}

/** The number of consecutive looks at which a process must be asleep. One that polls without end is found running. */
const LOOKS = 20;

/** Resolves when a process has nothing to do. The speed of the machine makes no difference. */
export async function asleep(pid: number): Promise<void> {
  let looks = 0;
  await until(`process ${pid} sleeps`, () => {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    looks = stat.slice(stat.lastIndexOf(")")).startsWith(") S") ? looks + 1 : 0;
    return looks === LOOKS;
  });
}

/** How often a process has gone to sleep since its start. */
export function sleeps(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)![1]);
}
