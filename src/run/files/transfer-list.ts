// The files that are on their way, as the process of `files` tells pppd: a line of JSON a second, and none while nothing goes.

import type { UnderWay } from "../../files/exchange.ts";
import { isTransfer } from "../live/parsed-status.ts";
import type { FileTransfer } from "../host/processes.ts";

const EVERY_MS = 1000;
/** A pipe takes a line of this length whole, or not at all. */
const MOST_OCTETS = 4000;
const MOST_NAME = 120;
const NONE = "[]";

/** The rate is that of so many looks: what a socket tells comes in jumps. */
const LOOKS = 8;

/** A transfer as it was at the last looks, the oldest first. */
interface Seen {
  readonly name: string;
  readonly looks: readonly { readonly at: number; readonly octets: number }[];
}

export class TransferList<Client> {
  #seen = new Map<Client, Seen>();
  #lookedAt = -Infinity;
  #told = NONE;

  /** When {@link look} is due, if a file is on its way. */
  get dueAt(): number {
    return this.#lookedAt + EVERY_MS;
  }

  /** When it is due because of files that were on their way. Infinity: none were. */
  get nextLookAt(): number {
    return this.#seen.size > 0 || this.#told !== NONE ? this.dueAt : Infinity;
  }

  /** Returns what has to be told. Undefined: nothing new. A file is told of when it is still on its way after a second. */
  look(clients: Iterable<readonly [Client, UnderWay]>, now: number): string | undefined {
    const before = this.#seen;
    const transfers: FileTransfer[] = [];
    this.#seen = new Map();
    this.#lookedAt = now;
    for (const [client, { name, to, octets, of }] of clients) {
      const past = before.get(client);
      const isSame = past?.name === name && octets >= past.looks.at(-1)!.octets;
      const looks = [...(isSame ? past.looks.slice(1 - LOOKS) : []), { at: now, octets }];
      this.#seen.set(client, { name, looks });
      const [oldest] = looks;
      if (!isSame || oldest === undefined) continue;
      const rate = Math.round((1000 * (octets - oldest.octets)) / (now - oldest.at));
      transfers.push({ name: name.slice(0, MOST_NAME), to, octets, of, rate });
    }
    let line = JSON.stringify(transfers);
    while (Buffer.byteLength(line) > MOST_OCTETS && transfers.pop() !== undefined) line = JSON.stringify(transfers);
    if (line === NONE && this.#told === NONE) return undefined;
    this.#told = line;
    return line;
  }
}

/** Reads a line of another process. What is no transfer is left out. */
export function parseTransfers(line: string): FileTransfer[] {
  try {
    const list: unknown = JSON.parse(line);
    return Array.isArray(list) ? list.filter(isTransfer) : [];
  } catch {
    return [];
  }
}
