// Users and their passwords (RFC 7617, Basic). Netscape and Internet Explorer 3 know no other way, and passwords that are stored
// as hashes can be checked. The link carries the password as it is, as PAP does.

import { fromBase64 } from "./base64.ts";
import { textOf } from "../bytes/text.ts";
import { type Reply, textReply } from "./reply.ts";
import type { Request } from "./http-request.ts";

export type Knows = (user: string, password: string) => boolean;

/** Wrong passwords a minute. After these none is looked at until the minute is over. */
const MOST_WRONG = 20;
const MINUTE = 60;

export class Authority {
  readonly #knows: Knows;
  readonly #now: () => number;
  #wrong = 0;
  #since = -Infinity;

  /** `now` is in seconds and never runs backwards. */
  constructor(knows: Knows, now: () => number) {
    this.#knows = knows;
    this.#now = now;
  }

  /** Why the request is not answered. Undefined: its user is known. */
  refusal({ headers }: Request): Reply | undefined {
    const [, coded] = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(headers.get("authorization") ?? "") ?? [];
    const ask = ["WWW-Authenticate", 'Basic realm="Files over the cable"'] as const;
    if (coded === undefined) return textReply(401, "A user and a password are needed", ask);
    const now = this.#now();
    if (now - this.#since >= MINUTE) {
      this.#since = now;
      this.#wrong = 0;
    }
    if (this.#wrong >= MOST_WRONG) return textReply(429, "Too many wrong passwords; wait a minute");
    const [, user, password] = /^([^:]*):([^]*)$/.exec(textOf(fromBase64(coded))) ?? [];
    if (user !== undefined && password !== undefined && this.#knows(user, password)) return undefined;
    this.#wrong++;
    return textReply(401, "Wrong user or password", ask);
  }
}
