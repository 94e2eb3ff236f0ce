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
export function readAllStatus(directories = runDirectories()): Status[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return directories
    .flatMap((directory) =>
      readdirSync(directory)
        .filter(isStatusName)
        .sort(compare)
        .map((name) => `${directory}/${name}`),
    )
    .flatMap((path) => parseStatus(readPublished(path)) ?? []);
}
