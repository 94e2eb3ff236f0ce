// Who may write what for a while (RFC 4918 §6, §7): exclusive write locks, in memory. They are gone when the server is.

import type { Path } from "../folder.ts";
import { addressOf, type Request } from "../http-request.ts";
import type { Reply } from "../reply.ts";
import { tokensIn } from "./if-lists.ts";
import { conditionReply } from "./xml-body.ts";

export interface Lock {
  readonly token: string;
  readonly path: Path;
  /** It counts for all that is below the path too. */
  readonly isDeep: boolean;
  /** XML that the client gave: who has the lock. */
  readonly owner: string;
  readonly seconds: number;
  readonly until: number;
}

/** What a request is about to change. */
export interface Change {
  readonly path: Path;
  /** And all that is below it. */
  readonly isTree?: boolean;
  /** The name comes or goes, which changes its folder. */
  readonly isMember?: boolean;
}

const MOST_LOCKS = 1000;
const MOST_SECONDS = 3600;
const USUAL_SECONDS = 600;

/** A path is that of a tree or below it. */
export function isWithin(path: Path, tree: Path): boolean {
  return path.length >= tree.length && tree.every((name, at) => path[at] === name);
}

function isSame(one: Path, other: Path): boolean {
  return one.length === other.length && isWithin(one, other);
}

export class Locks {
  readonly #now: () => number;
  readonly #uuid: () => string;
  readonly #locks = new Map<string, Lock>();

  /** `now` is in seconds and never runs backwards. Nobody can guess a UUID of `uuid`. */
  constructor(now: () => number, uuid: () => string) {
    this.#now = now;
    this.#uuid = uuid;
  }

  #present(): Lock[] {
    const now = this.#now();
    for (const { token, until } of this.#locks.values()) if (until <= now) this.#locks.delete(token);
    return [...this.#locks.values()];
  }

  /** The locks that count for a path. */
  over(path: Path): Lock[] {
    return this.#present().filter((lock) => (lock.isDeep ? isWithin(path, lock.path) : isSame(path, lock.path)));
  }

  /** Undefined: there are too many. "taken": somebody has a lock on it, or on something in it. */
  add(path: Path, isDeep: boolean, owner: string, seconds: number): Lock | "taken" | undefined {
    const inside = isDeep ? this.#present().filter((lock) => isWithin(lock.path, path)) : [];
    if (this.over(path).length > 0 || inside.length > 0) return "taken";
    if (this.#locks.size >= MOST_LOCKS) return undefined;
    const token = `urn:uuid:${this.#uuid()}`;
    const lock = { token, path, isDeep, owner, seconds, until: this.#now() + seconds };
    this.#locks.set(lock.token, lock);
    return lock;
  }

  refresh({ token }: Lock, seconds: number): Lock | undefined {
    const lock = this.#locks.get(token);
    if (lock === undefined) return undefined;
    const fresh = { ...lock, seconds, until: this.#now() + seconds };
    this.#locks.set(token, fresh);
    return fresh;
  }

  remove({ token }: Lock): void {
    this.#locks.delete(token);
  }

  /** A file or folder is no more, and neither are the locks on it and in it. */
  forget(path: Path): void {
    for (const lock of this.#present()) if (isWithin(lock.path, path)) this.#locks.delete(lock.token);
  }

  /** Why a request may not change something: a lock whose token it does not have. Undefined: it may. */
  refusal({ headers }: Request, changes: readonly Change[]): Reply | undefined {
    const locks = this.#present();
    if (locks.length === 0) return undefined;
    const tokens = tokensIn(headers.get("if") ?? "");
    const lock = locks.find(({ token, path, isDeep }) => {
      if (tokens.includes(token)) return false;
      return changes.some(
        (change) =>
          (isDeep ? isWithin(change.path, path) : isSame(change.path, path)) ||
          (change.isTree === true && isWithin(path, change.path)) ||
          (change.isMember === true && isSame(change.path.slice(0, -1), path)),
      );
    });
    if (lock === undefined) return undefined;
    const href = `<D:href>${addressOf(lock.path, false)}</D:href>`;
    return conditionReply(423, `<D:lock-token-submitted>${href}</D:lock-token-submitted>`);
  }
}

/** How long a lock is to last: "Second-600", "Infinite", or several of them. */
export function timeoutOf(text: string | undefined): number {
  const [, seconds] = /^\s*second-(\d{1,15})/i.exec(text ?? "") ?? [];
  if (seconds !== undefined) return Math.min(Math.max(1, Number(seconds)), MOST_SECONDS);
  return /^\s*infinite/i.test(text ?? "") ? MOST_SECONDS : USUAL_SECONDS;
}

/** The content of the property lockdiscovery. */
export function locksText(locks: readonly Lock[], now: number): string {
  return locks
    .map(
      ({ token, path, isDeep, owner, until }) =>
        "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:exclusive/></D:lockscope>" +
        `<D:depth>${isDeep ? "infinity" : "0"}</D:depth>${owner}<D:timeout>Second-${Math.max(0, until - now)}</D:timeout>` +
        `<D:locktoken><D:href>${token}</D:href></D:locktoken>` +
        `<D:lockroot><D:href>${addressOf(path, false)}</D:href></D:lockroot></D:activelock>`,
    )
    .join("");
}
