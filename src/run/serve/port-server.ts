// Serves any number of ports in one process: those that are named, and those that fit a pattern, now or when they are plugged in.

import { Exit } from "../exit.ts";
import type { ControlledLink } from "../control/controlled-link.ts";
import type { Files } from "../host/files.ts";
import type { SignalEvent } from "../host/processes.ts";
import { SharedPoll } from "../loop/shared-poll.ts";
import type { ServeHost } from "./serve-host.ts";
import { Waits } from "../session/waits.ts";
import { PAIR_SLOTS } from "../settings/address-pairs.ts";
import { exitCodeOf, ServedPort } from "./served-port.ts";
import { fits, portName, type PortWish, type ServeWishes } from "./serve-words.ts";

/** The interval between looks for adapters that have been plugged in. */
const LOOK_MS = 500;

export class PortServer {
  readonly #host: ServeHost;
  readonly #wishes: ServeWishes;
  readonly #poll: SharedPoll;
  readonly #waits: Waits;
  readonly #ports = new Map<ServedPort, Promise<void>>();
  readonly #states = new Map<string, string>();
  readonly #said = new Set<string>();
  #exit: Exit | undefined;
  #refused = 0;

  constructor(host: ServeHost, wishes: ServeWishes) {
    this.#host = host;
    this.#wishes = wishes;
    this.#poll = new SharedPoll(host.machine);
    this.#waits = new Waits(this.#poll.machine.clock);
  }

  /** Serves all ports until {@link onSignal} ends them. Returns the exit code. */
  async run(): Promise<number> {
    const { notifier } = this.#host;
    const { clock } = this.#poll.machine;
    const { beatMs } = notifier;
    const endBeats = beatMs === Infinity ? undefined : clock.every(beatMs, () => notifier.beat(clock.now()));
    const isFixed = this.#wishes.ports.every(({ kind }) => kind !== "pattern");
    for (const wish of this.#wishes.ports) if (wish.kind !== "pattern") this.#serve(wish, this.#freeSlot(1));
    for (const wish of this.#wishes.ports)
      if (wish.kind === "pattern" && !this.#look(wish))
        this.#host.print(`${portName(wish)}: no such port is there yet; waiting for it`);
    while (this.#exit === undefined) {
      await this.#waits.sleep(isFixed ? Infinity : LOOK_MS);
      for (const wish of this.#wishes.ports) if (wish.kind === "pattern" && this.#exit === undefined) this.#look(wish);
    }
    for (const port of this.#ports.keys()) port.end();
    await Promise.all(this.#ports.values());
    endBeats?.();
    return this.#exit;
  }

  /** For `nullmodem ctl`. */
  get links(): readonly ControlledLink[] {
    return [...this.#ports.keys()].flatMap(({ controlled }) => controlled ?? []);
  }

  onSignal(event: SignalEvent): void {
    if (event.type === "fatal" || event.name === "SIGTERM" || event.name === "SIGINT") {
      this.#exit = exitCodeOf(event);
      this.#host.notifier.stopping();
      this.#waits.wake();
    }
    for (const port of this.#ports.keys()) port.onSignal(event);
  }

  #serve(wish: PortWish, slot: number): void {
    const host = {
      ...this.#host,
      poll: this.#poll,
      wishes: this.#wishes,
      state: this.#state,
      printOnce: this.#printOnce,
      refused: this.#onRefused,
    };
    const port = new ServedPort(host, wish, slot);
    this.#states.set(port.name, "starts");
    this.#ports.set(port, port.run());
  }

  /** Serves the devices that fit and that are no port of ours. False: none fits. */
  #look({ folder, pattern }: Extract<PortWish, { kind: "pattern" }>): boolean {
    const { files } = this.#host.machine;
    const fitting = namesIn(files, folder)
      .filter((name) => fits(pattern, name))
      .map((name) => `${folder}/${name}`)
      .filter((path) => files.isCharacterDevice(path));
    for (const path of fitting) {
      // Every port is asked, because each notes which adapter it has.
      const owners = [...this.#ports.keys()].filter((port) => port.isAt(path));
      if (owners.length > 0) continue;
      const named = this.#wishes.ports.filter(({ kind }) => kind !== "pattern").length;
      this.#serve({ kind: "device", path }, this.#freeSlot(named + 1 + numberOf(path)));
    }
    return fitting.length > 0;
  }

  /** The wished slot, or the next that no port has. With more ports than slots, some have the same. */
  #freeSlot(wished: number): number {
    const taken = new Set([...this.#ports.keys()].map(({ slot }) => slot));
    for (let tried = 0; tried < PAIR_SLOTS; tried++) {
      const slot = ((wished - 1 + tried) % PAIR_SLOTS) + 1;
      if (!taken.has(slot)) return slot;
    }
    return wished;
  }

  /** Ends when no port can be served: a mistake in the words, or missing rights, would leave a process that serves nothing. */
  readonly #onRefused = (exit: Exit): void => {
    const { ports } = this.#wishes;
    if (++this.#refused < ports.length || ports.some(({ kind }) => kind === "pattern")) return;
    this.#exit ??= exit;
    this.#waits.wake();
  };

  readonly #printOnce = (line: string): void => {
    if (this.#said.has(line)) return;
    this.#said.add(line);
    this.#host.print(line);
  };

  readonly #state = (name: string, text: string): void => {
    this.#states.set(name, text);
    const isUp = [...this.#states.values()].some((one) => one.startsWith("up"));
    this.#host.notifier.status([...this.#states].map(([port, state]) => `${port} ${state}`).join("; "), isUp);
  };
}

/** None when the folder is not there yet, as /dev/serial/by-id is not before the first adapter. */
function namesIn(files: Files, folder: string): string[] {
  try {
    return files.list(folder);
  } catch {
    return [];
  }
}

/** The N of ttyUSB0; of any other name a number that depends on nothing else. So a port has the same addresses each time. */
function numberOf(path: string): number {
  const digits = /(\d{1,2})$/.exec(path)?.[1];
  if (digits !== undefined) return Number(digits);
  let number = 0;
  for (const char of path) number = (number * 31 + char.codePointAt(0)!) % PAIR_SLOTS;
  return number;
}
