// Who has which file open, with what access, what others may do meanwhile, and which parts are locked. It is one for all
// connections. Oplocks are never granted, so no client keeps what others cannot see. HTTP and WebDAV do not ask here, as local
// programs do not.

export const Share = { READ: 1, WRITE: 2, DELETE: 4 } as const;

export interface Opening {
  readonly canRead: boolean;
  readonly canWrite: boolean;
  readonly canDelete: boolean;
  /** What others may do: a sum of {@link Share}. */
  readonly shared: number;
}

interface Range {
  readonly owner: number;
  readonly from: number;
  readonly to: number;
  readonly isShared: boolean;
}

/** One opening of a file. */
export interface Open {
  /** The names of its path, joined by slashes. */
  key: string;
  readonly opening: Opening;
  readonly locks: Range[];
}

/** Of all clients together, so that the descriptors of the process suffice. */
const MOST_OPEN = 400;
const MOST_LOCKS = 512;

export class OpenTable {
  readonly #opens = new Map<string, Set<Open>>();
  #count = 0;

  get isFull(): boolean {
    return this.#count >= MOST_OPEN;
  }

  /** Undefined: others who have it open do not share it so, or it would not be shared with them. */
  open(key: string, opening: Opening): Open | undefined {
    const others = this.#opens.get(key) ?? new Set<Open>();
    for (const other of others)
      if (conflicts(opening, other.opening) || conflicts(other.opening, opening)) return undefined;
    const open: Open = { key, opening, locks: [] };
    this.#opens.set(key, others.add(open));
    this.#count++;
    return open;
  }

  close(open: Open): void {
    const others = this.#opens.get(open.key);
    if (others?.delete(open) !== true) return;
    this.#count--;
    if (others.size === 0) this.#opens.delete(open.key);
  }

  /** It may be renamed or removed: nobody but `except` has it or, of a folder, anything in it open without sharing that. */
  mayMove(key: string, except?: Open): boolean {
    for (const [one, opens] of this.#opens) {
      if (one !== key && !one.startsWith(`${key}/`)) continue;
      for (const open of opens)
        if (open !== except && (one !== key || (open.opening.shared & Share.DELETE) === 0)) return false;
    }
    return true;
  }

  /** What was at a path has another one now, and so has what is in it. */
  move(from: string, to: string): void {
    for (const [one, opens] of [...this.#opens]) {
      if (one !== from && !one.startsWith(`${from}/`)) continue;
      const key = to + one.slice(from.length);
      this.#opens.delete(one);
      const moved = this.#opens.get(key) ?? new Set<Open>();
      this.#opens.set(key, moved);
      for (const open of opens) {
        open.key = key;
        moved.add(open);
      }
    }
  }

  /** False: others have a part of the range locked, or there are too many locks. */
  lock(open: Open, range: Range): boolean {
    if (open.locks.length >= MOST_LOCKS) return false;
    for (const other of this.#opens.get(open.key) ?? [])
      for (const lock of other.locks) if (overlaps(lock, range) && !(lock.isShared && range.isShared)) return false;
    open.locks.push(range);
    return true;
  }

  /** False: there is no such lock. */
  unlock(open: Open, range: Pick<Range, "owner" | "from" | "to">): boolean {
    const at = open.locks.findIndex(
      ({ owner, from, to }) => owner === range.owner && from === range.from && to === range.to,
    );
    if (at >= 0) open.locks.splice(at, 1);
    return at >= 0;
  }

  /** A lock of somebody else forbids to read or to write [from, to). */
  isLocked(open: Open, owner: number, from: number, to: number, writes: boolean): boolean {
    for (const other of this.#opens.get(open.key) ?? [])
      for (const lock of other.locks) {
        if (!overlaps(lock, { from, to })) continue;
        const isOwn = other === open && lock.owner === owner;
        if (lock.isShared ? writes : !isOwn) return true;
      }
    return false;
  }
}

function conflicts(wanted: Opening, there: Opening): boolean {
  return (
    (wanted.canRead && (there.shared & Share.READ) === 0) ||
    (wanted.canWrite && (there.shared & Share.WRITE) === 0) ||
    (wanted.canDelete && (there.shared & Share.DELETE) === 0)
  );
}

function overlaps(one: Pick<Range, "from" | "to">, other: Pick<Range, "from" | "to">): boolean {
  return one.from < other.to && other.from < one.to;
}
