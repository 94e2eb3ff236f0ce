// Has the code of the data path compiled before the first packet needs it. The runtime compiles a function when it has run
// often enough, on threads of its own. A packet that comes meanwhile costs several times its price, and takes longer.
//
// So packets go round in a Circuit, in turns in which the real loop has nothing to do, a few milliseconds at a time.

import type { LinkConfig } from "../../link/link-host.ts";
import type { Networks } from "../../link/networks.ts";
import type { Machine } from "../machine.ts";
import { Circuit } from "./circuit.ts";
import type { IdleWork, LoopOwner } from "./loop.ts";

/** After so many rounds of the loop the runtime has asked for the code of all that it uses, and has it. */
const ROUNDS = 2400;
/** After the code was given back. */
const LAST_ROUNDS = 40;
/** How long one turn may last. */
const TURN_MS = 2;
/** The threads that compile get this time from one turn to the next. */
const PAUSE_MS = 5;
/** Where real packets pass, the line is to be quiet for so long. They have the code compiled too. */
const QUIET_MS = 50;
/** How often to look whether compression was agreed on, and for how long once the link is up. */
const LOOK_MS = 50;
const LATE_MS = 500;

/** The code serves all sessions of this process. */
let isDone = false;

export interface WarmUpHost {
  readonly machine: Machine;
  readonly config: LinkConfig;
  /** The network phase of the real link. */
  readonly networks: Networks;
  /** The owner of the real loop. */
  readonly owner: LoopOwner;
  /** The speed of the real line is known. */
  readonly isPaced: boolean;
}

export class WarmUp implements IdleWork {
  readonly #host: WarmUpHost;
  #circuit: Circuit | undefined;
  /** The kinds of compression that packets have gone round with. */
  readonly #kinds = new Set<string>();
  #rounds = ROUNDS;
  /** Real packets before the last turn. */
  #packets = 0;
  /** When nothing more is waited for. */
  #endsAt = Infinity;

  /** Undefined: there is nothing to do. */
  static of(host: WarmUpHost): WarmUp | undefined {
    return isDone || host.machine.descriptors.loopback === undefined ? undefined : new WarmUp(host);
  }

  constructor(host: WarmUpHost) {
    this.#host = host;
  }

  get pauseMs(): number {
    if (this.#rounds > 0) return this.#realPackets === this.#packets ? PAUSE_MS : QUIET_MS;
    return this.#host.networks.up ? LOOK_MS : Infinity;
  }

  get #realPackets(): number {
    const { packetsIn, packetsOut } = this.#host.networks.traffic;
    return packetsIn + packetsOut;
  }

  async turn(): Promise<boolean> {
    isDone = true;
    this.#packets = this.#realPackets;
    const circuit = (this.#circuit ??= this.#openCircuit());
    if (circuit === undefined) return false;
    const now = this.#host.machine.clock.now();
    if (this.#rounds === 0 && !this.#takesMore(circuit, now) && now >= this.#endsAt) await this.#finish(circuit);
    if (this.#rounds > 0) {
      const before = circuit.rounds;
      await circuit.run(TURN_MS, this.#rounds);
      this.#rounds -= circuit.rounds - before;
    }
    return this.#circuit !== undefined;
  }

  #openCircuit(): Circuit | undefined {
    const { machine, config, owner, isPaced } = this.#host;
    const fds = [machine.descriptors.loopback?.() ?? -1, machine.descriptors.loopback?.() ?? -1];
    if (fds.every((fd) => fd >= 0)) return new Circuit(machine, config, owner, isPaced, fds);
    for (const fd of fds) if (fd >= 0) machine.descriptors.close(fd);
    return undefined;
  }

  /** The packets go round again with what the peer has agreed to meanwhile. False: there is nothing new. */
  #takesMore(circuit: Circuit, now: number): boolean {
    const { networks } = this.#host;
    if (networks.up) this.#endsAt = Math.min(this.#endsAt, now + LATE_MS);
    const method = networks.methods.find(({ kind }) => !this.#kinds.has(kind));
    if (method === undefined) return false;
    this.#kinds.add(method.kind);
    circuit.use(method);
    this.#rounds = ROUNDS;
    return true;
  }

  /** Gives back the memory that the compilers' code has taken, and has the code of the data path read again. */
  async #finish(circuit: Circuit): Promise<void> {
    this.#host.machine.processes.dropCode?.();
    await circuit.run(TURN_MS, LAST_ROUNDS);
    this.end();
  }

  end(): void {
    this.#circuit?.close();
    this.#circuit = undefined;
  }
}
