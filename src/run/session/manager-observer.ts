// Reports a network phase to the service manager.

import { AWAITS_PEER, type Notifier } from "../notifier.ts";
import { addressTexts, type NetworkDown, type NetworkObserver, type NetworkUp } from "./network-observer.ts";

export class ManagerObserver implements NetworkObserver {
  readonly #notifier: Notifier;
  #hasIpv4 = false;

  constructor(notifier: Notifier) {
    this.#notifier = notifier;
  }

  /** The addresses of IPv4 matter more than those of IPv6. */
  up(event: NetworkUp): void {
    if (event.type === "ipv4-up") this.#hasIpv4 = true;
    else if (this.#hasIpv4) return;
    this.#notifier.status(`up: ${addressTexts(event).join(" <-> ")}`, true);
  }

  down({ protocol, isLast }: NetworkDown): void {
    if (protocol === "ipv4") this.#hasIpv4 = false;
    if (isLast) this.#notifier.status(AWAITS_PEER);
  }
}
