// `demand` between links: the interface is there, and the session waits for a packet that is worth the next link.

import { Exit } from "../exit.ts";
import type { Log } from "../log.ts";
import type { Clock, Machine } from "../machine.ts";
import type { Notifier } from "../notifier.ts";
import { Demand, type DemandHost } from "../packets/demand.ts";
import type { Interface } from "../packets/interface.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";

export interface StandByHost extends DemandHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly notifier: Notifier;
  openInterface(): Interface;
  setStatus(exit: Exit): void;
  /** Nothing more is tried. */
  quitting(): boolean;
  /** When the program of the last line will be ended; Infinity: it need not be. */
  programEndsAt(): number;
}

export class StandBy {
  readonly #host: StandByHost;
  readonly #clock: Clock;
  #demand: Demand | undefined;
  #isDormant = false;
  /** The next link needs no packet. */
  #startsLink = false;

  constructor(host: StandByHost) {
    this.#host = host;
    this.#clock = host.machine.clock;
  }

  /** The interface, while it is held open. */
  get port(): Demand | undefined {
    return this.#demand;
  }

  /** It waits for a packet. */
  get isDormant(): boolean {
    return this.#isDormant;
  }

  /** Ends the wait for a packet, or the next one, as if there were a packet. */
  startLink(): void {
    this.#startsLink = true;
  }

  /** Waits for a packet worth a link. False: there will be none. Throws Failed. */
  async awaitPacket(): Promise<boolean> {
    const { options, log, notifier, setStatus, quitting } = this.#host;
    for (;;) {
      if (this.#demand?.gone === true) this.end();
      const demand = this.#demand ?? (await this.#open());
      if (quitting()) return false;
      setStatus(Exit.OK);
      notifier.status(`waiting for traffic on ${demand.name}`);
      this.#isDormant = true;
      const found = await demand.awaitPacket(
        () => this.#isOver(),
        () => Math.min(this.#host.programEndsAt(), notifier.beatAt),
      );
      this.#isDormant = false;
      if (found === "packet" || this.#startsLink) break;
      if (found === "stopped") return false;
      log.write("error", `Interface ${demand.name} has been removed`);
      setStatus(Exit.FATAL);
      demand.gone = true;
      if (!options.config.persist) return false;
    }
    this.#startsLink = false;
    log.write("info", "Starting link");
    return true;
  }

  /** Packets that waited for a link that has failed would only bring about the next failure. */
  discard(): void {
    this.#demand?.discard();
  }

  /** Takes the interface away. A second call does nothing. */
  end(): void {
    const demand = this.#demand;
    this.#demand = undefined;
    demand?.end();
  }

  async #open(): Promise<Demand> {
    const demand = (this.#demand = new Demand(this.#host, this.#host.openInterface()));
    await demand.setUp();
    return demand;
  }

  /** The loop does not run meanwhile, so the signs of life are given here. */
  #isOver(): boolean {
    const { notifier, quitting } = this.#host;
    const now = this.#clock.now();
    if (notifier.beatAt <= now) notifier.beat(now);
    return quitting() || this.#startsLink;
  }
}
