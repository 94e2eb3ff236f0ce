// Tells the log of flows that a rule refused or for which there was no room: at once, and then at most once a minute of each kind.

import { addressText } from "../../bytes/prefix.ts";
import type { Stack } from "../../stack/stack.ts";
import type { Log } from "../log.ts";
import type { SocketAdapter } from "./socket-adapter.ts";

const EVERY_MS = 60_000;

/** What has been told of one kind. */
interface Told {
  count: number;
  /** Not again before. */
  nextAt: number;
}

export class FlowReport {
  readonly #stack: Stack;
  readonly #adapter: SocketAdapter;
  readonly #log: Log;
  readonly #told = {
    denied: { count: 0, nextAt: -Infinity },
    tcp: { count: 0, nextAt: -Infinity },
    udp: { count: 0, nextAt: -Infinity },
    echoes: { count: 0, nextAt: -Infinity },
    exhausted: { count: 0, nextAt: -Infinity },
  };

  constructor(stack: Stack, adapter: SocketAdapter, log: Log) {
    this.#stack = stack;
    this.#adapter = adapter;
    this.#log = log;
  }

  /** To be called often. */
  look(now: number): void {
    const told = this.#told;
    const { tcp, udp, echoes } = this.#stack.counts;
    if (isNews(told.denied, tcp.denied + udp.denied + echoes.denied, now)) this.#tellDenied(now);
    if (isNews(told.tcp, tcp.limited, now)) this.#tell(told.tcp, "TCP connections", tcp.limited, now);
    if (isNews(told.udp, udp.limited, now)) this.#tell(told.udp, "flows of UDP", udp.limited, now);
    if (isNews(told.echoes, echoes.limited, now)) this.#tell(told.echoes, "flows of pings", echoes.limited, now);
    if (isNews(told.exhausted, this.#adapter.exhausted, now)) {
      const count = note(told.exhausted, this.#adapter.exhausted, now);
      const text = "No descriptor is left for a flow of the peer: raise the limit of open files (ulimit -n)";
      this.#log.write("warn", `${text}${moreText(count)}`);
    }
  }

  #tellDenied(now: number): void {
    const { tcp, udp, echoes } = this.#stack.counts;
    const count = note(this.#told.denied, tcp.denied + udp.denied + echoes.denied, now);
    const { lastDenied } = this.#stack.gateway;
    const to = lastDenied === undefined ? "there" : addressText(lastDenied);
    this.#log.write("notice", `The peer may not go to ${to} (see share-allow and share-deny)${moreText(count)}`);
  }

  #tell(told: Told, kind: string, limited: number, now: number): void {
    const count = note(told, limited, now);
    this.#log.write(
      "warn",
      `There are as many ${kind} with the peer as there may be: one was refused or given up${moreText(count)}`,
    );
  }
}

function isNews({ count, nextAt }: Told, countNow: number, now: number): boolean {
  return countNow > count && now >= nextAt;
}

/** Returns how many there are since the last time. */
function note(told: Told, count: number, now: number): number {
  const news = count - told.count;
  told.count = count;
  told.nextAt = now + EVERY_MS;
  return news;
}

function moreText(count: number): string {
  return count === 1 ? "" : `; ${count} times since it was last said`;
}
