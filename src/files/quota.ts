// How many octets the files of a folder may have in all.

import { type Folder, isTrouble, type Path } from "./folder.ts";

/** Others may change the folder too, so its files are counted again after this time, and before something is refused. */
const COUNT_SECONDS = 60;
/** But not more often than this. */
const LEAST_SECONDS = 2;
const DEEPEST = 100;

export class Quota {
  readonly #folder: Folder;
  readonly #most: number;
  readonly #wall: () => number;
  #used = 0;
  #countedAt = -Infinity;

  /** `most` is Infinity without a quota. */
  constructor(folder: Folder, most: number, wall: () => number) {
    this.#folder = folder;
    this.#most = most;
    this.#wall = wall;
  }

  /** So many octets may be added. `credit` tells how many will be removed when they are there. */
  allows(octets: number, credit: () => number = () => 0): boolean {
    if (this.#most === Infinity) return true;
    const age = Math.abs(this.#wall() - this.#countedAt);
    if (age >= COUNT_SECONDS) this.#count();
    const fits = (): boolean => this.#used + octets <= this.#most || this.#used + octets - credit() <= this.#most;
    if (fits() || age < LEAST_SECONDS) return fits();
    this.#count();
    return fits();
  }

  /** Octets that may still be added. */
  available(): number {
    return Math.min(this.#folder.room(), this.#most === Infinity ? Infinity : this.#most - this.#counted());
  }

  /** Octets that are there. Undefined without a quota: nobody counts them. */
  used(): number | undefined {
    return this.#most === Infinity ? undefined : this.#counted();
  }

  #counted(): number {
    if (Math.abs(this.#wall() - this.#countedAt) >= COUNT_SECONDS) this.#count();
    return this.#used;
  }

  #count(): void {
    this.#used = octetsIn(this.#folder, [], 0);
    this.#countedAt = this.#wall();
  }

  /** So many octets were added, or removed. */
  add(octets: number): void {
    this.#used += octets;
  }
}

function octetsIn(folder: Folder, path: Path, depth: number): number {
  const listing = depth > DEEPEST ? "failed" : folder.list(path);
  if (isTrouble(listing)) return 0;
  let octets = 0;
  const inside: string[] = [];
  for (let name; (name = listing.next()) !== undefined;) {
    const stat = listing.stat(name);
    if (isTrouble(stat) || stat.isLink) continue;
    if (stat.kind === "folder") inside.push(name);
    else octets += stat.size;
  }
  listing.close();
  for (const name of inside) octets += octetsIn(folder, [...path, name], depth + 1);
  return octets;
}
