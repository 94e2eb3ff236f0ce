// Answers the requests of all connections.

import { Authority, type Knows } from "./authority.ts";
import type { Answering } from "./connection.ts";
import { Locks } from "./dav/locks.ts";
import type { Folder } from "./folder.ts";
import { httpDate } from "./http-date.ts";
import { hostRefusal } from "./host-names.ts";
import { answer } from "./http-methods.ts";
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
  wall(): number;
  zoneAt(seconds: number): number;
}

export class Server implements Answering {
  readonly #facts: ServerFacts;
  readonly #site: Site;
  readonly #authority: Authority | undefined;

  constructor(facts: ServerFacts) {
    const wall = (): number => facts.wall();
    this.#facts = facts;
    this.#authority = facts.knows && new Authority(facts.knows, wall);
    const quota = new Quota(facts.folder, facts.quota, wall);
    this.#site = { ...facts, quota, locks: new Locks(wall), uploads: new Uploads(facts.folder, quota, wall) };
  }

  answer(request: Request): Reply | Receiver {
    // Where passwords are asked for, a browser has none for a foreign name.
    const refusal =
      this.#authority === undefined ? hostRefusal(request, this.#facts.hostName) : this.#authority.refusal(request);
    return refusal ?? answer(request, this.#site);
  }

  headers(): [string, string][] {
    return [
      ["Server", `nullmodem/${this.#facts.version}`],
      ["Date", httpDate(this.#facts.wall())],
      ["X-Content-Type-Options", "nosniff"],
    ];
  }
}
