// LCP echoes: they detect a dead peer (RFC 1661 §5.8; pppd's lcp-echo-interval, -failure and -adaptive) and measure how
// long an answer takes (lcp-rtt-file).

import { put32, u32 } from "../bytes/be.ts";
import { EchoTimes } from "./echo-times.ts";

export interface EchoConfig {
  /** Milliseconds between two requests. 0: send none. */
  intervalMs: number;
  /** The number of unanswered requests after which the peer is dead. 0: never. */
  failure: number;
  /** Send a request only when nothing came in since the last one. */
  adaptive: boolean;
}

export interface EchoOwner {
  /** Sends an Echo-Request with our magic number and `data` after it. */
  sendEcho(id: number, data: Uint8Array): void;
  /** Packets of any kind received so far. */
  packetsIn(): number;
  peerDead(unanswered: number, now: number): void;
  wakeAt(at: number): void;
  /**
   * An answer came after this time, and `lost` requests since the answer before it were not answered. With this
   * function, requests carry the time.
   */
  timed?: ((rttMicros: number, lost: number) => void) | undefined;
}

/**
 * pppd writes this number before the time in a request and so recognizes it in the answer: magic, seconds, nanoseconds.
 */
const RTT_MAGIC = 0x19450425;
const STAMP_LENGTH = 12;
/** Marks the requests of {@link Echo.ask}. A number follows. */
const ASK_MAGIC = 0x6e6d3f00;
const ASK_LENGTH = 8;
const NOTHING = new Uint8Array(0);

export class Echo {
  readonly times = new EchoTimes();
  readonly #config: EchoConfig;
  readonly #owner: EchoOwner;
  #id = 0;
  #unanswered = 0;
  #packetsIn = 0;
  /** The number of the last request of ask(), and of the request whose answer is awaited. 0: none. */
  #asked = 0;
  #awaited = 0;

  constructor(config: EchoConfig, owner: EchoOwner) {
    this.#config = config;
    this.#owner = owner;
  }

  /** LCP is up. The first request is sent at once. */
  start(now: number): void {
    this.#unanswered = this.#id = 0;
    this.#packetsIn = -1;
    this.times.forget();
    if (this.#config.intervalMs > 0) this.timeout(now);
  }

  stop(): void {
    this.#owner.wakeAt(Infinity);
    this.#awaited = 0;
  }

  /** Sends an extra request. Its answer shows that the peer has handled all packets before it. */
  ask(now: number): void {
    this.#awaited = this.#asked = (this.#asked + 1) >>> 0 || 1;
    const data = new Uint8Array(ASK_LENGTH);
    put32(data, put32(data, 0, ASK_MAGIC), this.#awaited);
    this.#send(data, now);
  }

  /** True for the answer that ask() waits for. It is then no longer awaited. */
  isAnswer(data: Uint8Array): boolean {
    if (this.#awaited === 0 || data.length < ASK_LENGTH) return false;
    if (u32(data, 0) !== ASK_MAGIC || u32(data, 4) !== this.#awaited) return false;
    this.#awaited = 0;
    return true;
  }

  /** An Echo-Reply came, with `data` after the peer's magic number. */
  answered(now: number, data: Uint8Array, id: number): void {
    const lost = Math.max(0, this.#unanswered - 1);
    this.#unanswered = 0;
    this.times.received(id, lost, now);
    const sentAt = readStamp(data);
    // The peer could have written any time, so a time in the future is ignored.
    if (sentAt !== undefined && sentAt <= now) this.#owner.timed?.(Math.round((now - sentAt) * 1000), lost);
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
    this.#send(this.#owner.timed === undefined ? NOTHING : stamp(now), now);
  }

  #send(data: Uint8Array, now: number): void {
    this.times.sent(this.#id, now);
    this.#owner.sendEcho(this.#id, data);
    this.#id = (this.#id + 1) & 0xff;
  }
}

function stamp(now: number): Uint8Array {
  const data = new Uint8Array(STAMP_LENGTH);
  const seconds = Math.floor(now / 1000);
  put32(data, put32(data, put32(data, 0, RTT_MAGIC), seconds), Math.floor((now - 1000 * seconds) * 1e6));
  return data;
}

/** The time in milliseconds that stamp() wrote. */
function readStamp(data: Uint8Array): number | undefined {
  if (data.length < STAMP_LENGTH || u32(data, 0) !== RTT_MAGIC) return undefined;
  return u32(data, 4) * 1000 + u32(data, 8) / 1e6;
}
