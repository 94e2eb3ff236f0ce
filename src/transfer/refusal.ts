// What a server that refuses a request means, in plain words.

import { inert } from "../bytes/text.ts";
import type { Request } from "./http-connection.ts";
import { shown, unescapePath } from "./remote-path.ts";

const REASONS: Readonly<Record<number, string>> = {
  400: "the server does not understand the request",
  401: "the server asks for a name and a password: http://NAME:PASSWORD@HOST/",
  403: "the server does not allow it",
  404: "there is no such file",
  405: "the server does not take files (nullmodem needs files-write)",
  409: "something of another kind has this name",
  413: "it is larger than the server allows",
  422: "it arrived damaged",
  423: "somebody else writes to it",
  501: "the server does not take files",
  507: "there is no room there (a quota, or its disk)",
};

/** Statuses that do not depend on the file. */
const FOR_ALL = [401, 405, 501, 507];
/** What our own server says with 403 when nobody may write. */
const READ_ONLY = "Files can only be read here";

/** The server refuses. It will not do better later. */
export class Refusal extends Error {
  readonly status: number;
  /** Other files would be refused too. */
  readonly isFinal: boolean;

  constructor({ method, target }: Request, status: number, body: Uint8Array = new Uint8Array()) {
    const path = shown(unescapePath(target.replace(/\?.*/s, "")));
    const own = inert(new TextDecoder().decode(body.subarray(0, 200)).trim());
    const isPlain = own !== "" && !own.startsWith("<") && !own.startsWith("{");
    const reason = REASONS[status] ?? `the server answers ${status} to ${method}`;
    super(`${path}: ${reason}${isPlain ? ` (${own})` : ""}`);
    this.status = status;
    this.isFinal = FOR_ALL.includes(status) || own.startsWith(READ_ONLY);
  }
}

/** The server sends us to another address. */
export class Redirected extends Error {
  readonly location: string;

  constructor(location: string) {
    super(`the server sends us to ${inert(location)}`);
    this.location = location;
  }
}
