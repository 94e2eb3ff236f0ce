// Reads what running pppds publish (run/live/published-status.ts).

import { readdirSync } from "node:fs";
import { readPublished } from "../os/log/publication.ts";
import { networkNamespace } from "../os/net/namespace.ts";
import { isStatusName, parseStatus, RUN_DIRECTORY, type Status, statusPath } from "../run/live/published-status.ts";

/** The link of that name in our network namespace, when it is one of ours. */
export function readStatus(ifname: string, directory = RUN_DIRECTORY): Status | undefined {
  // A name is no path.
  if (ifname.includes("/")) return undefined;
  const status = parseStatus(readPublished(statusPath(ifname, directory)));
  return status?.interface === ifname && status.namespace === networkNamespace() ? status : undefined;
}

/** All links of the machine, whatever their network namespace, by name. */
export function readAllStatus(directory = RUN_DIRECTORY): Status[] {
  return readdirSync(directory)
    .filter(isStatusName)
    .sort(new Intl.Collator("en", { numeric: true }).compare)
    .flatMap((name) => parseStatus(readPublished(`${directory}/${name}`)) ?? []);
}
