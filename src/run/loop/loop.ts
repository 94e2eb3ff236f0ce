// The loop that joins lines to the packet port: one poll over all of them, one read each way, and a turn for the runtime
// (Bun) when it has something to do. ARCHITECTURE.md has the figures that chose it over Bun's own readiness.

import { type Clock, type Descriptors, type Machine, Poll, type PollSet } from "../machine.ts";
import { MAX_PACKET } from "../packets/port.ts";
import { type LinePort, type LineStage, READS_A_TURN } from "./line-port.ts";
import type { Carrier, PacketPump } from "./packet-pump.ts";

/** The runtime's own descriptors are undocumented. If none is found, it gets its turn this often. */
const RUNTIME_TURN_MS = 100;
/** However busy the lines are, signals and children are looked after this often. */
const YIELD_MS = 20;
/** The descriptors of the packet port and its tap. */
const PACKETS = 2;
/** A poll that took longer has waited: nothing was busy, and the runtime's descriptors would have ended the wait. */
const WAITED_MS = 0.05;

/** What the owner of a loop is asked and told. */
export interface LoopOwner {
  /** Called on every round: takes events and looks at the owner's deadlines. */
  settle(now: number): void;
  /** The owner's own nearest deadline. */
  nextDeadline(): number;
  /** The runtime has a timer or a promise that no descriptor tells of: it gets its turn this often. Infinity: it has none. */
  turnMs(): number;
  /** Somebody removed the interface. */
  interfaceLost(now: number): void;
}

/** What is done in turns in which nothing else is to be done. */
export interface IdleWork {
  /** How long nothing is to be ready before a turn. Infinity: it waits for something. */
  readonly pauseMs: number;
  /** Does a little of it. False: that was all. */
  turn(): Promise<boolean>;
  /** A second call does nothing. */
  end(): void;
}

export class Loop {
  idleWork: IdleWork | undefined;

  readonly #clock: Clock;
  readonly #descriptors: Descriptors;
  readonly #pump: PacketPump;
  readonly #owner: LoopOwner;
  /** Descriptors of the runtime. */
  readonly #runtime: readonly number[];
  #ports: LinePort[] = [];
  /** Those that are written to elsewhere than they are read from. */
  #split: LinePort[] = [];
  #poll: PollSet;
  #yieldedAt = 0;

  constructor({ clock, descriptors }: Machine, pump: PacketPump, owner: LoopOwner) {
    this.#clock = clock;
    this.#descriptors = descriptors;
    this.#pump = pump;
    this.#owner = owner;
    this.#runtime = descriptors.runtimeEvents();
    this.#poll = this.#pollSet(undefined);
  }

  /** The packet port and its tap come first, then the runtime's descriptors, then the lines, then where split lines are written to. */
  #pollSet(replaced: PollSet | undefined): PollSet {
    this.#split = this.#ports.filter(({ fd, writeFd }) => fd !== writeFd);
    const fds = [
      -1,
      -1,
      ...this.#runtime,
      ...this.#ports.map(({ fd }) => fd),
      ...this.#split.map(({ writeFd }) => writeFd),
    ];
    return this.#descriptors.pollSet(fds, replaced);
  }

  /** A line to look after from now on. */
  add(port: LinePort): void {
    this.#ports.push(port);
    this.#poll = this.#pollSet(this.#poll);
  }

  /** Lets go of a line. What its stage has said goes out first. */
  remove(port: LinePort): void {
    if (!this.#ports.includes(port)) return;
    port.drain(this.#clock.now(), true);
    this.#ports = this.#ports.filter((one) => one !== port);
    port.isBlocked = false;
    this.#poll = this.#pollSet(this.#poll);
  }

  /** Another stage has the line from now on, and the octets that the last one has left. */
  handOver(port: LinePort, stage: LineStage, now: number): void {
    port.stage = stage;
    this.#pump.deliver(port, now);
  }

  /** Something else carries the packets of the interface from now on. */
  carryBy(carrier: Carrier): void {
    this.#pump.carrier = carrier;
  }

  /** Carries packets until there is no line left. */
  async run(): Promise<void> {
    const owner = this.#owner;
    const pump = this.#pump;
    const clock = this.#clock;
    this.#yieldedAt = clock.now();
    for (;;) {
      owner.settle(clock.now());
      // This comes after settle(), because the owner may have had the links say something.
      const before = clock.now();
      this.#flush(before);
      if (this.#ports.length === 0) return;
      const poll = this.#poll;
      const isHungry = pump.isHungry(this.#ports, before);
      const hasKept = isHungry && pump.hasKept;
      if (isHungry && !hasKept) pump.starves(this.#ports);
      this.#ask(poll, isHungry, before);
      const polled = this.#descriptors.poll(poll, hasKept ? 0 : this.#patience(before, isHungry));
      // The real machine has waited already. A promise on every round would cost more than the poll.
      const ready = typeof polled === "number" ? polled : await polled;
      const now = clock.now();
      if (now - before > WAITED_MS) {
        pump.rested();
        this.#yieldedAt = now;
      }
      const isOpen = ready <= 0 || this.#serve(poll, now);
      const isReady = ready > 0 && isOpen && poll.got(0) !== 0;
      if (isReady && pump.isIdle) pump.idle(now);
      else if (hasKept || isReady) pump.take(this.#ports, now);
      this.#handleTimeouts(now);
      if (ready === 0 && this.idleWork !== undefined) await this.#workIdly(this.idleWork, now - before);
      if (ready < 0 || owner.turnMs() < Infinity || this.#runtimeIsReady(poll) || now - this.#yieldedAt > YIELD_MS) {
        await clock.turn();
        this.#yieldedAt = clock.now();
      }
    }
  }

  /** Nothing was ready for so long. */
  async #workIdly(work: IdleWork, waited: number): Promise<void> {
    if (waited >= work.pauseMs && !(await work.turn())) this.idleWork = undefined;
  }

  /** Writes what the stages have put out. */
  #flush(now: number): void {
    this.#pump.carrier.flush(now);
    for (const port of this.#ports) {
      port.stage.flush(now);
      port.drain(now);
    }
  }

  /** What is waited for at each descriptor. */
  #ask(poll: PollSet, isHungry: boolean, now: number): void {
    const first = PACKETS + this.#runtime.length;
    const last = first + this.#ports.length;
    const takesPackets = isHungry || this.#pump.isIdle || this.#pump.readsAhead(this.#ports);
    poll.setFd(0, takesPackets ? this.#pump.fd : -1);
    poll.setFd(1, this.#pump.tapFd);
    for (let at = 0; at < this.#ports.length; at++) {
      const port = this.#ports[at]!;
      const mayRead = port.mayRead(now);
      const writes = port.isBlocked && port.fd === port.writeFd;
      poll.want(first + at, (mayRead ? Poll.IN : 0) | (writes ? Poll.OUT : 0));
      poll.setFd(first + at, mayRead || writes ? port.fd : -1);
    }
    // Where nothing is asked, what comes is an error.
    for (let at = 0; at < this.#split.length; at++) poll.want(last + at, this.#split[at]!.isBlocked ? Poll.OUT : 0);
  }

  /** Serves the lines that are ready. False: the interface was removed. */
  #serve(poll: PollSet, now: number): boolean {
    const ports = this.#ports;
    const split = this.#split;
    const first = PACKETS + this.#runtime.length;
    const last = first + ports.length;
    for (let at = 0; at < ports.length; at++) {
      const events = poll.got(first + at);
      if (events & Poll.OUT) ports[at]!.isBlocked = false;
      // A full port that has hung up would stay ready.
      const isLost = (events & (Poll.HUP | Poll.ERR)) !== 0 && ports[at]!.isFull;
      if (events & (Poll.IN | Poll.HUP | Poll.ERR) && (isLost || !this.#readLine(ports[at]!, now)))
        this.#lose(ports[at]!, now);
    }
    for (let at = 0; at < split.length; at++) {
      const events = poll.got(last + at);
      if (events & (Poll.ERR | Poll.HUP)) this.#lose(split[at]!, now);
      else if (events & Poll.OUT) split[at]!.isBlocked = false;
    }
    if (poll.got(1) !== 0) this.#pump.collect(now);
    if ((poll.got(0) & Poll.ERR) === 0) return true;
    // Its descriptor would stay ready.
    this.#pump.carry(false);
    this.#owner.interfaceLost(now);
    return false;
  }

  /** False: the line has hung up. */
  #readLine(port: LinePort, now: number): boolean {
    for (let reads = 0; reads < READS_A_TURN; reads++) {
      const reading = port.read(now);
      if (reading === "gone") return false;
      if (reading === "nothing") return true;
      this.#pump.deliver(port, now);
      if (reading === "some") return true;
    }
    return true;
  }

  #lose(port: LinePort, now: number): void {
    if (!this.#ports.includes(port)) return;
    this.remove(port);
    port.hungUp(now);
  }

  #handleTimeouts(now: number): void {
    const { carrier, isBundle } = this.#pump;
    if (this.#pump.nextTimeout() <= now) this.#pump.handleTimeout(now);
    if (carrier.nextTimeout() <= now) carrier.handleTimeout(now);
    for (const port of this.#ports) {
      if (port.stage.nextTimeout() <= now) port.stage.handleTimeout(now);
      // A bundle may have given up waiting for a fragment.
      if (isBundle) this.#pump.deliver(port, now);
    }
  }

  /** Milliseconds until something is due. */
  #patience(now: number, isHungry: boolean): number {
    const { carrier, carrying } = this.#pump;
    const hasRoom = carrier.hasRoom(MAX_PACKET);
    let at = Math.min(carrier.nextTimeout(), this.#pump.nextTimeout(), this.#owner.nextDeadline());
    for (const port of this.#ports) {
      at = Math.min(at, port.stage.nextTimeout(), now + port.heldUpFor(now));
      // A link without room wants no packet: its line is blocked, or its packets wait.
      if (carrying && !isHungry && hasRoom) at = Math.min(at, now + port.hungryIn(now));
    }
    if (this.idleWork !== undefined) at = Math.min(at, now + this.idleWork.pauseMs);
    at = Math.min(at, now + (this.#runtime.length === 0 ? RUNTIME_TURN_MS : this.#owner.turnMs()));
    return at - now;
  }

  #runtimeIsReady(poll: PollSet): boolean {
    if (this.#runtime.length === 0) return true;
    for (let at = 0; at < this.#runtime.length; at++) if (poll.got(PACKETS + at) !== 0) return true;
    return false;
  }
}
