// LCP echoes: finding out that the peer is gone (RFC 1661 §5.8; pppd's lcp-echo-interval, -failure and -adaptive).

export interface EchoConfig {
  /** 0: ask nothing. */
  intervalMs: number;
  /** Unanswered requests that mean the peer is dead; 0: never. */
  failure: number;
  /** Ask only when nothing came in since the last time. */
  adaptive: boolean;
}

export interface EchoOwner {
  sendEcho(id: number): void;
  /** Packets of any kind received so far. */
  packetsIn(): number;
  peerDead(unanswered: number, now: number): void;
  wakeAt(at: number): void;
}

export class Echo {
  readonly #config: EchoConfig;
  readonly #owner: EchoOwner;
  #id = 0;
  #unanswered = 0;
  #packetsIn = 0;

  constructor(config: EchoConfig, owner: EchoOwner) {
    this.#config = config;
    this.#owner = owner;
  }

  /** LCP is up: the first request goes out at once. */
  start(now: number): void {
    this.#unanswered = this.#id = 0;
    this.#packetsIn = -1;
    if (this.#config.intervalMs > 0) this.timeout(now);
  }

  stop(): void {
    this.#owner.wakeAt(Infinity);
  }

  answered(): void {
    this.#unanswered = 0;
  }

  timeout(now: number): void {
    const { intervalMs, failure, adaptive } = this.#config;
    if (failure > 0 && this.#unanswered >= failure) {
      const unanswered = this.#unanswered;
      this.#unanswered = 0;
      this.#owner.peerDead(unanswered, now);
      return;
    }
    this.#owner.wakeAt(now + intervalMs);
    const packetsIn = this.#owner.packetsIn();
    const busy = adaptive && packetsIn !== this.#packetsIn && this.#packetsIn >= 0;
    this.#packetsIn = packetsIn;
    if (busy) {
      this.#unanswered = 0;
      return;
    }
    this.#unanswered++;
    this.#owner.sendEcho(this.#id);
    this.#id = (this.#id + 1) & 0xff;
  }
}
