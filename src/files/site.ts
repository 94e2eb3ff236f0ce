// What is served, by what rules, and to whom: all that a request's answer depends on besides the request.

import type { Chores } from "./chores.ts";
import type { Locks } from "./dav/locks.ts";
import type { Folder } from "./folder.ts";
import type { SharedHashes } from "./hash-source.ts";
import type { Quota } from "./quota.ts";
import type { Uploads } from "./uploads.ts";

/** A text or an image that the program itself has. */
export interface Asset {
  readonly type: string;
  readonly octets: Uint8Array;
  /** The same by gzip. */
  readonly compressed?: Uint8Array | undefined;
}

export interface Site {
  readonly folder: Folder;
  /** Others may write. */
  readonly isWritable: boolean;
  readonly uploads: Uploads;
  readonly quota: Quota;
  readonly locks: Locks;
  readonly hashes: SharedHashes;
  /** What no request waits for. */
  readonly chores: Chores;
  /** Below {@link ASSETS}, by name. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Of the program, for what browsers keep. */
  readonly version: string;
  /** Offers names of eight and three characters by default. */
  readonly hasShortNames: boolean;
  /** Seconds since 1970. */
  wall(): number;
  /** Whole seconds, which never run backwards. */
  now(): number;
  /** How many seconds local time is ahead of UTC at a moment. */
  zoneAt(seconds: number): number;
}

/** The first name in the addresses of the program's own texts. A file of this name in the folder cannot be reached. */
export const ASSETS = "~nullmodem";
