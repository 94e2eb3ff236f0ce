// What a link did in the last minutes, a value a second, for the graphs.

import type { LineStatus, Status } from "../../run/live/published-status.ts";

/** A graph is not wider. */
const MOST = 240;
/** An older answer says nothing of the link as it is now. */
const FRESH_SECONDS = 60;

export type Series = "received" | "sent" | "roundTrip" | "ratio" | "errors" | "queue";

const BAD = ["badFcs", "runts", "overlong", "aborted", "faults"] as const;

export class LinkHistory {
  /** The last values of each graph. NaN: not known. */
  readonly values: Readonly<Record<Series, number[]>> = {
    received: [],
    sent: [],
    roundTrip: [],
    ratio: [],
    errors: [],
    queue: [],
  };
  latest: Status;
  #at: number;

  constructor(status: Status, now: number) {
    this.latest = status;
    this.#at = now;
  }

  last(series: Series): number {
    return this.values[series].at(-1) ?? NaN;
  }

  /** The status is as it is now. */
  add(status: Status, now: number): void {
    const before = this.latest;
    const seconds = (now - this.#at) / 1000;
    this.latest = status;
    this.#at = now;
    if (seconds <= 0) return;
    // Counters begin anew when the interface is made again.
    const rate = (way: "received" | "sent"): number =>
      Math.max(0, status.counters[way].bytes - before.counters[way].bytes) / seconds;
    this.#push("received", rate("received"));
    this.#push("sent", rate("sent"));
    this.#push("roundTrip", roundTripOf(status));
    this.#push("ratio", ratioOf(status, before));
    this.#push("errors", Math.max(0, badFrames(status) - badFrames(before)));
    this.#push("queue", waitingOf(status));
  }

  #push(series: Series, value: number): void {
    const values = this.values[series];
    values.push(value);
    if (values.length > MOST) values.shift();
  }
}

/** The last round trip, while echoes are answered. */
function roundTripOf({ lines }: Status): number {
  const fresh = lines.flatMap(({ roundTrip }) =>
    roundTrip !== undefined && roundTrip.seconds < FRESH_SECONDS ? [roundTrip.last] : [],
  );
  return fresh.length === 0 ? NaN : Math.max(...fresh);
}

/** What compression makes of the packets of both directions. */
function ratioOf({ counters }: Status, { counters: before }: Status): number {
  let plain = 0;
  let carried = 0;
  for (const way of ["received", "sent"] as const) {
    plain += counters[way].uncompressedBytes - before[way].uncompressedBytes;
    carried += counters[way].compressedBytes - before[way].compressedBytes;
    carried += counters[way].incompressibleBytes - before[way].incompressibleBytes;
  }
  return plain > 0 && carried > 0 ? plain / carried : NaN;
}

export function badFrames({ lines }: Status): number {
  return lines.reduce((sum, line) => sum + BAD.reduce((bad, kind) => bad + (line[kind] ?? 0), 0), 0);
}

/** Octets that wait, in the queue and at the lines. */
export function waitingOf({ queue, lines }: Status): number {
  return (queue?.octets ?? 0) + lines.reduce((sum: number, { waiting = 0 }: LineStatus) => sum + waiting, 0);
}
