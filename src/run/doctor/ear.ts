// What came in at one speed, and whether it was PPP, text or noise.

import { Deframer } from "../../frame/deframer.ts";
import { Heard } from "../../link/heard.ts";
import type { ExaminedPort } from "./examined-port.ts";

/** "framed": PPP's frames, but none without damage. */
export type Kind = "nothing" | "ppp" | "framed" | "text" | "noise";

export class Ear {
  readonly heard = new Heard();
  readonly #deframer = new Deframer();

  hear(octets: Uint8Array): void {
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
    if (heard.parity !== undefined) return "framed";
    return heard.isText ? "text" : "noise";
  }

  /** The far side has our speed. */
  get isUnderstood(): boolean {
    return this.kind === "ppp" || this.kind === "framed" || this.kind === "text";
  }

  /** The sentence that pppd has for what came. */
  get summary(): string {
    return this.heard.summary(this.#deframer.stats, 0, false);
  }
}
