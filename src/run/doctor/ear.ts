// What came in at one speed, and whether it was PPP, text or noise.

import { Deframer } from "../../frame/deframer.ts";
import { Heard } from "../../link/heard.ts";
import type { ExaminedPort } from "./examined-port.ts";

export type Kind = "nothing" | "ppp" | "seven bits" | "text" | "noise";

const MOST_KEPT = 256;

export class Ear {
  readonly heard = new Heard();
  /** The first octets. They may show the speed of a slower sender. */
  readonly first: number[] = [];
  readonly #deframer = new Deframer();

  hear(octets: Uint8Array): void {
    for (const octet of octets) if (this.first.length < MOST_KEPT) this.first.push(octet);
    this.heard.octets(octets, 0, octets.length);
    for (let at = 0; at < octets.length;) at = this.#deframer.push(octets, at, octets.length);
  }

  /** Hears everything for so long. Ends sooner once `isEnough`. */
  async listen(port: ExaminedPort, milliseconds: number, isEnough: () => boolean = () => false): Promise<void> {
    const until = port.now() + milliseconds;
    while (port.now() < until && !isEnough()) {
      await port.wait(until - port.now());
      this.hear(port.read());
    }
  }

  get kind(): Kind {
    const { heard } = this;
    if (heard.octetCount === 0) return "nothing";
    if (this.#deframer.stats.frames > 0) return "ppp";
    if (heard.parity !== undefined) return "seven bits";
    return heard.isText ? "text" : "noise";
  }

  /** The far side has our speed. */
  get isUnderstood(): boolean {
    return this.kind === "ppp" || this.kind === "seven bits" || this.kind === "text";
  }

  /** The sentence that pppd has for what came. */
  get summary(): string {
    return this.heard.summary(this.#deframer.stats, 0, false);
  }
}
