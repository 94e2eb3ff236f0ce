// Whether a link has died of a fault, and of which. An end that was asked for, by either side, is none. Neither is the end of
// an attempt in which the peer was never heard: no link has died there.

import type { LinkEvent } from "../../link/events.ts";

export class LinkFault {
  #isAsked = false;
  #fault: string | undefined;
  /** LCP has been up and is not any more: what comes then belongs to an end that one side has asked for. */
  #isEnding = false;

  /** This side ends the link. */
  asked(): void {
    this.#isAsked = true;
  }

  /** The line is gone. */
  hungUp(): void {
    if (!this.#isEnding) this.#set("hang-up");
  }

  event(event: LinkEvent): void {
    if (event.type === "lcp-up" || event.type === "lcp-down") this.#isEnding = event.type === "lcp-down";
    else if (event.type === "failure") this.#set(event.failure);
    else if (event.type === "terminated" && event.waited && !event.byPeer) this.#set("lcp-timeout");
  }

  #set(fault: string): void {
    if (!this.#isAsked) this.#fault ??= fault;
  }

  /** `framesReceived`: the good frames of the attempt. */
  of(framesReceived: number): string | undefined {
    return framesReceived === 0 ? undefined : this.#fault;
  }
}
