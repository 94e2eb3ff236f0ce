// Reads what running pppds publish (run/live/published-status.ts).

import { readdirSync } from "node:fs";
import { readPublished } from "../os/log/publication.ts";
import { networkNamespace } from "../os/net/namespace.ts";
import { parseStatus } from "../run/live/parsed-status.ts";
import { isStatusName, type Status, statusPath } from "../run/live/published-status.ts";
import { runDirectories } from "./run-directory.ts";

/** The link of that name in our network namespace, when it is one of ours. */
export function readStatus(ifname: string, directories = runDirectories()): Status | undefined {
  // A name is no path.
  if (ifname.includes("/")) return undefined;
  return directories
    .flatMap((directory) => parseStatus(readPublished(statusPath(ifname, directory))) ?? [])
    .find((status) => status.interface === ifname && status.namespace === networkNamespace());
}

/** All links of the machine, whatever their network namespace, by name. */
export function readAllStatus(directories = runDirectories(), read = readPublished): Status[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return directories
    .flatMap((directory) =>
      readdirSync(directory)
        .filter(isStatusName)
        .sort(compare)
        .map((name) => `${directory}/${name}`),
    )
    .flatMap((path) => parseStatus(read(path)) ?? []);
}

/** A process that has let us wait so long has stopped, and is not asked for a while. */
const SLOW_MS = 1000;
const SPARED_MS = 15_000;

/** Reads again and again, and is not held up each time by a process that has stopped. */
export class StatusReader {
  readonly #sparedUntil = new Map<string, number>();
  readonly #read: typeof readPublished;
  readonly #now: () => number;

  /** The parameters are for tests. */
  constructor(read = readPublished, now = (): number => performance.now()) {
    this.#read = read;
    this.#now = now;
  }

  links(directories = runDirectories()): Status[] {
    return readAllStatus(directories, (path) => this.#ask(path));
  }

  #ask(path: string): string | undefined {
    const began = this.#now();
    if (began < (this.#sparedUntil.get(path) ?? -Infinity)) return undefined;
    const text = this.#read(path);
    const now = this.#now();
    if (text === undefined && now - began >= SLOW_MS) this.#sparedUntil.set(path, now + SPARED_MS);
    return text;
  }
}
