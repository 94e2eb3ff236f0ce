// The serial ports of a simulated computer, as a process sees them: opening, locking, modem lines, adapters.

import type { Adapter, Lock, Serial, Tty, TtySettings } from "../../src/run/host/serial.ts";
import { SimulatedError, SimulatedLockError } from "./errors.ts";
import type { FileTree } from "./files.ts";
import type { ProcessTable } from "./children.ts";
import type { Process } from "./process.ts";
import { type Port, TtyChannel } from "./serial-line.ts";

const DRAIN_POLL_MS = 10;
const MOST_SPEED = 3_000_000;

export function serialOf(ports: readonly Port[], process: Process, table: ProcessTable, files: FileTree): Serial {
  const portAt = (path: string): Port | undefined => ports.find((port) => port.path === path);
  const ttyOf = (fd: number): TtyChannel | undefined => {
    const channel = process.channel(fd);
    return channel instanceof TtyChannel ? channel : undefined;
  };
  return {
    async open(path, settings) {
      const port = portAt(path);
      if (port === undefined) throw new SimulatedError("open", path, "ENOENT");
      if (files.closed.has(path)) throw new SimulatedError("open", path, "EACCES");
      // The adapter's driver takes its time.
      await new Promise<void>((resolve) => void process.clock.after(2, resolve));
      if (port.path !== path) throw new SimulatedError("open", path, "ENODEV");
      if (port.tty !== undefined) throw new SimulatedError("open", path, "EBUSY");
      return new OpenTty(process, port, path, settings);
    },
    adopt: (_fd, path) => {
      throw new SimulatedError("tcgetattr", path, "ENOTTY");
    },
    openPty: () => {
      throw new SimulatedError("open", "/dev/ptmx", "ENOENT");
    },
    stream(fd, writeFd, path, speed) {
      let isOpen = true;
      const close = (): void => {
        if (isOpen) process.close(fd);
        isOpen = false;
      };
      const idle = { configure: () => {}, setExclusive: () => {}, drain: async () => true };
      return { fd, writeFd, path, speed, countsOutput: false, ...idle, close };
    },
    chatTerminal(fd) {
      const tty = ttyOf(fd);
      if (tty === undefined) throw new SimulatedError("TCGETS2", `descriptor ${fd}`, "ENOTTY");
      if (tty.isHungUp) throw new SimulatedError("TCGETS2", tty.port.path ?? "", "EIO");
      return { restore: () => {}, flushOutput: () => tty.port.flushOutput(), sendBreak: () => {} };
    },
    lock: (device) => lock(device, process, table, files),
    modemLines(fd) {
      const tty = ttyOf(fd);
      if (tty === undefined || tty.isHungUp) return undefined;
      const { carrier, hasPeer, dtr } = tty.port;
      return { dtr, rts: true, cts: hasPeer, dsr: carrier, cd: carrier, ri: false };
    },
    setDtr(fd, up) {
      const tty = ttyOf(fd);
      if (tty === undefined || tty.isHungUp) return false;
      tty.port.dtr = up;
      return true;
    },
    lineErrors(fd) {
      const tty = ttyOf(fd);
      if (tty === undefined || tty.isHungUp) return undefined;
      return { frame: 0, overrun: tty.port.overruns, parity: 0, brk: 0, bufOverrun: 0 };
    },
    uartBase: () => undefined,
    uartOf: () => undefined,
    latencyOf: (path) => portAt(path)?.latencyMs,
    setLatency(path, milliseconds) {
      const port = portAt(path);
      if (port !== undefined) port.latencyMs = milliseconds;
      return port !== undefined;
    },
    outputQueued(fd) {
      const tty = ttyOf(fd);
      return tty === undefined || tty.isHungUp ? 0 : tty.port.queued(tty.speed);
    },
    openersOf(path) {
      const thief = portAt(path)?.thief;
      return thief === undefined ? [] : [thief];
    },
    programName: (pid) => (table.running.has(pid) ? "pppd" : ""),
    groupOf: () => "dialout",
    ports: () => ports.flatMap(({ path }) => path ?? []),
    adapterOf(tty) {
      const at = ports.findIndex(({ path }) => path === `/dev/${tty}`);
      return at < 0 ? undefined : adapter(at);
    },
    isSameAdapter: (one, other) => one.port === other.port,
    ttyOfAdapter: ({ port: wanted }) => {
      const found = ports.find((_, at) => adapter(at).port === wanted)?.path;
      return found?.slice("/dev/".length);
    },
  };
}

function adapter(number: number): Adapter {
  return { model: "0403:6001", serial: `A${number}`, port: `1-${number}`, part: "00" };
}

function lock(device: string, { pid }: Process, table: ProcessTable, files: FileTree): Lock {
  const name = device.slice("/dev/".length);
  const path = `/var/lock/LCK..${name}`;
  const holder = Number(files.text(path) ?? 0);
  if (holder !== 0 && table.running.has(holder))
    throw new SimulatedLockError(`Device ${name} is locked by pid ${holder}`, holder);
  if (files.deniesLocks)
    throw new SimulatedLockError(`Can't create lock file ${path}: Permission denied`, undefined, "/var/lock");
  if (files.isFull) throw new SimulatedLockError(`Can't create lock file ${path}: No space left on device`);
  let owner = pid;
  const write = (): void => files.put(path, `${String(owner).padStart(10)}\n`);
  write();
  return {
    pass: (other) => {
      owner = other;
      write();
    },
    notice: holder === 0 ? undefined : `Removed stale lock on ${name} (pid ${holder})`,
    unlock: () => {
      if (Number(files.text(path) ?? 0) === owner) files.remove(path);
    },
  };
}

class OpenTty implements Tty {
  readonly isPty = false;
  readonly countsOutput = true;
  readonly fd: number;
  readonly writeFd: number;
  readonly path: string;
  readonly #process: Process;
  readonly #port: Port;
  readonly #channel: TtyChannel;
  readonly #settings: TtySettings;
  #isOpen = true;

  constructor(process: Process, port: Port, path: string, settings: TtySettings) {
    this.#process = process;
    this.#port = port;
    this.#settings = settings;
    this.path = path;
    this.#channel = new TtyChannel(port, settings.speed || 9600);
    this.fd = this.writeFd = process.open(this.#channel);
    this.configure(false);
  }

  configure(watchCarrier: boolean): void {
    if (this.#channel.isHungUp) return;
    const modem = this.#settings.modem === "if carrier" ? this.#port.carrier : this.#settings.modem;
    this.#channel.watchesCarrier = modem && watchCarrier;
    this.#channel.hangsUpAtClose = modem;
    this.#port.hasForeignSettings = false;
  }

  makeTerminal(): void {}

  get speed(): number {
    return this.#channel.speed;
  }

  setExclusive(): void {}

  setSpeed(speed: number): boolean {
    if (this.#channel.isHungUp || speed > MOST_SPEED) return false;
    this.#port.flushOutput();
    this.#channel.flushInput();
    this.#channel.speed = speed;
    return true;
  }

  hearDamage(on: boolean): void {
    this.#channel.hearsDamage = on;
  }

  async drain(patienceMs: number): Promise<boolean> {
    for (let left = patienceMs; !this.#channel.isHungUp && this.#port.queued(this.speed) > 0; left -= DRAIN_POLL_MS) {
      if (left <= 0) return false;
      await new Promise<void>((resolve) => void this.#process.clock.after(DRAIN_POLL_MS, resolve));
    }
    return true;
  }

  mend(): string[] {
    if (!this.#port.hasForeignSettings || this.#channel.isHungUp) return [];
    this.#port.hasForeignSettings = false;
    return ["ixon"];
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (!this.#channel.isHungUp) this.#port.flushOutput();
    this.#process.close(this.fd);
  }
}
