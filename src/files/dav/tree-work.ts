// Work on a whole folder, done in steps between which others have their turn.

import type { Work } from "../chores.ts";
import { type Folder, isTrouble, type Path, type Trouble } from "../folder.ts";
import { type Receiver, type Reply, textReply } from "../reply.ts";

const DEEPEST = 100;
const NAMES_AT_ONCE = 1000;

export interface Failure {
  readonly path: Path;
  readonly trouble: Trouble;
}

/** Removes a file, or a folder with all that is in it. Links are removed, and not what they lead to. */
export function* removeTree(folder: Folder, path: Path, depth = 0): Work<Failure | undefined> {
  const trouble = folder.remove(path);
  if (trouble !== "not-empty") return trouble && { path, trouble };
  if (depth > DEEPEST) return { path, trouble: "failed" };
  for (;;) {
    const names = someNames(folder, path);
    if (isTrouble(names)) return { path, trouble: names };
    if (names.length === 0) break;
    for (const name of names) {
      const failure = yield* removeTree(folder, [...path, name], depth + 1);
      if (failure !== undefined) return failure;
      yield;
    }
  }
  const left = folder.remove(path);
  return left && { path, trouble: left };
}

function someNames(folder: Folder, path: Path): string[] | Trouble {
  const listing = folder.list(path);
  if (isTrouble(listing)) return listing;
  const names: string[] = [];
  for (let name; names.length < NAMES_AT_ONCE && (name = listing.next()) !== undefined;) names.push(name);
  listing.close();
  return names;
}

/** Answers with what the work leads to. The request has no body. */
export class WorkReceiver implements Receiver {
  readonly #work: Work<Reply>;

  constructor(work: Work<Reply>) {
    this.#work = work;
  }

  take(): Reply {
    this.cut();
    return textReply(415, "This request has no text");
  }

  complete(): Reply | undefined {
    const { done, value } = this.#work.next();
    return done === true ? value : undefined;
  }

  /** Nobody waits for the answer. What was made for the work only is removed. */
  cut(): void {
    this.#work.return(textReply(500, "The request was given up"));
  }
}
