// A network phase without PPP: the line carries packets in another way (SLIP), and the addresses are given. LCP never begins.

import type { LinkEvent } from "./events.ts";
import type { Networks } from "./networks.ts";
import type { GivenTerms } from "./networks-host.ts";

export class GivenPhase {
  /** The line is not PPP's. All other methods return this. */
  isOn = false;
  /** Packets on the line. */
  count = (): { received: number; overlong: number; sent: number } => ({ received: 0, overlong: 0, sent: 0 });
  readonly #networks: () => Networks;
  readonly #emit: (event: LinkEvent) => void;
  #isOver = false;

  constructor(networks: () => Networks, emit: (event: LinkEvent) => void) {
    this.#networks = networks;
    this.#emit = emit;
  }

  /** No packet longer than `mtu` octets is to be sent. Returns why the peer may not use its address. */
  open(terms: GivenTerms, mtu: number, now: number): string | undefined {
    this.isOn = true;
    this.#emit({ type: "phase", phase: "network" });
    this.#emit({ type: "lcp-up", mtu });
    return this.#networks().startGiven(terms, now);
  }

  /** A second call does nothing. */
  close(): boolean {
    if (this.isOn && !this.#isOver) {
      this.hangup();
      this.#emit({ type: "phase", phase: "dead" });
      this.#emit({ type: "terminated", waited: false, byPeer: false });
    }
    return this.isOn;
  }

  /** The line is gone. */
  hangup(): boolean {
    this.#isOver = true;
    if (this.isOn) this.#networks().stopGiven();
    return this.isOn;
  }

  /** Nobody can ask such a peer. */
  awaitPeer(): boolean {
    if (this.isOn) this.#emit({ type: "caught-up" });
    return this.isOn;
  }
}
