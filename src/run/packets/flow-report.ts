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

/** Tells of a lack of descriptors. */
export class DescriptorReport {
  readonly #adapter: SocketAdapter;
  readonly #log: Log;
  /** What has got no descriptor. */
  readonly #what: string;
  readonly #told: Told = { count: 0, nextAt: -Infinity };

  constructor(adapter: SocketAdapter, log: Log, what: string) {
    this.#adapter = adapter;
    this.#log = log;
    this.#what = what;
  }

  /** To be called often. */
  look(now: number): void {
    if (!isNews(this.#told, this.#adapter.exhausted, now)) return;
    const count = note(this.#told, this.#adapter.exhausted, now);
    const text = `No descriptor is left for ${this.#what}: raise the limit of open files (ulimit -n)`;
    this.#log.write("warn", `${text}${moreText(count)}`);
  }
}

export class FlowReport {
  readonly #stack: Stack;
  readonly #adapter: SocketAdapter;
  readonly #descriptors: DescriptorReport;
  readonly #log: Log;
  #hasToldOfPings = false;
  readonly #told = {
    denied: { count: 0, nextAt: -Infinity },
    tcp: { count: 0, nextAt: -Infinity },
    udp: { count: 0, nextAt: -Infinity },
    echoes: { count: 0, nextAt: -Infinity },
  };

  constructor(stack: Stack, adapter: SocketAdapter, log: Log) {
    this.#stack = stack;
    this.#adapter = adapter;
    this.#descriptors = new DescriptorReport(adapter, log, "a flow of the peer");
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
    this.#descriptors.look(now);
    if (this.#adapter.mayNotPing && !this.#hasToldOfPings) {
      this.#hasToldOfPings = true;
      this.#log.write("info", "Pings are not carried: this user is not in net.ipv4.ping_group_range");
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
