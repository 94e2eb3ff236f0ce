// The limits of time and traffic that end a link: `idle`, `maxconnect`, `maxoctets`.

import type { Networks } from "../../link/networks.ts";
import type { Config } from "../../options/config.ts";
import { Exit } from "../exit.ts";
import type { Log } from "../log.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";

const SECOND = 1000;

export class Limits {
  readonly #options: OptionsInForce;
  readonly #log: Log;
  readonly #networks: Networks;
  #firstUpAt = Infinity;
  #octetsCheckedAt = 0;
  /** One is reached. The link may still be up for a moment: it ends when a trial of `climb` is over. */
  #isReached = false;

  constructor(options: OptionsInForce, log: Log, networks: Networks) {
    this.#options = options;
    this.#log = log;
    this.#networks = networks;
  }

  get #config(): Config {
    return this.#options.config;
  }

  /** The first network protocol is up, or the first again after all were down: as in pppd, the time runs anew. */
  started(now: number): void {
    this.#firstUpAt = now;
    this.#isReached = false;
    this.#octetsCheckedAt = now;
  }

  nextDeadline(): number {
    if (!this.#networks.up || this.#isReached) return Infinity;
    const { idle, maxconnect, maxoctets, moTimeout } = this.#config;
    let at = Infinity;
    if (idle > 0) at = this.#idleAt();
    if (maxconnect > 0) at = Math.min(at, this.#firstUpAt + maxconnect * SECOND);
    if (maxoctets > 0) at = Math.min(at, this.#octetsCheckedAt + moTimeout * SECOND);
    return at;
  }

  /** The limit that is reached, as exit code and as the reason for the peer. The log has it already. */
  reached(now: number): { readonly exit: Exit; readonly reason: string } | undefined {
    const limit = this.#look(now);
    this.#isReached = limit !== undefined;
    return limit;
  }

  #look(now: number): { readonly exit: Exit; readonly reason: string } | undefined {
    const { idle, maxconnect, maxoctets } = this.#config;
    this.#octetsCheckedAt = now;
    if (idle > 0 && now >= this.#idleAt()) {
      this.#log.write("notice", "Terminating connection due to lack of activity.");
      return { exit: Exit.IDLE, reason: "Link inactive" };
    }
    if (maxconnect > 0 && now - this.#firstUpAt >= maxconnect * SECOND) {
      this.#log.write("info", "Connect time expired");
      return { exit: Exit.CONNECT_TIME, reason: "Connect time expired" };
    }
    const used = this.#octets();
    if (maxoctets <= 0 || used <= maxoctets) return undefined;
    this.#log.write("notice", `Traffic limit reached. Limit: ${maxoctets} Used: ${used}`);
    return { exit: Exit.TRAFFIC_LIMIT, reason: "Traffic limit" };
  }

  /** When the link will have been quiet for too long. minconn.so leaves it alone at first. */
  #idleAt(): number {
    const { idle, plugins, minconnect } = this.#config;
    const at = this.#networks.traffic.lastAt + idle * SECOND;
    return plugins.includes("minconn.so") ? Math.max(at, this.#firstUpAt + minconnect * SECOND) : at;
  }

  #octets(): number {
    const { octetsIn, octetsOut } = this.#networks.traffic;
    switch (this.#config.moDirection) {
      case "sum":
        return octetsIn + octetsOut;
      case "in":
        return octetsIn;
      case "out":
        return octetsOut;
      case "max":
        return Math.max(octetsIn, octetsOut);
    }
  }
}
