// Answers the requests of all connections.

import { Authority, type Knows } from "./authority.ts";
import type { Answering } from "./connection.ts";
import { Locks } from "./dav/locks.ts";
import type { Folder } from "./folder.ts";
import { httpDate } from "./http-date.ts";
import { hostRefusal } from "./host-names.ts";
import { answer } from "./http-methods.ts";
import { Chores } from "./chores.ts";
import { SharedHashes } from "./hash-source.ts";
import { Quota } from "./quota.ts";
import type { Receiver, Reply } from "./reply.ts";
import type { Request } from "./http-request.ts";
import type { Asset, Site } from "./site.ts";
import { Uploads } from "./uploads.ts";

export interface ServerFacts {
  readonly folder: Folder;
  readonly isWritable: boolean;
  /** Octets; Infinity: no limit but the disk's. */
  readonly quota: number;
  readonly hasShortNames: boolean;
  readonly knows: Knows | undefined;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly version: string;
  /** This machine's name. */
  readonly hostName?: string;
  /** Seconds since 1970. */
  wall(): number;
  /** Whole seconds, which never run backwards. */
  now(): number;
  /** A UUID that nobody can guess. */
  uuid(): string;
  zoneAt(seconds: number): number;
}

export class Server implements Answering {
  readonly #facts: ServerFacts;
  readonly #site: Site;
  readonly #authority: Authority | undefined;
  readonly #chores = new Chores();

  constructor(facts: ServerFacts) {
    const wall = (): number => facts.wall();
    this.#facts = facts;
    const now = (): number => facts.now();
    const chores = this.#chores;
    this.#authority = facts.knows && new Authority(facts.knows, now);
    const quota = new Quota(facts.folder, facts.quota, now, chores);
    const uploads = new Uploads({ folder: facts.folder, quota, wall, now, chores });
    const hashes = new SharedHashes();
    this.#site = { ...facts, chores, hashes, quota, locks: new Locks(now, () => facts.uuid()), uploads };
  }

  /** What the folder may have in all, for others who write there. */
  get quota(): Quota {
    return this.#site.quota;
  }

  answer(request: Request): Reply | Receiver {
    // Where passwords are asked for, a browser has none for a foreign name.
    const refusal =
      this.#authority === undefined ? hostRefusal(request, this.#facts.hostName) : this.#authority.refusal(request);
    return refusal ?? answer(request, this.#site);
  }

  work(): boolean {
    return this.#chores.step();
  }

  headers(): [string, string][] {
    return [
      ["Server", `nullmodem/${this.#facts.version}`],
      ["Date", httpDate(this.#facts.wall())],
      ["X-Content-Type-Options", "nosniff"],
    ];
  }
}
