// How many octets the files of a folder may have in all. A large folder takes long to count, so that is done in steps.

import type { Chores, Work } from "./chores.ts";
import { type Folder, isTrouble, type Path } from "./folder.ts";

/** Others may change the folder too, so its files are counted again after this time, and before something is refused. */
const COUNT_SECONDS = 60;
/** But not more often than this. */
const LEAST_SECONDS = 2;
/** While others write, a count may come out too high. So often it is tried again before something is refused. */
const MOST_COUNTS = 3;
const DEEPEST = 100;
const FILES_AT_ONCE = 500;

/** Octets that become free when what has this name is removed or replaced. A link frees nothing of the file that it leads to. */
export function octetsFreed(folder: Folder, path: Path): number {
  const listing = folder.list(path.slice(0, -1));
  if (isTrouble(listing)) return 0;
  const old = listing.stat(path.at(-1) ?? "");
  listing.close();
  return isTrouble(old) || old.kind === "folder" || old.isLink ? 0 : old.size;
}

export class Quota {
  readonly #folder: Folder;
  readonly #most: number;
  readonly #now: () => number;
  readonly #chores: Chores;
  /** Octets of files with a name. */
  #used = 0;
  /** Octets of open files that were removed. */
  #nameless = 0;
  /** When the last count began. */
  #countedAt = -Infinity;
  #count: Count | undefined;

  /** `most` is Infinity without a quota. `now` is in seconds and never runs backwards. */
  constructor(folder: Folder, most: number, now: () => number, chores: Chores) {
    this.#folder = folder;
    this.#most = most;
    this.#now = now;
    this.#chores = chores;
  }

  get #age(): number {
    return this.#now() - this.#countedAt;
  }

  /** So many octets may be added, by the last count. `credit` tells how many will be removed when they are there. */
  allows(octets: number, credit: () => number = () => 0): boolean {
    if (this.#most === Infinity) return true;
    if (this.#age >= COUNT_SECONDS && this.#count === undefined) this.#begin();
    if (this.#total + octets <= this.#most) return true;
    // Some may have been closed.
    this.#nameless = this.#folder.namelessOctets();
    return this.#total + octets <= this.#most || this.#total + octets - credit() <= this.#most;
  }

  get #total(): number {
    return this.#used + this.#nameless;
  }

  /** Counts, if the last count is too old for what follows, or would refuse it and is not from this moment. */
  *prepare(octets = 0, credit?: () => number): Work<void> {
    if (this.#most === Infinity) return;
    if (this.#age >= COUNT_SECONDS) yield* this.#counted();
    let isSure = this.#age < LEAST_SECONDS;
    for (let tries = 0; tries < MOST_COUNTS && !isSure && !this.allows(octets, credit); tries++) {
      // A count that others wait for may have begun too long ago to know of what was removed.
      if (this.#count !== undefined) yield* this.#counted();
      isSure = yield* this.#counted();
    }
  }

  /** Octets that may still be added. */
  available(): number {
    return Math.min(this.#folder.room(), this.#most === Infinity ? Infinity : this.#most - this.#total);
  }

  /** Octets that are there. Undefined without a quota: nobody counts them. */
  used(): number | undefined {
    return this.#most === Infinity ? undefined : this.#total;
  }

  #begin(): Count {
    this.#count = new Count(this.#folder, this.#now());
    // Those who wait for it may be gone before it is done.
    this.#chores.add(this.#worked(this.#count));
    return this.#count;
  }

  /** Works at the count that is under way, or at a new one. True: nothing was added or removed meanwhile. */
  #counted(): Work<boolean> {
    return this.#worked(this.#count ?? this.#begin());
  }

  *#worked(count: Count): Work<boolean> {
    while (!count.step()) yield;
    if (this.#count === count) {
      this.#count = undefined;
      this.#used = count.octets;
      this.#nameless = this.#folder.namelessOctets();
      this.#countedAt = count.startedAt;
    }
    return count.isExact;
  }

  /** So many octets were added, or removed. */
  add(octets: number): void {
    this.#used += octets;
    // What was removed may be open.
    if (octets < 0 && this.#most !== Infinity) this.#nameless = this.#folder.namelessOctets();
    this.#count?.add(octets);
  }
}

class Count {
  readonly startedAt: number;
  readonly #work: Work<void>;
  octets = 0;
  isExact = true;

  constructor(folder: Folder, startedAt: number) {
    this.startedAt = startedAt;
    this.#work = this.#visit(folder, [], 0);
  }

  /** True: all is counted. */
  step(): boolean {
    return this.#work.next().done === true;
  }

  /** Nobody knows whether the file was counted before it changed. The result is rather too high than too low. */
  add(octets: number): void {
    this.octets += Math.max(0, octets);
    this.isExact = false;
  }

  *#visit(folder: Folder, path: Path, depth: number): Work<void> {
    const listing = depth > DEEPEST ? "failed" : folder.list(path);
    if (isTrouble(listing)) return;
    const inside: string[] = [];
    let files = 0;
    for (let name; (name = listing.next()) !== undefined;) {
      if (++files % FILES_AT_ONCE === 0) yield;
      const stat = listing.stat(name);
      if (isTrouble(stat) || stat.isLink) continue;
      if (stat.kind === "folder") inside.push(name);
      else this.octets += stat.size;
    }
    listing.close();
    for (const name of inside) {
      yield;
      yield* this.#visit(folder, [...path, name], depth + 1);
    }
  }
}
